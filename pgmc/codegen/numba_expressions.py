"""The text of scalar expressions as Numba reads them, and the names that stand in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from pgmc.analysis.axes import AxisName
from pgmc.codegen.array_program import EXAMPLES
from pgmc.codegen.names import NameRegistry
from pgmc.codegen.prelude import Dtype
from pgmc.codegen.signs import split_sign
from pgmc.errors import InternalError
from pgmc.ir.nodes import (
    Access,
    Add,
    Atom,
    Bracket,
    Call,
    Compare,
    Index,
    Length,
    Lookup,
    Mul,
    Number,
    Pi,
    Position,
    Pow,
    Quotient,
    Scalar,
    shifted_index,
)
from pgmc.ir.symbols import Symbol, is_one_hot, is_per_example

_LIBRARY = {"exp": "np.exp", "log": "np.log", "tanh": "np.tanh", "cos": "np.cos", "sin": "np.sin", "sqrt": "np.sqrt"}


@dataclass(slots=True)
class NumbaExpressions:
    """Prints expressions and remembers which arguments and helpers they mention.

    ``aliases`` are the names in the source of the model's symbols, ``numbers`` the symbols passed as plain numbers,
    ``axes`` the representative of every axis, whose length is an argument, ``periodic`` the axes that go round. An
    array without axes that the kernel fills has one element.
    """

    names: NameRegistry
    dtype: Dtype
    extents: dict[AxisName, str] = field(default_factory=dict)
    sites: dict[str, str] = field(default_factory=dict)
    masks: dict[str, str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    helpers: dict[str, None] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()
    axes: Mapping[AxisName, AxisName] = field(default_factory=dict)
    periodic: frozenset[AxisName] = frozenset()
    inside: set[Index] = field(default_factory=set)
    places: dict[str, str] = field(default_factory=dict)
    _indices: dict[Index, str] = field(default_factory=dict)  # of the enclosing loops
    _letters: list[str] = field(default_factory=list)
    example: str = ""
    examples: str = ""

    def __post_init__(self) -> None:
        self.example = self.names.claim("n")
        self.examples = self.names.claim("examples")
        self._indices[EXAMPLES] = self.example

    # -- names ---------------------------------------------------------------------------------------------------

    def extent(self, axis: AxisName) -> str:
        """The argument that holds the length of an axis."""
        if axis not in self.extents:
            symbol, k = axis
            place = -2 - k if k < -1 else k
            kind = "blocks" if k < -1 else "states" if k < 0 else "n"
            self.extents[axis] = self.names.claim(f"{kind}_{symbol}" + f"_{place}" * (place > 0))
        return self.extents[axis]

    def index(self, index: Index) -> str:
        """The loop variable of an index: the user's letter, unless an enclosing loop or an array has it."""
        if index not in self._indices:
            self._indices[index] = self._free_letter(index.name)
        return self._indices[index]

    def bind(self, index: Index, name: str) -> None:
        """Lets an index stand for a name that is reserved."""
        self._indices[index] = name

    def _free_letter(self, wish: str) -> str:
        for letter in self._letters:
            if letter.rstrip("_0123456789") == wish and letter not in self._indices.values():
                return letter
        self._letters.append(self.names.claim(wish))
        return self._letters[-1]

    def array(self, name: str) -> str:
        """The name in the source of a symbol's array."""
        return self.aliases.get(name, name)

    def helper(self, name: str) -> str:
        """The name of a helper function, which the module will then include."""
        self.helpers[name] = None
        return name

    # -- scalars -------------------------------------------------------------------------------------------------

    def scalar(self, node: Scalar, level: int = 0) -> str:
        """The text of an expression; ``level`` 1 asks for a factor, 2 for an atom."""
        match node:
            case Number(value):
                return self._number(value, level)
            case Pi():
                return "np.pi" if self.dtype == "float64" else "np.float32(np.pi)"
            case Access():
                return self._access(node)
            case Add(terms):
                text = self.scalar(terms[0])
                for term in terms[1:]:
                    minus, positive = split_sign(term)
                    text += f" {'-' if minus else '+'} {self.scalar(positive, 1)}"
                return f"({text})" if level else text
            case Mul(factors):
                minus, positive = split_sign(node)
                if minus:
                    text = f"-{self.scalar(positive, 2)}"
                    return f"({text})" if level else text
                text = " * ".join(self.scalar(f, 1 if k == 0 else 2) for k, f in enumerate(factors))
                return f"({text})" if level > 1 else text
            case Pow(base, exponent):
                return self._power(base, exponent, level)
            case Call(name, argument):
                return self._call(name, argument)
            case Bracket(relations):
                return f"({self._one()} if {self._relations(relations)} else {self._zero()})"
            case _:
                raise InternalError(f"no text for {type(node).__name__} in a loop. Please report it.")

    def _number(self, value: Fraction, level: int) -> str:
        text = repr(float(value))
        if self.dtype == "float64":
            return f"({text})" if value < 0 and level else text
        return f"np.float32({text.removesuffix('.0')})"

    def _one(self) -> str:
        return self._number(Fraction(1), 0)

    def _zero(self) -> str:
        return self._number(Fraction(0), 0)

    def _access(self, access: Access) -> str:
        symbol = access.symbol
        if is_one_hot(symbol):
            *unit, state = access.positions
            code = self._element(symbol, tuple(unit))
            return f"({self._one()} if {code} == {self._side(state)} else {self._zero()})"
        if not access.positions and symbol.name in self.names.locals | self.numbers:
            return self.array(symbol.name)
        return self._element(symbol, access.positions)

    def _element(self, symbol: Symbol, positions: tuple[Position, ...], name: str | None = None) -> str:
        """An element of a symbol's array, or of the array ``name`` of the same shape."""
        inside = [self.example] * is_per_example(symbol) + [self.place(symbol, k, p) for k, p in enumerate(positions)]
        return f"{self.array(name or symbol.name)}[{', '.join(inside) or '0'}]"

    def place(self, symbol: Symbol, k: int, position: Position) -> str:
        """The position on an axis; one with an offset wraps round it, unless it is known to lie inside."""
        text = self._position(position)
        if position.is_plain or shifted_index(position) in self.inside:
            return text
        axis = (symbol.name, k)
        wrapped = f"{self.helper('wrap')}({text}, {self.extent(self.axes.get(axis, axis))})"
        return self.places.get(wrapped, wrapped)

    def row(self, symbol: Symbol, positions: tuple[Position, ...]) -> str:
        """A row along the last axis of a symbol's array."""
        return self._element(symbol, positions)

    def _position(self, position: Position) -> str:
        parts = [self._atom(atom) if c == 1 else f"{c} * {self._atom(atom)}" for atom, c in position.terms]
        if position.offset or not parts:
            parts.append(str(position.offset))
        return " + ".join(parts).replace("+ -", "- ")

    def _atom(self, atom: Atom) -> str:
        match atom:
            case Index():
                return self.index(atom)
            case Length(symbol, axis):
                return self.extent(self.axes[symbol, axis])
            case Lookup(table, positions):
                return f"np.int64({self._element(table, positions)})"
            case Quotient(position, divisor):
                text = self._position(position)
                return f"({text if position.is_plain else f'({text})'} // {divisor})"

    def _relations(self, relations: tuple[Compare, ...]) -> str:
        return " and ".join(f"{self._side(r.left)} {r.operator} {self._side(r.right)}" for r in relations)

    def _side(self, position: Position) -> str:
        """A side of a relation: the place of an index, wrapped if it has an offset."""
        text, index = self._position(position), shifted_index(position)
        if index is None or index.extent not in self.periodic or not position.offset:
            return text
        return f"{self.helper('wrap')}({text}, {self.extent(self.axes[index.extent])})"

    def _power(self, base: Scalar, exponent: Fraction, level: int) -> str:
        if exponent == 2:
            inner = self.scalar(base, 2)
            text = f"{inner} * {inner}"
        elif exponent == -1:
            text = f"{self._one()} / {self.scalar(base, 2)}"
        elif exponent == Fraction(1, 2):
            return f"np.sqrt({self.scalar(base)})"
        else:
            text = f"{self.scalar(base, 2)} ** {self._number(exponent, 1)}"
        return f"({text})" if level else text

    def _call(self, name: str, argument: Scalar) -> str:
        if name in _LIBRARY:
            return f"{_LIBRARY[name]}({self.scalar(argument)})"
        if name == "step":
            return f"({self._one()} if {self.scalar(argument)} > 0 else {self._zero()})"
        return f"{self.helper(name)}({self.scalar(argument)})"
