"""The order of indices that depends on nothing but where they stand.

Each index gets a colour; two indices of one colour are told apart by the key of the expression in which one
of them is marked; and where that fails (mostly because the expression does not change when they are
exchanged) every choice is tried and the smallest key taken.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from pgmc.ir.nodes import (
    Access,
    Add,
    Atom,
    BatchMean,
    Bracket,
    Call,
    Compare,
    Index,
    Length,
    LogSumExp,
    Lookup,
    Mul,
    Number,
    Pi,
    Position,
    Pow,
    Quotient,
    Scalar,
    Sum,
    Unit,
)
from pgmc.ir.rewrite import free_indices, freshen, walk
from pgmc.ir.symbols import Constant, Input, Intermediate, Parameter, Symbol, Variable

Key = tuple[Any, ...]
Colours = Mapping[Index, int]
Order = Mapping[str, int]

# Terms that many exchanges of indices leave unchanged: after this many choices the first is as good as any.
_MOST_CHOICES = 200

# The colour of the one index that is being told apart; no other colour is as small.
_MARK = -(1 << 80)

_KIND = {Constant: 0, Parameter: 1, Input: 2, Variable: 3, Intermediate: 4}


def order_indices(node: Scalar, indices: tuple[Index, ...], order: Order) -> dict[Index, int]:
    """A different number for every index, the same however the indices are called."""
    return _Colouring(node, order).best(indices)


def node_key(node: Scalar, colours: Colours, order: Order) -> Key:
    """Nested tuples that say everything about the node but the order of terms, factors and indices."""
    match node:
        case Number(value):
            return (0, value)
        case Access(symbol, positions):
            places = tuple(position_key(position, colours) for position in positions)
            return (1, *_symbol_key(symbol, order), places)
        case Unit() | Pi():
            return (2, repr(node))
        case Pow(base, exponent):
            return (3, node_key(base, colours, order), exponent)
        case Call(function, argument):
            return (4, function, node_key(argument, colours, order))
        case Bracket(relations):
            return (5, tuple(sorted(relation_key(relation, colours) for relation in relations)))
        case Mul(factors):
            keys = _sorted_keys(factors, colours, order)
            # A number comes first in a product but last in comparisons: signs do not decide the order.
            return (6, (*keys[1:], keys[0]) if keys[0][0] == 0 else keys)
        case Sum(body, over):
            return (7, node_key(body, colours, order), tuple(sorted(colours[i] for i in over)))
        case LogSumExp(body, over):
            return (8, node_key(body, colours, order), tuple(sorted(colours[i] for i in over)))
        case BatchMean(body):
            return (9, node_key(body, colours, order))
        case Add(terms):
            return (10, _sorted_keys(terms, colours, order))


def _sorted_keys(nodes: tuple[Scalar, ...], colours: Colours, order: Order) -> Key:
    return tuple(sorted(node_key(node, colours, order) for node in nodes))


def _symbol_key(symbol: Symbol, order: Order) -> Key:
    return (_KIND[type(symbol)], order.get(symbol.name, -1), symbol.name)


def position_key(position: Position, colours: Colours) -> Key:
    """A key that depends on the order of terms no more than the position does."""
    return (tuple(sorted((*atom_key(atom, colours), c) for atom, c in position.terms)), position.offset)


def atom_key(atom: Atom, colours: Colours) -> Key:
    """What an atom is: indices first, by colour."""
    match atom:
        case Index():
            return (0, colours[atom], ())
        case Length(symbol, axis):
            return (1, axis, (symbol,))
        case Lookup(table, positions):
            return (2, 0, (table.name, *(position_key(position, colours) for position in positions)))
        case Quotient(position, divisor):
            return (3, divisor, (position_key(position, colours),))


def relation_key(relation: Compare, colours: Colours) -> Key:
    sides = (position_key(relation.left, colours), position_key(relation.right, colours))
    if relation.operator in ("==", "!="):
        sides = (min(sides), max(sides))
    return (relation.operator, *sides)


def factor_key(node: Scalar, order: Order) -> Hashable:
    """Equal for factors that are equal but for the order of terms and the names of bound indices."""
    bound = bound_indices(node)
    if bound:
        node = freshen(node)
        bound = bound_indices(node)
    free = {index: -index.key * 2 - 1 if index.key > 0 else index.key * 2 for index in free_indices(node)}
    if not bound:
        return node_key(node, free, order)
    colouring = _Colouring(node, order, free)
    return node_key(node, {**free, **colouring.best(bound)}, order)


def bound_indices(node: Scalar) -> tuple[Index, ...]:
    """The indices that sums inside the node bind."""
    return tuple(i for part in walk(node) if isinstance(part, Sum | LogSumExp) for i in part.over)


@dataclass(slots=True)
class _Colouring:
    """Finds the order of indices that gives the smallest key of a node."""

    node: Scalar
    order: Order
    fixed: Colours | None = None
    choices: int = 0

    def best(self, indices: tuple[Index, ...]) -> dict[Index, int]:
        """A different colour for every index."""
        _, colours = self._search(dict.fromkeys(indices, 0))
        return colours

    def key(self, colours: Colours) -> Key:
        """The key of the node under a colouring."""
        return node_key(self.node, {**(self.fixed or {}), **colours}, self.order)

    def _search(self, colours: dict[Index, int]) -> tuple[Key, dict[Index, int]]:
        colours = self._refined(colours)
        tied = _smallest_tie(colours)
        if not tied:
            self.choices += 1
            return self.key(colours), colours
        best: tuple[Key, dict[Index, int]] | None = None
        for index in tied:
            found = self._search({i: 2 * c - (i == index) for i, c in colours.items()})
            if best is None or found[0] < best[0]:
                best = found
            if self.choices >= _MOST_CHOICES:
                break
        assert best is not None
        return best

    def _refined(self, colours: dict[Index, int]) -> dict[Index, int]:
        """Colours split by the key of the node with each index marked, until nothing splits."""
        while True:
            marked = {i: (c, self.key({**colours, i: _MARK})) for i, c in colours.items()}
            rank = {mark: k for k, mark in enumerate(sorted(set(marked.values())))}
            refined = {index: rank[mark] for index, mark in marked.items()}
            if len(rank) == len(set(colours.values())):
                return refined
            colours = refined


def _smallest_tie(colours: Colours) -> list[Index]:
    """The indices of the first colour that several share."""
    for colour in sorted(set(colours.values())):
        tied = [index for index, own in colours.items() if own == colour]
        if len(tied) > 1:
            return tied
    return []
