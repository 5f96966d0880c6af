"""Offsets on periodic axes: neighbours must be other units, and no more than one turn away."""

from __future__ import annotations

from pgmc.dsl.location import complaint
from pgmc.errors import ModelError
from pgmc.ir.index_ranges import places
from pgmc.ir.nodes import Index, Scalar, shifted_index
from pgmc.ir.rewrite import accesses
from pgmc.ir.symbols import is_one_hot

Places = dict[tuple[str, int, int], dict[Index, set[int]]]


def check_offsets(body: Scalar, text: str) -> None:
    """The offsets of the indices on an axis span less than the axis they wrap round, and states do not go round.

    Raises
    ------
    ModelError
        Naming the axis, its size and the offsets.
    """
    _check_turns(body, text)
    found = _offsets(body)
    _check_spans(found, text)
    _check_states(body, found, text)


def _check_turns(body: Scalar, text: str) -> None:
    """Of a sum of indices round an axis, one without a factor goes round it, on a periodic axis of the same length."""
    found = list(places(body))
    for symbol, k, axis, position in found:
        if axis.boundary == "open" or position.is_plain or shifted_index(position) is not None:
            continue
        single = {index for index, c in position.terms if abs(c) == 1}
        own = [a.size for _, _, a, p in found if p.index in single and a.boundary == "periodic"]
        if not own or set(own) != {axis.size}:
            reason = f"no index of the place goes round axis {k} of {symbol.name} ({axis.size}) once"
            remedy = f"Use one without a factor on an array with a periodic axis of {axis.size}, or an open axis."
            raise complaint(ModelError, text, reason, remedy)


def _offsets(body: Scalar) -> Places:
    """The indices on every periodic axis (symbol, number, size), with their offsets."""
    found: Places = {}
    for access in accesses(body):
        for k, (position, axis) in enumerate(zip(access.positions, access.symbol.axes, strict=False)):
            index = shifted_index(position)
            if index is not None and axis.boundary == "periodic":
                place = found.setdefault((access.symbol.name, k, axis.size), {})
                place.setdefault(index, set()).add(position.offset)
    return found


def _check_states(body: Scalar, found: Places, text: str) -> None:
    """No index numbers the states of a variable and also units that a term reaches by offsets."""
    states = {a.positions[-1].index: a.symbol.name for a in accesses(body) if is_one_hot(a.symbol)}
    for (name, k, _), offsets in found.items():
        for index in offsets:
            if index in states and any(set(places) != {0} for places in offsets.values()):
                reason = f"{index.name} numbers the states of {states[index]} and, next to offsets, axis {k} of {name}"
                raise complaint(ModelError, text, reason, "States do not wrap round; use different indices.")


def _check_spans(found: Places, text: str) -> None:
    for (name, k, size), offsets in found.items():
        # Where two indices meet, their offsets add up; all of them together must stay within one turn.
        span = sum(max(places) - min(places) for places in offsets.values())
        if span >= size:
            names = ", ".join(dict.fromkeys(index.name for index in offsets))
            reason = f"offsets of {names} span {span} places, and axis {k} of {name} has {size}"
            remedy = f"Give the axis more than {span} units, or use smaller offsets."
            raise complaint(ModelError, text, reason, remedy)
