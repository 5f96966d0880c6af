"""How units of one variable interact: at fixed offsets, along edges or a sparse mask, or all with one another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.analysis.interactions import Couple, find_interactions, unit_positions
from pgmc.errors import InternalError
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import Access, Atom, Index, Length, Lookup, Position, Quotient
from pgmc.ir.rewrite import position_indices
from pgmc.ir.symbols import Axis, Parameter, Variable, axis_length, shape_of

Array: TypeAlias = npt.NDArray[Any]
Offset: TypeAlias = tuple[int, ...]
Kind: TypeAlias = Literal["offsets", "sparse", "all"]


@dataclass(frozen=True)
class Coupling:
    """Units of a variable that interact through one term: those at the two accesses of a couple, index by index."""

    variable: Variable
    couple: Couple
    term: EnergyTerm
    model: Model

    @cached_property
    def kind(self) -> Kind:
        """At fixed offsets; one with few others, as along edges or the entries of a sparse mask; or all with all."""
        if self.offset is not None:
            return "offsets"
        first, second = map(_indices, self._units)
        running = (first | second) - _covered(self._guard)
        return "sparse" if running <= first or running <= second else "all"

    @cached_property
    def offset(self) -> Offset | None:
        """How far the second unit is from the first along each axis, if that is the same for all instances."""
        first, second = self._units
        lattice = all(p.terms and p.terms == q.terms and _is_running(p) for p, q in zip(first, second, strict=True))
        return tuple(q.offset - p.offset for p, q in zip(first, second, strict=True)) if lattice else None

    @property
    def _units(self) -> tuple[tuple[Position, ...], tuple[Position, ...]]:
        return unit_positions(self.couple.first), unit_positions(self.couple.second)

    @property
    def _guard(self) -> Access | None:
        """An element of a sparse parameter that the interaction is a multiple of; the one with the most indices."""
        found = [g for g in self.couple.guards if isinstance(g.symbol, Parameter) and g.symbol.constraint.sparse]
        plain = [g for g in found if len(_covered(g)) == len(g.positions)]
        return max(plain, key=lambda g: (len(g.positions), g.symbol.name), default=None)

    def pairs(self) -> Array:
        """The interacting units, numbered in C order: ``(pairs, 2)``, of a coupling that is not of all with all."""
        values = self._instances()
        (first, kept), (second, also) = (self._numbers(unit, values) for unit in self._units)
        inside = np.broadcast_arrays(first, second, kept & also)
        return np.stack([side[inside[2]] for side in inside[:2]], axis=-1)

    def _instances(self) -> dict[Index, Array]:
        """The value of every index in every instance: the entries of the guard times all values of other indices."""
        first, second = map(_indices, self._units)
        guard = self._guard
        rest = sorted((first | second) - _covered(guard), key=lambda index: index.key)
        entries: tuple[Array, ...] = ()
        if guard is not None:
            assert isinstance(guard.symbol, Parameter)
            entries = np.nonzero(guard.symbol.constraint.mask)
        lengths = [len(entry) for entry in entries[:1]] + [self._length(index) for index in rest]
        grid = np.indices(lengths).reshape(len(lengths), prod(lengths))
        values = dict(zip(rest, grid[bool(entries) :], strict=True))
        if guard is not None:
            indices = (p.index for p in guard.positions)
            values |= {index: entry[grid[0]] for index, entry in zip(indices, entries, strict=True) if index}
        return values

    def _length(self, index: Index) -> int:
        """How many values the index takes."""
        if index.extent is None:
            raise InternalError(f"nothing says how far the index {index.name} runs. Please report it.")
        return self._axis_length(*index.extent)

    def _axis_length(self, name: str, axis: int) -> int:
        (symbol,) = (symbol for symbol in self.model.symbols if symbol.name == name)
        return axis_length(symbol, axis)

    def _numbers(self, unit: tuple[Position, ...], values: dict[Index, Array]) -> tuple[Array, Array]:
        """The number of the unit in every instance, and whether there is one: open axes end."""
        numbers: Array = np.zeros(1, dtype=np.int64)
        inside: Array = np.ones(1, dtype=bool)
        for position, axis in zip(unit, self.variable.axes, strict=True):
            place = self._place(position, values)
            if axis.boundary == "open":
                inside = inside & (place >= 0) & (place < axis.size)
            numbers = numbers * axis.size + place % axis.size
        return numbers, inside

    def _place(self, position: Position, values: dict[Index, Array]) -> Array:
        """The value of a position in every instance."""
        place: Array = np.full(1, position.offset, dtype=np.int64)
        for atom, coefficient in position.terms:
            place = place + coefficient * self._atom(atom, values)
        return place

    def _atom(self, atom: Atom, values: dict[Index, Array]) -> Array:
        match atom:
            case Index():
                return values[atom]
            case Length(symbol, axis):
                return np.full(1, self._axis_length(symbol, axis))
            case Lookup(table, positions):
                return np.asarray(table.value)[tuple(self._place(p, values) for p in positions)]
            case Quotient(position, divisor):
                return np.asarray(self._place(position, values) // divisor)


def _indices(unit: tuple[Position, ...]) -> frozenset[Index]:
    return frozenset(index for position in unit for index in position_indices(position))


def _covered(guard: Access | None) -> frozenset[Index]:
    """The indices that stand alone on the axes of a guard."""
    return frozenset() if guard is None else frozenset(p.index for p in guard.positions if p.index is not None)


def _is_running(position: Position) -> bool:
    return len(position.terms) == 1 and position.terms[0][1] == 1


def find_couplings(model: Model) -> dict[str, tuple[Coupling, ...]]:
    """The couplings of units of each variable with one another, for variables that have any."""
    found: dict[str, list[Coupling]] = {}
    for term in model.terms:
        for couple in find_interactions(term.body).couples:
            first, second = couple.names
            if first == second:
                found.setdefault(first, []).append(Coupling(model.variable(first), couple, term, model))
    return {name: tuple(couplings) for name, couplings in found.items()}


def kind_of(couplings: tuple[Coupling, ...]) -> Kind:
    """The least regular way in which units interact."""
    kinds = {coupling.kind for coupling in couplings}
    return "all" if "all" in kinds else "sparse" if "sparse" in kinds else "offsets"


def unit_pairs(couplings: tuple[Coupling, ...]) -> Array:
    """All pairs of interacting units of a variable, by their numbers."""
    return np.concatenate([np.empty((0, 2), dtype=np.int64), *(coupling.pairs() for coupling in couplings)])


def wrapped_offsets(offset: Offset, axes: tuple[Axis, ...]) -> Iterator[Offset]:
    """The offset as it is, and as it looks across the seams of periodic axes."""
    ways = [
        (d, d - axis.size if d > 0 else d + axis.size) if d and axis.boundary == "periodic" else (d,)
        for d, axis in zip(offset, axes, strict=True)
    ]
    return product(*ways)


def unit_count(variable: Variable) -> int:
    """How many units a variable has."""
    return int(np.prod(shape_of(variable), dtype=np.int64))
