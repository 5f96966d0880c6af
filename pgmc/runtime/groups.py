"""Groups of units that restrict one another: exclusive blocks, and counts with a total.

Groups tile the array of a variable. ``group_units`` brings the units of each group together, in C order within the
array of groups and within a group; ``place_units`` is its inverse. Without such restrictions a group is one unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.ir.symbols import Variable, group_shape, shape_of

Array: TypeAlias = npt.NDArray[Any]


def group_grid(variable: Variable) -> tuple[int, ...]:
    """How many groups there are along each axis."""
    return tuple(n // k for n, k in zip(shape_of(variable), group_shape(variable), strict=True))


def group_size(variable: Variable) -> int:
    """The number of units in a group."""
    return math.prod(group_shape(variable))


def group_units(array: Array, variable: Variable) -> Array:
    """``(..., *shape)`` as ``(..., groups, units of a group)``."""
    grid, block = group_grid(variable), group_shape(variable)
    lead = array.shape[: array.ndim - len(grid)]
    split = array.reshape((*lead, *(n for pair in zip(grid, block, strict=True) for n in pair)))
    axes = _outer_first(len(lead), len(grid))
    return split.transpose(axes).reshape(*lead, math.prod(grid), math.prod(block))


def place_units(groups: Array, variable: Variable) -> Array:
    """``(..., groups, units of a group)`` as ``(..., *shape)``: the inverse of ``group_units``."""
    grid, block = group_grid(variable), group_shape(variable)
    lead = groups.shape[:-2]
    axes = _outer_first(len(lead), len(grid))
    split = groups.reshape((*lead, *grid, *block)).transpose(np.argsort(axes))
    return np.array(split.reshape((*lead, *shape_of(variable))), order="C")


def _outer_first(lead: int, rank: int) -> Sequence[int]:
    """The axes of an array split into (groups, units) along each axis, all groups before all units."""
    return (*range(lead), *range(lead, lead + 2 * rank, 2), *range(lead + 1, lead + 2 * rank, 2))


def first_units(variable: Variable) -> Array:
    """The number of the first unit of each group, in the C order of the variable's array: where its random word is."""
    numbers = np.arange(math.prod(shape_of(variable))).reshape(shape_of(variable))
    return np.asarray(group_units(numbers, variable)[:, 0])


def group_place(variable: Variable, group: int) -> tuple[int, ...]:
    """The position of the first unit of a group."""
    corner = np.unravel_index(group, group_grid(variable)) if group_grid(variable) else ()
    return tuple(int(c) * k for c, k in zip(corner, group_shape(variable), strict=True))


def compositions(total: int, parts: int) -> Array:
    """Every way to write a total as an ordered sum of counts, ``(ways, parts)``, the last part fastest."""
    if parts == 1:
        return np.array([[total]])
    rows = [np.insert(compositions(total - first, parts - 1), 0, first, axis=1) for first in range(total + 1)]
    return np.concatenate(rows)


def group_probabilities(logits: Array, variable: Variable) -> Array:
    """p(all off) and p(each unit on) of every exclusive block, ``(..., groups, 1 + units)``, in float64."""
    own = group_units(np.asarray(logits, dtype=np.float64), variable)
    with_off = np.concatenate([np.zeros((*own.shape[:-1], 1)), own], axis=-1)
    weights = np.exp(with_off - with_off.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def exclusive_probabilities(logits: Array, variable: Variable) -> Array:
    """P(on) of every unit, ``(..., *shape)``, from the logits of exclusive blocks."""
    return place_units(group_probabilities(logits, variable)[..., 1:].astype(logits.dtype), variable)
