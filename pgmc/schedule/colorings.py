"""Colours of the units of a lattice: a linear form of the position that differs between neighbours."""

from __future__ import annotations

from itertools import product

from pgmc.ir.answers import Coloring, ConditionalLaw
from pgmc.ir.nodes import Access
from pgmc.ir.rewrite import accesses

MOST_COLORS = 8
"""A neighbourhood that needs more is swept in the order of the units."""


def find_coloring(law: ConditionalLaw) -> Coloring | None:
    """The fewest colours Σ weight · position mod modulus such that no unit has a neighbour of its own colour.

    None if units interact in another way than at fixed offsets. Where the modulus does not divide a periodic axis,
    units on either side of the seam may share a colour; as units are drawn one after the other, that costs
    nothing but a dependence between two of them.
    """
    offsets = _neighbour_offsets(law)
    if offsets is None or not law.indices:
        return None
    for modulus in range(2, MOST_COLORS + 1):
        for leading in product(range(modulus), repeat=len(law.indices) - 1):
            weights = (*leading, 1)  # the innermost loop then steps from one unit of a colour to the next
            if all(sum(w * d for w, d in zip(weights, offset, strict=True)) % modulus for offset in offsets):
                return Coloring(modulus, weights)
    return None


def _neighbour_offsets(law: ConditionalLaw) -> set[tuple[int, ...]] | None:
    """Where the units of its own variable stand that a unit depends on; None if not at fixed offsets."""
    found: set[tuple[int, ...]] = set()
    for access in (a for value in law.expressions for a in accesses(value)):
        if access.symbol != law.target:
            continue
        offset = _offset(access, law)
        if offset is None:
            return None
        found.add(offset)
    return found or None


def _offset(access: Access, law: ConditionalLaw) -> tuple[int, ...] | None:
    unit = access.positions[: len(law.indices)]
    fixed = all(p.terms == ((index, 1),) for p, index in zip(unit, law.indices, strict=True))
    return tuple(p.offset for p in unit) if fixed else None
