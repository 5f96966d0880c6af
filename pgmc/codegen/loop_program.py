"""The loop program: statements over scalars, one small step above source text.

Scalars inside statements are ir expressions without sums; a local number is an access of a rank-0 ``Constant``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pgmc.analysis.axes import AxisName
from pgmc.codegen.draw_statements import (
    ColorRow,
    DrawGroup,
    DrawJoint,
    DrawState,
    DrawUnit,
    Fill,
    KeepRowKeys,
    MultiplyBlock,
    Place,
    RowKey,
    TakeRowKey,
)
from pgmc.codegen.slice_units import SliceUnit
from pgmc.codegen.trajectories import MoveUnits
from pgmc.ir.answers import Coloring
from pgmc.ir.nodes import Access, Compare, Index, Position, Scalar
from pgmc.ir.symbols import Symbol

Precision: TypeAlias = Literal["program", "float64"]


@dataclass(frozen=True, slots=True)
class Comment:
    """A line for the reader."""

    text: str


@dataclass(frozen=True, slots=True)
class Allocate:
    """A new array; ``per_example`` puts the examples first, None as an extent stands for them elsewhere."""

    symbol: Symbol
    extents: tuple[AxisName | int | None, ...]
    per_example: bool
    kind: Literal["plain", "aligned", "keys", "bytes", "hands", "wide"] = "plain"
    """aligned: zeros, every row from a cache line on; hands: for a row of the first length, dealt to that many"""


@dataclass(frozen=True, slots=True)
class MatrixView:
    """An array seen as a matrix with the given axes as rows and columns; None is the axis of examples."""

    symbol: Symbol
    rows: tuple[AxisName | None, ...]
    columns: tuple[AxisName | None, ...]
    transposed: bool


@dataclass(frozen=True, slots=True)
class MatrixProduct:
    """target = left @ right, by BLAS."""

    target: MatrixView
    left: MatrixView
    right: MatrixView


@dataclass(frozen=True, slots=True)
class Loop:
    """The body for every value of the index at which the inequalities ``within`` hold."""

    index: Index
    extent: AxisName
    body: tuple[Statement, ...]
    backward: bool = False
    within: tuple[Compare, ...] = ()


@dataclass(frozen=True, slots=True)
class ColorLoop:
    """The body for every colour."""

    colors: int
    body: tuple[Statement, ...]
    backward: bool = False


@dataclass(frozen=True, slots=True)
class StrideLoop:
    """The body for every value of the index at which Σ weight · index, with the indices before, is the colour."""

    index: Index
    extent: AxisName
    body: tuple[Statement, ...]
    coloring: Coloring
    before: tuple[Index, ...]
    backward: bool = False


@dataclass(frozen=True, slots=True)
class OrderLoop:
    """The body for every unit of a variable, at positions that the run time lists in order."""

    indices: tuple[Index, ...]
    symbol: Symbol
    body: tuple[Statement, ...]
    backward: bool = False


@dataclass(frozen=True, slots=True)
class GroupLoop:
    """The body for the first position of every group along an axis: groups of ``length`` tile it."""

    index: Index
    extent: AxisName
    length: int
    body: tuple[Statement, ...]
    backward: bool = False


@dataclass(frozen=True, slots=True)
class MemberLoop:
    """The body for every position of the block of ``length`` that starts at ``start``."""

    index: Index
    start: Position
    length: int
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Lists that the run time makes: of a table the entries at each place, of a mask the ones along an axis."""

    symbol: str
    axis: int


@dataclass(frozen=True, slots=True)
class ListedLoop:
    """The body for every value of the index that a listing has at a place."""

    index: Index
    listing: Listing
    at: Index
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class BlockLoop:
    """The body for some units at a time: those from ``first`` up to ``last`` along an axis."""

    extent: AxisName
    body: tuple[Statement, ...]
    backward: bool = False


@dataclass(frozen=True, slots=True)
class LoopInBlock:
    """The body for every unit of the block, or only for those that come after the unit ``after``."""

    index: Index
    body: tuple[Statement, ...]
    after: Index | None = None
    backward: bool = False


@dataclass(frozen=True, slots=True)
class ExampleLoop:
    """The body for every example."""

    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class SweepLoop:
    """The body for every sweep."""

    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """The body where all relations hold."""

    relations: tuple[Compare, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class UnlessMasked:
    """The body where the unit does not keep its value."""

    target: Access
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class PickState:
    """The index becomes the state of a one-hot unit: a sum over states with one term left."""

    index: Index
    access: Access


@dataclass(frozen=True, slots=True)
class LetPlace:
    """The index becomes the value of a position on an axis of a symbol."""

    index: Index
    symbol: Symbol
    axis: int
    position: Position


@dataclass(frozen=True, slots=True)
class Let:
    """A local number."""

    local: Access
    value: Scalar
    precision: Precision


@dataclass(frozen=True, slots=True)
class LetLowest:
    """A local number below every other, the start of a maximum."""

    local: Access


@dataclass(frozen=True, slots=True)
class Raise:
    """local = max(local, value)."""

    local: Access
    value: Scalar


@dataclass(frozen=True, slots=True)
class Increment:
    """target += value."""

    target: Access
    value: Scalar


@dataclass(frozen=True, slots=True)
class Store:
    """target = value."""

    target: Access
    value: Scalar


@dataclass(frozen=True, slots=True)
class Clear:
    """Every element of an array becomes 0."""

    symbol: Symbol


Statement: TypeAlias = (
    Comment
    | Allocate
    | MatrixProduct
    | Loop
    | ColorLoop
    | StrideLoop
    | ColorRow
    | GroupLoop
    | MemberLoop
    | OrderLoop
    | BlockLoop
    | LoopInBlock
    | ListedLoop
    | ExampleLoop
    | SweepLoop
    | Guard
    | UnlessMasked
    | PickState
    | LetPlace
    | Let
    | LetLowest
    | Raise
    | Increment
    | Store
    | Clear
    | RowKey
    | KeepRowKeys
    | TakeRowKey
    | MultiplyBlock
    | DrawUnit
    | SliceUnit
    | MoveUnits
    | DrawJoint
    | DrawState
    | Fill
    | DrawGroup
    | Place
)
