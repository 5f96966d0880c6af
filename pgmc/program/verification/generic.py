"""Units of no family in verification: their densities and draws from them by quadrature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.ir.queries import Conditional
from pgmc.program.verification.instance import TOLERANCES
from pgmc.program.verification.mixed import Arrays, MixedInstance, Place, Tempering, everywhere
from pgmc.program.verification.report import Ledger
from pgmc.runtime.slice_sampling import draw_slice
from pgmc.runtime.streams import Words

Array = npt.NDArray[Any]

COARSE, FINE, REACH = 801, 4001, 9.0
"""Points of the two looks at a density, the first of them sinh of equal steps up to ±sinh(9), about ±4,000."""

DROP = 40.0


def check_densities(instance: MixedInstance, ledger: Ledger, name: str) -> None:
    """log p(b | rest) - log p(a | rest) = E(a) - E(b) for every unit of a variable and random values."""
    generator = instance.stream.child(f"densities {name}").generator()
    query, states = Conditional(name), dict(instance.states)
    before, start = _log_density(instance, query, states), instance.energy(states)
    for unit in instance.units_of((name,)):
        here = everywhere(unit[1])
        moved = states[name].copy()
        moved[here] = generator.normal(size=len(moved)) * 2.0
        if instance.is_positive(name):
            moved[here] = np.exp(moved[here])
        after = {**states, name: moved}
        got = (_log_density(instance, query, after) - before)[here]
        expected = start - instance.energy(after)
        ledger.compare(
            "conditionals",
            f"log-density of {name}{list(unit[1]) or ''} at other values, given all others",
            got,
            expected,
            TOLERANCES[instance.dtype]["energy"],
            scale=1.0 + np.abs(expected) + np.abs(start).max(),
            case=lambda place: instance.case(place[0]),
        )


def _log_density(instance: MixedInstance, query: Conditional, states: dict[str, Array]) -> Array:
    found = instance.executable.evaluate(query, instance.params, states)["log_density"]
    return np.asarray(found, dtype=np.float64)


def replay_slice(
    instance: MixedInstance,
    states: Arrays,
    unit: Place,
    law: Tempering | None,
    row: tuple[Words, Words],
    sites: Array,
) -> tuple[Array, Array]:
    """What one step of slice sampling gives in each chain, from the energy, and where a comparison was too close."""
    positive = instance.is_positive(unit[0])
    found = states[unit[0]][everywhere(unit[1])].astype(np.float64)
    start = (np.log(found) if positive else found)[:, None]

    def log_density(points: Array) -> Array:
        values = -instance.energy(_at_points(instance, states, unit, points[:, 0]), law)
        return np.asarray(values + points[:, 0] if positive else values)[:, None]

    drawn, margin = draw_slice(log_density, start, row, sites)
    scale = 1.0 + np.abs(log_density(start))
    close = margin < 100 * TOLERANCES[instance.dtype]["energy"] * scale
    return (np.exp(drawn) if positive else drawn)[:, 0], close[:, 0]


def _at_points(instance: MixedInstance, states: Arrays, unit: Place, points: Array) -> dict[str, Array]:
    """The states with the unit at the point, or its logarithm there."""
    moved = states[unit[0]].astype(np.float64)
    moved[everywhere(unit[1])] = np.exp(points) if instance.is_positive(unit[0]) else points
    return {**states, unit[0]: moved}


class Quadrature:
    """The conditional of one unit in each of some states: its distribution function on a fine grid."""

    def __init__(self, instance: MixedInstance, states: Arrays, unit: Place, energy: Callable[[Arrays], Array]) -> None:
        self._energy = energy
        self._positive = instance.is_positive(unit[0])
        self._grids: list[Array] = []
        self._below: list[Array] = []
        for row in range(len(states[unit[0]])):
            own = {name: values[row : row + 1] for name, values in states.items()}
            points = np.sinh(np.linspace(-REACH, REACH, COARSE))
            if self._positive:
                points = np.linspace(-60.0, 12.0, COARSE)
            points = _where_it_matters(points, self._density(instance, own, unit, points))
            weights = np.exp(_shifted(self._density(instance, own, unit, points)))
            below = np.concatenate([[0.0], np.cumsum((weights[1:] + weights[:-1]) / 2.0)])
            self._grids.append(points)
            self._below.append(below / below[-1])

    def _density(self, instance: MixedInstance, own: Arrays, unit: Place, points: Array) -> Array:
        many = {name: np.repeat(values, len(points), axis=0) for name, values in own.items()}
        with np.errstate(all="ignore"):
            found = -self._energy(_at_points(instance, many, unit, points))
        return np.asarray(found + points if self._positive else found)

    def draw(self, rows: Array, uniforms: Array) -> Array:
        """A value in each chosen state, by inversion."""
        drawn = np.empty(len(rows))
        for row in np.unique(rows):
            here = rows == row
            drawn[here] = np.interp(uniforms[here], self._below[row], self._grids[row])
        return np.exp(drawn) if self._positive else drawn

    def below(self, rows: Array, values: Array) -> Array:
        """The probability of less than a value in each chosen state."""
        points = np.log(values) if self._positive else values
        found = np.empty(len(rows))
        for row in np.unique(rows):
            here = rows == row
            found[here] = np.interp(points[here], self._grids[row], self._below[row])
        return found


def _shifted(values: Array) -> Array:
    return np.asarray(values - np.nanmax(values))


def _where_it_matters(points: Array, values: Array) -> Array:
    near = np.flatnonzero(np.nan_to_num(_shifted(values), nan=-np.inf) > -DROP)
    low, high = points[max(near[0] - 1, 0)], points[min(near[-1] + 1, len(points) - 1)]
    return np.linspace(low, high, FINE)
