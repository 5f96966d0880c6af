"""The integral along a line of a density that is known up to its logarithm, for the last real unit of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import NumericsError

Array: TypeAlias = npt.NDArray[Any]
LogDensity: TypeAlias = Callable[[Array], Array]

REACH, COARSE = 14.0, 2801
"""The first look is at sinh of equal steps up to this: from -600,000 to 600,000, in steps of one percent. A mode
that is much narrower than that is missed."""

DROP = 46.0
"""Where the density is exp(-46) of its top, what lies beyond is left out."""

ZOOMS, POINTS, MOST_POINTS = 4, 400, 1 << 14
ENOUGH = 1e-13


def integrate_line(log_density: LogDensity) -> tuple[float, float]:
    """log ∫ exp(log_density(x)) dx over the real line, and the change at the last refinement.

    The ends are taken where the density has died out; within them, the trapezoidal rule on a grid that is made finer
    until nothing changes. For a smooth density that dies out at both ends its error falls faster than any power of
    the step.

    Parameters
    ----------
    log_density : callable
        Points ``(m,)`` -> logarithms of the density ``(m,)``.

    Raises
    ------
    NumericsError
        If the density does not die out.

    References
    ----------
    Trefethen and Weideman (2014), The exponentially convergent trapezoidal rule.
    """
    points = np.sinh(np.linspace(-REACH, REACH, COARSE))
    for _ in range(ZOOMS):
        low, high = _ends(points, log_density(points))
        points = np.linspace(low, high, POINTS + 1)
    found, change, count = 0.0, np.inf, POINTS
    while abs(change) > ENOUGH * (1.0 + abs(found)) and count <= MOST_POINTS:
        points = np.linspace(low, high, count + 1)
        values = log_density(points)
        values[[0, -1]] -= np.log(2.0)
        last, found = found, float(np.logaddexp.reduce(values) + np.log((high - low) / count))
        change, count = found - last, 2 * count
    return found, abs(change)


def _ends(points: Array, values: Array) -> tuple[float, float]:
    """The points next to those where the density matters."""
    if not np.isfinite(values.max()):
        raise NumericsError("The density of a real unit is not finite anywhere. Look for parameters that are not.")
    near = np.flatnonzero(values > values.max() - DROP)
    if near[0] == 0 or near[-1] == len(points) - 1:
        raise NumericsError(
            f"The density of a real unit has not died out at ±{points[-1]:.3g}: the energy does not hold the unit "
            "back, or it is on another scale than 1. Look for a quadratic term whose parameter is zero."
        )
    return float(points[near[0] - 1]), float(points[near[-1] + 1])
