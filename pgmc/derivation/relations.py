"""Relations between positions that hold together: which follow from others, or from the ranges of their indices.

An inequality holds where its *gap*, right - left (less 1 if it is strict), is not negative. Indices are not negative
and stay below their extents, and every axis has an element; what follows from that is known whatever the sizes.
"""

from __future__ import annotations

from collections.abc import Iterable

from pgmc.ir.inequalities import combined, difference, gap_of, opposite
from pgmc.ir.nodes import Compare, Index, Length, Position


def simplify_relations(relations: Iterable[Compare]) -> tuple[Compare, ...] | None:
    """The relations without repetitions and without those that always hold or follow from another.

    None if they cannot hold together.
    """
    distinct = {_turned(relation): relation for relation in reversed(tuple(relations))}
    given = tuple(reversed(distinct.values()))
    if any(truth(r) is False or any(_exclude(r, s) for s in given) for r in given):
        return None
    open_ones = [r for r in given if truth(r) is None]
    return tuple(r for k, r in enumerate(open_ones) if not _follows(r, open_ones[:k], open_ones[k + 1 :]))


def _turned(relation: Compare) -> tuple[object, ...]:
    """Equal for relations that are equal but for the order of the sides."""
    symmetric = relation.operator in ("==", "!=")
    sides = (relation.left, relation.right)
    return relation.operator, relation.around, frozenset(sides) if symmetric else sides


def _follows(relation: Compare, before: list[Compare], after: list[Compare]) -> bool:
    """Whether the relation follows from another one; of two that say the same, the second does."""
    return any(_implies(s, relation) for s in before) or any(
        _implies(s, relation) and not _implies(relation, s) for s in after
    )


def truth(relation: Compare) -> bool | None:
    """Whether a relation holds whatever the indices; None if that depends on them.

    Offsets of the same indices differ by less than a turn, so that around an axis the places differ.
    """
    apart = difference(relation.left, relation.right)
    if relation.operator in ("==", "!="):
        equal = True if apart == Position() else None
        if not apart.terms or relation.around is None:
            equal = False if _nonzero(apart) else equal
        return equal if equal is None or relation.operator == "==" else not equal
    gap = gap_of(relation)
    if gap is None:
        return None
    return True if never_negative(gap) else False if never_negative(opposite(gap)) else None


def never_negative(position: Position) -> bool:
    """Whether a position is at least 0 for all values of its indices and all lengths of axes."""
    least = position.offset
    lengths: dict[tuple[str, int], int] = {}
    for atom, c in position.terms:
        if isinstance(atom, Length):
            axis = (atom.symbol, atom.axis)
        elif c > 0:
            continue  # indices and places start at 0
        elif isinstance(atom, Index) and atom.extent is not None:
            axis = atom.extent
            least -= c  # the last value is the length less 1
        else:
            return False
        lengths[axis] = lengths.get(axis, 0) + c
    return all(c >= 0 for c in lengths.values()) and least + sum(lengths.values()) >= 0


def _nonzero(position: Position) -> bool:
    one = Position((), 1)
    return never_negative(difference(position, one)) or never_negative(opposite(position))


def _implies(given: Compare, other: Compare) -> bool:
    """Whether the other relation follows from the given one."""
    if given.around != other.around:
        return False
    wanted, apart = gap_of(other), difference(other.left, other.right)
    if given.operator == "==":
        zero = difference(given.left, given.right)
        return wanted is not None and any(never_negative(combined(wanted, zero, sign)) for sign in (1, -1))
    known = gap_of(given)
    if known is None:
        return False
    if wanted is not None:
        return never_negative(difference(wanted, known))
    beyond = (difference(apart, Position((), 1)), opposite(apart))
    return other.operator == "!=" and any(never_negative(difference(side, known)) for side in beyond)


def _exclude(given: Compare, other: Compare) -> bool:
    """Whether two relations contradict one another."""
    if given.around != other.around:
        return False
    known, unwanted = gap_of(given), gap_of(other)
    if known is not None and unwanted is not None:
        return never_negative(difference(opposite(unwanted), known))
    if given.operator != "==":
        return False
    zero = difference(given.left, given.right)
    if unwanted is not None:
        return any(never_negative(combined(opposite(unwanted), zero, sign)) for sign in (1, -1))
    apart = difference(other.left, other.right)
    return other.operator == "!=" and apart in (zero, combined(Position(), zero, -1))
