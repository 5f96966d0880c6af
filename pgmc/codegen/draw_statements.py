"""Statements of a loop program that draw units, and that hold what a draw needs: random keys, rows of logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgmc.analysis.axes import AxisName
from pgmc.ir.answers import Family
from pgmc.ir.nodes import Access, Index, Scalar
from pgmc.ir.symbols import Symbol

if TYPE_CHECKING:
    from pgmc.codegen.loop_program import StrideLoop


@dataclass(frozen=True, slots=True)
class RowKey:
    """The random key of this chain in this sweep."""


@dataclass(frozen=True, slots=True)
class KeepRowKeys:
    """The random keys of all chains in this sweep, in two arrays."""

    keys: tuple[Symbol, Symbol]


@dataclass(frozen=True, slots=True)
class TakeRowKey:
    """The random key of this chain, from the arrays."""

    keys: tuple[Symbol, Symbol]


@dataclass(frozen=True, slots=True)
class MultiplyBlock:
    """The fields of the units of the block: its rows of the coupling times the units of every chain, all aligned."""

    coupling: Symbol
    units: Symbol
    field: Symbol


@dataclass(frozen=True, slots=True)
class DrawUnit:
    """target drawn from its family with the given parameters; ``extents`` are the lengths of the target's axes.

    The value goes into ``into``, if that is given, in place of the target.
    """

    family: Family
    target: Access
    parameters: tuple[Scalar, ...]
    extents: tuple[AxisName, ...]
    into: Access | None = None


@dataclass(frozen=True, slots=True)
class DrawJoint:
    """All units of a variable drawn from the normal density exp(field · x - ½ x · matrix · x); both are used up."""

    target: Symbol
    field: Symbol
    matrix: Symbol
    extents: tuple[AxisName, ...]


@dataclass(frozen=True, slots=True)
class ColorRow:
    """The units of one colour along an axis, drawn by ``draw`` from the logits of all units before any is set.

    ``loop`` says which units; ``logits`` holds those of the row, ``dealt`` and ``units`` have a row for each colour.
    """

    loop: StrideLoop
    draw: DrawUnit
    logits: Symbol
    dealt: Symbol
    units: Symbol


@dataclass(frozen=True, slots=True)
class DrawState:
    """The state of a categorical unit drawn with the logits of a row."""

    target: Access
    row: Symbol
    extents: tuple[AxisName, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """Where a unit stands in its group along one axis: ``index`` - ``start``, of ``length`` places.

    Without a start the group is the whole axis.
    """

    index: Index
    extent: AxisName
    start: Index | None = None
    length: int = 0


@dataclass(frozen=True, slots=True)
class Fill:
    """The place of a unit in the row of its group gets a logit; of a unit that is kept, one that draws its value."""

    row: Symbol
    members: tuple[Member, ...]
    target: Access
    logit: Scalar
    masked: bool
    family: Family = "Exclusive"


@dataclass(frozen=True, slots=True)
class DrawGroup:
    """The units of a group drawn from their joint law, in the row of its logits; ``first`` is its first unit."""

    family: Family
    row: Symbol
    first: Access
    extents: tuple[AxisName, ...]
    total: Scalar | None = None
    masked: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """The unit gets the value drawn for it in the row of its group."""

    target: Access
    row: Symbol
    members: tuple[Member, ...]
