"""Conditions on the index of a loop as bounds of the loop, so that nothing is asked within."""

from __future__ import annotations

from dataclasses import replace

from pgmc.codegen.loop_program import Guard, Let, LetLowest, Loop, Statement
from pgmc.ir.inequalities import gap_of
from pgmc.ir.nodes import Compare, Index
from pgmc.ir.rewrite import inner_positions, position_indices


def relation_indices(relation: Compare) -> set[Index]:
    """The indices of both sides."""
    return {index for side in (relation.left, relation.right) for index in position_indices(side)}


def tighten(loop: Loop) -> tuple[Statement, ...]:
    """The loop with conditions that all of its body shares as bounds, or around it where they lack its index."""
    guards = [statement for statement in loop.body if isinstance(statement, Guard)]
    if not guards or not all(isinstance(statement, Guard | Let | LetLowest) for statement in loop.body):
        return (loop,)
    shared = [r for r in guards[0].relations if all(r in guard.relations for guard in guards)]
    bounds = tuple(r for r in shared if _bounds(r, loop.index))
    around = tuple(r for r in shared if loop.index not in relation_indices(r))
    body = tuple(s for statement in loop.body for s in _without(statement, {*bounds, *around}))
    tight: tuple[Statement, ...] = (replace(loop, body=body, within=(*loop.within, *bounds)),)
    return (Guard(around, tight),) if around else tight


def _bounds(relation: Compare, index: Index) -> bool:
    """Whether the relation is an inequality with a multiple of the index, which no table is looked up at."""
    gap = gap_of(relation)
    if gap is None or index not in dict(gap.terms):
        return False
    return all(index not in position_indices(p) for atom, _ in gap.terms for p in inner_positions(atom))


def _without(statement: Statement, dropped: set[Compare]) -> tuple[Statement, ...]:
    """A guard without some of its relations; its body if none is left."""
    if not isinstance(statement, Guard):
        return (statement,)
    left = tuple(r for r in statement.relations if r not in dropped)
    return (Guard(left, statement.body),) if left else statement.body
