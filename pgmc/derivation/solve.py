"""Solving an equation between positions for an index of a sum.

``Σ_x [x + a = t] f(x)`` is ``[0 ≤ t - a][t - a < |x|] f(t - a)``, where |x| is how far x runs; of the two conditions
those stay that can fail. Around a periodic axis there is none: there the index must run over the whole axis.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pgmc.derivation.relations import truth
from pgmc.ir.inequalities import difference
from pgmc.ir.nodes import Access, Bracket, Compare, Index, Length, Position, Quotient, Scalar
from pgmc.ir.rewrite import accesses, affine, inner_positions, map_sides, position_indices, substitute_position, walk
from pgmc.ir.symbols import Constant, Parameter, axis_name


@dataclass(frozen=True, slots=True)
class Solution:
    """The value of an index, and what must hold for the index to have it."""

    index: Index
    value: Position
    inside: tuple[Compare, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """What the choice of an index depends on: ``kept`` stay if another can go, ``ordered`` stand in inequalities."""

    kept: frozenset[Index] = frozenset()
    ordered: frozenset[Index] = frozenset()


def setting_of(body: Scalar) -> Setting:
    """Indices of the arrays of weights alone, over which loops are short; and those with a place in an order."""
    weights: set[Index] = set()
    others: set[Index] = set()
    for access in accesses(body):
        found = {position.index for position in access.positions if position.index is not None}
        (weights if isinstance(access.symbol, Parameter | Constant) else others).update(found)
    relations = (r for part in walk(body) if isinstance(part, Bracket) for r in part.relations)
    ordered = {i for r in relations if r.around is None for p in (r.left, r.right) for i in position_indices(p)}
    return Setting(frozenset(weights - others), frozenset(ordered))


def equations(access: Access, wanted: Iterable[Position]) -> tuple[Compare, ...]:
    """The equations that make the unit of an access the wanted one, around periodic axes."""
    return tuple(
        Compare(position, "==", value, axis_name(access.symbol, k) if axis.boundary == "periodic" else None)
        for k, (position, axis, value) in enumerate(zip(access.positions, access.symbol.axes, wanted, strict=False))
    )


def solve(equation: Compare, over: Collection[Index], setting: Setting) -> Solution | None:
    """An index of the sum that the equation determines, or None. The index must not stand in a lookup."""
    apart = difference(equation.left, equation.right)
    looked_up = {i for a, _ in apart.terms for p in inner_positions(a) for i in position_indices(p)}
    candidates = [
        (index, c)
        for index, c in apart.terms
        if isinstance(index, Index) and index in over and abs(c) == 1 and index not in looked_up
    ]
    for index, c in sorted(candidates, key=lambda found: found[0] in setting.kept):
        rest = {atom: -c * factor for atom, factor in apart.terms if atom != index}
        found = _checked(index, affine(rest, -c * apart.offset), equation, setting)
        if found is not None:
            return found
    return None


def _checked(index: Index, value: Position, equation: Compare, setting: Setting) -> Solution | None:
    """The solution with its conditions; None if the value would have to wrap where nothing says so."""
    if equation.around is not None:
        other = value.index
        if other is not None and other.extent is not None and other.extent == index.extent:
            return Solution(index, value)
        whole_turn = index.extent == equation.around and index not in setting.ordered
        return Solution(index, value) if whole_turn else None
    if _is_block_number(value):  # an index that equals one alone runs over the blocks
        return Solution(index, value)
    conditions = [Compare(Position(), "<=", value)]
    if index.extent is not None:
        conditions.append(Compare(value, "<", Position(((Length(*index.extent), 1),))))
    return Solution(index, value, tuple(r for r in conditions if truth(r) is not True))


def _is_block_number(value: Position) -> bool:
    """Whether a position is ⌊i/n⌋, which lies among the blocks of the axis that i runs over."""
    atom = value.terms[0][0] if value.is_plain and value.terms else None
    return isinstance(atom, Quotient) and atom.position.index is not None


def substituted(relation: Compare, mapping: Mapping[Index, Position]) -> Compare:
    """The relation with indices replaced."""
    return map_sides(relation, lambda side: substitute_position(side, mapping))
