"""Checks of what a declaration says: shapes, numbers of states, masks, initial values."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from pgmc.dsl.literals import checked_array
from pgmc.dsl.location import complaint
from pgmc.errors import ModelError
from pgmc.ir.symbols import Axis, Boundary, Constraint, Input, Real

# 2^40 entries are four terabytes in single precision: beyond any machine this package runs on, and far
# below the point where the position of an entry would overflow.
LARGEST_ARRAY = 2**40

# Going through the ones of a mask needs a place in memory for each of them, about four times the work of an
# entry that is read in order.
SPARSE_DENSITY = 0.25

Shape = int | tuple[int, ...]
Boundaries = Boundary | tuple[Boundary, ...]
Initialiser = Callable[[tuple[int, ...], np.random.Generator], npt.ArrayLike]


def check_shape(shape: object, kind: str, name: str) -> tuple[Axis, ...]:
    """The axes of a declared shape, an integer or a tuple of positive integers.

    Raises
    ------
    ModelError
        If a size is no positive integer or the array could not be held in memory.
    """
    subject = f"{kind} '{name}'"
    sizes = shape if isinstance(shape, tuple | list) else (shape,)
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int | np.integer):
            reason = f"the shape {ascii(shape)[:60]} is not made of integers"
            raise complaint(ModelError, subject, reason, "Give an integer or a tuple of integers.")
        if size < 0:
            raise complaint(ModelError, subject, f"the size {size} is negative", "Give a positive size.")
        if size == 0:
            raise complaint(ModelError, name, f"{subject} has size 0", "Give every axis a positive size.")
    entries = math.prod(int(size) for size in sizes)
    if entries > LARGEST_ARRAY:
        whole = tuple(map(int, sizes))
        reason = f"the shape {whole} needs {4 * entries} bytes in single precision"
        raise complaint(ModelError, subject, reason, "Use smaller or sparser arrays.")
    return tuple(Axis(int(size)) for size in sizes)


def check_boundary(boundary: object, axes: tuple[Axis, ...], name: str) -> tuple[Axis, ...]:
    """The axes with their boundary: one word for all, or one for each.

    Raises
    ------
    ModelError
        If a boundary is neither ``"open"`` nor ``"periodic"``, or their number differs from that of the axes.
    """
    words: tuple[Any, ...] = tuple(boundary) if isinstance(boundary, tuple | list) else (boundary,) * len(axes)
    if len(words) != len(axes) or any(word not in get_args(Boundary) for word in words):
        reason = f"boundary is {ascii(boundary)[:60]}"
        remedy = f"Give 'open' or 'periodic', or a tuple with one of them for each of the {len(axes)} axes."
        raise complaint(ModelError, f"group '{name}'", reason, remedy)
    return tuple(replace(axis, boundary=word) for axis, word in zip(axes, words, strict=True))


def check_exclusive(exclusive: object, axes: tuple[Axis, ...], name: str) -> tuple[int, ...]:
    """The shape of the blocks in which at most one unit is on; () where there are none.

    Raises
    ------
    ModelError
        If it is no integer or tuple with one integer for each axis, or a length does not divide its axis.
    """
    if exclusive is None:
        return ()
    subject = f"group '{name}'"
    given = tuple(exclusive) if isinstance(exclusive, tuple | list) else (exclusive,)
    whole = [isinstance(n, int | np.integer) and not isinstance(n, bool) for n in given]
    if not axes or not all(whole) or (isinstance(exclusive, tuple | list) and len(given) != len(axes)):
        reason = f"exclusive is {ascii(exclusive)[:60]}, and the group has {len(axes)} axes"
        remedy = "Give a length for each axis, or an integer for the last one."
        raise complaint(ModelError, subject, reason, remedy)
    lengths = (*(1 for _ in axes[len(given) :]), *map(int, given))
    for k, (length, axis) in enumerate(zip(lengths, axes, strict=True)):
        if length < 1 or axis.size % length:
            reason = f"blocks of {length} do not divide axis {k}, which has {axis.size} units"
            raise complaint(ModelError, subject, reason, "Give lengths that divide the axes.")
    return lengths if math.prod(lengths) > 1 else ()


def check_total(total: object, axes: tuple[Axis, ...], name: str) -> int | str | None:
    """What counts add up to: a number, or the name of an input.

    Raises
    ------
    ModelError
        If it is neither a positive integer nor an input with the shape of the leading axes.
    """
    if total is None:
        return None
    subject = f"group '{name}'"
    if not axes:
        raise complaint(ModelError, subject, "counts with a total need an axis", "Give a shape, or drop total.")
    if isinstance(total, int | np.integer) and not isinstance(total, bool) and total > 0:
        return int(total)
    symbol = getattr(total, "symbol", None)
    leading = tuple(axis.size for axis in axes[:-1])
    if isinstance(symbol, Input) and isinstance(symbol.domain, Real):
        if tuple(axis.size for axis in symbol.axes) == leading:
            return symbol.name
        reason = f"the total {symbol.name} has the shape {tuple(axis.size for axis in symbol.axes)}, not {leading}"
        raise complaint(ModelError, subject, reason, "Declare it with the shape of the other axes of the counts.")
    remedy = "Give a positive integer, or an input of the model."
    raise complaint(ModelError, subject, f"total is {ascii(total)[:60]}", remedy)


def check_states(states: object, name: str) -> int:
    """The number of states of a categorical variable.

    Raises
    ------
    ModelError
        If it is no integer from 2 on.
    """
    subject = f"group '{name}'"
    if isinstance(states, bool) or not isinstance(states, int | np.integer):
        reason = f"states is {type(states).__name__}, not an integer"
        raise complaint(ModelError, subject, reason, "Give the number of states, states=10.")
    if states < 2:
        reason = f"a categorical variable needs at least 2 states, and states is {states}"
        raise complaint(ModelError, subject, reason, "Give a larger number.")
    return int(states)


def check_constraint(
    name: str,
    shape: tuple[int, ...],
    *,
    symmetric: bool,
    zero_diagonal: bool,
    positive: bool,
    fixed: bool,
    mask: object,
) -> Constraint:
    """The constraints of a parameter.

    Raises
    ------
    ModelError
        If the parameter is not square where it must be, the mask does not fit, or two constraints exclude
        each other.
    """
    subject = f"parameter '{name}'"
    flags = {"symmetric": symmetric, "zero_diagonal": zero_diagonal, "positive": positive, "fixed": fixed}
    for flag, value in flags.items():
        if not isinstance(value, bool | np.bool_):
            raise complaint(ModelError, subject, f"{flag} is {ascii(value)[:40]}", "Give True or False.")
    for flag in ("symmetric", "zero_diagonal"):
        if flags[flag] and (len(shape) != 2 or shape[0] != shape[1]):
            reason = f"{flag}=True needs a square matrix, and the shape is {shape}"
            raise complaint(ModelError, subject, reason, "Give it two axes of the same size.")
    if positive and (zero_diagonal or mask is not None):
        reason = "positive=True excludes entries that are kept at zero"
        raise complaint(ModelError, subject, reason, "Drop positive, or drop zero_diagonal and mask.")
    array = None if mask is None else check_mask(mask, shape, subject)
    if array is not None and symmetric and not np.array_equal(array, array.T):
        reason = "the mask of a symmetric parameter is not symmetric"
        raise complaint(ModelError, subject, reason, "Use mask & mask.T, or drop symmetric.")
    sparse = array is not None and bool(array.mean() < SPARSE_DENSITY)
    masked = array is not None
    return Constraint(bool(symmetric), bool(zero_diagonal), bool(positive), masked, sparse, bool(fixed), array)


def check_mask(mask: object, shape: tuple[int, ...], subject: str) -> npt.NDArray[np.bool_]:
    """The mask as a read-only boolean array.

    Raises
    ------
    ModelError
        If its shape is another one or an entry is neither zero nor one.
    """
    array = checked_array(mask, ModelError, subject, places="a mask")
    if array.shape != shape:
        reason = f"the mask has the shape {array.shape}, and the parameter {shape}"
        raise complaint(ModelError, subject, reason, "Give both the same shape.")
    wrong = (array != 0) & (array != 1)
    if wrong.any():
        first = tuple(int(k) for k in np.argwhere(wrong)[0])
        reason = f"the mask is {array[first]} at position {first}"
        raise complaint(ModelError, subject, reason, "Use zeros and ones, or booleans.")
    result: npt.NDArray[np.bool_] = np.not_equal(array, 0)
    result.flags.writeable = False
    return result


def check_init(init: object, name: str, shape: tuple[int, ...], constraint: Constraint) -> Any:
    """An initial value: None, a finite number, an array of the declared shape, or an initialiser.

    Raises
    ------
    ModelError
        If an array has another shape or breaks a constraint: it is never silently changed.
    NumericsError
        If an entry is NaN or infinite.
    """
    subject = f"parameter '{name}'"
    if init is None or callable(init):
        return init
    array = checked_array(init, ModelError, subject, places="the initial value")
    if array.shape not in ((), shape):
        reason = f"the initial value has the shape {array.shape}, and the parameter {shape}"
        raise complaint(ModelError, subject, reason, "Give both the same shape, or a single number.")
    if constraint.positive and (array <= 0).any():
        reason = f"the initial value {array.min()} of a positive parameter is not positive"
        raise complaint(ModelError, subject, reason, "Give positive numbers.")
    if array.shape == ():
        return float(array)
    broken = _broken(array, constraint)
    if broken:
        raise complaint(ModelError, subject, f"the initial value {broken}", "Change it, or drop the constraint.")
    return array


def _broken(array: npt.NDArray[np.float64], constraint: Constraint) -> str:
    """What an initial array does wrong, or nothing."""
    if constraint.symmetric and not np.array_equal(array, array.T):
        return "is not symmetric"
    if constraint.zero_diagonal and np.diagonal(array).any():
        return "has a diagonal that is not zero"
    if constraint.masked and array[~constraint.mask].any():
        return "is not zero where the mask is"
    return ""
