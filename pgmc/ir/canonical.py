"""Canonical form: models that say the same, however they spell it, become equal.

A term is brought to normal form, split where it is a sum, and then ordered. The order must not depend on the
names or keys of indices, so indices are told apart by where they stand: each gets a colour; two indices of
one colour are told apart by the key of the term in which one of them is marked; and where that fails (mostly
because the term does not change when they are exchanged) every choice is tried and the smallest key taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import (
    ZERO,
    Access,
    Add,
    BatchMean,
    Bracket,
    Call,
    Compare,
    Index,
    LogSumExp,
    Mul,
    Number,
    Position,
    Pow,
    Scalar,
    Sum,
    Unit,
)
from pgmc.ir.normal import normal
from pgmc.ir.rewrite import accesses, children, free_indices, freshen, map_children, rename, walk
from pgmc.ir.symbols import Categorical, Constant, Input, Parameter, Symbol, Variable

Key = tuple[Any, ...]
Colours = Mapping[Index, int]
Order = Mapping[str, int]

# Terms that many exchanges of indices leave unchanged: after this many choices the first is as good as any.
_MOST_CHOICES = 200

# The colour of the one index that is being told apart; no other colour is as small.
_MARK = -(1 << 80)

_KIND = {Constant: 0, Parameter: 1, Input: 2, Variable: 3}
_LETTERS = "ijklmnopqrstuvwxyzabcdefgh"


def canonical_model(model: Model) -> Model:
    """The model with canonical terms in canonical order. Symbols keep the order of declaration."""
    order = {symbol.name: k for k, symbol in enumerate(model.symbols)}
    letters = _preferred_letters(model)
    found = [
        (_term_key(part, order), part)
        for term in model.terms
        for part in canonical_term(term, order, letters)
    ]
    found.sort(key=lambda pair: pair[0])
    return replace(model, terms=tuple(part for _, part in found))


def canonical_term(
    term: EnergyTerm, order: Order | None = None, letters: Mapping[tuple[str, int], str] | None = None
) -> tuple[EnergyTerm, ...]:
    """The summands of a term, each canonical; none if the term is zero.

    ``order`` numbers the symbols (the order of declaration); ``letters`` are names for the axes of symbols,
    used for indices that the user did not name.
    """
    ranks = order or {}
    whole = _with_extents(Sum(term.body, term.over) if term.over else term.body, ranks)
    body = normal(whole, lambda node: _factor_key(node, ranks))
    if body == ZERO:
        return ()
    parts = body.terms if isinstance(body, Add) else (body,)
    return tuple(replace(term, **_ordered_term(part, ranks, letters or {})) for part in parts)


def _ordered_term(node: Scalar, order: Order, letters: Mapping[tuple[str, int], str]) -> dict[str, Any]:
    """The body and the indices of one summand, ordered, its indices renumbered and named."""
    node = freshen(node)
    body, over = (node.body, node.over) if isinstance(node, Sum) else (node, ())
    colours = _Colouring(body, order).best((*over, *_bound(body)))
    body = _sorted(body, colours, order)
    seen = _reading_order(body)
    unseen = {i: i.extent for i in sorted((*over, *_bound(body)), key=colours.__getitem__) if i not in seen}
    indices = (*seen, *unseen)
    names = _names(body, indices, letters)
    # Negative keys: those of fresh indices are positive, so a later pass cannot make the same index again.
    new = {index: Index(-1 - k, names[index], unseen.get(index)) for k, index in enumerate(indices)}
    return {
        "body": _renumbered(body, new),
        "over": tuple(new[index] for index in indices if index in over),
    }


def _with_extents(node: Scalar, order: Order) -> Scalar:
    """The node with extents for bound indices: arithmetic may remove the array that says how far one runs."""
    node = map_children(node, lambda child: _with_extents(child, order))
    if not isinstance(node, Sum | LogSumExp):
        return node
    return type(node)(node.body, tuple(_extended(index, node.body, order) for index in node.over))


def _extended(index: Index, body: Scalar, order: Order) -> Index:
    """The index with the extent that the first symbol which carries it gives."""
    found = [
        (order.get(access.symbol.name, -1), access.symbol.name, slot, len(access.symbol.axes))
        for access in accesses(body)
        for slot, position in enumerate(access.positions)
        if position.index == index
    ]
    if not found:
        return index
    _, name, slot, rank = min(found)
    return replace(index, extent=(name, slot if slot < rank else -1))


# ---- keys --------------------------------------------------------------------------------------------------


def _node_key(node: Scalar, colours: Colours, order: Order) -> Key:
    """Nested tuples that say everything about the node but the order of terms, factors and indices."""
    match node:
        case Number(value):
            return (0, value)
        case Access(symbol, positions):
            places = tuple(_position_key(position, colours) for position in positions)
            return (1, *_symbol_key(symbol, order), places)
        case Unit(name):
            return (2, name)
        case Pow(base, exponent):
            return (3, _node_key(base, colours, order), exponent)
        case Call(function, argument):
            return (4, function, _node_key(argument, colours, order))
        case Bracket(relations):
            return (5, tuple(sorted(_relation_key(relation, colours) for relation in relations)))
        case Mul(factors):
            keys = _sorted_keys(factors, colours, order)
            # A number comes first in a product but last in comparisons: signs do not decide the order.
            return (6, (*keys[1:], keys[0]) if keys[0][0] == 0 else keys)
        case Sum(body, over):
            return (7, _node_key(body, colours, order), tuple(sorted(colours[i] for i in over)))
        case LogSumExp(body, over):
            return (8, _node_key(body, colours, order), tuple(sorted(colours[i] for i in over)))
        case BatchMean(body):
            return (9, _node_key(body, colours, order))
        case Add(terms):
            return (10, _sorted_keys(terms, colours, order))


def _sorted_keys(nodes: tuple[Scalar, ...], colours: Colours, order: Order) -> Key:
    return tuple(sorted(_node_key(node, colours, order) for node in nodes))


def _symbol_key(symbol: Symbol, order: Order) -> Key:
    return (_KIND[type(symbol)], order.get(symbol.name, -1), symbol.name)


def _position_key(position: Position, colours: Colours) -> Key:
    return (tuple(sorted((colours[i], c) for i, c in position.terms)), position.offset)


def _relation_key(relation: Compare, colours: Colours) -> Key:
    sides = (_position_key(relation.left, colours), _position_key(relation.right, colours))
    if relation.operator in ("==", "!="):
        sides = (min(sides), max(sides))
    return (relation.operator, *sides)


def _factor_key(node: Scalar, order: Order) -> Hashable:
    """Equal for factors that are equal but for the order of terms and the names of bound indices."""
    bound = _bound(node)
    if bound:
        node = freshen(node)
        bound = _bound(node)
    free = {index: -index.key * 2 - 1 if index.key > 0 else index.key * 2 for index in free_indices(node)}
    if not bound:
        return _node_key(node, free, order)
    colouring = _Colouring(node, order, free)
    return _node_key(node, {**free, **colouring.best(bound)}, order)


def _term_key(term: EnergyTerm, order: Order) -> Key:
    """Terms of many variables first, then by their structure."""
    variables = sum(isinstance(access.symbol, Variable) for access in accesses(term.body))
    indices = (*term.over, *_bound(term.body))
    return (-variables, _node_key(term.body, {index: -index.key for index in indices}, order))


# ---- the order of indices ----------------------------------------------------------------------------------


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
        return _node_key(self.node, {**(self.fixed or {}), **colours}, self.order)

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


# ---- rebuilding --------------------------------------------------------------------------------------------


def _sorted(node: Scalar, colours: Colours, order: Order) -> Scalar:
    """The node with terms, factors and relations in the order of their keys."""
    node = map_children(node, lambda child: _sorted(child, colours, order))
    match node:
        case Add(terms):
            return Add(tuple(sorted(terms, key=lambda term: _node_key(term, colours, order))))
        case Mul(factors):
            return Mul(tuple(sorted(factors, key=lambda factor: _node_key(factor, colours, order))))
        case Bracket(relations):
            turned = tuple(_turned(relation, colours) for relation in relations)
            return Bracket(tuple(sorted(turned, key=lambda relation: _relation_key(relation, colours))))
        case _:
            return node


def _turned(relation: Compare, colours: Colours) -> Compare:
    """A symmetric relation with its smaller side on the left."""
    if relation.operator not in ("==", "!="):
        return relation
    sides = sorted((relation.left, relation.right), key=lambda position: _position_key(position, colours))
    return Compare(sides[0], relation.operator, sides[1])


def _bound(node: Scalar) -> tuple[Index, ...]:
    """The indices that sums inside the node bind."""
    return tuple(i for part in walk(node) if isinstance(part, Sum | LogSumExp) for i in part.over)


def _own(node: Scalar) -> Iterator[Position]:
    match node:
        case Access(_, positions):
            yield from positions
        case Bracket(relations):
            for relation in relations:
                yield relation.left
                yield relation.right
        case _:
            return


def _reading_order(node: Scalar) -> tuple[Index, ...]:
    """Every index, free and bound, in the order of first use."""
    found = {i: None for part in walk(node) for position in _own(part) for i, _ in position.terms}
    return tuple(found)


def _renumbered(node: Scalar, new: Mapping[Index, Index]) -> Scalar:
    """The node with all its indices, free and bound, replaced."""
    if isinstance(node, Sum | LogSumExp):
        over = tuple(sorted((new[index] for index in node.over), key=lambda index: -index.key))
        return type(node)(_renumbered(node.body, new), over)
    if isinstance(node, Access | Bracket):
        return rename(node, new)
    return map_children(node, lambda child: _renumbered(child, new))


# ---- names of indices --------------------------------------------------------------------------------------


def _preferred_letters(model: Model) -> dict[tuple[str, int], str]:
    """A letter for every axis of every variable, in order of declaration."""
    letters, found = iter(_LETTERS), dict[tuple[str, int], str]()
    for variable in model.variables:
        for axis in range(len(variable.axes) + isinstance(variable.domain, Categorical)):
            found[variable.name, axis] = next(letters, "i")
    return found


def with_letters(node: Scalar) -> Scalar:
    """The node with a letter for every index that the user did not name, for messages."""
    node = freshen(node)
    seen = _reading_order(node)
    names = _names(node, seen, {})
    return _renumbered(node, {index: Index(-1 - k, names[index]) for k, index in enumerate(seen)})


def _names(
    body: Scalar, indices: tuple[Index, ...], letters: Mapping[tuple[str, int], str]
) -> dict[Index, str]:
    """The user's names where they are given and differ, else letters."""
    names: dict[Index, str] = {}
    for index in indices:
        if index.name and index.name not in names.values():
            names[index] = index.name
    preferred: dict[Index, str] = {}
    for access in accesses(body):
        for slot, position in enumerate(access.positions):
            if position.index is not None and (access.symbol.name, slot) in letters:
                preferred.setdefault(position.index, letters[access.symbol.name, slot])
    for index in indices:
        if index not in names:
            wanted = preferred.get(index, "")
            free = (letter for letter in _LETTERS if letter not in names.values())
            names[index] = (
                wanted if wanted and wanted not in names.values() else next(free, f"i{len(names)}")
            )
    return names


