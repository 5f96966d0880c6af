"""The pictures of a run: filters, samples beside data, curves; and samples as text."""

from __future__ import annotations

import io
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.cli.task import Task
from pgmc.ir.symbols import Categorical, shape_of

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]

MOST_FILTERS = 100
BLOCKS = " ▄▀█"
"""Lower and upper half of a character cell: nothing, lower, upper, both."""


def find_filters(task: Task, params: Arrays) -> tuple[str, Array] | None:
    """The parameter that couples the image to another variable, as ``(pixels, units)``, and its name.

    It is the first parameter of two axes or more whose leading axes are those of the image. Of a categorical image
    the filter is the slope of the weight in the grey level. None if there is no such parameter.
    """
    variable = task.encoding.variable
    image = shape_of(variable)
    states = (task.encoding.states,) if isinstance(variable.domain, Categorical) else ()
    for parameter in task.program.model.parameters:
        shape = shape_of(parameter)
        if shape[: len(image) + len(states)] != (*image, *states) or len(shape) == len(image) + len(states):
            continue
        values = np.asarray(params[parameter.name], dtype=np.float64)
        values = values.reshape(int(np.prod(image)), *states, -1)
        if states:
            levels = np.linspace(-0.5, 0.5, states[0])
            values = np.einsum("pku,k->pu", values, levels / np.square(levels).sum())
        return parameter.name, values
    return None


def strongest(filters: Array, most: int = MOST_FILTERS) -> Array:
    """The filters, or those of the greatest norm if there are many."""
    if filters.shape[1] <= most:
        return filters
    chosen = np.argsort(-np.linalg.norm(filters, axis=0), kind="stable")[:most]
    return filters[:, np.sort(chosen)]


def png(figure: Any) -> bytes:
    """A figure of matplotlib as the bytes of a PNG file."""
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


def has_matplotlib() -> bool:
    """Whether pictures can be drawn."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def thumbnails(images: Array, shape: tuple[int, int], width: int, gap: int = 2) -> list[str]:
    """Images side by side as lines of text, two rows of pixels in each line, as many as fit.

    Parameters
    ----------
    images
        ``(n, pixels)`` grey levels; ink is what is at least 0.5.
    shape
        Rows and columns of an image.
    width
        Characters in a line.
    """
    rows, columns = shape
    count = max(1, min(len(images), (width + gap) // (columns + gap)))
    ink = (images[:count] >= 0.5).reshape(count, rows, columns)
    if rows % 2:
        ink = np.concatenate([ink, np.zeros_like(ink[:, :1])], axis=1)
    cells = 2 * ink[:, 0::2].astype(int) + ink[:, 1::2]
    lines = [
        (" " * gap).join("".join(BLOCKS[k] for k in image[row]) for image in cells) for row in range(len(cells[0]))
    ]
    return [line.rstrip() for line in lines]
