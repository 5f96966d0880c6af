"""What all pictures have in common: their colours, their letters, and how they are written."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from pgmc.errors import ArgumentError
from pgmc.inspection.markup import write_atomically

SURFACE, INK, GRID = "#ffffff", "#2f3947", "#d5dae1"
SERIES = ("#3b7dc4", "#d9822b", "#35955f", "#8e55b3", "#c9485b", "#2b8f98")

PANEL = 3.5, 2.45
"""Width and height of a panel in inches: one fits a column of a paper, and the window of a telephone."""


def new_figure(size: tuple[float, float], tight: bool = True) -> Any:
    """A figure outside pyplot's list, so that nothing has to be closed.

    Raises
    ------
    ArgumentError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ArgumentError('Pictures need matplotlib, which is not installed: pip install "pgmc[plot]"') from None
    return Figure(figsize=size, dpi=150, facecolor=SURFACE, layout="constrained" if tight else None)


def add_panel(figure: Any, title: str, across: str, up: str, place: Any = (1, 1, 1), **how: Any) -> Any:
    """Axes with a title on the left, named axes and a light grid."""
    axes = figure.add_subplot(*place, **how)
    axes.set_title(title, fontsize=10, color=INK, loc="left")
    axes.set_xlabel(across, fontsize=9, color=INK)
    axes.set_ylabel(up, fontsize=9, color=INK)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8, colors=INK, length=0)
    axes.ticklabel_format(useOffset=False)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    return axes


def add_legend(axes: Any) -> None:
    """A legend without a frame, in room of its own above what is drawn."""
    axes.margins(y=0.35)
    axes.autoscale_view()
    axes.legend(loc="upper left", fontsize=8, frameon=False, labelcolor=INK, handlelength=1.4)


def save_figure(figure: Any, path: str | Path | None) -> Any:
    """The figure; written whole to ``path``, if there is one, in the format that its suffix names."""
    if path is not None:
        content = io.BytesIO()
        figure.savefig(content, format=Path(path).suffix.lstrip(".") or "png")
        write_atomically(path, content.getvalue())
    return figure