# ---- text --------------------------------------------------------------------------------------------------


def canonical_text(model: Model) -> str:
    """The canonical form as text, without sizes, values and places: equal texts derive equal programs."""
    model = canonical_model(model)
    lines = [f"model {model.name}"]
    lines.extend(_symbol_text(symbol) for symbol in model.symbols)
    lines.extend(f"term {_indices_text(term.over)} {_text(term.body)}" for term in model.terms)
    return "\n".join(lines)


def digest(model: Model) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical_text(model).encode()).hexdigest()


def _symbol_text(symbol: Symbol) -> str:
    words = [type(symbol).__name__.lower(), symbol.name, *(axis.boundary for axis in symbol.axes)]
    if isinstance(symbol, Variable | Input):
        words.append(type(symbol.domain).__name__.lower())
    if isinstance(symbol, Parameter):
        flags = ("symmetric", "zero_diagonal", "masked")
        words.extend(flag for flag in flags if getattr(symbol.constraint, flag))
    return " ".join(words)


def _indices_text(indices: tuple[Index, ...]) -> str:
    return "[" + ",".join(map(_index_text, indices)) + "]"


def _index_text(index: Index) -> str:
    return str(-1 - index.key) + (f":{index.extent[0]}:{index.extent[1]}" if index.extent else "")


def _position_text(position: Position) -> str:
    parts = [f"{coefficient}*{-1 - index.key}" for index, coefficient in position.terms]
    return "+".join([*parts, f"({position.offset})"])


def _text(node: Scalar) -> str:
    match node:
        case Number(value):
            return str(value)
        case Access(symbol, positions):
            return f"{symbol.name}[{','.join(map(_position_text, positions))}]"
        case Pow(base, exponent):
            return f"pow({_text(base)},{exponent})"
        case Call(function, argument):
            return f"{function}({_text(argument)})"
        case Sum(body, over):
            return f"sum{_indices_text(over)}({_text(body)})"
        case LogSumExp(body, over):
            return f"logsumexp{_indices_text(over)}({_text(body)})"
        case Bracket(relations):
            parts = (f"{_position_text(r.left)}{r.operator}{_position_text(r.right)}" for r in relations)
            return f"where({';'.join(parts)})"
        case _:
            return f"{type(node).__name__.lower()}({','.join(map(_text, children(node)))})"
