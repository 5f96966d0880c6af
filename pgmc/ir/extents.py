"""How far an index runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from pgmc.errors import InternalError
from pgmc.ir.nodes import Index, Position, shifted_index
from pgmc.ir.symbols import Axis

Place: TypeAlias = tuple[Position, Axis]


def index_sizes(
    places: Sequence[Place],
    wanted: Collection[Index],
    known: Mapping[Index, int],
    extents: Mapping[tuple[str, int], int],
) -> dict[Index, int]:
    """The number of values of every wanted index, beside the known ones.

    It is the size that ``extents`` gives for the ``extent`` of the index, else that of an axis it stands alone on, else
    that of one it stands on with an offset.
    """
    sizes = {index: axis.size for p, axis in places if (index := shifted_index(p)) is not None}
    sizes |= {p.index: axis.size for p, axis in places if p.index is not None}
    sizes |= {i: extents[i.extent] for i in wanted if i.extent is not None and i.extent in extents} | dict(known)
    for index in wanted:
        if index not in sizes:
            raise InternalError(f"nothing says how far the index {index.name} runs")
    return sizes
