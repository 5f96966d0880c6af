"""Canonical form: models that say the same, however they spell it, become equal.

A term is brought to normal form, split where it is a sum, and then ordered by where its indices stand, so
that the result depends neither on the names nor on the keys of indices.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pgmc.ir.definitions import map_definitions
from pgmc.ir.factors import map_factors
from pgmc.ir.index_order import (
    Colours,
    Key,
    Order,
    atom_key,
    bound_indices,
    factor_key,
    node_key,
    order_indices,
    position_key,
    relation_key,
)
from pgmc.ir.index_ranges import extent_name, places, plain_name, stands_alone
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import (
    ZERO,
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
    Number,
    Position,
    Pow,
    Quotient,
    Scalar,
    Sum,
)
from pgmc.ir.normal import normal
from pgmc.ir.rewrite import (
    accesses,
    children,
    freshen,
    map_children,
    own_positions,
    position_indices,
    rename,
    walk,
    with_inner,
)
from pgmc.ir.symbols import Categorical, Count, Input, Parameter, Symbol, Variable

_LETTERS = "ijklmnopqrstuvwxyzabcdefgh"


def canonical_model(model: Model) -> Model:
    """The model with canonical terms in canonical order. Symbols keep the order of declaration."""
    order = {symbol.name: k for k, symbol in enumerate(model.symbols)}
    letters = _preferred_letters(model)
    found = [(_term_key(part, order), part) for term in model.terms for part in canonical_term(term, order, letters)]
    found.sort(key=lambda pair: pair[0])
    factors = map_factors(model, lambda term: canonical_term(term, order, letters)[0])
    definitions = map_definitions(model, lambda term: canonical_term(term, order, letters)[0])
    return replace(model, terms=tuple(part for _, part in found), factors=factors, definitions=definitions)


def canonical_term(
    term: EnergyTerm, order: Order | None = None, letters: Mapping[tuple[str, int], str] | None = None
) -> tuple[EnergyTerm, ...]:
    """The summands of a term, each canonical; none if the term is zero.

    ``order`` numbers the symbols (the order of declaration); ``letters`` are names for the axes of symbols,
    used for indices that the user did not name.
    """
    ranks = order or {}
    whole = _with_extents(Sum(term.body, term.over) if term.over else term.body, ranks)
    body = normal(whole, lambda node: factor_key(node, ranks))
    if body == ZERO:
        return ()
    parts = body.terms if isinstance(body, Add) else (body,)
    return tuple(replace(term, **_ordered_term(part, ranks, letters or {})) for part in parts)


def _ordered_term(node: Scalar, order: Order, letters: Mapping[tuple[str, int], str]) -> dict[str, Any]:
    """The body and the indices of one summand, ordered, its indices renumbered and named."""
    node = freshen(node)
    body, over = (node.body, node.over) if isinstance(node, Sum) else (node, ())
    colours = order_indices(body, (*over, *bound_indices(body)), order)
    body = _sorted(body, colours, order)
    seen = _reading_order(body)
    bound = {index: index.extent for index in sorted((*over, *bound_indices(body)), key=colours.__getitem__)}
    said = {index: extent for index, extent in bound.items() if not stands_alone(index, body)}
    indices = (*seen, *(index for index in bound if index not in seen))
    names = _names(body, indices, letters)
    # Negative keys: those of fresh indices are positive, so a later pass cannot make the same index again.
    new = {index: Index(-1 - k, names[index], said.get(index)) for k, index in enumerate(indices)}
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
    """The index with the extent that its places give, or the blocks that it numbers."""
    name = extent_name(index, body, order)
    return index if name is None else replace(index, extent=name)


def _term_key(term: EnergyTerm, order: Order) -> Key:
    """Terms of many variables first, then by their structure."""
    variables = sum(isinstance(access.symbol, Variable) for access in accesses(term.body))
    indices = (*term.over, *bound_indices(term.body))
    return (-variables, node_key(term.body, {index: -index.key for index in indices}, order), term.child or "")


# ---- rebuilding --------------------------------------------------------------------------------------------


def _sorted(node: Scalar, colours: Colours, order: Order) -> Scalar:
    """The node with terms, factors and relations in the order of their keys."""
    node = map_children(node, lambda child: _sorted(child, colours, order))
    match node:
        case Add(terms):
            return Add(tuple(sorted(terms, key=lambda term: node_key(term, colours, order))))
        case Mul(factors):
            return Mul(tuple(sorted(factors, key=lambda factor: node_key(factor, colours, order))))
        case Access(symbol, positions):
            return Access(symbol, tuple(_ordered(position, colours) for position in positions))
        case Bracket(relations):
            turned = tuple(_turned(relation, colours) for relation in relations)
            return Bracket(tuple(sorted(turned, key=lambda relation: relation_key(relation, colours))))
        case _:
            return node


def _turned(relation: Compare, colours: Colours) -> Compare:
    """A relation with its terms in order; a symmetric one with its smaller side on the left."""
    sides = [_ordered(relation.left, colours), _ordered(relation.right, colours)]
    if relation.operator in ("==", "!="):
        sides.sort(key=lambda position: position_key(position, colours))
    return Compare(sides[0], relation.operator, sides[1], relation.around)


def _ordered(position: Position, colours: Colours) -> Position:
    """The position with its terms in the order of their keys."""
    terms = (
        (with_inner(atom, lambda inner: _ordered(inner, colours)), coefficient) for atom, coefficient in position.terms
    )
    return Position(tuple(sorted(terms, key=lambda term: atom_key(term[0], colours))), position.offset)


def _reading_order(node: Scalar) -> tuple[Index, ...]:
    """Every index, free and bound, in the order of first use."""
    positions = (position for part in walk(node) for position in own_positions(part))
    return tuple({index: None for position in positions for index in position_indices(position)})


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


def _names(body: Scalar, indices: tuple[Index, ...], letters: Mapping[tuple[str, int], str]) -> dict[Index, str]:
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
            names[index] = wanted if wanted and wanted not in names.values() else next(free, f"i{len(names)}")
    return names


# ---- text --------------------------------------------------------------------------------------------------


def canonical_text(model: Model) -> str:
    """The canonical form as text, without sizes, values and places: equal texts derive equal programs."""
    model = canonical_model(model)
    lines = [f"model {model.name}"]
    lines.extend(_symbol_text(symbol) for symbol in model.symbols)
    lines.extend(_term_text("term", term) for term in model.terms)
    for factor in model.factors:
        head = f"factor {factor.target.name} {factor.family}"
        lines.extend(_term_text(f"{head} {name}", term) for name, term in factor.parameters)
    lines.extend(_term_text(f"definition {found.symbol.name}", found.term) for found in model.definitions)
    return "\n".join(lines)


def _term_text(head: str, term: EnergyTerm) -> str:
    child = f" of {term.child}" if term.child else ""
    return f"{head}{child} {_indices_text(term.over, term.body)} {_text(term.body)}"


def digest(model: Model) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical_text(model).encode()).hexdigest()


def _symbol_text(symbol: Symbol) -> str:
    words = [type(symbol).__name__.lower(), symbol.name, *(axis.boundary for axis in symbol.axes)]
    if isinstance(symbol, Variable | Input):
        words.append(type(symbol.domain).__name__.lower())
    if isinstance(symbol, Variable):
        words.extend(f"exclusive:{length}" for length in symbol.exclusive)
        if isinstance(symbol.domain, Count) and symbol.domain.total is not None:
            words.append(f"total:{symbol.domain.total if isinstance(symbol.domain.total, str) else ''}")
    if isinstance(symbol, Parameter):
        flags = ("symmetric", "zero_diagonal", "masked", "sparse")
        words.extend(flag for flag in flags if getattr(symbol.constraint, flag))
    return " ".join(words)


def _indices_text(indices: tuple[Index, ...], body: Scalar) -> str:
    return "[" + ",".join(_index_text(index, body) for index in indices) + "]"


def _index_text(index: Index, body: Scalar) -> str:
    """The index and, where its places leave that open, how far it runs: all axes of that length that it stands on."""
    if index.extent is None:
        return str(-1 - index.key)
    alone = [(axis.size, plain_name(symbol, k)) for symbol, k, axis, p in places(body) if p.index == index]
    least = min((size for size, _ in alone), default=0)
    names = sorted({index.extent, *(name for size, name in alone if size == least)})
    return ":".join([str(-1 - index.key), *(f"{symbol}:{k}" for symbol, k in names)])


def _position_text(position: Position) -> str:
    parts = [f"{coefficient}*{_atom_text(atom)}" for atom, coefficient in position.terms]
    return "+".join([*parts, f"({position.offset})"])


def _atom_text(atom: Atom) -> str:
    match atom:
        case Index():
            return str(-1 - atom.key)
        case Length(symbol, axis):
            return f"length({symbol},{axis})"
        case Lookup(table, positions):
            return f"{table.name}[{','.join(map(_position_text, positions))}]"
        case Quotient(position, divisor):
            return f"floor({_position_text(position)}/{divisor})"


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
            return f"sum{_indices_text(over, body)}({_text(body)})"
        case LogSumExp(body, over):
            return f"logsumexp{_indices_text(over, body)}({_text(body)})"
        case Bracket(relations):
            parts = (f"{_position_text(r.left)}{r.operator}{_position_text(r.right)}" for r in relations)
            return f"where({';'.join(parts)})"
        case _:
            return f"{type(node).__name__.lower()}({','.join(map(_text, children(node)))})"
