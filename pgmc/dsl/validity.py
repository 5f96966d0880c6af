"""How far indices run, and which instances of a term are inside: what positions such as ``s[x + 1]`` say of it.

An instance with a place outside an open axis is left out of the innermost sum that runs over an index of it. The sum
of a product of sums is that of all products: ``s[x]·(s[x+1] + s[x-1])`` loses one bond at either end. A function,
powers included, is left out as a whole: ``(s[x+1] - s[x])²``. What is left out is said by a bracket, on those sides
that can fail at the sizes at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from pgmc.dsl.location import complaint, shorten
from pgmc.dsl.operand import Range, check_ranges, product
from pgmc.errors import ModelError, NotationError
from pgmc.ir.canonical import with_letters
from pgmc.ir.index_ranges import (
    Place,
    extent_name,
    find_extent,
    lengths_of,
    places,
    places_of,
    plain_name,
    stands_alone,
)
from pgmc.ir.nodes import (
    Access,
    Add,
    Atom,
    Bracket,
    Call,
    Compare,
    Index,
    Length,
    LogSumExp,
    Lookup,
    Mul,
    Position,
    Pow,
    Quotient,
    Scalar,
    Sum,
    shifted_index,
)
from pgmc.ir.printer import print_scalar
from pgmc.ir.rewrite import accesses, affine, map_children, position_indices, walk

Summand = tuple[Scalar, tuple[Index, ...]]
Relations = tuple[Compare, ...]


def settle_places(body: Scalar, over: tuple[Index, ...], text: str) -> Summand:
    """The summand with an extent for every index that needs one, and brackets for what is inside.

    Raises
    ------
    NotationError
        If nothing says how far an index runs, or it runs over axes of different lengths.
    ModelError
        If a place is never inside its axis.
    """
    bound = (*over, *(i for n in walk(body) if isinstance(n, Sum | LogSumExp) for i in n.over))
    _check_sizes(body, bound, text)
    ranges = _Ranges(body, dict.fromkeys(bound))
    guarded, left = _Guards(ranges).visit(body, None)
    return _with_extents(_under(left, guarded), ranges.explicit), tuple(ranges.explicit.get(i, i) for i in over)


def settle_parameter(body: Scalar, unit: Access, text: str) -> Scalar:
    """The parameter of the law of a unit, where what stands outside is left out of it and not of the law.

    Raises
    ------
    NotationError, ModelError
        As for :func:`settle_places`.
    """
    whole = product(unit, body)
    own = (i for position in unit.positions for i in position_indices(position))
    bound = (*own, *(i for n in walk(body) if isinstance(n, Sum | LogSumExp) for i in n.over))
    _check_sizes(whole, bound, text)
    ranges = _Ranges(whole, dict.fromkeys(bound))
    guarded, left = _Guards(ranges).visit(body, None)
    return _with_extents(_under(left, guarded), ranges.explicit)


def _check_sizes(body: Scalar, bound: Iterable[Index], text: str) -> None:
    """Axes that an index stands alone on have one length, or it has neighbours on the longer ones."""
    found: dict[Index, list[Range]] = {}
    for symbol, k, axis, position in places(body):
        if position.is_plain and position.index is None:
            continue
        for index in position_indices(position):
            found.setdefault(index, []).append(Range(axis.size, k, symbol.name, symbol, position.index is None))
    check_ranges({index: tuple(found[index]) for index in bound if index in found}, text)


@dataclass(slots=True)
class _Ranges:
    """How far the indices of a summand run; ``cut`` are those that stop where a sum of indices would leave its axis."""

    body: Scalar
    bound: Mapping[Index, None]
    extents: dict[Index, tuple[str, int]] = field(default_factory=dict)
    lengths: dict[tuple[str, int], int] = field(default_factory=dict)
    explicit: dict[Index, Index] = field(default_factory=dict)
    cut: set[Index] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.lengths = lengths_of(access.symbol for access in accesses(self.body))
        for index in self.bound:
            name = index.extent or extent_name(index, self.body, {})
            if name is None:
                raise self._unknown(index)
            self.extents[index] = name
            if not stands_alone(index, self.body):
                self.explicit[index] = replace(index, extent=name)
            place = find_extent(index, self.body, {})
            if place is not None and place[2].boundary == "open" and shifted_index(place[3]) != index:
                self.cut.add(index)

    def _unknown(self, index: Index) -> NotationError:
        reason = f"index {index.name} stands on no array, so nothing says how far it runs"
        return complaint(NotationError, shown(self.body), reason, "Use it as a position of an array.")

    def size(self, index: Index) -> int:
        """The number of values of an index, as if it were not cut."""
        return self.lengths[self.extents[index]]

    def sides(self, place: Place) -> Relations:
        """The relations that keep a position inside its open axis, those that can fail."""
        symbol, k, axis, position = place
        cut = [atom for atom, _ in position.terms if isinstance(atom, Index) and atom in self.cut]
        if len(cut) > 1:
            names = " and ".join(index.name for index in cut)
            reason = f"{names} stand in no place of their own, so nothing says how far each of them runs"
            raise complaint(NotationError, shown(Access(symbol, (position,))), reason, "Use one on another array.")
        low = self._extreme(position, cut, last=False)
        high = self._extreme(position, cut, last=True)
        least, most = self._bound(low, last=False), self._bound(high, last=True)
        if self._bound(high, last=False) >= axis.size or self._bound(low, last=True) < 0:
            reason = f"this place is never inside axis {k} of {symbol.name} ({axis.size})"
            raise complaint(ModelError, shown(Access(symbol, (position,))), reason, "Use smaller offsets.")
        found = [Compare(Position(), "<=", low)] if least < 0 else []
        if most >= axis.size:
            found.append(Compare(high, "<", Position(((Length(*plain_name(symbol, k)), 1),))))
        return tuple(found)

    def _extreme(self, position: Position, cut: list[Index], last: bool) -> Position:
        """The position with all indices but a cut one where it is least, or greatest; as it is if none is cut."""
        if not cut:
            return position
        total: dict[Atom, int] = {}
        offset = position.offset
        for atom, c in position.terms:
            if atom in cut or not isinstance(atom, Index):
                total[atom] = total.get(atom, 0) + c
            elif (c > 0) == last:
                length = Length(*self.extents[atom])
                total[length] = total.get(length, 0) + c
                offset -= c
        return affine(total, offset)

    def _bound(self, position: Position, last: bool) -> int:
        """The least, or the greatest, value of a position."""
        return position.offset + sum(c * self._value(atom, (c > 0) == last) for atom, c in position.terms)

    def _value(self, atom: Atom, last: bool) -> int:
        match atom:
            case Index():
                return self.size(atom) - 1 if last else 0
            case Length(symbol, axis):
                return self.lengths[symbol, axis]
            case Lookup(table, _):
                values = np.asarray(table.value)
                return int(values.max() if last else values.min()) if values.size else 0
            case Quotient(position, divisor):
                return self._bound(position, last) // divisor


@dataclass(slots=True)
class _Guards:
    """Puts brackets where instances are left out.

    ``inner`` are the indices of sums within the nearest function around a node, None where there is no function: an
    instance of any other index is an instance of the function as a whole.
    """

    ranges: _Ranges

    def visit(self, node: Scalar, inner: frozenset[Index] | None) -> tuple[Scalar, Relations]:
        """The node, and the relations that the product around it has to hold."""
        match node:
            case Access():
                return node, self._of_access(node)
            case Add(terms):
                return self._sum_of(terms, inner)
            case Sum(body, over):
                value, left = self.visit(body, None if inner is None else inner | frozenset(over))
                mine = tuple(r for r in left if _indices(r) & set(over))
                return Sum(_under(mine, value), over), tuple(r for r in left if r not in mine)
            case LogSumExp(body, over):
                value, left = self.visit(body, frozenset())
                if any(_indices(r) & set(over) for r in left):
                    reason = "some places of this logsumexp lie outside their axes"
                    raise complaint(NotationError, shown(node), reason, "Write pgmc.log(pgmc.Sum(pgmc.exp(...), ...)).")
                return LogSumExp(value, over), left
            case Call() | Pow():
                return self._mapped(node, frozenset())
            case _:
                return self._mapped(node, inner)

    def _of_access(self, access: Access) -> Relations:
        affine_places = (p for p in places_of(access) if not p[3].is_plain and p[2].boundary == "open")
        return tuple(dict.fromkeys(r for place in affine_places for r in self.ranges.sides(place)))

    def _mapped(self, node: Scalar, inner: frozenset[Index] | None) -> tuple[Scalar, Relations]:
        left: dict[Compare, None] = {}

        def visit(child: Scalar) -> Scalar:
            value, more = self.visit(child, inner)
            left.update(dict.fromkeys(more))
            return value

        value = map_children(node, visit)
        given = [f.relations for f in node.factors if isinstance(f, Bracket)] if isinstance(node, Mul) else []
        return value, tuple(r for r in left if not any(r in relations for relations in given))

    def _sum_of(self, terms: tuple[Scalar, ...], inner: frozenset[Index] | None) -> tuple[Scalar, Relations]:
        """Every term under its own relations; under a function only as far as sums within it decide them."""
        found, left = list[Scalar](), dict[Compare, None]()
        for term in terms:
            value, more = self.visit(term, inner)
            mine = tuple(r for r in more if inner is None or _indices(r) & inner)
            left.update(dict.fromkeys(r for r in more if r not in mine))
            found.append(_under(mine, value))
        return Add(tuple(found)), tuple(left)


def _indices(relation: Compare) -> set[Index]:
    return {i for side in (relation.left, relation.right) for i in position_indices(side)}


def _under(relations: Relations, node: Scalar) -> Scalar:
    return product(Bracket(relations), node) if relations else node


def _with_extents(node: Scalar, explicit: Mapping[Index, Index]) -> Scalar:
    node = map_children(node, lambda child: _with_extents(child, explicit))
    if isinstance(node, Sum | LogSumExp):
        return type(node)(node.body, tuple(explicit.get(i, i) for i in node.over))
    return node


def shown(node: Scalar) -> str:
    """The node as an error names it."""
    return shorten(print_scalar(with_letters(node)))
