"""Index notation: running indices, elements of arrays, relations between indices, written sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from pgmc.dsl.location import complaint
from pgmc.dsl.names import check_index_name
from pgmc.dsl.operand import ATOM, Operand, Range, Ranges, check_ranges, merge_ranges, product, written
from pgmc.errors import NotationError
from pgmc.ir.nodes import Access, Bracket, Compare, Index, LogSumExp, Position, Scalar, Sum, at, fresh_index
from pgmc.ir.rewrite import position_indices, rename, substitute
from pgmc.ir.symbols import Symbol


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """Relations between positions that hold together; ``&`` joins more."""

    parts: tuple[Compare, ...]
    text: str

    def __and__(self, other: object) -> Relation:
        if not isinstance(other, Relation):
            reason = f"& joins relations, not {type(other).__name__}"
            raise complaint(NotationError, self.text, reason, "Write (i < j) & (j < k).")
        return Relation(self.parts + other.parts, f"{self.text} & {other.text}")

    def __bool__(self) -> NoReturn:
        reason = "a relation between indices has no truth value"
        remedy = "Pass it as where=, and join relations with &, as in (i < j) & (j < k)."
        raise complaint(NotationError, self.text, reason, remedy)

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, eq=False)
class ShiftedIndex:
    """A running index plus a number, for brackets on a periodic axis: ``s[x + 1]``."""

    index: Index
    offset: int

    def __add__(self, other: object) -> ShiftedIndex:
        return ShiftedIndex(self.index, self.offset + _whole(self, other, "+"))

    def __sub__(self, other: object) -> ShiftedIndex:
        return ShiftedIndex(self.index, self.offset - _whole(self, other, "-"))

    __radd__ = __add__

    def __repr__(self) -> str:
        return f"{self.index.name} {'-' if self.offset < 0 else '+'} {abs(self.offset)}"


def _whole(index: object, other: object, sign: str) -> int:
    if isinstance(other, int | np.integer) and not isinstance(other, bool):
        return int(other)
    reason = f"the offset of an index is {type(other).__name__}, not an integer"
    remedy = "Sums and multiples of indices are not supported in this version."
    raise complaint(NotationError, f"{index!r} {sign} {ascii(other)[:40]}", reason, remedy)


class RunningIndex:
    """A running index made by :func:`indices`, for brackets, ``v[i]``, and relations, ``i < j``."""

    __slots__ = ("index",)
    # NumPy must not turn an index into an array element in arithmetic.
    __array_ufunc__ = None

    def __init__(self, index: Index) -> None:
        self.index = index

    def __repr__(self) -> str:
        return self.index.name

    def __lt__(self, other: object) -> Relation:
        return _relation(self, "<", other, "<")

    def __le__(self, other: object) -> Relation:
        return _relation(self, "<=", other, "<=")

    def __gt__(self, other: object) -> Relation:
        return _relation(self, "<", other, ">", swap=True)

    def __ge__(self, other: object) -> Relation:
        return _relation(self, "<=", other, ">=", swap=True)

    def eq(self, other: object) -> Relation:
        """The relation that both have the same value (``==`` compares the Python objects)."""
        return _relation(self, "==", other, "==")

    def ne(self, other: object) -> Relation:
        """The relation that the values differ."""
        return _relation(self, "!=", other, "!=")

    def __bool__(self) -> NoReturn:
        reason = "an index has no truth value"
        raise complaint(NotationError, repr(self), reason, "Use it in brackets, as in v[i], or in a relation.")

    def __add__(self, other: object) -> ShiftedIndex:
        return ShiftedIndex(self.index, _whole(self, other, "+"))

    def __sub__(self, other: object) -> ShiftedIndex:
        return ShiftedIndex(self.index, -_whole(self, other, "-"))

    __radd__ = __add__

    def _no_arithmetic(self, *_: object) -> NoReturn:
        reason = "multiples and functions of indices are not supported in this version"
        remedy = "Use indices, indices plus a number, and integers in brackets; an index itself is not a value."
        raise complaint(NotationError, repr(self), reason, remedy)

    __rsub__ = __mul__ = __rmul__ = _no_arithmetic
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _no_arithmetic
    __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __neg__ = __pos__ = __abs__ = _no_arithmetic


def indices(names: str) -> Any:
    """Running indices for index notation.

    Parameters
    ----------
    names
        One or more names, separated by blanks or commas.

    Returns
    -------
    RunningIndex or tuple of RunningIndex
        A single index for a single name.

    Raises
    ------
    NotationError
        If there is no name, a name breaks the rule for names, or one is repeated.

    Examples
    --------
    >>> i, j = pgmc.indices("i j")
    >>> m.energy(-v[i] * W[i, j] * h[j])
    """
    parts = names.replace(",", " ").split() if isinstance(names, str) else []
    if not parts:
        reason = "there is no name"
        raise complaint(NotationError, "pgmc.indices", reason, "Write i, j = pgmc.indices('i j').")
    if len(set(parts)) != len(parts):
        raise complaint(NotationError, f"pgmc.indices({names!r})", "a name is repeated", "Name each index once.")
    found = tuple(RunningIndex(fresh_index(check_index_name(name))) for name in parts)
    return found if len(found) > 1 else found[0]


def _relation(left: RunningIndex, operator: str, right: object, sign: str, swap: bool = False) -> Relation:
    text = f"{left!r} {sign} {right!r}"
    if isinstance(right, RunningIndex):
        other = at(right.index)
    elif isinstance(right, int | np.integer) and not isinstance(right, bool):
        other = Position((), int(right))
    else:
        reason = f"an index is compared with {type(right).__name__}"
        raise complaint(NotationError, text, reason, "Compare it with an index or an integer.")
    pair = (other, at(left.index)) if swap else (at(left.index), other)
    return Relation((Compare(pair[0], operator, pair[1]),), text)


def take(a: Operand, key: object, symbol: Symbol | None) -> Operand:
    """``a[key]``: an index or an integer for every positional axis, ``:`` to keep one.

    Raises
    ------
    NotationError
        If the number of positions is wrong, one is out of range, or is neither index, integer nor ``:``.
    """
    positions = key if isinstance(key, tuple) else (key,)
    text = written(f"{a.wrapped(ATOM)}[{', '.join(map(_position_text, positions))}]")
    if len(positions) != len(a.axes):
        reason = f"{a.text} has the shape {a.shape}, and {len(positions)} positions were given"
        remedy = "Give one position for each axis, and : for an axis to keep."
        if not a.axes:
            reason, remedy = f"{a.text} has the shape (), so it has no elements", "Use it without brackets."
        raise complaint(NotationError, text, reason, remedy)
    mapping: dict[Index, Position] = {}
    ranges: Ranges = a.ranges
    for axis, position in enumerate(positions):
        if isinstance(position, slice) and position == slice(None):
            continue
        if isinstance(position, ShiftedIndex):
            _check_periodic(symbol, axis, a.text, text)
        place = _position(position, a.shape[axis], axis, a.text, text)
        mapping[a.axes[axis]] = place
        if isinstance(position, RunningIndex | ShiftedIndex):
            here = Range(a.shape[axis], axis, a.text, symbol)
            ranges = merge_ranges(ranges, {position.index: (here,)})
    check_ranges(ranges, text)
    kept = [k for k, axis in enumerate(a.axes) if axis not in mapping]
    axes, shape = tuple(a.axes[k] for k in kept), tuple(a.shape[k] for k in kept)
    return Operand(substitute(a.node, mapping), axes, shape, ranges, text)


def _check_periodic(symbol: Symbol | None, axis: int, owner: str, text: str) -> None:
    """Offsets wrap round a periodic axis; where an open axis ends is not decided in this version."""
    if symbol is not None and axis < len(symbol.axes) and symbol.axes[axis].boundary == "periodic":
        return
    reason = f"an offset needs a periodic axis, and axis {axis} of {owner} is open"
    remedy = "Declare it with boundary='periodic'; for open ends, give every bond its own coupling and mask the last."
    raise complaint(NotationError, text, reason, remedy)


def _position_text(position: object) -> str:
    return ":" if isinstance(position, slice) else repr(position)


def _position(position: object, size: int, axis: int, owner: str, text: str) -> Position:
    if isinstance(position, RunningIndex):
        return at(position.index)
    if isinstance(position, ShiftedIndex):
        return Position(((position.index, 1),), position.offset)
    if isinstance(position, int | np.integer) and not isinstance(position, bool):
        if not 0 <= position < size:
            reason = f"position {position} is outside axis {axis} of {owner} ({size})"
            raise complaint(NotationError, text, reason, f"Positions run from 0 to {size - 1}.")
        return Position((), int(position))
    reason = f"a position is {type(position).__name__}"
    raise complaint(NotationError, text, reason, "Use an index of pgmc.indices, an integer, or : for a whole axis.")


def written_sum(a: Operand, over: Sequence[object], where: object) -> Operand:
    """Σ of the operand over the user's indices, where the relation holds."""
    names = ", ".join(map(repr, over))
    condition = "" if where is None else f", where={where!r}"
    text = written(f"Sum({a.text}, {names}{condition})")
    node, ranges = a.node, a.ranges
    if where is not None:
        node, ranges = product(node, _bracket(where, text)), merge_ranges(ranges, _unbounded(where))
    bound = bound_indices(a, over, text)
    check_ranges(ranges, text)
    return _bind(Operand(node, a.axes, a.shape, ranges, text), bound, Sum)


