"""Symbols: the named arrays a model speaks about, with the shape and the domain of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Boundary: TypeAlias = Literal["open", "periodic"]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """Where the user wrote something."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of an array. Its size is data: nothing symbolic depends on it.

    ``name`` is that of the first axis of the same length, (symbol name, axis number; -1 for states), once axes that
    share an index have been found.
    """

    size: int
    boundary: Boundary = "open"
    name: tuple[str, int] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """The values 0 and 1."""

    def __str__(self) -> str:
        return "binary"


@dataclass(frozen=True, slots=True)
class Spin:
    """The values -1 and +1."""

    def __str__(self) -> str:
        return "spin"


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of ``states`` states; one-hot in expressions, an integer in data."""

    states: int

    def __str__(self) -> str:
        return f"categorical({self.states})"


@dataclass(frozen=True, slots=True)
class Real:
    """The real line."""

    def __str__(self) -> str:
        return "real"


@dataclass(frozen=True, slots=True)
class Count:
    """The values 0, 1, 2, … with the base measure 1/k!.

    With ``total`` the counts along the last axis add up to it: a number, or the name of the input that holds it.
    """

    total: int | str | None = None

    def __str__(self) -> str:
        return "count" if self.total is None else f"count(total={self.total})"


@dataclass(frozen=True, slots=True)
class Positive:
    """The positive real numbers."""

    def __str__(self) -> str:
        return "positive"


Domain: TypeAlias = Binary | Spin | Categorical | Real | Positive | Count


@dataclass(frozen=True, slots=True)
class Variable:
    """An array of random units that share a domain.

    ``exclusive`` is the shape of a block in which at most one unit is on, one length for each axis; () if there is no
    such rule.
    """

    name: str
    axes: tuple[Axis, ...]
    domain: Domain
    origin: SourceLine | None = field(default=None, compare=False)
    exclusive: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """An array that is always given: the model is conditional on it."""

    name: str
    axes: tuple[Axis, ...]
    domain: Domain = Real()
    origin: SourceLine | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Constraint:
    """Linear constraints of a parameter, kept by projecting values and gradients.

    A ``fixed`` parameter is moved by no gradient. ``mask`` is an array of zeros and ones of the parameter's shape; it
    is data and takes no part in equality. ``sparse`` says that so few of its entries are ones that going through them
    beats going through all.
    """

    symmetric: bool = False
    zero_diagonal: bool = False
    positive: bool = False
    masked: bool = False
    sparse: bool = False
    fixed: bool = False
    mask: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A trained array. ``init`` is data: a number, an array, or None for the default."""

    name: str
    axes: tuple[Axis, ...]
    constraint: Constraint = Constraint()
    init: Any = field(default=None, compare=False, repr=False)
    origin: SourceLine | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Constant:
    """An array that is never trained. Its value is data; ``shown`` is how equations print it."""

    name: str
    axes: tuple[Axis, ...]
    value: Any = field(default=None, compare=False, repr=False)
    shown: str | None = field(default=None, compare=False)
    origin: SourceLine | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Intermediate:
    """A named array that is computed from others: a definition of the user's, or a derivative with respect to one.

    ``per_example`` if it depends on variables or inputs. ``shown`` is how equations print it.
    """

    name: str
    axes: tuple[Axis, ...]
    per_example: bool
    shown: str | None = field(default=None, compare=False)
    origin: SourceLine | None = field(default=None, compare=False)


Symbol: TypeAlias = Variable | Input | Parameter | Constant | Intermediate


def access_axes(symbol: Symbol) -> tuple[Axis, ...]:
    """The axes an expression indexes: those of the symbol, and the states of a one-hot array last."""
    if isinstance(symbol, Variable | Input) and isinstance(symbol.domain, Categorical):
        return (*symbol.axes, Axis(symbol.domain.states))
    return symbol.axes


def axis_name(symbol: Symbol, number: int) -> tuple[str, int]:
    """The name of an axis that an expression indexes: that of the first of its length, as far as that is known."""
    if number == len(symbol.axes):
        return symbol.name, -1
    return symbol.axes[number].name or (symbol.name, number)


def is_per_example(symbol: Symbol) -> bool:
    """Whether the run-time array has a leading axis of examples or chains."""
    return symbol.per_example if isinstance(symbol, Intermediate) else isinstance(symbol, Variable | Input)


def is_one_hot(symbol: Symbol) -> bool:
    """Whether expressions see the symbol one-hot, while its data are integers."""
    return isinstance(symbol, Variable | Input) and isinstance(symbol.domain, Categorical)


def shape_of(symbol: Symbol) -> tuple[int, ...]:
    """The shape of one example of the symbol's data."""
    return tuple(axis.size for axis in symbol.axes)


def total_name(variable: Variable) -> str:
    """The name of the constant or the input that the counts of a variable add up to."""
    assert isinstance(variable.domain, Count)
    return variable.domain.total if isinstance(variable.domain.total, str) else f"total_{variable.name}"


def block_axis(axis: int) -> int:
    """The number under which the blocks along an axis of an exclusive variable are an axis: below that of states."""
    return -2 - axis


def axis_length(symbol: Symbol, axis: int) -> int:
    """How many values an index over an axis has: positions, states (-1), or blocks along an axis (``block_axis``)."""
    if axis >= -1:
        return access_axes(symbol)[axis].size
    assert isinstance(symbol, Variable)
    return symbol.axes[-2 - axis].size // symbol.exclusive[-2 - axis]


def block_axes(symbol: Symbol) -> tuple[int, ...]:
    """The numbers of the axes along which a symbol has exclusive blocks, as axes of blocks."""
    lengths = symbol.exclusive if isinstance(symbol, Variable) else ()
    return tuple(block_axis(k) for k, length in enumerate(lengths) if length > 1)


def describe_domain(symbol: Variable | Input) -> str:
    """The values of a symbol, and the rule of its blocks."""
    if isinstance(symbol, Variable) and symbol.exclusive:
        return f"{symbol.domain}, exclusive in {' × '.join(map(str, symbol.exclusive))}"
    return str(symbol.domain)


def group_shape(variable: Variable) -> tuple[int, ...]:
    """The shape of the units whose values restrict one another, one length for each axis: a block, or a single unit.

    The units of a group are drawn, enumerated and clamped together; groups tile the array.
    """
    if variable.exclusive:
        return variable.exclusive
    if isinstance(variable.domain, Count) and variable.domain.total is not None:
        return (*(1 for _ in variable.axes[:-1]), variable.axes[-1].size)
    return tuple(1 for _ in variable.axes)


def is_grouped(variable: Variable) -> bool:
    """Whether units restrict one another: exclusive blocks, or counts with a total."""
    return any(size > 1 for size in group_shape(variable)) or _has_total(variable)


def _has_total(variable: Variable) -> bool:
    return isinstance(variable.domain, Count) and variable.domain.total is not None
