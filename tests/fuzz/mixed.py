"""A specification with real or positive units, and what follows from its energy in finite forms.

Its states cannot be listed. As a function of its real units the energy is a quadratic form, whose matrix is its second
differences; as a function of a positive unit it is a + b x + ½ c x² - d log x, which four values tell. The sums over
discrete units, the Gaussian integrals and the gamma integrals follow.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import erfcx, gammaln

from language import CONTINUOUS
from meaning import Arrays, Values, energies
from oracle import Exact
from trial import Case, rounded, units

ROWS_OF_A_STATE = 3
POINTS = np.array([1.0, 2.0, 3.0, 5.0])
FORMS = np.stack([np.ones(4), POINTS, POINTS**2 / 2, -np.log(POINTS)], axis=1)
"""What a positive unit's energy is made of, at these values."""

Unit = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class MixedCase(Case):
    """A specification with real units, its program, and random states."""

    def spread(self, params: Arrays, inputs: Arrays) -> float:
        """Not told, as real units may be anywhere."""
        return 0.0

    @cached_property
    def states(self) -> dict[str, Values]:
        """Every discrete state a few times, with random real and positive units, and the inputs beside it."""
        rng, listed = np.random.default_rng([self.seed, 6]), listed_states(units(self.spec))
        found = {name: np.repeat(x, ROWS_OF_A_STATE, axis=0) for name, x in listed.items()}
        rows = len(next(iter(found.values()), np.empty(ROWS_OF_A_STATE)))
        for array in self.spec.of_kind(*CONTINUOUS):
            values = rng.normal(size=(rows, *array.shape))
            found[array.name] = rounded(np.exp(values / 2) if array.kind == "positive" else values, self.dtype)
        return found | {name: np.repeat(value, rows, axis=0) for name, value in self.values[1].items()}

    @property
    def names(self) -> tuple[str, ...]:
        """The variables, in order of declaration."""
        return tuple(array.name for array in self.spec.units)

    @cached_property
    def scale(self) -> float:
        """What rounding errors are relative to."""
        return 1.0 + float(np.abs(self.energy(self.states)).max())

    def energy(self, states: Arrays) -> Values:
        """E of every row."""
        params = {name: value[None] for name, value in self.params.items()}
        return np.broadcast_to(energies(self.spec, params, states)[0], len(next(iter(states.values()))))

    def at(self, params: dict[str, Values]) -> MixedCase:
        """The case with other parameters."""
        other = replace(self)
        other.__dict__["values"] = (params, self.values[1])
        return other

    def of_kind(self, *kinds: str) -> list[str]:
        """The names of the variables of some kinds."""
        return [array.name for array in self.spec.of_kind(*kinds)]

    def places(self, names: Iterable[str]) -> list[Unit]:
        """Every unit of some variables."""
        return [(name, place) for name in names for place in np.ndindex(*self.spec.array(name).shape)]

    @cached_property
    def has_mixed_products(self) -> bool:
        """Whether the law of a positive unit depends on real ones: they are not integrated out together."""
        zero = {name: np.zeros_like(x) if name in self.of_kind("real") else x for name, x in self.states.items()}
        return any(
            np.abs(self.positive(unit, self.states)[1:] - self.positive(unit, zero)[1:]).max() > 1e-9
            for unit in self.places(self.of_kind("positive"))
        )

    def log_z_by_quadrature(self, states: Arrays) -> float:
        """The integral over the only real unit, of what is left when all others are summed out."""
        ((name, place),) = self.places(self.of_kind("real"))
        points = np.linspace(-30, 30, 24_001)
        grid = {n: np.repeat(x[:1], len(points), axis=0).astype(float) for n, x in states.items()}
        grid[name][:, *place] = points
        free = self.free_energy(set(self.names) - {name}, grid)
        return float(np.logaddexp.reduce(-free) + np.log(points[1] - points[0]))

    # ---- finite forms ----------------------------------------------------------------------------------------------

    def log_weights(self, unit: Unit, states: Arrays) -> Values:
        """-E at every value of a discrete unit, ``(rows, values)``."""
        values = units(self.spec)[unit[0]][1]
        return np.stack([-self.energy(moved(states, {unit: value})) for value in values], axis=1)

    def quadratic(self, chosen: list[Unit], states: Arrays) -> tuple[Values, Values, Values]:
        """E, its gradient and its matrix as a function of some real units, at 0."""
        rows, count = len(next(iter(states.values()))), len(chosen)

        def at(steps: Mapping[int, float]) -> Values:
            return self.energy(moved(states, {unit: steps.get(k, 0.0) for k, unit in enumerate(chosen)}))

        start, up, down = at({}), [at({k: 1.0}) for k in range(count)], [at({k: -1.0}) for k in range(count)]
        slope, matrix = np.zeros((rows, count)), np.zeros((rows, count, count))
        for k in range(count):
            slope[:, k], matrix[:, k, k] = (up[k] - down[k]) / 2, up[k] + down[k] - 2 * start
        for a, b in itertools.combinations(range(count), 2):
            matrix[:, a, b] = matrix[:, b, a] = at({a: 1.0, b: 1.0}) - up[a] - up[b] + start
        return start, slope, matrix

    def positive(self, unit: Unit, states: Arrays) -> Values:
        """a, b, c and d of E = a + b x + ½ c x² - d log x in a positive unit, ``(4, rows)``."""
        return np.linalg.solve(FORMS, np.stack([self.energy(moved(states, {unit: x})) for x in POINTS]))

    def free_energy(self, hidden: Iterable[str], states: Arrays) -> Values:
        """-log Σ ∫ exp(-E) over some variables; the positive ones have gamma laws, and none depends on a real one."""
        hidden = set(hidden)
        real, positive = (self.places(sorted(set(self.of_kind(kind)) & hidden)) for kind in ("real", "positive"))
        listed = listed_states({name: law for name, law in units(self.spec).items() if name in hidden})
        rows = len(next(iter(states.values())))
        total = np.full(rows, -np.inf)
        for k in range(len(next(iter(listed.values()), [0]))):
            here = {**states, **{name: np.repeat(x[k : k + 1], rows, axis=0) for name, x in listed.items()}}
            here = moved(here, dict.fromkeys(positive, 1.0))
            start, slope, matrix = self.quadratic(real, here)
            found = -start
            for unit in positive:
                _, rate, precision, less = self.positive(unit, here)
                found = found + rate + precision / 2 + log_integral(rate, precision, less)
            if real:
                pulled = (slope * np.linalg.solve(matrix, slope[..., None])[..., 0]).sum(axis=1)
                found = found + pulled / 2 - np.linalg.slogdet(matrix)[1] / 2 + len(real) * np.log(2 * np.pi) / 2
            total = np.logaddexp(total, found)
        return -total


def listed_states(spec: Mapping[str, Any]) -> dict[str, Values]:
    """Every joint state of some discrete variables."""
    return Exact(spec, lambda x: np.zeros(len(next(iter(x.values()))))).states() if spec else {}


def log_integral(rate: Values, precision: Values, less: Values) -> Values:
    """log ∫ x^less exp(-rate x - ½ precision x²) dx over x > 0, where the precision or ``less`` is 0."""
    if np.abs(precision).max() < 1e-9:
        return np.asarray(gammaln(less + 1) - (less + 1) * np.log(rate))
    return np.asarray(np.log(erfcx(rate / np.sqrt(2 * precision))) + np.log(np.pi / (2 * precision)) / 2)


def moved(states: Arrays, values: Mapping[Unit, float]) -> dict[str, Any]:
    """The states with some units at other values."""
    found = {name: np.array(x, dtype=float) for name, x in states.items()}
    for (name, place), value in values.items():
        found[name][:, *place] = value
    return found
