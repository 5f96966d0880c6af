"""Places along axes: running indices, their sums and multiples, and relations between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn, TypeGuard

import numpy as np

from pgmc.dsl.location import complaint
from pgmc.errors import NotationError
from pgmc.ir.nodes import Compare, Index, Position, at
from pgmc.ir.rewrite import affine


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


class Place:
    """A sum of multiples of running indices and a number, for brackets, ``v[2*x + dx]``, and relations, ``i < j + 1``.

    ``text`` is how it was written.
    """

    __slots__ = ("position", "text")
    # NumPy must not turn an index into an array element in arithmetic.
    __array_ufunc__ = None

    def __init__(self, position: Position, text: str) -> None:
        self.position = position
        self.text = text

    def __repr__(self) -> str:
        return self.text

    # ---- arithmetic ----------------------------------------------------------------------------------------

    def __add__(self, other: object) -> Place:
        return _combined(self, _as_place(other, self, "+"), 1)

    def __radd__(self, other: object) -> Place:
        return _combined(_as_place(other, self, "+", left=True), self, 1)

    def __sub__(self, other: object) -> Place:
        return _combined(self, _as_place(other, self, "-"), -1)

    def __rsub__(self, other: object) -> Place:
        return _combined(_as_place(other, self, "-", left=True), self, -1)

    def __mul__(self, other: object) -> Place:
        if not _is_whole(other):
            reason = f"an index is multiplied by {type(other).__name__}, not an integer"
            raise complaint(NotationError, f"{self!r}*{ascii(other)[:40]}", reason, _KNOWN)
        factor = int(other)
        terms = {atom: factor * c for atom, c in self.position.terms}
        text = f"{factor}*{self.text}" if len(terms) == 1 and not self.position.offset else f"{factor}*({self.text})"
        return Place(affine(terms, factor * self.position.offset), text)

    __rmul__ = __mul__

    def __neg__(self) -> Place:
        return Place((-1 * self).position, f"-{self.text}" if len(self.position.terms) == 1 else f"-({self.text})")

    def __pos__(self) -> Place:
        return self

    def _no_arithmetic(self, *_: object) -> NoReturn:
        reason = "places are sums of indices, multiples of indices and integers"
        raise complaint(NotationError, repr(self), reason, _KNOWN)

    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _no_arithmetic
    __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __abs__ = _no_arithmetic

    # ---- relations -----------------------------------------------------------------------------------------

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


class RunningIndex(Place):
    """A running index made by :func:`pgmc.indices`, for brackets, ``v[i]``, and relations, ``i < j``."""

    __slots__ = ("index",)

    def __init__(self, index: Index) -> None:
        super().__init__(at(index), index.name)
        self.index = index


_KNOWN = "Use integers, indices, and their sums and integer multiples, as in 2*x + dx - 1."


def _is_whole(value: object) -> TypeGuard[int | np.integer[Any]]:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _as_place(value: object, index: Place, sign: str, left: bool = False) -> Place:
    if isinstance(value, Place):
        return value
    if _is_whole(value):
        number = int(value)
        return Place(Position((), number), str(number))
    text = f"{ascii(value)[:40]} {sign} {index!r}" if left else f"{index!r} {sign} {ascii(value)[:40]}"
    reason = f"the offset of an index is {type(value).__name__}, not an integer"
    raise complaint(NotationError, text, reason, _KNOWN)


def _combined(first: Place, second: Place, sign: int) -> Place:
    """first ± second."""
    total = dict(first.position.terms)
    for atom, c in second.position.terms:
        total[atom] = total.get(atom, 0) + sign * c
    compound = sign < 0 and (len(second.position.terms) > 1 or second.position.offset)
    right = f"({second.text})" if compound and second.position.terms else second.text
    text = f"{first.text} {'-' if sign < 0 else '+'} {right}".replace("+ -", "- ").replace("- -", "+ ")
    return Place(affine(total, first.position.offset + sign * second.position.offset), text)


def _relation(left: Place, operator: str, right: object, sign: str, swap: bool = False) -> Relation:
    text = f"{left!r} {sign} {right!r}"
    if isinstance(right, Place):
        other = right.position
    elif _is_whole(right):
        other = Position((), int(right))
    else:
        reason = f"an index is compared with {type(right).__name__}"
        raise complaint(NotationError, text, reason, "Compare it with an index or an integer.")
    pair = (other, left.position) if swap else (left.position, other)
    return Relation((Compare(pair[0], operator, pair[1]),), text)
