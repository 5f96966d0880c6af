"""How far an index runs: what the axes it stands on say about the number of its values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

from pgmc.errors import InternalError
from pgmc.ir.nodes import Index, Position
from pgmc.ir.symbols import Axis

Place: TypeAlias = tuple[Position, Axis]


def index_sizes(
    places: Sequence[Place],
    wanted: Collection[Index],
    known: Mapping[Index, int],
    extents: Mapping[tuple[str, int], int],
) -> dict[Index, int]:
    """The number of values of every wanted index, beside the known ones.

    An index that stands alone somewhere runs over that axis. Otherwise it runs over the values that keep its
    positions inside their axes, given the sizes of the other indices of the position. An index that stands
    nowhere has the size that ``extents`` gives for its ``extent``.
    """
    sizes = {p.index: axis.size for p, axis in places if p.index is not None} | dict(known)
    while missing := [index for index in wanted if index not in sizes]:
        found = {i: size for place in places for i, size in _range_within(place, sizes) if i in missing}
        found = found or {i: extents[i.extent] for i in missing if i.extent and i.extent in extents}
        if not found:
            raise InternalError(f"nothing says how far the index {missing[0].name} runs")
        sizes |= found
    return sizes


def _range_within(place: Place, sizes: Mapping[Index, int]) -> Iterator[tuple[Index, int]]:
    """The one index of the position whose size is unknown, with the number of its values that stay inside."""
    position, axis = place
    if not all(isinstance(atom, Index) for atom, _ in position.terms):
        return
    known = {atom: c for atom, c in position.terms if isinstance(atom, Index)}
    unknown = [(index, c) for index, c in known.items() if index not in sizes]
    if len(unknown) != 1 or unknown[0][1] < 1:
        return
    index, coefficient = unknown[0]
    if axis.boundary == "periodic":
        yield index, -(-axis.size // coefficient)
        return
    reach = position.offset + sum(c * (sizes[i] - 1) for i, c in known.items() if i != index and c > 0)
    yield index, max(0, (axis.size - 1 - reach) // coefficient + 1)
