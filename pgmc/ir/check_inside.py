"""Whether every place of a term lies inside its axis: generated code reads where it is told to, and nothing else.

Places on open axes are inside by the sizes at hand, or wherever a bracket in the product around them holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pgmc.ir.index_ranges import Place, lengths_of, places, places_of, plain_name
from pgmc.ir.inequalities import difference, gap_of
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import (
    Access,
    Compare,
    Index,
    Length,
    LogSumExp,
    Lookup,
    Mul,
    Position,
    Quotient,
    Scalar,
    Sum,
)
from pgmc.ir.rewrite import block_numbers, children, own_positions, position_indices, relations_of, tables, walk


def find_outside(model: Model, term: EnergyTerm) -> Place | None:
    """A place of the term that may lie outside its axis, if there is one."""
    sizes = lengths_of(model.symbols)
    bound = (*term.over, *(i for n in walk(term.body) if isinstance(n, Sum | LogSumExp) for i in n.over))
    return _Search(sizes, _last_values(term.body, bound, sizes)).outside(term.body, ())


def _last_values(body: Scalar, bound: tuple[Index, ...], sizes: Mapping[tuple[str, int], int]) -> dict[Index, int]:
    found: dict[Index, int] = {}
    for _, _, axis, position in places(body):
        if position.index is not None:
            found[position.index] = max(axis.size, found.get(position.index, 0))
    numbers = {index: sizes[name] for index, name in block_numbers(body)}
    return {i: sizes[i.extent] if i.extent is not None else found.get(i, numbers.get(i, 0)) for i in bound}


@dataclass(frozen=True, slots=True)
class _Search:
    """``lengths`` are the sizes of axes, ``ranges`` the numbers of values of indices."""

    lengths: Mapping[tuple[str, int], int]
    ranges: Mapping[Index, int]

    def outside(self, node: Scalar, known: tuple[Compare, ...]) -> Place | None:
        """A place that the relations known to hold do not keep inside."""
        if isinstance(node, Mul):
            known = (*known, *relations_of(node.factors))
        found = next((p for p in self._own_places(node) if not self._is_inside(p, known)), None)
        return found or next((f for f in (self.outside(c, known) for c in children(node)) if f is not None), None)

    def _own_places(self, node: Scalar) -> list[Place]:
        read = [node] if isinstance(node, Access) else []
        looked_up = [table for position in own_positions(node) for table in tables(position)]
        return [place for access in (*read, *looked_up) for place in places_of(access)]

    def _is_inside(self, place: Place, known: tuple[Compare, ...]) -> bool:
        symbol, k, axis, position = place
        if any(self.ranges[index] == 0 for index in position_indices(position)):
            return True  # an empty list of edges: nothing is read
        end = Position(((Length(*plain_name(symbol, k)), 1),))
        sides = (Compare(Position(), "<=", position), Compare(position, "<", end))
        return axis.boundary == "periodic" or all(self._holds(side, known) for side in sides)

    def _holds(self, side: Compare, known: tuple[Compare, ...]) -> bool:
        wanted = gap_of(side)
        assert wanted is not None
        if self._least(wanted) >= 0:
            return True
        given = (gap_of(relation) for relation in known)
        return any(gap is not None and self._least(difference(wanted, gap)) >= 0 for gap in given)

    def _least(self, position: Position) -> int:
        total = position.offset
        for atom, c in position.terms:
            match atom:
                case Index():
                    total += min(0, c * (self.ranges[atom] - 1))
                case Length(symbol, axis):
                    total += c * self.lengths[symbol, axis]
                case Lookup(table, _):
                    values = np.asarray(table.value)
                    total += int(min(c * values.min(), c * values.max())) if values.size else 0
                case Quotient(inner, divisor):
                    last = -self._least(Position(tuple((a, -f) for a, f in inner.terms), -inner.offset))
                    total += min(c * (self._least(inner) // divisor), c * (last // divisor))
        return total
