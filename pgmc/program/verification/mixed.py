"""A small instance with real units, and what follows from its energy read off the specification.

States cannot be listed, so laws are taken from finite forms instead: log-odds of discrete units are differences of
energies, and as a function of real units the energy is a quadratic form, whose matrix is its second differences. None
of that is derived or compiled.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from pgmc.analysis.shrink import shrink_model
from pgmc.compiler import Compiler
from pgmc.errors import IntractableError
from pgmc.evaluation.base import base_name, precision_name
from pgmc.ir.interpret import interpret_energy
from pgmc.ir.model import Model
from pgmc.ir.queries import Ensemble
from pgmc.ir.symbols import Categorical, Count, Positive, Real, Spin, is_grouped, shape_of
from pgmc.program.verification.instance import candidate_params, random_inputs, show
from pgmc.program.verification.report import Case
from pgmc.runtime.executable import Executable
from pgmc.runtime.joint_states import repeat_rows, state_chunks
from pgmc.runtime.kernels import Dtype
from pgmc.runtime.state import random_state
from pgmc.runtime.streams import Stream

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Place = tuple[str, tuple[int, ...]]
"""A unit: the name of its variable and its place in the array."""

ROWS, STATES = 48, 1 << 10
LEAST = 1e-2
"""Parameters are taken for which every eigenvalue of the matrix of the real units is at least this."""


@dataclass(frozen=True)
class Tempering:
    """The law p ∝ exp(-β E - (1-β) E₀): β of each row, and the parameters of the base E₀ (none for exp(-β E))."""

    ensemble: Ensemble
    betas: Array
    base: dict[str, Array]


@dataclass(frozen=True)
class MixedInstance:
    """A compiled small instance with real units, random parameters, and random states."""

    compiler: Compiler
    executable: Executable
    params: dict[str, Array]
    states: dict[str, Array]
    stream: Stream

    @property
    def model(self) -> Model:
        """The small model."""
        return self.compiler.model

    @property
    def dtype(self) -> Dtype:
        """The program's dtype."""
        return self.compiler.dtype

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its variables."""
        return tuple(v.name for v in self.model.variables)

    @cached_property
    def wide(self) -> dict[str, Array]:
        """The parameters in float64."""
        return {name: np.asarray(value, dtype=np.float64) for name, value in self.params.items()}

    def units_of(self, names: Sequence[str]) -> list[Place]:
        """The units of some variables, in declaration order and C order."""
        chosen = [v for v in self.model.variables if v.name in names]
        return [(v.name, place) for v in chosen for place in np.ndindex(*shape_of(v))]

    def is_real(self, name: str) -> bool:
        """Whether a variable is real."""
        return isinstance(self.model.variable(name).domain, Real)

    def is_positive(self, name: str) -> bool:
        """Whether a variable is positive."""
        return isinstance(self.model.variable(name).domain, Positive)

    def is_generic(self, name: str) -> bool:
        """Whether a real or positive variable is of no family."""
        return self.compiler.law(name).family == "Generic"

    def is_discrete(self, name: str) -> bool:
        """Whether a variable is neither."""
        return not self.is_real(name) and not self.is_positive(name)

    # ---- energies ----------------------------------------------------------------------------------------------

    def energy(self, states: Arrays, law: Tempering | None = None, params: Arrays | None = None) -> Array:
        """E of every row by the interpreter, in float64; of a tempered law its own."""
        found = interpret_energy(self.model, self.wide if params is None else params, states)
        if law is None:
            return found
        base = np.zeros(len(found))
        for name in self.names if law.base else ():
            values, field = states[name], np.asarray(law.base[base_name(name)], dtype=np.float64)
            seen = values[..., None] == np.arange(field.shape[-1]) if field.ndim > values.ndim - 1 else values
            base -= (seen * field).reshape(len(found), -1).sum(axis=1)
            if self.is_real(name):
                squares = np.asarray(law.base[precision_name(name)], dtype=np.float64) * values**2
                base += squares.reshape(len(found), -1).sum(axis=1) / 2.0
        return np.asarray(law.betas * found + (1.0 - law.betas) * base)

    def values(self, name: str) -> Array:
        """The values of a discrete unit."""
        match self.model.variable(name).domain:
            case Spin():
                return np.array([-1.0, 1.0])
            case Categorical(states):
                return np.arange(states)
            case _:
                return np.array([0.0, 1.0])

    def log_weights(
        self, states: Arrays, unit: Place, law: Tempering | None = None, without: tuple[str, ...] = ()
    ) -> Array:
        """-E at every value of a discrete unit, ``(rows, values)``; some real variables integrated out."""
        name, place = unit
        found = []
        for value in self.values(name):
            moved = states[name].copy()
            moved[everywhere(place)] = value
            at_value = {**states, name: moved}
            found.append(-(self.free_energy(at_value, without, law=law) if without else self.energy(at_value, law)))
        return np.stack(found, axis=1)

    def quadratic_form(
        self, states: Arrays, units: Sequence[Place], law: Tempering | None = None, params: Arrays | None = None
    ) -> tuple[Array, Array, Array]:
        """E, its gradient and its matrix as a function of some real units, at 0: (rows,), (rows, d), (rows, d, d).

        Differences over steps of 1 are exact for a quadratic form.
        """
        count, rows = len(units), len(next(iter(states.values())))

        def at(steps: Mapping[int, float]) -> Array:
            moved = {name: values.astype(np.float64) for name, values in states.items() if name in self.names}
            for k, (name, place) in enumerate(units):
                moved[name][everywhere(place)] = steps.get(k, 0.0)
            return self.energy({**states, **moved}, law, params)

        start, ahead, behind = at({}), [at({k: 1.0}) for k in range(count)], [at({k: -1.0}) for k in range(count)]
        gradient, matrix = np.zeros((rows, count)), np.zeros((rows, count, count))
        for k in range(count):
            gradient[:, k] = (ahead[k] - behind[k]) / 2.0
            matrix[:, k, k] = ahead[k] - 2.0 * start + behind[k]
        for a, b in itertools.combinations(range(count), 2):
            matrix[:, a, b] = matrix[:, b, a] = at({a: 1.0, b: 1.0}) - ahead[a] - ahead[b] + start
        return start, gradient, matrix

    def positive_form(
        self, states: Arrays, unit: Place, law: Tempering | None = None, params: Arrays | None = None
    ) -> Array:
        """E = e + rate · x + ½ precision · x² - (shape - 1) log x of a positive unit: e, rate, precision, shape - 1."""
        name, place = unit
        points, energies = np.array([1.0, 2.0, 3.0, 5.0]), []
        for point in points:
            moved = states[name].astype(np.float64)
            moved[everywhere(place)] = point
            energies.append(self.energy({**states, name: moved}, law, params))
        forms = np.stack([np.ones(4), points, points**2 / 2.0, -np.log(points)], axis=1)
        return np.asarray(np.linalg.solve(forms, np.stack(energies)))

    def free_energy(
        self, states: Arrays, hidden: Sequence[str], params: Arrays | None = None, law: Tempering | None = None
    ) -> Array:
        """-log of the sum and the integral of exp(-E) over some variables, for every row."""
        discrete = [v for v in self.model.variables if v.name in hidden and self.is_discrete(v.name)]
        units = self.units_of([name for name in hidden if self.is_real(name)])
        gammas = self.units_of([name for name in hidden if self.is_positive(name)])
        ones = {name: np.ones_like(states[name], dtype=np.float64) for name, _ in gammas}
        total = np.full(len(next(iter(states.values()))), -np.inf)
        chunk = next(state_chunks(discrete, "float64", 1 << 20)) if discrete else {}
        for k in range(len(next(iter(chunk.values()))) if chunk else 1):
            row = {name: np.repeat(values[k : k + 1], len(total), axis=0) for name, values in chunk.items()}
            here = {**states, **ones, **row}
            start, gradient, matrix = self.quadratic_form(here, units, law, params)
            found = -start
            for unit in gammas:
                _, rate, _, less = self.positive_form(here, unit, law, params)
                found += rate + gammaln(less + 1.0) - (less + 1.0) * np.log(rate)
            if units:
                solved = np.linalg.solve(matrix, gradient[..., None])[..., 0]
                found += (gradient * solved).sum(axis=1) / 2.0 - np.linalg.slogdet(matrix)[1] / 2.0
                found += len(units) * np.log(2.0 * np.pi) / 2.0
            total = np.logaddexp(total, found)
        return -total

    # ---- words -------------------------------------------------------------------------------------------------

    def case(self, row: int, *facts: tuple[str, str]) -> Case:
        """A state in words."""
        return Case((("state", show(self.states, row)), *facts))

    def __str__(self) -> str:
        sizes = [f"{v.name} {'x'.join(map(str, shape_of(v))) or '()'} {v.domain}" for v in self.model.variables]
        return f"{', '.join(sizes)}; {ROWS} random states"


def has_real_units(model: Model) -> bool:
    """Whether some variable is real or positive."""
    return any(isinstance(v.domain, Real | Positive) for v in model.variables)


def build_mixed_instance(compiler: Compiler, stream: Stream) -> MixedInstance:
    """The small instance of a model with real units, with parameters for which its law exists.

    Raises
    ------
    IntractableError
        If no parameters were found for which it does, or units restrict one another.
    """
    if any(is_grouped(v) or isinstance(v.domain, Count) for v in compiler.model.variables):
        raise IntractableError("checks of real units beside counts or units that restrict one another are not made.")
    small = compiler.resized(shrink_model(compiler.model, STATES))
    model, dtype = small.model, compiler.dtype
    states = random_state(model, ROWS, stream.child("states"), dtype) | random_inputs(model, ROWS, stream, dtype)
    for params in candidate_params(model, stream, dtype, scale=0.5):
        instance = MixedInstance(small, small.executable(), params, states, stream)
        if _is_normalisable(instance):
            return instance
    raise IntractableError("no parameters were found for which the energy of the small instance holds every unit back.")


def everywhere(place: tuple[int, ...]) -> Any:
    """A unit in every row."""
    return (slice(None), *place)


def _is_normalisable(instance: MixedInstance) -> bool:
    """Whether the matrix of the real units is positive definite in every state of the discrete ones."""
    discrete = [v for v in instance.model.variables if instance.is_discrete(v.name)]
    chunk = next(state_chunks(discrete, "float64", STATES)) if discrete else {}
    rows = len(next(iter(chunk.values()))) if chunk else 1
    first = {name: values[:1] for name, values in instance.states.items()}
    every = replace(instance, states={})
    names = [name for name in instance.names if instance.is_real(name)]
    units = instance.units_of([name for name in names if not instance.is_generic(name)])
    if len(names) > 0 and any(map(instance.is_generic, names)) and not _holds_back(instance, names):
        return False
    if not units:
        return True
    with np.errstate(all="ignore"):
        _, _, matrix = every.quadratic_form({**repeat_rows(first, rows), **chunk}, units)
    return bool(np.isfinite(matrix).all() and np.linalg.eigvalsh(matrix).min() > LEAST)


def _holds_back(instance: MixedInstance, names: Sequence[str]) -> bool:
    """Whether the energy grows along random lines of the real units, faster than the space does."""
    units = instance.units_of(names)
    generator = instance.stream.child("directions").generator()
    lines = generator.normal(size=(len(next(iter(instance.states.values()))), len(units)))
    energies = []
    for far in (1e3, 1e4):
        moved = {name: values.astype(np.float64) for name, values in instance.states.items()}
        for k, (name, place) in enumerate(units):
            moved[name][everywhere(place)] = far * lines[:, k]
        with np.errstate(all="ignore"):
            energies.append(instance.energy(moved))
    return bool(np.all(energies[1] - energies[0] > len(units) * np.log(10.0)))
