"""Which axis says how far an index runs.

An index runs over the shortest of the axes that it stands alone on: on a longer one it has neighbours, as in
``J[x]·s[x]·s[x+1]`` with one coupling less than units. One that stands alone nowhere runs over an axis that it stands
on with an offset, else over one on which it is part of a sum, where it stops early enough for the whole sum to stay
inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from pgmc.ir.nodes import Access, Index, Position, Scalar, shifted_index
from pgmc.ir.rewrite import accesses, block_numbers
from pgmc.ir.symbols import Axis, Symbol, access_axes, axis_length, block_axes

Place: TypeAlias = tuple[Symbol, int, Axis, Position]
"""A symbol, the number of one of its axes, that axis, and what stands there."""


def places(node: Scalar) -> Iterator[Place]:
    """Every position of every access with the axis it stands on."""
    for access in accesses(node):
        yield from places_of(access)


def places_of(access: Access) -> Iterator[Place]:
    """The positions of an access with the axes they stand on."""
    for k, (position, axis) in enumerate(zip(access.positions, access_axes(access.symbol), strict=True)):
        yield access.symbol, k, axis, position


def plain_name(symbol: Symbol, k: int) -> tuple[str, int]:
    """The name of an axis that an expression indexes; -1 for the states."""
    return symbol.name, k if k < len(symbol.axes) else -1


def find_extent(index: Index, node: Scalar, order: Mapping[str, int]) -> Place | None:
    """The place that says how far an index runs; of several on axes of one length, that of the first symbol."""
    found = list(places(node))
    for candidates in (
        [place for place in found if place[3].index == index],
        [place for place in found if shifted_index(place[3]) == index],
        [place for place in found if _runs_along(index, place)],
    ):
        if candidates:
            return min(candidates, key=lambda p: (p[2].size, order.get(p[0].name, -1), p[0].name, p[1]))
    return None


def extent_name(index: Index, node: Scalar, order: Mapping[str, int]) -> tuple[str, int] | None:
    """The axis that says how far an index runs, or the blocks along an axis that it numbers."""
    place = find_extent(index, node, order)
    if place is not None:
        return plain_name(place[0], place[1])
    return dict(block_numbers(node)).get(index)


def lengths_of(symbols: Iterable[Symbol]) -> dict[tuple[str, int], int]:
    """The length of every axis of the symbols, of states and of blocks, by name."""
    found: dict[tuple[str, int], int] = {}
    for symbol in symbols:
        found |= {plain_name(symbol, k): axis.size for k, axis in enumerate(access_axes(symbol))}
        found |= {(symbol.name, axis): axis_length(symbol, axis) for axis in block_axes(symbol)}
    return found


def _runs_along(index: Index, place: Place) -> bool:
    """Whether the index is a summand of the position, and round an axis one without a factor."""
    coefficient = dict(place[3].terms).get(index, 0)
    return coefficient > 0 if place[2].boundary == "open" else abs(coefficient) == 1


def stands_alone(index: Index, node: Scalar) -> bool:
    """Whether the index stands alone on axes of one length, which then says how far it runs."""
    return len({axis.size for _, _, axis, position in places(node) if position.index == index}) == 1
