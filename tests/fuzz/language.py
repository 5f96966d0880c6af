"""A small model as plain data: what is declared, and the terms of the energy as trees.

A *letter* is a running index; letters that no ``Sum`` binds are summed over the whole term. Everything is immutable and
compared by value, so that a model can be printed, evaluated and shrunk without knowing pgmc.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import NamedTuple, TypeAlias

DISCRETE = ("binary", "spin", "categorical", "count")
CONTINUOUS = ("real", "positive")
UNITS = (*DISCRETE, *CONTINUOUS)


@dataclass(frozen=True)
class Array:
    """A declaration. ``kind`` is the method of ``pgmc.Model``; ``options`` are words, such as ``symmetric``.

    A list of edges is an array of kind ``edges`` whose rows are its ``value``, and whose name is the letter that runs
    over them. Counts add up to ``total``, which is given as the input ``given`` if that has a name.
    """

    name: str
    kind: str
    shape: tuple[int, ...] = ()
    states: int = 0
    options: tuple[str, ...] = ()
    mask: tuple[int, ...] = ()
    value: tuple[float, ...] = ()
    periodic: bool = False
    exclusive: tuple[int, ...] = ()
    total: int = 0
    given: str = ""
    guide: bool = False

    @property
    def full(self) -> tuple[int, ...]:
        """The shape in expressions: one-hot arrays have an axis of states."""
        return (*self.shape, self.states) if self.states else self.shape

    @property
    def joint_states(self) -> int:
        """The number of joint states of the units; 1 for what is no variable."""
        if self.exclusive:
            return (1 + math.prod(self.exclusive)) ** math.prod(self.pooled)
        if self.kind == "count":
            return math.comb(self.total + math.prod(self.shape) - 1, self.total)
        return (self.states or 2) ** math.prod(self.shape) if self.kind in DISCRETE else 1

    @property
    def linked(self) -> bool:
        """Whether units of the group restrict one another: they are drawn together."""
        return bool(self.exclusive) or self.kind == "count"

    @property
    def pooled(self) -> tuple[int, ...]:
        """How many exclusive blocks there are along each axis."""
        return tuple(size // length for size, length in zip(self.shape, self.exclusive, strict=True))


class Place(NamedTuple):
    """A place on an axis: a letter and an offset, two letters and an offset for their sum, or no letter and a position.

    An ``end`` is the unit that stands in column ``offset`` of an edge, where the letter is that of the list.
    """

    letters: str
    offset: int = 0
    end: bool = False


@dataclass(frozen=True)
class Read:
    """An element of an array: ``s[x + 1, 0]``, or ``h.pooled()[x]`` of its exclusive blocks."""

    name: str
    places: tuple[Place, ...] = ()
    pooled: bool = False


@dataclass(frozen=True)
class Number:
    """A literal."""

    value: Fraction


@dataclass(frozen=True)
class Product:
    """Factors, side by side."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True)
class Add:
    """Summands that all run over the same letters, or over none."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Power:
    """A whole power."""

    base: Expression
    exponent: int


@dataclass(frozen=True)
class Function:
    """A function of every element, by its name in pgmc."""

    name: str
    argument: Expression


@dataclass(frozen=True)
class Sum:
    """A sum over letters, where relations such as ``("i", "<", "j")`` hold."""

    body: Expression
    over: tuple[str, ...]
    where: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class LogSumExp:
    """log Σ exp over letters."""

    body: Expression
    over: tuple[str, ...]


Expression: TypeAlias = Read | Number | Product | Add | Power | Function | Sum | LogSumExp


@dataclass(frozen=True)
class Factor:
    """The law of every unit of a target, whose letters are free in its parameters; the states' letter comes last."""

    target: Read
    family: str
    parameters: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True)
class Specification:
    """A model: declarations in order, the terms of the energy, directed factors, and those of the inference net."""

    arrays: tuple[Array, ...]
    terms: tuple[Expression, ...]
    factors: tuple[Factor, ...] = ()
    guide: tuple[Factor, ...] = ()

    def array(self, name: str) -> Array:
        """The declaration of a name."""
        return next(array for array in self.arrays if array.name == name)

    def shape_of(self, read: Read) -> tuple[int, ...]:
        """The lengths of the axes that an element is read from."""
        array = self.array(read.name)
        return array.pooled if read.pooled else array.full

    def of_kind(self, *kinds: str) -> tuple[Array, ...]:
        """The declarations of some kinds."""
        return tuple(array for array in self.arrays if array.kind in kinds)

    @property
    def units(self) -> tuple[Array, ...]:
        """The random variables."""
        return self.of_kind(*UNITS)

    @property
    def discrete(self) -> bool:
        """Whether all joint states can be listed."""
        return not self.of_kind(*CONTINUOUS)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The terms, and the targets and parameters of all factors."""
        factors = (part for f in (*self.factors, *self.guide) for part in (f.target, *dict(f.parameters).values()))
        return (*self.terms, *factors)

    @property
    def joint_states(self) -> int:
        """The number of joint states of the discrete units."""
        return math.prod(array.joint_states for array in self.arrays)


def children(node: Expression) -> tuple[Expression, ...]:
    """The expressions that a node is made of."""
    match node:
        case Product(parts) | Add(parts):
            return parts
        case Power(base, _):
            return (base,)
        case Function(_, body) | Sum(body) | LogSumExp(body):
            return (body,)
        case _:
            return ()


def with_children(node: Expression, parts: tuple[Expression, ...]) -> Expression:
    """The node made of other expressions."""
    match node:
        case Product() | Add():
            return type(node)(parts)
        case Read() | Number():
            return node
        case _:
            return replace(node, **{next(f.name for f in fields(node) if f.name in _BODIES): parts[0]})


_BODIES = ("base", "argument", "body")


def transform(node: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The tree with a change applied to every node, leaves first."""
    return change(with_children(node, tuple(transform(part, change) for part in children(node))))


def walk(node: Expression) -> Iterator[Expression]:
    """Every node."""
    yield node
    for part in children(node):
        yield from walk(part)


def reads(node: Expression) -> list[Read]:
    """Every element that is read."""
    return [part for part in walk(node) if isinstance(part, Read)]


def free_letters(node: Expression) -> tuple[str, ...]:
    """Letters that no sum inside binds, in the order in which they stand."""
    match node:
        case Read(_, places):
            return tuple(dict.fromkeys(letter for place in places for letter in place.letters))
        case Sum(body, over) | LogSumExp(body, over):
            return tuple(letter for letter in free_letters(body) if letter not in over)
        case _:
            return tuple(dict.fromkeys(letter for part in children(node) for letter in free_letters(part)))


def extents(spec: Specification, *terms: Expression) -> dict[str, int]:
    """How far every letter of some terms runs."""
    return {
        place.letters: spec.array(place.letters).shape[0] if place.end else size
        for read in (read for term in terms for read in reads(term))
        for place, size in zip(read.places, spec.shape_of(read), strict=True)
        if len(place.letters) == 1
    }
