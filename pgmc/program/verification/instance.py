"""The small instance that is proved: its compiled program, random parameters and inputs, and brute force beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.analysis.shrink import SMALL_TOTAL, Parity, has_offsets, shrink_model
from pgmc.compiler import Compiler
from pgmc.errors import IntractableError, NumericsError
from pgmc.ir.constraints import initial_value
from pgmc.ir.model import Model
from pgmc.ir.symbols import Categorical, Count, Parameter, describe_domain, is_one_hot, shape_of
from pgmc.program.verification.brute_force import BruteForce, log_sum_exp
from pgmc.program.verification.report import Case
from pgmc.runtime.executable import Executable
from pgmc.runtime.groups import group_probabilities, group_units
from pgmc.runtime.joint_states import LOG_FACTORIAL, group_values
from pgmc.runtime.kernels import Dtype, state_dtype
from pgmc.runtime.state import encode_params
from pgmc.runtime.streams import Stream

Array = npt.NDArray[Any]

WANTED_STATES, MOST_STATES = 1 << 10, 1 << 12
INPUT_ROWS = 2

TOLERANCES: dict[str, dict[str, float]] = {
    # relative to 1 + |value|, except for probabilities, which are relative to 1 + |energy|
    "float64": {"energy": 1e-12, "probability": 1e-12, "free energy": 1e-10, "gradient": 1e-6, "mean": 1e-11},
    "float32": {"energy": 1e-5, "probability": 2e-6, "free energy": 1e-5, "gradient": 1e-4, "mean": 1e-5},
}


@dataclass(frozen=True)
class Instance:
    """A compiled small instance, and what brute force says about it."""

    compiler: Compiler
    executable: Executable
    params: dict[str, Array]
    table: BruteForce
    energies: Array
    stream: Stream

    @property
    def model(self) -> Model:
        """The small model."""
        return self.compiler.model

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its variables."""
        return tuple(v.name for v in self.model.variables)

    @property
    def tempered(self) -> Array:
        """E without the base measure of counts: what a temperature multiplies, ``(rows, states)``."""
        return self.energies - self.table.measure

    @property
    def scale(self) -> Array:
        """1 + |E| of each state: the magnitude that rounding is relative to, ``(rows, states)``."""
        return 1.0 + np.abs(self.energies)

    @cached_property
    def rank(self) -> Array:
        """How small each state is as a counterexample, ``(rows, states)``."""
        return np.tile(self.table.rank, (self.table.rows, 1))

    def tolerance(self, kind: str) -> float:
        """The tolerance of the program's dtype."""
        return TOLERANCES[self.compiler.dtype][kind]

    def state_case(self, row: int, state: int, *facts: tuple[str, str]) -> Case:
        """A joint state, and the inputs if there are any, in words."""
        found = [("state", show(self.table.states, state))] if self.table.states else []
        if self.table.inputs:
            found.append(("inputs", show(self.table.inputs, row)))
        return Case((*found, *facts))

    def place_case(self, place: tuple[int, ...]) -> Case:
        """The joint state at a place of a table ``(rows, states)``, in words."""
        row, state = place
        return self.state_case(row, state)

    def __str__(self) -> str:
        sizes = [f"{v.name} {_shape(shape_of(v))} {describe_domain(v)}" for v in self.model.variables]
        return f"{', '.join(sizes)}; {self.table.size} joint states"


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "()"


def show(arrays: dict[str, Array] | Any, row: int) -> str:
    """One row of some arrays, on one line."""
    with np.printoptions(precision=4, suppress=True, linewidth=1000):
        parts = [f"{name} = {_numbers(np.asarray(array[row]))}" for name, array in arrays.items()]
    return ", ".join(parts)


def _numbers(values: Array) -> str:
    whole = values.dtype.kind == "f" and bool(np.all(values == np.rint(values)))
    return str(values.astype(np.int64) if whole else values).replace("\n", "")


def build_instances(compiler: Compiler, stream: Stream) -> list[Instance]:
    """The small instance of a compiler's model; one with odd and one with even axes where units have neighbours.

    Raises
    ------
    IntractableError
        If even the smallest instance has too many joint states.
    NumericsError
        If energies are not finite, whatever parameters are tried.
    """
    parities: tuple[Parity | None, ...] = ("odd", "even") if has_offsets(compiler.model) else (None,)
    models: dict[Model, None] = {}
    refusals: list[IntractableError] = []
    for parity in parities:
        try:
            models[_shrunk(compiler.model, parity)] = None
        except IntractableError as error:
            refusals.append(error)  # three dimensions have room for even axes of two units only
    if not models:
        raise refusals[0]
    return [_build_instance(compiler, model, stream.child(f"instance {k}")) for k, model in enumerate(models)]


