"""Pictures of what was learned: filters, samples, the course of training. They need matplotlib (extra ``plot``)."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError
from pgmc.inspection.markup import write_atomically

Array: TypeAlias = npt.NDArray[Any]
SURFACE, INK, GRID, SEAM = "#ffffff", "#2f3947", "#d5dae1", "#8793a3"
SERIES = ("#3b7dc4", "#d9822b", "#35955f", "#8e55b3", "#c9485b", "#2b8f98")


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
    return _save(_sheet(tiles / np.where(scale > 0, scale, 1.0), columns, "RdBu", (-1.0, 1.0)), path)


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
    return _save(_sheet(tiles, columns, "gray", (float(tiles.min()), float(tiles.max()))), path)


def history_curves(history: Mapping[str, Sequence[float] | Array], path: str | Path | None = None) -> Any:
    """The columns of a training history over the epochs, one panel for each.

    Parameters
    ----------
    history
        Name of a column -> one number for each epoch. A column ``epoch`` numbers the epochs; columns without a
        finite number are left out.
    path
        As for `filter_sheet`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        If no column can be drawn, or matplotlib is not installed.
    """
    columns = {name: np.asarray(values) for name, values in history.items()}
    epochs = columns.pop("epoch", None)
    drawn = {k: v.astype(np.float64) for k, v in columns.items() if v.ndim == 1 and v.dtype.kind in "iufb"}
    drawn = {name: values for name, values in drawn.items() if np.isfinite(values).any()}
    if not drawn:
        raise ArgumentError("history: no column has a finite number to draw. Train for at least one epoch.")
    across = min(3, len(drawn))
    down = math.ceil(len(drawn) / across)
    figure = _figure((4.2 * across, 2.8 * down))
    for k, (name, values) in enumerate(drawn.items()):
        axes = figure.add_subplot(down, across, k + 1)
        at = np.arange(1, len(values) + 1) if epochs is None else epochs
        axes.plot(at, values, color=SERIES[k % len(SERIES)], linewidth=1.8, marker="o" if len(values) < 3 else "")
        axes.set_title(name.replace("_", " "), fontsize=11, color=INK, loc="left")
        axes.set_xlabel("epoch", fontsize=9, color=INK)
        axes.grid(color=GRID, linewidth=0.7)
        axes.tick_params(labelsize=8, colors=INK, length=0)
        axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
        axes.xaxis.get_major_locator().set_params(integer=True)
    return _save(figure, path)


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
    figure = _figure((inches * sheet.shape[1], inches * sheet.shape[0]), tight=False)
    figure.set_facecolor(SEAM)  # shows through where the sheet has no number
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.imshow(sheet, cmap=colours, vmin=limits[0], vmax=limits[1], interpolation="nearest")
    axes.set_axis_off()
    return figure


def _figure(size: tuple[float, float], tight: bool = True) -> Any:
    """A figure outside pyplot's list, so that nothing has to be closed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ArgumentError("Pictures need matplotlib, which is not installed: pip install pgmc[plot]") from None
    return Figure(figsize=size, dpi=150, facecolor=SURFACE, layout="constrained" if tight else None)


def _save(figure: Any, path: str | Path | None) -> Any:
    if path is not None:
        content = io.BytesIO()
        figure.savefig(content, format=Path(path).suffix.lstrip(".") or "png")
        write_atomically(path, content.getvalue())
    return figure
