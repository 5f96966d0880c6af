"""Sums with few terms: over the edges at a unit, or the entries of a sparse mask in a row or a column.

``Σ_e [a[e] = i] f(e)`` is a sum over the edges that the table a lists under i, and ``Σ_j J[i,j] f(j)`` with a sparse
mask one over the entries of row i. Both lists are data that the run time makes once from the table or the mask, so a
unit costs as many steps as it has neighbours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pgmc.codegen.loop_program import Listing
from pgmc.ir.nodes import Access, Compare, Index, Lookup, Position, Scalar
from pgmc.ir.symbols import Parameter


@dataclass(frozen=True, slots=True)
class Listed:
    """The index runs over what ``listing`` has at the place ``at``; ``met`` are relations that hold there."""

    index: Index
    listing: Listing
    at: Index
    met: frozenset[Compare] = frozenset()


def find_listed(
    over: Iterable[Index], around: Collection[Index], relations: Iterable[Compare], factors: Iterable[Scalar]
) -> tuple[Listed, ...]:
    """The indices of a sum that a list gives, in the order of the loops; ``around`` are those of loops around it."""
    known, found = set(around), list[Listed]()
    conditions, parts = tuple(relations), tuple(factors)
    for index in over:
        listed = _by_table(index, known, conditions) or _by_mask(index, known, parts)
        if listed is not None:
            found.append(listed)
        known.add(index)
    return tuple(found)


def _by_table(index: Index, known: Collection[Index], relations: tuple[Compare, ...]) -> Listed | None:
    """[a[e] = i] with i known: the edges at i."""
    for relation in relations:
        for looked_up, place in ((relation.left, relation.right), (relation.right, relation.left)):
            lookup = _plain_lookup(looked_up, index)
            if relation.operator == "==" and lookup is not None and place.index is not None and place.index in known:
                return Listed(index, Listing(lookup.table.name, 0), place.index, frozenset((relation,)))
    return None


def _plain_lookup(position: Position, index: Index) -> Lookup | None:
    """The lookup, if the position is nothing but one at the index."""
    if not position.is_plain or not position.terms:
        return None
    atom = position.terms[0][0]
    if not isinstance(atom, Lookup) or len(atom.positions) != 1:
        return None
    return atom if atom.positions[0].index == index else None


def _by_mask(index: Index, known: Collection[Index], factors: tuple[Scalar, ...]) -> Listed | None:
    """A factor J[i,j] with a sparse mask and i known: the columns of row i; or the rows of a column."""
    for factor in factors:
        if isinstance(factor, Access) and isinstance(factor.symbol, Parameter) and factor.symbol.constraint.sparse:
            indices = [position.index for position in factor.positions]
            for given, running in ((0, 1), (1, 0)):
                if len(indices) == 2 and indices[running] == index and (at := indices[given]) in known:
                    assert at is not None
                    return Listed(index, Listing(factor.symbol.name, given), at)
    return None