def _build_instance(compiler: Compiler, model: Model, stream: Stream) -> Instance:
    """One instance, with parameters for which every energy is finite."""
    small = compiler.resized(model)
    dtype = compiler.dtype
    rows = INPUT_ROWS if small.model.inputs else 1
    table = BruteForce(small.model, random_inputs(small.model, rows, stream, dtype), rows, dtype)
    for params in candidate_params(small.model, stream, dtype):
        with np.errstate(all="ignore"):
            energies = table.energies(params)
        if np.isfinite(energies).all():
            return Instance(small, small.executable(), params, table, energies, stream)
    raise NumericsError(
        f"{compiler.model.name}: the energy of some state is not finite, neither with random parameters nor with the "
        "initial ones. Look for a function outside its domain, or give initial values inside it."
    )


def _shrunk(model: Model, parity: Parity | None) -> Model:
    for states in (WANTED_STATES, MOST_STATES):
        with suppress(IntractableError):
            return shrink_model(model, states, parity)
    return shrink_model(model, MOST_STATES, parity, single=True)


def random_inputs(model: Model, rows: int, stream: Stream, dtype: Dtype) -> dict[str, Array]:
    """Random values of every input, another in each row; totals of counts are small, and the same in all rows."""
    generator = stream.child("inputs").generator()
    totals = {v.domain.total for v in model.variables if isinstance(v.domain, Count)}
    return {
        u.name: generator.integers(u.domain.states, size=(rows, *shape_of(u)))
        if isinstance(u.domain, Categorical)
        else np.full((rows, *shape_of(u)), SMALL_TOTAL, dtype=state_dtype(u, dtype))
        if u.name in totals
        else generator.normal(size=(rows, *shape_of(u))).astype(state_dtype(u, dtype))
        for u in model.inputs
    }


def candidate_params(model: Model, stream: Stream, dtype: Dtype, scale: float = 0.8) -> Iterator[dict[str, Array]]:
    """Parameters that fulfil their constraints: random ones, smaller ones, initial ones with noise, initial ones."""
    for size, around in ((scale, 0.0), (scale / 8, 0.0), (scale / 8, 1.0), (0.0, 1.0)):
        generator = stream.child("params").generator()
        drawn = {p.name: _random_value(p, generator, size, around, dtype) for p in model.parameters}
        yield encode_params(model, drawn, dtype)


def _random_value(
    parameter: Parameter, generator: np.random.Generator, size: float, around: float, dtype: Dtype
) -> Any:
    noise = size * generator.normal(size=shape_of(parameter))
    centre = initial_value(parameter, generator, dtype) if around else np.zeros(shape_of(parameter))
    if parameter.constraint.positive:
        return (centre if around else 1.0) * np.exp(noise)
    return centre + noise


def probabilities(instance: Instance, logits: Array, name: str) -> Array:
    """p(each value of each unit of a variable) from compiled logits, ``(n, units, values)``, in float64."""
    wide = np.asarray(logits, dtype=np.float64)
    variable = next(v for v in instance.table.variables if v.name == name)
    if isinstance(variable.domain, Count):
        values = group_values(variable)
        weights = group_units(wide, variable) @ values.T - LOG_FACTORIAL(values).sum(axis=1)
        return np.asarray(np.exp(weights - log_sum_exp(weights)[..., None]))
    if variable.exclusive:
        return group_probabilities(wide, variable)
    if is_one_hot(instance.model.variable(name)):
        shifted = np.exp(wide - wide.max(axis=-1, keepdims=True))
        both = shifted / shifted.sum(axis=-1, keepdims=True)
        return np.asarray(both.reshape(len(wide), -1, wide.shape[-1]))
    with np.errstate(over="ignore"):
        both = np.stack([1.0 / (1.0 + np.exp(wide)), 1.0 / (1.0 + np.exp(-wide))], axis=-1)
    return np.asarray(both.reshape(len(wide), -1, 2))
