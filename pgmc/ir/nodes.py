"""Scalar expressions over indexed symbols: the only language the compiler knows.

Nodes are frozen; equality and hash are generated. An ``Index`` is equal to itself by key, never by name, so that a
name cannot capture another index. Nothing here simplifies: that is the work of named passes.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

from pgmc.ir.symbols import Constant, Symbol

_keys = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Index:
    """A running index. Two indices are the same only if their keys are.

    ``extent`` names an axis it runs over, as (symbol name, axis number; -1 for the states of a one-hot symbol). It is
    needed only where no access of the expression carries the index: ``Σ_j softplus(c)``.
    """

    key: int
    name: str = field(compare=False)
    extent: tuple[str, int] | None = field(default=None, compare=False)


def fresh_index(name: str, extent: tuple[str, int] | None = None) -> Index:
    """An index that differs from every other one made in this process."""
    return Index(next(_keys), name, extent)


@dataclass(frozen=True, slots=True)
class Length:
    """The length of an axis of the symbol of that name; axis -1 is its number of states.

    It stands in relations only, so that sizes stay out of expressions.
    """

    symbol: str
    axis: int


@dataclass(frozen=True, slots=True)
class Lookup:
    """An element of a constant table of integers, as a place: ``s[a[e]]`` is the unit at the end of edge e."""

    table: Constant
    positions: tuple[Position, ...]

    @property
    def access(self) -> Access:
        """The element of the table as a value."""
        return Access(self.table, self.positions)


@dataclass(frozen=True, slots=True)
class Quotient:
    """⌊position / divisor⌋: the number of the block that a place lies in, where blocks of that length tile an axis."""

    position: Position
    divisor: int


Atom: TypeAlias = Index | Length | Lookup | Quotient
"""What a position is a combination of."""


@dataclass(frozen=True, slots=True)
class Position:
    """An integer-affine combination of atoms, ``offset + Σ coefficient · atom``."""

    terms: tuple[tuple[Atom, int], ...] = ()
    offset: int = 0

    @property
    def index(self) -> Index | None:
        """The index, if the position is one index and nothing else."""
        return shifted_index(self) if self.offset == 0 else None

    @property
    def is_plain(self) -> bool:
        """Whether the position is a number, an index or a place looked up: it lies inside its axis as it stands."""
        return not self.terms or (len(self.terms) == 1 and self.terms[0][1] == 1 and self.offset == 0)


def shifted_index(position: Position) -> Index | None:
    """The index, if the position is one index plus a number."""
    if len(position.terms) == 1 and position.terms[0][1] == 1:
        atom = position.terms[0][0]
        return atom if isinstance(atom, Index) else None
    return None


def at(index: Index) -> Position:
    """The position that is exactly one index."""
    return Position(((index, 1),))


@dataclass(frozen=True, slots=True)
class Number:
    """An exact rational literal."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Pi:
    """The number π, of the integrals over real units."""


@dataclass(frozen=True, slots=True)
class Access:
    """One element of a symbol's array."""

    symbol: Symbol
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """The value of the one unit that a local energy is a function of."""

    name: str = "x"


@dataclass(frozen=True, slots=True)
class Add:
    """A sum of terms."""

    terms: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Mul:
    """A product of factors."""

    factors: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Pow:
    """A power with an exact exponent."""

    base: Scalar
    exponent: Fraction


@dataclass(frozen=True, slots=True)
class Call:
    """A unary function of ``FUNCTIONS`` applied to a scalar."""

    function: str
    argument: Scalar


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of the body over every value of the indices."""

    body: Scalar
    over: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class LogSumExp:
    """log Σ exp(body) over every value of the indices."""

    body: Scalar
    over: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class BatchMean:
    """The weighted mean of the body over the examples: Σ_n weight_n · body_n."""

    body: Scalar


@dataclass(frozen=True, slots=True)
class Compare:
    """A relation between two positions; ``operator`` is one of == != < <=.

    Places on a periodic axis are compared ``around`` it, (symbol name, axis number): modulo its length.
    """

    left: Position
    operator: str
    right: Position
    around: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Bracket:
    """Iverson bracket: 1 where every relation holds, else 0."""

    relations: tuple[Compare, ...]


Scalar: TypeAlias = Number | Pi | Access | Unit | Add | Mul | Pow | Call | Sum | LogSumExp | BatchMean | Bracket

FUNCTIONS = (
    "exp",
    "log",
    "sigmoid",
    "softplus",
    "tanh",
    "relu",
    "sqrt",
    "cos",
    "sin",
    "lgamma",
    "digamma",
    "step",
    "xlogx",
)

ZERO = Number(Fraction(0))
ONE = Number(Fraction(1))


def number(value: int | Fraction) -> Number:
    """An exact literal."""
    return Number(Fraction(value))
