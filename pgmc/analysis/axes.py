"""Which axes of which symbols are the same axis, found from the indices they share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from pgmc.ir.model import Model
from pgmc.ir.nodes import Access, Index, Scalar, shifted_index
from pgmc.ir.rewrite import accesses, block_numbers
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

    for term in model.terms:
        seen: dict[Index, AxisName] = {}
        for index, name in index_axes(term.body):
            first, second = sorted((find(seen.setdefault(index, name)), find(name)), key=lambda a: rank[a])
            parent[second] = first
    return {name: find(name) for name in rank}


def _declared_axes(model: Model) -> Iterator[AxisName]:
    for symbol in model.symbols:
        for k in range(len(symbol.axes)):
            yield symbol.name, k
        if is_one_hot(symbol):
            yield symbol.name, -1
        yield from ((symbol.name, axis) for axis in block_axes(symbol))
