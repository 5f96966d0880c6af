"""Relations between positions that hold together: which follow from others, and which cannot hold."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable

from pgmc.ir.nodes import Compare

_OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
}


def simplify_relations(relations: Iterable[Compare]) -> tuple[Compare, ...] | None:
    """The relations without repetitions and without those that always hold or follow from another of the same sides.

    None if they cannot hold together.
    """
    distinct = {_turned(relation): relation for relation in reversed(tuple(relations))}
    given = tuple(reversed(distinct.values()))
    if any(_truth(r) is False or any(_exclude(r, s) for s in given) for r in given):
        return None
    return tuple(r for r in given if _truth(r) is None and not any(_implies(s, r) for s in given if s != r))


def _turned(relation: Compare) -> tuple[str, object]:
    """Equal for relations that are equal but for the order of the sides."""
    symmetric = relation.operator in ("==", "!=")
    sides = (relation.left, relation.right)
    return relation.operator, frozenset(sides) if symmetric else sides


def _truth(relation: Compare) -> bool | None:
    """Whether a relation holds whatever the indices; None if that depends on them.

    Offsets of one index differ by less than a turn, so that the places differ; which is first depends on the index.
    """
    left, right = relation.left, relation.right
    if left.terms != right.terms or (left.terms and left != right and relation.operator in ("<", "<=")):
        return None
    return _OPERATORS[relation.operator](left.offset, right.offset)


def _implies(given: Compare, other: Compare) -> bool:
    """Whether another relation of the same two sides follows."""
    same, reverse = _orientation(given, other)
    if given.operator == "<":
        return (other.operator == "!=" and (same or reverse)) or (other.operator == "<=" and same)
    return given.operator == "==" and other.operator == "<=" and (same or reverse)


def _exclude(given: Compare, other: Compare) -> bool:
    """Whether two relations of the same two sides contradict one another."""
    same, reverse = _orientation(given, other)
    if given.operator == "<":
        return (other.operator in ("<", "<=") and reverse) or (other.operator == "==" and (same or reverse))
    return given.operator == "==" and other.operator == "!=" and (same or reverse)


def _orientation(given: Compare, other: Compare) -> tuple[bool, bool]:
    """Whether the other relation has the same sides, and whether it has them the other way round."""
    sides = (given.left, given.right)
    return sides == (other.left, other.right), sides == (other.right, other.left)
