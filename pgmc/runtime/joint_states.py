"""Every joint state of discrete variables, in chunks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import IntractableError
from pgmc.ir.model import Model
from pgmc.ir.symbols import Binary, Categorical, Count, Positive, Spin, Variable
from pgmc.runtime.groups import compositions, group_grid, group_size, group_units, place_units

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]

LOG_FACTORIAL = np.vectorize(lambda k: math.lgamma(k + 1.0), otypes=[np.float64])


def cardinalities(variables: Sequence[Variable]) -> list[int]:
    """The number of joint states of each group of units, in declaration order and C order.

    Units that restrict one another are listed together (see ``pgmc.runtime.groups``); any other unit is a group.

    Raises
    ------
    IntractableError
        If a variable is not discrete, or its values have no end.
    """
    return [count for v in variables for count in [_count_values(v)] * math.prod(group_grid(v))]


def _count_values(variable: Variable) -> int:
    match variable.domain:
        case Binary() if variable.exclusive:
            return group_size(variable) + 1
        case Binary() | Spin():
            return 2
        case Categorical(states):
            return states
        case Count(int(total)):
            return math.comb(total + group_size(variable) - 1, total)
        case _:
            raise IntractableError(
                f"{variable.name}: a {variable.domain} variable has no list of states to enumerate. "
                "Use annealed importance sampling (method='ais')."
            )


@lru_cache(maxsize=64)
def group_values(variable: Variable) -> Array:
    """The values of the units of a group in each of its joint states, ``(states, units)``; the first is the lowest."""
    match variable.domain:
        case Binary() if variable.exclusive:
            return np.eye(1 + group_size(variable), dtype=np.int64)[:, 1:]
        case Spin():
            return np.array([[-1], [1]])
        case Count(int(total)):
            return compositions(total, group_size(variable))
        case _:
            return np.arange(_count_values(variable))[:, None]


def group_codes(variable: Variable, values: Array) -> Array:
    """The number of the joint state that each group is in, ``(..., groups)``: the inverse of ``group_values``."""
    return group_codes_of(variable, group_units(values, variable))


def group_codes_of(variable: Variable, groups: Array) -> Array:
    """The same for the units of groups, ``(..., units of a group)``."""
    table = group_values(variable)
    base = int(table.max() - table.min()) + 1
    kind = object if base ** table.shape[1] > 2**62 else np.int64  # Python integers where the keys are long
    weights = np.array([base**k for k in range(table.shape[1])], dtype=kind)
    keys = (table - table.min()) @ weights
    order = np.argsort(keys, kind="stable")
    own = (groups.astype(np.int64) - table.min()) @ weights
    return np.asarray(order[np.searchsorted(keys, own, sorter=order)])


def with_totals(variables: Sequence[Variable], inputs: Arrays) -> tuple[Variable, ...]:
    """The variables, with what counts add up to where it is one number in all rows of an input."""
    return tuple(_with_total(variable, inputs) for variable in variables)


def _with_total(variable: Variable, inputs: Arrays) -> Variable:
    total = variable.domain.total if isinstance(variable.domain, Count) else None
    if not isinstance(total, str) or total not in inputs:
        return variable
    values = np.unique(inputs[total])
    if len(values) > 1:
        raise IntractableError(
            f"{variable.name}: its totals in {total} differ from row to row, and the lists of states with them. "
            "Ask for rows of one total at a time, or sum the counts out."
        )
    return replace(variable, domain=Count(int(values[0])))


def count_states(variables: Sequence[Variable]) -> int:
    """The number of joint states of the variables (1 if there are none)."""
    return math.prod(cardinalities(variables))


def state_chunks(variables: Sequence[Variable], dtype: str, size: int) -> Iterator[dict[str, Array]]:
    """Every joint state once, the last group fastest, in chunks of at most ``size`` rows (at least one).

    Arrays are as the run time wants them: floats of ``dtype`` for binary and spin units, integer codes
    otherwise.
    """
    counts = cardinalities(variables)
    first, rows = len(counts), 1
    while first > 0 and rows * counts[first - 1] <= size:
        first -= 1
        rows *= counts[first]
    codes = np.empty((rows, len(counts)), dtype=np.int64)
    number = np.arange(rows)
    for unit in range(len(counts) - 1, first - 1, -1):
        number, codes[:, unit] = np.divmod(number, counts[unit])
    for leading in itertools.product(*map(range, counts[:first])):
        codes[:, :first] = leading
        yield states_of(codes, variables, dtype)


def states_of(codes: Array, variables: Sequence[Variable], dtype: str) -> dict[str, Array]:
    """The values for rows of codes ``(rows, groups)``: each group's position in its list of joint states."""
    state: dict[str, Array] = {}
    start = 0
    for variable in variables:
        stop = start + math.prod(group_grid(variable))
        values = place_units(group_values(variable)[codes[:, start:stop]], variable)
        start = stop
        state[variable.name] = values.astype(np.int64 if isinstance(variable.domain, Categorical) else dtype)
    return state


def base_measures(model: Model, state: Arrays) -> Array | float:
    """Σ log k! over the counts of each row, 0 where there are none: the part of the energy that no β multiplies."""
    counts = [state[v.name].reshape(len(state[v.name]), -1) for v in model.variables if isinstance(v.domain, Count)]
    return sum((LOG_FACTORIAL(own).sum(axis=1) for own in counts), 0.0)


def repeat_rows(arrays: Arrays, times: int) -> dict[str, Array]:
    """Each row ``times`` times in a row."""
    return {name: np.repeat(values, times, axis=0) for name, values in arrays.items()}


def tile_rows(arrays: Arrays, times: int) -> dict[str, Array]:
    """All rows, ``times`` times over."""
    if times == 1:
        return dict(arrays)
    return {name: np.tile(v, (times, *([1] * (v.ndim - 1)))) for name, v in arrays.items()}


def first_states(variables: Sequence[Variable], rows: int, dtype: str) -> dict[str, Array]:
    """The first joint state of the list, in every row: something for a sweep to start from."""
    state: dict[str, Array] = {}
    for variable in variables:
        shape = (rows, *(axis.size for axis in variable.axes))
        match variable.domain:
            case Categorical():
                state[variable.name] = np.zeros(shape, dtype=np.int64)
            case Spin():
                state[variable.name] = -np.ones(shape, dtype=dtype)
            case Positive():
                state[variable.name] = np.ones(shape, dtype=dtype)
            case _:
                state[variable.name] = np.zeros(shape, dtype=dtype)
    return state
