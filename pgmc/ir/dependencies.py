"""The order in which directed factors draw: parents before children, and units of one variable one after another."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Literal, TypeAlias

from pgmc.ir.definitions import expand_factors
from pgmc.ir.factors import parameter_of
from pgmc.ir.model import Definition, Factor
from pgmc.ir.nodes import Access, Compare, Index, Mul, Position, Scalar
from pgmc.ir.rewrite import accesses, children, relations_of
from pgmc.ir.symbols import Variable, is_one_hot

SelfOrder: TypeAlias = Literal["none", "ascending", "descending", "circular"]


def parents(factor: Factor) -> tuple[str, ...]:
    """Names of the variables that the parameters mention, in reading order; the target's own name if it does."""
    bodies = (parameter_of(factor.target, term)[1] for _, term in factor.parameters)
    found = (a.symbol.name for body in bodies for a in accesses(body) if isinstance(a.symbol, Variable))
    return tuple(dict.fromkeys(found))


def sort_factors(factors: Sequence[Factor], definitions: Sequence[Definition] = ()) -> tuple[Factor, ...]:
    """The factors with parents before children, otherwise in the given order; ``definitions`` are looked through.

    Raises
    ------
    graphlib.CycleError
        With the names of a circle, the first one repeated at the end.
    """
    by_name = {factor.target.name: factor for factor in factors}
    written_out = expand_factors(factors, definitions)
    graph = {f.target.name: [p for p in parents(f) if p in by_name and p != f.target.name] for f in written_out}
    return tuple(by_name[name] for name in TopologicalSorter(graph).static_order())


def find_circle(factors: Sequence[Factor]) -> tuple[str, ...]:
    """The names of variables that depend on one another in a circle; () if there is none."""
    try:
        sort_factors(factors)
    except CycleError as error:
        return tuple(error.args[1])
    return next(((f.target.name,) * 2 for f in factors if self_order(f) == "circular"), ())


def self_order(factor: Factor) -> SelfOrder:
    """The order in which units of the target must be drawn, as each may depend on others of its variable.

    Units on one axis may depend on those before them (``where=j < i``) or on those behind.
    """
    orders: set[SelfOrder] = set()
    for _, term in factor.parameters:
        indices, body = parameter_of(factor.target, term)
        orders.add(unit_order(factor.target, indices, (body,)))
    orders -= {"none"}
    return "circular" if len(orders) > 1 else next(iter(orders), "none")


def unit_order(target: Variable, indices: tuple[Index, ...], bodies: Sequence[Scalar]) -> SelfOrder:
    """The order that expressions for the unit at some indices ask for, by the other units that they speak of."""
    found = {_order(access, known, indices) for body in bodies for access, known in _own(body, target, ())}
    return "circular" if len(found) > 1 else next(iter(found), "none")


def _own(node: Scalar, target: Variable, around: tuple[Compare, ...]) -> list[tuple[Access, tuple[Compare, ...]]]:
    """Accesses of the target, each with the relations that hold where it counts."""
    if isinstance(node, Access):
        return [(node, around)] if node.symbol.name == target.name else []
    if isinstance(node, Mul):
        around = (*around, *relations_of(node.factors))
    return [found for child in children(node) for found in _own(child, target, around)]


def _order(access: Access, relations: tuple[Compare, ...], indices: tuple[Index, ...]) -> SelfOrder:
    """The order that one access asks for: its unit lies strictly before or behind on the first axis that differs."""
    units = access.positions[:-1] if is_one_hot(access.symbol) else access.positions
    for position, index in zip(units, indices, strict=False):
        own = Position(((index, 1),))
        if position == own:
            continue
        if position.terms == own.terms:
            return "ascending" if position.offset < 0 else "descending"
        if Compare(position, "<", own) in relations:
            return "ascending"
        if Compare(own, "<", position) in relations:
            return "descending"
        return "circular"
    return "circular"
