"""Every joint state of discrete variables, in chunks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import IntractableError
from pgmc.ir.symbols import Binary, Categorical, Spin, Variable, shape_of

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]


def cardinalities(variables: Sequence[Variable]) -> list[int]:
    """The number of states of each unit, in declaration order and C order.

    Raises
    ------
    IntractableError
        If a variable is not discrete.
    """
    counts: list[int] = []
    for variable in variables:
        units = math.prod(shape_of(variable))
        match variable.domain:
            case Binary() | Spin():
                counts += [2] * units
            case Categorical(states):
                counts += [states] * units
            case _:
                raise IntractableError(
                    f"{variable.name}: a {variable.domain} variable has no list of states to enumerate. "
                    "Use annealed importance sampling (method='ais')."
                )
    return counts


def count_states(variables: Sequence[Variable]) -> int:
    """The number of joint states of the variables (1 if there are none)."""
    return math.prod(cardinalities(variables))


def state_chunks(variables: Sequence[Variable], dtype: str, size: int) -> Iterator[dict[str, Array]]:
    """Every joint state once, the last unit fastest, in chunks of at most ``size`` rows (at least one).

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
    """The values for rows of codes ``(rows, units)``: each unit's position in its list of states."""
    state: dict[str, Array] = {}
    start = 0
    for variable in variables:
        shape = shape_of(variable)
        stop = start + math.prod(shape)
        own = codes[:, start:stop].reshape(len(codes), *shape)
        start = stop
        match variable.domain:
            case Categorical():
                state[variable.name] = own.copy()
            case Spin():
                state[variable.name] = (2 * own - 1).astype(dtype)
            case _:
                state[variable.name] = own.astype(dtype)
    return state


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
            case _:
                state[variable.name] = np.zeros(shape, dtype=dtype)
    return state
