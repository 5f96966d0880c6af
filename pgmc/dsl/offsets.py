"""Offsets on periodic axes: neighbours must be other units, and no more than one turn away."""

from __future__ import annotations

from pgmc.dsl.location import complaint
from pgmc.errors import ModelError
from pgmc.ir.nodes import Index, Scalar, shifted_index
from pgmc.ir.rewrite import accesses


def check_offsets(body: Scalar, text: str) -> None:
    """The offsets of the indices on an axis span less than the axis they wrap round.

    Raises
    ------
    ModelError
        Naming the axis, its size and the offsets.
    """
    found: dict[tuple[str, int, int], dict[Index, set[int]]] = {}
    for access in accesses(body):
        for k, (position, axis) in enumerate(zip(access.positions, access.symbol.axes, strict=False)):
            index = shifted_index(position)
            if index is not None and axis.boundary == "periodic":
                place = found.setdefault((access.symbol.name, k, axis.size), {})
                place.setdefault(index, set()).add(position.offset)
    for (name, k, size), offsets in found.items():
        # Where two indices meet, their offsets add up; all of them together must stay within one turn.
        span = sum(max(places) - min(places) for places in offsets.values())
        if span >= size:
            names = ", ".join(dict.fromkeys(index.name for index in offsets))
            reason = f"offsets of {names} span {span} places, and axis {k} of {name} has {size}"
            remedy = f"Give the axis more than {span} units, or use smaller offsets."
            raise complaint(ModelError, text, reason, remedy)
