"""Everything about a small model that follows from a table of the energies of all its joint states.

Nothing here is derived or compiled: energies are read off the specification by the interpreter, in float64. A table has
one row for each row of inputs, ``(rows, states)``; states are numbered with the last unit fastest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.ir.interpret import interpret_energy
from pgmc.ir.model import Model
from pgmc.ir.symbols import Variable
from pgmc.runtime.groups import group_grid, group_place
from pgmc.runtime.joint_states import (
    base_measures,
    cardinalities,
    count_states,
    repeat_rows,
    state_chunks,
    tile_rows,
    with_totals,
)

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Unit:
    """One unit, or a group of units that restrict one another: a variable, the place of the (first) unit in its array,
    and the number of its values.
    """

    variable: Variable
    place: tuple[int, ...]
    count: int

    def __str__(self) -> str:
        return self.variable.name + (f"[{', '.join(map(str, self.place))}]" if self.place else "")


@dataclass(frozen=True)
class BruteForce:
    """All joint states of a model, for some rows of inputs."""

    model: Model
    inputs: Arrays
    rows: int
    dtype: str

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """The variables, with the totals of counts that an input holds."""
        return with_totals(self.model.variables, self.inputs)

    # ---- states ------------------------------------------------------------------------------------------------

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """Every unit, or group of units that restrict one another, in declaration order and C order."""
        places = [(v, group_place(v, group)) for v in self.variables for group in range(math.prod(group_grid(v)))]
        return tuple(Unit(v, p, n) for (v, p), n in zip(places, cardinalities(self.variables), strict=True))

    def units_of(self, names: tuple[str, ...]) -> list[int]:
        """Numbers of the units of some variables."""
        return [k for k, unit in enumerate(self.units) if unit.variable.name in names]

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """The number of values of each unit."""
        return tuple(unit.count for unit in self.units)

    @cached_property
    def size(self) -> int:
        """The number of joint states."""
        return count_states(self.variables)

    @cached_property
    def codes(self) -> Array:
        """Which of its values each unit has in each state, ``(states, units)``."""
        return np.stack(np.unravel_index(np.arange(self.size), self.counts), axis=1)

    @cached_property
    def strides(self) -> list[int]:
        """How much the number of a state grows with the code of each unit."""
        return [math.prod(self.counts[k + 1 :]) for k in range(len(self.counts))]

    @cached_property
    def states(self) -> dict[str, Array]:
        """The values of every variable in every state, ``(states, *shape)``, as kernels take them."""
        return next(state_chunks(self.variables, self.dtype, self.size))

    @cached_property
    def batch(self) -> dict[str, Array]:
        """All states for each row of inputs, ``(rows * states, *shape)``."""
        return tile_rows(self.states, self.rows) | repeat_rows(self.inputs, self.size)

    @cached_property
    def rank(self) -> Array:
        """How many units differ from their first value, ``(states,)``: the smallest counterexample has the fewest."""
        return np.asarray((self.codes != 0).sum(axis=1))

    def neighbours(self, states: Array, unit: int) -> Array:
        """The states that differ from given ones in the value of a unit, ``(n, values)``."""
        steps = np.arange(self.counts[unit]) - self.codes[states, unit][:, None]
        return np.asarray(states[:, None] + steps * self.strides[unit])

    # ---- laws --------------------------------------------------------------------------------------------------

    def energies(self, params: Arrays) -> Array:
        """E of every state for every row of inputs, ``(rows, states)``."""
        wide = {name: np.asarray(value, dtype=np.float64) for name, value in params.items()}
        return interpret_energy(self.model, wide, self.batch).reshape(self.rows, self.size)

    @cached_property
    def measure(self) -> Array:
        """Σ log k! over the counts of every state, which no temperature changes, ``(states,)``."""
        return np.zeros(self.size) + base_measures(self.model, self.states)

    def base_energies(self, fields: Arrays) -> Array:
        """-Σ field · x of every state, and the base measure: what annealing starts from, ``(states,)``."""
        total = self.measure.copy()
        for variable in self.model.variables:
            field = np.asarray(fields[variable.name], dtype=np.float64)
            values = self.states[variable.name]
            one_hot = field.ndim > len(variable.axes)
            seen = values[..., None] == np.arange(field.shape[-1]) if one_hot else values
            total -= (seen * field).reshape(self.size, -1).sum(axis=1)
        return total

    def conditional(self, energies: Array, unit: int) -> Array:
        """log p(each value of a unit | all others), ``(rows, states, values)``."""
        tables = self._by_unit(energies)
        moved = np.moveaxis(tables, 1 + unit, -1)
        log_p = -moved - log_sum_exp(-moved)[..., None]
        full = np.broadcast_to(np.expand_dims(log_p, 1 + unit), (*tables.shape, self.counts[unit]))
        return full.reshape(len(energies), self.size, -1)

    def free_energy(self, energies: Array, observed: tuple[str, ...]) -> Array:
        """-log Σ exp(-E) over every variable not observed, for each state, ``(rows, states)``."""
        hidden = [1 + k for k, unit in enumerate(self.units) if unit.variable.name not in observed]
        tables = self._by_unit(energies)
        kept = [k for k in range(tables.ndim) if k not in hidden]
        flat = np.transpose(tables, (*kept, *hidden)).reshape(*(tables.shape[k] for k in kept), -1)
        free = np.expand_dims(-log_sum_exp(-flat), hidden)
        return np.broadcast_to(free, tables.shape).reshape(len(energies), self.size)

    def second_difference(self, energies: Array, first: int, second: int) -> Array:
        """E(a, b) - E(a, 0) - E(0, b) + E(0, 0) for all values a, b of two units, in each state, ``(rows, states)``."""
        tables = self._by_unit(energies)
        for unit in (first, second):
            tables = tables - np.take(tables, [0], axis=1 + unit)
        return tables.reshape(len(energies), self.size)

    def _by_unit(self, energies: Array) -> Array:
        """The table with one axis for each unit."""
        return energies.reshape(len(energies), *self.counts)


def log_sum_exp(values: Array) -> Array:
    """log Σ exp over the last axis."""
    top = values.max(axis=-1)
    return np.asarray(top + np.log(np.exp(values - top[..., None]).sum(axis=-1)))
