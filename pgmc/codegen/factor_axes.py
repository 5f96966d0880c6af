"""The axes of the factors of a contraction, and products that are worth making at all places of a factor that moves."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from pgmc.ir.nodes import Access, Bracket, Index, Position, Scalar, at, fresh_index
from pgmc.ir.rewrite import depends_on_example, free_indices, position_indices
from pgmc.ir.symbols import access_axes, is_one_hot, is_per_example

EXAMPLES = Index(0, "n")


def axes_of(factor: Scalar) -> set[Index]:
    """The indices of a factor as an array, the examples among them."""
    return {*free_indices(factor), *((EXAMPLES,) if depends_on_example(factor) else ())}


def places_to_guard(node: Scalar) -> frozenset[Index]:
    """The indices of places on open axes that need not lie inside."""
    if not isinstance(node, Access):
        return frozenset()
    pairs = zip(node.positions, access_axes(node.symbol), strict=False)
    outside = (p for p, axis in pairs if not p.is_plain and axis.boundary == "open")
    return frozenset(i for p in outside for i in position_indices(p))


def components(factors: list[Scalar], apart: tuple[Index, ...] = ()) -> list[list[Scalar]]:
    """Factors grouped by common indices, other than those of ``apart``."""
    groups: list[tuple[set[Index], list[Scalar]]] = []
    for factor in factors:
        indices = set(free_indices(factor)) - set(apart)
        touching = [g for g in groups if g[0] & indices]
        merged = (indices.union(*(g[0] for g in touching)), [f for g in touching for f in g[1]] + [factor])
        groups = [g for g in groups if not g[0] & indices] + [merged]
    return [members for _, members in groups]


@dataclass(frozen=True)
class MovedProduct:
    """Weights and a factor at all of its places that make a matrix product, to be read at the ``places`` it moves to.

    In Σ_kab K[k,a,b]·h[k,i-a,j-b] each place (x, y) of h meets each (a, b) at most once: P[x,y,a,b] =
    Σ_k K[k,a,b]·h[k,x,y] has no more products than the sum itself, and Σ_ab P[i-a,j-b,a,b] is left.
    """

    weights: Scalar
    moved: Access
    whole: Access
    shared: tuple[Index, ...]
    places: dict[Index, Position]


def find_moved_product(
    factors: list[Scalar], over: tuple[Index, ...], guarded: Collection[Index], is_dense: Callable[[Scalar], bool]
) -> MovedProduct | None:
    """Such a product among the factors of a sum, if there is one.

    Parameters
    ----------
    factors, over
        The sum.
    guarded
        Indices of conditions around, which keep places inside.
    is_dense
        Whether a factor may become a whole array.
    """
    for moved in (f for f in factors if isinstance(f, Access) and set(guarded) & places_to_guard(f)):
        places: dict[Index, Position] = {}
        whole = _at_every_place(moved, places)
        ends = [set(position_indices(position)) - set(over) for position in places.values()]
        results = set[Index]().union(*ends)
        once = all(len(end) == 1 for end in ends) and len(results) == len(ends) and not results & axes_of(whole)
        if not once or not is_dense(whole):
            continue
        others = [f for f in factors if f is not moved]
        for weights in (f for f in others if is_dense(f) and not results & axes_of(f)):
            kept = {i for f in others if f is not weights for i in free_indices(f)}
            kept |= {i for position in places.values() for i in position_indices(position)}
            shared = tuple(i for i in over if i in axes_of(weights) & axes_of(whole) and i not in kept)
            own, place = axes_of(weights) - set(shared), axes_of(whole) - set(shared)
            if shared and own and not own & place:
                return MovedProduct(weights, moved, whole, shared, places)
    return None


def _at_every_place(moved: Access, places: dict[Index, Position]) -> Access:
    """The access with an index of its own on each axis where its place is a sum; ``places`` receives the sums."""
    positions: list[Position] = []
    for axis, position in enumerate(moved.positions):
        if position.index is None and position.terms:
            index = fresh_index("place", (moved.symbol.name, axis))
            places[index] = position
            position = at(index)
        positions.append(position)
    return Access(moved.symbol, tuple(positions))


def bracket_indices(factors: list[Scalar]) -> frozenset[Index]:
    """The indices that brackets among the factors speak of."""
    return frozenset(i for f in factors if isinstance(f, Bracket) for i in free_indices(f))


def is_plain(side: list[Scalar]) -> bool:
    """Whether a side of a product is one array as it stands."""
    return len(side) == 1 and isinstance(side[0], Access) and not is_one_hot(side[0].symbol)


def covers(factor: Scalar, condition: Bracket) -> bool:
    """Whether the factor is an array of weights on whose axes all indices of the condition run."""
    if not isinstance(factor, Access) or is_per_example(factor.symbol):
        return False
    indices = [position.index for position in factor.positions]
    return None not in indices and set(free_indices(condition)) <= set(indices)
