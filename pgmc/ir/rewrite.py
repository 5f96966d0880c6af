"""Traversal and rewriting of scalar expressions. A rewrite returns the same object when nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pgmc.ir.nodes import (
    ZERO,
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
    at,
    fresh_index,
)
from pgmc.ir.symbols import Constant, Symbol, Variable, block_axis, is_per_example


def children(node: Scalar) -> tuple[Scalar, ...]:
    """The direct subexpressions."""
    match node:
        case Add(terms):
            return terms
        case Mul(factors):
            return factors
        case Pow(base, _):
            return (base,)
        case Call(_, argument):
            return (argument,)
        case Sum(body, _) | LogSumExp(body, _) | BatchMean(body):
            return (body,)
        case Number() | Pi() | Access() | Unit() | Bracket():
            return ()


def map_children(node: Scalar, function: Callable[[Scalar], Scalar]) -> Scalar:
    """The node with ``function`` applied to each direct subexpression."""
    old = children(node)
    new = tuple(function(child) for child in old)
    if all(a is b for a, b in zip(old, new, strict=True)):
        return node
    match node:
        case Add():
            return Add(new)
        case Mul():
            return Mul(new)
        case Pow(_, exponent):
            return Pow(new[0], exponent)
        case Call(name, _):
            return Call(name, new[0])
        case Sum(_, over):
            return Sum(new[0], over)
        case LogSumExp(_, over):
            return LogSumExp(new[0], over)
        case _:
            return BatchMean(new[0])


def walk(node: Scalar) -> Iterator[Scalar]:
    """The node and every subexpression, parents first, in reading order."""
    yield node
    for child in children(node):
        yield from walk(child)


def accesses(node: Scalar) -> tuple[Access, ...]:
    """Every access in reading order, repetitions included; the tables that its positions look up follow each."""
    return tuple(found for part in walk(node) for found in _own_accesses(part))


def _own_accesses(node: Scalar) -> Iterator[Access]:
    if isinstance(node, Access):
        yield node
    for position in own_positions(node):
        yield from tables(position)


def tables(position: Position) -> Iterator[Access]:
    """The elements of tables that a position looks up, outer ones first."""
    for atom, _ in position.terms:
        if isinstance(atom, Lookup):
            yield atom.access
        for inner in inner_positions(atom):
            yield from tables(inner)


def inner_positions(atom: Atom) -> tuple[Position, ...]:
    """The positions that an atom is made of."""
    match atom:
        case Lookup(_, positions):
            return positions
        case Quotient(position):
            return (position,)
        case _:
            return ()


def with_inner(atom: Atom, function: Callable[[Position], Position]) -> Atom:
    """The atom with a function applied to the positions that it is made of."""
    match atom:
        case Lookup(table, positions):
            return Lookup(table, tuple(map(function, positions)))
        case Quotient(position, divisor):
            return Quotient(function(position), divisor)
        case _:
            return atom


def own_positions(node: Scalar) -> tuple[Position, ...]:
    """The positions of an access, or the sides of the relations of a bracket."""
    match node:
        case Access(_, positions):
            return positions
        case Bracket(relations):
            return tuple(side for relation in relations for side in (relation.left, relation.right))
        case _:
            return ()


def split_conditions(body: Scalar) -> tuple[tuple[Compare, ...], Scalar]:
    """The relations whose brackets stand under logarithms among the terms, log [a = b], and the other terms.

    Within log Σ exp such a term restricts the sum: exp(log [a = b]) is 1 where the relation holds and 0 elsewhere.
    """
    terms = body.terms if isinstance(body, Add) else (body,)
    relations: list[Compare] = []
    rest: list[Scalar] = []
    for term in terms:
        if isinstance(term, Call) and term.function == "log" and isinstance(term.argument, Bracket):
            relations += term.argument.relations
        else:
            rest.append(term)
    return tuple(relations), rest[0] if len(rest) == 1 else Add(tuple(rest)) if rest else ZERO


def relations_of(factors: Iterable[Scalar]) -> tuple[Compare, ...]:
    """The relations of the brackets among the factors of a product."""
    return tuple(r for factor in factors if isinstance(factor, Bracket) for r in factor.relations)


def block_numbers(node: Scalar) -> Iterator[tuple[Index, tuple[str, int]]]:
    """Every index that is said to be the number of a block along an axis, with that axis of blocks."""
    exclusive: dict[tuple[Index, int], tuple[str, int]] = {}
    for access in (n for n in walk(node) if isinstance(n, Access)):
        lengths = access.symbol.exclusive if isinstance(access.symbol, Variable) else ()
        for k, (position, length) in enumerate(zip(access.positions, lengths, strict=False)):
            if position.index is not None:
                exclusive[position.index, length] = (access.symbol.name, block_axis(k))
    for relation in (r for n in walk(node) if isinstance(n, Bracket) and exclusive for r in n.relations):
        for side, other in ((relation.left, relation.right), (relation.right, relation.left)):
            for atom, _ in side.terms[:1] if relation.operator == "==" and side.is_plain else ():
                if isinstance(atom, Quotient) and other.index is not None and atom.position.index is not None:
                    axis = exclusive.get((atom.position.index, atom.divisor))
                    yield from [(other.index, axis)] if axis is not None else []


def depends_on_example(node: Scalar) -> bool:
    """Whether the value differs between examples (a batch mean binds the example)."""
    if isinstance(node, BatchMean):
        return False
    if isinstance(node, Access):
        return is_per_example(node.symbol)
    return any(depends_on_example(child) for child in children(node))


def position_indices(position: Position) -> tuple[Index, ...]:
    """The indices of a position, those of its lookups included."""
    return tuple(index for atom, _ in position.terms for index in _atom_indices(atom))


def _atom_indices(atom: Atom) -> Iterator[Index]:
    if isinstance(atom, Index):
        yield atom
    for position in inner_positions(atom):
        yield from position_indices(position)


def free_indices(node: Scalar) -> tuple[Index, ...]:
    """The indices that no sum of the expression binds, in reading order."""
    found: dict[Index, None] = {}

    def visit(current: Scalar, bound: frozenset[Index]) -> None:
        own = (index for position in own_positions(current) for index in position_indices(position))
        found.update((index, None) for index in own if index not in bound)
        inner = bound | frozenset(current.over) if isinstance(current, Sum | LogSumExp) else bound
        for child in children(current):
            visit(child, inner)

    visit(node, frozenset())
    return tuple(found)


def affine(coefficients: Mapping[Atom, int], offset: int = 0) -> Position:
    """The position offset + Σ coefficient · atom, its terms in one order, so that equal positions compare equal."""
    return Position(tuple(sorted(((a, c) for a, c in coefficients.items() if c), key=lambda t: _rank(t[0]))), offset)


def _rank(atom: Atom) -> tuple[Any, ...]:
    match atom:
        case Index(key):
            return (0, abs(key))
        case Length(symbol, axis):
            return (1, symbol, axis)
        case Lookup(table, positions):
            return (2, table.name, *map(_position_rank, positions))
        case Quotient(position, divisor):
            return (3, divisor, _position_rank(position))


def _position_rank(position: Position) -> tuple[Any, ...]:
    return (position.offset, *((*_rank(atom), c) for atom, c in position.terms))


def substitute_position(position: Position, mapping: Mapping[Index, Position]) -> Position:
    """The position with indices replaced by positions."""
    if not any(index in mapping for index in position_indices(position)):
        return position
    offset = position.offset
    total: dict[Atom, int] = {}
    for atom, coefficient in position.terms:
        part = _substitute_atom(atom, mapping)
        offset += coefficient * part.offset
        for inner, factor in part.terms:
            total[inner] = total.get(inner, 0) + coefficient * factor
    return affine(total, offset)


def _substitute_atom(atom: Atom, mapping: Mapping[Index, Position]) -> Position:
    if isinstance(atom, Index) and atom in mapping:
        return mapping[atom]
    return Position(((with_inner(atom, lambda position: substitute_position(position, mapping)), 1),))


def map_sides(relation: Compare, function: Callable[[Position], Position]) -> Compare:
    """The relation with the function applied to both sides."""
    return Compare(function(relation.left), relation.operator, function(relation.right), relation.around)


def substitute(node: Scalar, mapping: Mapping[Index, Position]) -> Scalar:
    """The expression with free indices replaced by positions. Keys are unique, so nothing is captured."""
    if not mapping:
        return node
    match node:
        case Access(symbol, positions):
            new = tuple(substitute_position(p, mapping) for p in positions)
            return node if new == positions else Access(symbol, new)
        case Bracket(relations):
            compared = tuple(map_sides(r, lambda side: substitute_position(side, mapping)) for r in relations)
            return node if compared == relations else Bracket(compared)
        case Sum(_, over) | LogSumExp(_, over):
            inner = {i: p for i, p in mapping.items() if i not in over}
            return map_children(node, lambda child: substitute(child, inner))
        case _:
            return map_children(node, lambda child: substitute(child, mapping))


def rename(node: Scalar, mapping: Mapping[Index, Index]) -> Scalar:
    """The expression with free indices renamed."""
    return substitute(node, {old: at(new) for old, new in mapping.items()})


def freshen(node: Scalar) -> Scalar:
    """The expression with a fresh index for every bound one, so that it can stand twice in one expression."""
    if isinstance(node, Sum | LogSumExp):
        new = {index: fresh_index(index.name, index.extent) for index in node.over}
        body = rename(freshen(node.body), new)
        return type(node)(body, tuple(new[index] for index in node.over))
    return map_children(node, freshen)


def replace(node: Scalar, function: Callable[[Scalar], Scalar | None]) -> Scalar:
    """The expression with each topmost subexpression for which ``function`` returns a value replaced by it."""
    new = function(node)
    if new is not None:
        return new
    return map_children(node, lambda child: replace(child, function))


def replace_part(node: Scalar, part: Scalar, by: Scalar) -> Scalar:
    """The expression with another in place of one of its parts, wherever that stands."""
    return replace(node, lambda n: by if n == part else None)


def replace_symbols(node: Scalar, symbols: Mapping[str, Symbol]) -> Scalar:
    """The expression with every symbol replaced by the one of its name, the tables of lookups included."""

    def at_symbol(part: Scalar) -> Scalar | None:
        match part:
            case Access(symbol, positions):
                return Access(symbols.get(symbol.name, symbol), tuple(_with_tables(p, symbols) for p in positions))
            case Bracket(relations):
                return Bracket(tuple(map_sides(r, lambda side: _with_tables(side, symbols)) for r in relations))
            case _:
                return None

    return replace(node, at_symbol)


def _with_tables(position: Position, symbols: Mapping[str, Symbol]) -> Position:
    if not any(True for _ in tables(position)):
        return position
    return Position(tuple((_with_table(atom, symbols), c) for atom, c in position.terms), position.offset)


def _with_table(atom: Atom, symbols: Mapping[str, Symbol]) -> Atom:
    if not isinstance(atom, Lookup):
        return with_inner(atom, lambda position: _with_tables(position, symbols))
    table = symbols.get(atom.table.name, atom.table)
    assert isinstance(table, Constant)
    return Lookup(table, tuple(_with_tables(p, symbols) for p in atom.positions))
