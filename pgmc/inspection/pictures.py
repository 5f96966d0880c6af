"""Sheets of images: filters, samples, reconstructions. They need matplotlib (extra ``plot``)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError
from pgmc.inspection.figures import new_figure, save_figure

Array: TypeAlias = npt.NDArray[Any]
SEAM = "#8793a3"


def filter_sheet(
    W: Array, image_shape: tuple[int, int], path: str | Path | None = None, columns: int | None = None
) -> Any:
    """The columns of a weight matrix as images: one tile for each hidden unit.

    Every tile has its own symmetric scale, so that 0 is the middle of the colours: blue for positive weights, red for
    negative ones.

    Parameters
    ----------
    W
        ``(pixels, units)`` weights, with pixels = rows · columns of the image.
    image_shape
        Rows and columns of an image.
    path
        Where to write the picture; its suffix names the format. Written whole or not at all.
    columns
        Tiles in a row; by default such that the sheet is about square.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        If the shapes do not fit, or matplotlib is not installed.
    """
    tiles = _tiles(np.asarray(W, dtype=np.float64).T, image_shape, "W", "(pixels, units)")
    scale = np.abs(tiles).max(axis=(1, 2), keepdims=True)
    return save_figure(_sheet(tiles / np.where(scale > 0, scale, 1.0), columns, "RdBu", (-1.0, 1.0)), path)


def sample_sheet(
    samples: Array, image_shape: tuple[int, int], path: str | Path | None = None, columns: int | None = None
) -> Any:
    """Samples as images, low values dark.

    Parameters
    ----------
    samples
        ``(n, ...)`` states or probabilities; each example has rows · columns numbers.
    image_shape, path, columns
        As for `filter_sheet`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        If the shapes do not fit, or matplotlib is not installed.
    """
    values = np.asarray(samples, dtype=np.float64)
    tiles = _tiles(values.reshape(len(values), -1), image_shape, "samples", "(n, pixels)")
    return save_figure(_sheet(tiles, columns, "gray", (float(tiles.min()), float(tiles.max()))), path)


def reconstruction_sheet(
    data: Array,
    reconstructions: Array,
    image_shape: tuple[int, int],
    path: str | Path | None = None,
    columns: int | None = None,
) -> Any:
    """Each example above what the model made of it, on one scale: low values dark.

    Parameters
    ----------
    data, reconstructions
        ``(n, ...)`` examples, and the mean of each given the hidden units that were inferred from it.
    image_shape, path
        As for `filter_sheet`.
    columns
        Pairs in a row.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        If the shapes do not fit, or matplotlib is not installed.
    """
    above, below = (
        _tiles(np.asarray(x, dtype=np.float64).reshape(len(x), -1), image_shape, name, "(n, pixels)")
        for name, x in (("data", data), ("reconstructions", reconstructions))
    )
    if len(above) != len(below):
        raise ArgumentError(f"{len(above)} examples and {len(below)} reconstructions. Pass one for each.")
    pairs = np.concatenate([above, np.full((len(above), 1, above.shape[2]), np.nan), below], axis=1)
    limits = float(min(above.min(), below.min())), float(max(above.max(), below.max()))
    return save_figure(_sheet(pairs, columns, "gray", limits), path)


def _tiles(rows: Array, image_shape: tuple[int, int], name: str, layout: str) -> Array:
    if rows.ndim != 2 or rows.size == 0 or rows.shape[1] != math.prod(image_shape):
        wanted = f"{image_shape[0]} × {image_shape[1]} = {math.prod(image_shape)} pixels"
        raise ArgumentError(
            f"{name}: an image of {wanted} cannot be cut from an array {layout} with "
            f"{rows.shape[-1]} pixels. Pass the image_shape of the data."
        )
    return rows.reshape(-1, *image_shape)


def _sheet(tiles: Array, columns: int | None, colours: str, limits: tuple[float, float]) -> Any:
    """The tiles side by side with a line of one pixel between them, of a colour that no tile has."""
    n, height, width = tiles.shape
    across = columns or math.ceil(math.sqrt(n * height / width))
    if across < 1:
        raise ArgumentError(f"columns: {columns} tiles in a row. Pass a positive number.")
    across = min(across, n)
    down = math.ceil(n / across)
    sheet = np.full((down * (height + 1) + 1, across * (width + 1) + 1), np.nan)
    for k, tile in enumerate(tiles):
        row, column = divmod(k, across)
        top, left = 1 + row * (height + 1), 1 + column * (width + 1)
        sheet[top : top + height, left : left + width] = tile
    inches = 8.0 / max(sheet.shape)
    figure = new_figure((inches * sheet.shape[1], inches * sheet.shape[0]), tight=False)
    figure.set_facecolor(SEAM)  # shows through where the sheet has no number
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.imshow(sheet, cmap=colours, vmin=limits[0], vmax=limits[1], interpolation="nearest")
    axes.set_axis_off()
    return figure
