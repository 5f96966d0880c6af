"""Where an expression is interpreted: the arrays, the examples, and the values of each index in scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import DataError
from pgmc.ir.extents import Place
from pgmc.ir.nodes import Atom, Index, Length, Lookup, Position, Quotient, Scalar
from pgmc.ir.rewrite import accesses
from pgmc.ir.symbols import Axis, Constant, Symbol, access_axes, axis_length, block_axes, is_one_hot, is_per_example

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where an expression is evaluated: the data, the examples, and the values of each index in scope."""

    arrays: Mapping[str, Array]
    weights: Array
    unit: Array | None
    rows: Array
    values: Mapping[Index, Array]  # a sum may look at a piece of an index's range at a time
    sizes: Mapping[Index, int]
    extents: Mapping[tuple[str, int], int]

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of examples, and of values of each index."""
        return (len(self.rows), *(len(v) for v in self.values.values()))

    @property
    def rank(self) -> int:
        """The number of axes of every value."""
        return 1 + len(self.values)

    def along(self, axis: int, values: Array) -> Array:
        """The values laid along one axis of the frame."""
        return values.reshape([-1 if k == axis else 1 for k in range(self.rank)])

    def filled(self, value: float) -> Array:
        """One number, the same everywhere."""
        return np.full([1] * self.rank, value)

    def position(self, position: Position) -> Array:
        """The value of a position for every value of the indices in scope."""
        parts = (c * self._atom(atom) for atom, c in position.terms)
        return sum(parts, self.along(0, np.array([position.offset])))

    def _atom(self, atom: Atom) -> Array:
        match atom:
            case Index():
                return self.along(1 + list(self.values).index(atom), self.values[atom])
            case Length(symbol, axis):
                return self.along(0, np.array([self.extents[symbol, axis]]))
            case Lookup(table, positions):
                found = array_of(table, self.arrays)[tuple(self.position(p) for p in positions)]
                return np.asarray(np.rint(found), dtype=np.int64)
            case Quotient(position, divisor):
                return np.asarray(self.position(position) // divisor)


def array_of(symbol: Symbol, arrays: Mapping[str, Array]) -> Array:
    """The array given for the symbol; a constant brings its own."""
    if symbol.name in arrays:
        return np.asarray(arrays[symbol.name])
    if isinstance(symbol, Constant) and symbol.value is not None:
        return np.asarray(symbol.value)
    raise DataError(f"{symbol.name}: no array was given for it.")


def axes_of(symbol: Symbol, arrays: Mapping[str, Array]) -> tuple[Axis, ...]:
    """The axes an expression indexes, with the lengths of the array that was given."""
    declared = access_axes(symbol)
    sizes = array_of(symbol, arrays).shape[int(is_per_example(symbol)) :]
    own = tuple(replace(axis, size=size) for axis, size in zip(declared, sizes, strict=False))
    return (*own, *declared[len(own) :])


def places_in(node: Scalar, arrays: Mapping[str, Array]) -> list[Place]:
    """Every position in the expression with the axis it stands on."""
    return [
        place
        for access in accesses(node)
        for place in zip(access.positions, axes_of(access.symbol, arrays), strict=True)
    ]


def extents_of(symbols: Iterable[Symbol], arrays: Mapping[str, Array]) -> dict[tuple[str, int], int]:
    """The length of each axis, by symbol name and axis number (-1 for the states of a one-hot symbol)."""
    found: dict[tuple[str, int], int] = {}
    for symbol in symbols:
        given = symbol.name in arrays or isinstance(symbol, Constant)
        axes = axes_of(symbol, arrays) if given else access_axes(symbol)
        found |= {(symbol.name, k): axis.size for k, axis in enumerate(axes)}
        if is_one_hot(symbol):
            found[symbol.name, -1] = axes[-1].size
        found |= {(symbol.name, axis): axis_length(symbol, axis) for axis in block_axes(symbol)}
    return found
