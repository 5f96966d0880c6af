"""Slice sampling of single units, as generated kernels do it.

A level is drawn below the density at the present value; an interval around that is stepped out until its ends are
below the level, in at most ``STEPS`` steps that are dealt to both sides at random; then a point of it that is above the
level is drawn, the interval shrinking to the points that are not. That leaves the density as it is, whatever the width.
Positive units are drawn on the scale of their logarithm.

References
----------
Neal (2003), Slice sampling, figures 3 and 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.ir.slice_steps import MOST_SHRINKS, STEPS, WIDTH
from pgmc.runtime.streams import Words, draw_keys, uniforms, unit_words

Array: TypeAlias = npt.NDArray[Any]


def draw_slice(
    log_density: Callable[[Array], Array], start: Array, row: tuple[Words, Words], sites: Array
) -> tuple[Array, Array]:
    """One step of slice sampling for every chain and each of some units.

    Parameters
    ----------
    log_density
        Points ``(chains, sites)`` -> logarithm of the density there, but for a constant.
    start
        The present values, ``(chains, sites)``.
    row
        The keys of the chains in the sweep.
    sites
        The numbers of the units.

    Returns
    -------
    drawn, margin
        The new values, and how close the density came to the level where the two were compared.
    """
    level, low, left = (uniforms(unit_words(*draw_keys(row, draw), sites)) for draw in (1, 2, 3))
    with np.errstate(all="ignore"):
        top = log_density(start)
        level, low, left = top + np.log(level), start - WIDTH * low, np.floor(STEPS * left)
        high, right, margin = low + WIDTH, STEPS - 1 - left, np.full(start.shape, np.inf)

        def above(points: Array, asked: Array) -> Array:
            gap = log_density(points) - level
            margin[asked] = np.minimum(margin, np.abs(gap))[asked]
            return np.asarray(gap > 0.0)

        low = _stepped_out(low, -WIDTH, left, above)
        high = _stepped_out(high, WIDTH, right, above)
        drawn, open_ = start.copy(), np.ones(start.shape, dtype=bool)
        for shrink in range(MOST_SHRINKS - 2):
            point = low + uniforms(unit_words(*draw_keys(row, shrink + 4), sites)) * (high - low)
            inside = above(point, open_)
            drawn = np.where(open_ & inside, point, drawn)
            open_ &= ~inside
            if not open_.any():
                break
            low, high = np.where(point < start, point, low), np.where(point < start, high, point)
    return np.where(np.isnan(top), np.nan, drawn), margin


def _stepped_out(end: Array, step: float, most: Array, above: Callable[[Array, Array], Array]) -> Array:
    """An end of the interval moved on while it is above the level, and steps are left."""
    going = np.ones(end.shape, dtype=bool)
    for taken in range(STEPS):
        going &= above(end, going) & (most > taken)
        if not going.any():
            break
        end = np.where(going, end + step, end)
    return end
