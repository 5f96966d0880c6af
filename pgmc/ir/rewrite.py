"""Traversal and rewriting of scalar expressions. A rewrite returns the same object when nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pgmc.ir.nodes import (
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
    at,
    fresh_index,
)
from pgmc.ir.symbols import is_per_example


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
        case Number() | Access() | Unit() | Bracket():
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
    """Every access in reading order, repetitions included."""
    return tuple(n for n in walk(node) if isinstance(n, Access))


def depends_on_example(node: Scalar) -> bool:
    """Whether the value differs between examples (a batch mean binds the example)."""
    if isinstance(node, BatchMean):
        return False
    if isinstance(node, Access):
        return is_per_example(node.symbol)
    return any(depends_on_example(child) for child in children(node))


def position_indices(position: Position) -> tuple[Index, ...]:
    """The indices of a position."""
    return tuple(index for index, _ in position.terms)


def _own_indices(node: Scalar) -> Iterator[Index]:
    match node:
        case Access(_, positions):
            for position in positions:
                yield from position_indices(position)
        case Bracket(relations):
            for relation in relations:
                yield from position_indices(relation.left)
                yield from position_indices(relation.right)
        case _:
            return


def free_indices(node: Scalar) -> tuple[Index, ...]:
    """The indices that no sum of the expression binds, in reading order."""
    found: dict[Index, None] = {}

    def visit(current: Scalar, bound: frozenset[Index]) -> None:
        found.update((index, None) for index in _own_indices(current) if index not in bound)
        inner = bound | frozenset(current.over) if isinstance(current, Sum | LogSumExp) else bound
        for child in children(current):
            visit(child, inner)

    visit(node, frozenset())
    return tuple(found)


def substitute_position(position: Position, mapping: Mapping[Index, Position]) -> Position:
    """The position with indices replaced by positions."""
    if not any(index in mapping for index, _ in position.terms):
        return position
    offset = position.offset
    total: dict[Index, int] = {}
    for index, coefficient in position.terms:
        part = mapping.get(index, at(index))
        offset += coefficient * part.offset
        for inner, factor in part.terms:
            total[inner] = total.get(inner, 0) + coefficient * factor
    return Position(tuple((i, c) for i, c in total.items() if c), offset)


def substitute(node: Scalar, mapping: Mapping[Index, Position]) -> Scalar:
    """The expression with free indices replaced by positions. Keys are unique, so nothing is captured."""
    if not mapping:
        return node
    match node:
        case Access(symbol, positions):
            new = tuple(substitute_position(p, mapping) for p in positions)
            return node if new == positions else Access(symbol, new)
        case Bracket(relations):
            compared = tuple(
                Compare(substitute_position(r.left, mapping), r.operator, substitute_position(r.right, mapping))
                for r in relations
            )
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
