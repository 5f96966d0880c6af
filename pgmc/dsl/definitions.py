"""Named intermediate values: what ``define`` makes of an expression."""

from __future__ import annotations

from collections.abc import Sequence

from pgmc.dsl.index_notation import access
from pgmc.dsl.location import call_site, complaint
from pgmc.dsl.offsets import check_offsets
from pgmc.dsl.operand import Operand, check_ranges
from pgmc.dsl.places import RunningIndex
from pgmc.dsl.sums import parameter_summands
from pgmc.dsl.validity import settle_parameter
from pgmc.errors import NotationError
from pgmc.ir.factors import parameter_term
from pgmc.ir.index_ranges import extent_name, places
from pgmc.ir.model import Definition
from pgmc.ir.nodes import Bracket, Index, Scalar, fresh_index, shifted_index
from pgmc.ir.rewrite import depends_on_example, free_indices, position_indices, rename, walk
from pgmc.ir.symbols import Axis, Intermediate


def make_definition(name: str, operand: Operand, axes: object) -> Definition:
    """The definition of a name as the value of an operand.

    Raises
    ------
    NotationError
        If the order of its axes is not clear, or nothing says how long one is.
    """
    kept = _axes_of(name, operand, axes)
    check_ranges(operand.ranges, operand.text)
    fresh = tuple(fresh_index(index.name) for index in kept)
    body = rename(parameter_summands(operand.node, kept), dict(zip(kept, fresh, strict=True)))
    sizes = dict(zip(operand.axes, operand.shape, strict=True))
    lengths = tuple(_axis(name, operand, body, new, sizes.get(old)) for old, new in zip(kept, fresh, strict=True))
    symbol = Intermediate(name, lengths, depends_on_example(body), origin=call_site())
    check_offsets(body, operand.text)
    settled = settle_parameter(body, access(symbol, fresh), operand.text)
    return Definition(symbol, parameter_term(symbol, fresh, settled))


def _axes_of(name: str, operand: Operand, axes: object) -> tuple[Index, ...]:
    """The indices that stand for the axes of the value, in order."""
    written = [index for index in free_indices(operand.node) if index in operand.ranges]
    text, names = f"definition '{name}'", ", ".join(index.name for index in written)
    if operand.axes:
        if written or axes is not None:
            reason, remedy = "its axes have an order", "axes= is for index notation: leave it out."
            if written:
                reason, remedy = f"it has positional axes, and the indices {names}", "Write all axes as indices."
            raise complaint(NotationError, text, f"{operand.text}: {reason}", remedy)
        return operand.axes
    if axes is None:
        if len(written) > 1:
            reason = f"the indices {names} of {operand.text} are its axes, and it is not clear in which order"
            raise complaint(NotationError, text, reason, f"Write axes=({names}).")
        return tuple(written)
    given: Sequence[object] = axes if isinstance(axes, tuple | list) else (axes,)
    found = [item.index for item in given if isinstance(item, RunningIndex) and item.index in written]
    if len(found) != len(given) or len(set(found)) < len(found):
        reason = f"axes={axes!r} are not different open indices of {operand.text}"
        remedy = f"Its open indices are {names}." if names else "It has no open indices."
        raise complaint(NotationError, text, reason, remedy)
    return tuple(found)


def _axis(name: str, operand: Operand, body: Scalar, index: Index, size: int | None) -> Axis:
    """The axis that an index of the value is, as long as the array that it stands alone on or goes round.

    One that stands in a relation only, ``where=j < i``, is as long as the one that it is compared with.
    """
    found = [place for place in places(body) if shifted_index(place[3]) == index]
    around = any(axis.boundary == "periodic" for _, _, axis, _ in found)
    alone = [axis.size for _, _, axis, position in found if position.index == index or axis.boundary == "periodic"]
    if alone:
        return Axis(min(alone), "periodic" if around else "open")
    if size is not None and extent_name(index, body, {}) is not None:
        return Axis(size)  # it numbers blocks
    others = [] if any(index in position_indices(p) for _, _, _, p in places(body)) else _compared(index, body)
    if others:
        return _axis(name, operand, body, others[0], None)
    reason = f"index {index.name} stands alone on no axis, so nothing says how long that of {name} is"
    remedy = "Let it stand on the axis of an array by itself, too."
    raise complaint(NotationError, f"definition '{name}'", reason, remedy)


def _compared(index: Index, body: Scalar) -> list[Index]:
    """The indices that relations compare an index with."""
    relations = (relation for node in walk(body) if isinstance(node, Bracket) for relation in node.relations)
    sides = ((relation.left, relation.right) for relation in relations)
    pairs = [(shifted_index(a), shifted_index(b)) for a, b in sides]
    found = [b if a == index else a for a, b in pairs if index in (a, b)]
    return [other for other in found if other is not None and other != index]
