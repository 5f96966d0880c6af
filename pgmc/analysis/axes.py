"""Which axes of which symbols are the same axis, found from the indices they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from pgmc.ir.index_ranges import Place, places, plain_name
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import Access, Index, LogSumExp, Position, Scalar, Sum, shifted_index
from pgmc.ir.rewrite import accesses, block_numbers, walk
from pgmc.ir.symbols import block_axes, is_one_hot

AxisName: TypeAlias = tuple[str, int]  # symbol, axis number; -1 for states, and ``block_axis`` for blocks


def axis_name(access: Access, position: int) -> AxisName:
    """The name of the axis at a position of an access."""
    if is_one_hot(access.symbol) and position == len(access.symbol.axes):
        return access.symbol.name, -1
    return access.symbol.name, position


def index_axes(node: Scalar) -> Iterator[tuple[Index, AxisName]]:
    """Every index that stands alone at a position, or with an offset, with the axis it stands on."""
    for access in accesses(node):
        for k, position in enumerate(access.positions):
            index = shifted_index(position)
            if index is not None:
                yield index, axis_name(access, k)
    yield from block_numbers(node)


def unify_axes(model: Model) -> dict[AxisName, AxisName]:
    """A representative for every axis: the first declared of the axes it shares an index with."""
    parent: dict[AxisName, AxisName] = {}
    rank = {name: k for k, name in enumerate(_declared_axes(model))}

    def find(name: AxisName) -> AxisName:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for term in model.tied_terms:
        for names in _shared_axes(term):
            for name in names[1:]:
                first, second = sorted((find(names[0]), find(name)), key=lambda a: rank[a])
                parent[second] = first
    return {name: find(name) for name in rank}


def _shared_axes(term: EnergyTerm) -> Iterator[list[AxisName]]:
    """For each index the axes of the length it runs over: those it stands alone on, and those it goes round."""
    bound = (*term.over, *(i for n in walk(term.body) if isinstance(n, Sum | LogSumExp) for i in n.over))
    found = list(places(term.body))
    numbers = list(block_numbers(term.body))
    for index in dict.fromkeys(bound):
        least = min((axis.size for _, _, axis, p in found if p.index == index), default=0)
        alone = [plain_name(s, k) for s, k, axis, p in found if p.index == index and axis.size == least]
        round_ = [
            plain_name(s, k) for s, k, axis, p in found if axis.boundary == "periodic" and goes_round(index, p, found)
        ]
        own = [] if index.extent is None or alone else [index.extent]
        blocks = [name for number, name in numbers if number == index]
        if names := [*alone, *round_, *blocks, *own]:
            yield names


def goes_round(index: Index, position: Position, found: Sequence[Place]) -> bool:
    """Whether an index at a position of a periodic axis takes every place on it in turn.

    An index with an offset does; of a sum of indices the one with an axis of its own that is periodic.
    """
    if shifted_index(position) == index:
        return True
    if abs(dict(position.terms).get(index, 0)) != 1:
        return False
    own = [axis.boundary for _, _, axis, p in found if p.index == index]
    return "periodic" in own or not own


def _declared_axes(model: Model) -> Iterator[AxisName]:
    for symbol in model.symbols:
        for k in range(len(symbol.axes)):
            yield symbol.name, k
        if is_one_hot(symbol):
            yield symbol.name, -1
        yield from ((symbol.name, axis) for axis in block_axes(symbol))