def log_sum_exp_over(a: Operand, over: Sequence[object]) -> Operand:
    """log Σ exp of the operand over the user's indices."""
    text = written(f"logsumexp({a.text}, {', '.join(map(repr, over))})")
    bound = bound_indices(a, over, text)
    check_ranges(a.ranges, text)
    return _bind(Operand(a.node, a.axes, a.shape, a.ranges, text), bound, LogSumExp)


def _bind(a: Operand, bound: Sequence[Index], node: type[Sum] | type[LogSumExp]) -> Operand:
    # A fresh key for each bound index: the same letter may run again outside of this sum.
    inner = {index: fresh_index(index.name) for index in bound}
    body = node(rename(a.node, inner), tuple(inner.values()))
    ranges = {index: found for index, found in a.ranges.items() if index not in inner}
    return Operand(body, a.axes, a.shape, ranges, a.text)


def bound_indices(a: Operand, over: Sequence[object], text: str) -> tuple[Index, ...]:
    """The indices to sum over: each must run in the operand, once.

    Raises
    ------
    NotationError
        If one is not an index, is repeated, or stands nowhere in the operand.
    """
    flat = [x for item in over for x in (item if isinstance(item, tuple) else (item,))]
    bound: list[Index] = []
    for item in flat:
        if not isinstance(item, RunningIndex):
            reason = f"{ascii(item)[:40]} is not an index"
            remedy = "Name indices of pgmc.indices; array notation has expression.sum(axis=)."
            raise complaint(NotationError, text, reason, remedy)
        if not a.ranges.get(item.index):
            reason = f"index {item!r} stands nowhere in {a.text}"
            raise complaint(NotationError, text, reason, "Sum over an index of the expression.")
        if item.index in bound:
            raise complaint(NotationError, text, f"index {item!r} is named twice", "Name it once.")
        bound.append(item.index)
    if not bound:
        raise complaint(NotationError, text, "no index is named", "Write pgmc.Sum(expression, i).")
    return tuple(bound)


def _bracket(where: object, text: str) -> Scalar:
    if isinstance(where, Relation):
        return Bracket(where.parts)
    reason = f"where= is {type(where).__name__}, not a relation"
    remedy = "Write where=j < i, or i.eq(j) and i.ne(j): == and != compare Python objects."
    raise complaint(NotationError, text, reason, remedy)


def _unbounded(where: object) -> Ranges:
    """The indices of a relation, without a range: some array must say how far they run."""
    parts = where.parts if isinstance(where, Relation) else ()
    found = [i for part in parts for p in (part.left, part.right) for i in position_indices(p)]
    return {index: () for index in found}


def access(symbol: Symbol, axes: Sequence[Index]) -> Access:
    """The element of a symbol at the given indices."""
    return Access(symbol, tuple(map(at, axes)))
