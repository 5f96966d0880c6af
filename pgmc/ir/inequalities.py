"""Differences of positions, and relations as inequalities: one holds where its gap, right - left, is not negative."""

from __future__ import annotations

from pgmc.ir.nodes import Atom, Compare, Position
from pgmc.ir.rewrite import affine


def combined(first: Position, second: Position, factor: int) -> Position:
    """first + factor · second."""
    total: dict[Atom, int] = dict(first.terms)
    for atom, c in second.terms:
        total[atom] = total.get(atom, 0) + factor * c
    return affine(total, first.offset + factor * second.offset)


def difference(left: Position, right: Position) -> Position:
    """left - right."""
    return combined(left, right, -1)


def opposite(gap: Position) -> Position:
    """-gap - 1: not negative exactly where the gap is negative."""
    return combined(Position((), -1), gap, -1)


def gap_of(relation: Compare) -> Position | None:
    """What an inequality wants to be not negative, less 1 if it is strict; None for equations and around an axis."""
    if relation.operator in ("==", "!=") or relation.around is not None:
        return None
    return combined(difference(relation.right, relation.left), Position((), int(relation.operator == "<")), -1)
