"""Index notation: elements of arrays at places, written sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pgmc.dsl.edges import check_ends, lookup_ranges
from pgmc.dsl.location import complaint
from pgmc.dsl.names import check_index_name
from pgmc.dsl.operand import ATOM, Operand, Range, Ranges, check_ranges, merge_ranges, product, written
from pgmc.dsl.places import Place, Relation, RunningIndex
from pgmc.errors import NotationError
from pgmc.ir.nodes import Access, Bracket, Index, LogSumExp, Position, Scalar, Sum, at, fresh_index
from pgmc.ir.rewrite import position_indices, rename, substitute
from pgmc.ir.symbols import Symbol


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
        place = mapping[a.axes[axis]] = _position(position, a.shape[axis], axis, a.text, text)
        check_ends(place, a.shape[axis], axis, a.text, text)
        ranges = merge_ranges(ranges, lookup_ranges(place))
        for index in (atom for atom, _ in place.terms if isinstance(atom, Index)):
            here = Range(a.shape[axis], axis, a.text, symbol, place.index is None)
            ranges = merge_ranges(ranges, {index: (here,)})
    check_ranges(ranges, text, more_to_come=True)
    kept = [k for k, axis in enumerate(a.axes) if axis not in mapping]
    axes, shape = tuple(a.axes[k] for k in kept), tuple(a.shape[k] for k in kept)
    return Operand(substitute(a.node, mapping), axes, shape, ranges, text)


def _position_text(position: object) -> str:
    return ":" if isinstance(position, slice) else repr(position)


def _position(position: object, size: int, axis: int, owner: str, text: str) -> Position:
    if isinstance(position, Place):
        if position.position.terms:
            return position.position
        position = position.position.offset
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
