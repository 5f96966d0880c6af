"""Random expressions over a few arrays, and their values."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from enumeration import Array, Arrays
from pgmc.ir.interpret import interpret
from pgmc.ir.nodes import (
    Access,
    Add,
    Bracket,
    Call,
    Compare,
    Index,
    LogSumExp,
    Mul,
    Position,
    Pow,
    Scalar,
    Sum,
    Unit,
    at,
    fresh_index,
    number,
)
from pgmc.ir.symbols import Axis, Binary, Boundary, Categorical, Parameter, Symbol, Variable, access_axes

SIZE = 3
ROWS = 4


@dataclass(frozen=True)
class Alphabet:
    """The arrays of random expressions: a binary and a categorical variable, parameters of rank 1, 2 and 0."""

    size: int
    boundary: Boundary = "open"

    @property
    def axis(self) -> Axis:
        """The one axis that all indices run over."""
        return Axis(self.size, self.boundary)

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The symbols, in the order of declaration."""
        variables = Variable("v", (self.axis,), Binary()), Variable("y", (self.axis,), Categorical(self.size))
        weights = Parameter("b", (self.axis,)), Parameter("W", (self.axis, self.axis)), Parameter("a", ())
        return (*variables, *weights)


PLAIN = Alphabet(SIZE)
ROUND = Alphabet(4, "periodic")
v, y, b, W, a = SYMBOLS = PLAIN.symbols

_SMOOTH = ("exp", "sigmoid", "softplus", "tanh", "cos", "sin")


def arrays(seed: int) -> Arrays:
    """Values of every symbol."""
    rng = np.random.default_rng([seed, 11])
    found: Arrays = {
        "v": rng.integers(2, size=(ROWS, SIZE)).astype(float),
        "y": rng.integers(SIZE, size=(ROWS, SIZE)),
        "b": rng.normal(size=SIZE),
        "W": rng.normal(size=(SIZE, SIZE)),
        "a": rng.normal(size=()),
    }
    return found


def new_index(name: str = "i") -> Index:
    """An index over an axis of the common size."""
    return fresh_index(name, ("b", 0))


def value(node: Scalar, data: Arrays, scope: tuple[Index, ...] = (), unit: float | None = None) -> Array:
    """The value for every example and index of the scope."""
    sizes = dict.fromkeys(scope, SIZE)
    found = interpret(node, data, scope, sizes=sizes, symbols=SYMBOLS, examples=ROWS, unit=unit)
    return np.broadcast_to(found, (ROWS, *found.shape[1:]))


class Expressions:
    """Draws expressions whose free indices are among those in scope."""

    def __init__(self, seed: int, unit: bool = False, alphabet: Alphabet = PLAIN) -> None:
        self._rng = np.random.default_rng([seed, 13])
        self._unit = unit
        self._alphabet = alphabet

    def draw(self, scope: tuple[Index, ...], depth: int) -> Scalar:
        """An expression of at most the depth."""
        if depth == 0:
            return self._leaf(scope)
        kind = self._rng.choice(
            ["add", "mul", "pow", "call", "sum", "lse", "leaf"], p=[0.2, 0.3, 0.1, 0.1, 0.2, 0.05, 0.05]
        )
        match kind:
            case "add":
                return Add(tuple(self.draw(scope, depth - 1) for _ in range(self._rng.integers(1, 4))))
            case "mul":
                return Mul(tuple(self.draw(scope, depth - 1) for _ in range(self._rng.integers(1, 4))))
            case "pow":
                return Pow(self.draw(scope, depth - 1), Fraction(int(self._rng.choice([1, 2, 3]))))
            case "call":
                bounded = Call("tanh", self.draw(scope, depth - 1))  # keeps numbers small
                return Call(str(self._rng.choice(_SMOOTH)), bounded)
            case "sum" | "lse":
                over = tuple(new_index(str(name)) for name in self._rng.choice(list("ijk"), self._rng.integers(1, 3)))
                body = self.draw((*scope, *over), depth - 1)
                return Sum(body, over) if kind == "sum" else LogSumExp(Call("tanh", body), over)
            case _:
                return self._leaf(scope)

    def _leaf(self, scope: tuple[Index, ...]) -> Scalar:
        kind = self._rng.choice(["number", "access", "bracket", "unit"], p=[0.2, 0.5, 0.15, 0.15])
        if kind == "unit" and self._unit:
            return Unit()
        if kind == "bracket" and scope:
            relations = tuple(self._relation(scope) for _ in range(self._rng.integers(1, 3)))
            return Bracket(relations)
        if kind == "number":
            return number(Fraction(int(self._rng.integers(-2, 3)), int(self._rng.integers(1, 3))))
        symbols = self._alphabet.symbols
        symbol = symbols[self._rng.integers(len(symbols))]
        return Access(symbol, tuple(self._place(scope, axis) for axis in access_axes(symbol)))

    def _place(self, scope: tuple[Index, ...], axis: Axis) -> Position:
        """A place on an axis; states do not go round, so indices that do are not theirs."""
        if self._alphabet.boundary == "periodic" and axis.boundary == "open":
            return self._position(())
        return self._shifted(self._position(scope), axis)

    def _shifted(self, position: Position, axis: Axis) -> Position:
        """The next place, now and then, where the axis goes round."""
        shift = axis.boundary == "periodic" and bool(position.terms) and self._rng.random() < 0.3
        return Position(position.terms, position.offset + shift)

    def _relation(self, scope: tuple[Index, ...]) -> Compare:
        operator = str(self._rng.choice(["==", "==", "!=", "<", "<="]))
        return Compare(self._position(scope), operator, self._position(scope))

    def _position(self, scope: tuple[Index, ...]) -> Position:
        if not scope or self._rng.random() < 0.1:
            return Position((), int(self._rng.integers(self._alphabet.size)))
        return at(scope[self._rng.integers(len(scope))])
