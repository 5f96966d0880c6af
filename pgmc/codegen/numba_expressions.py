"""The text of scalar expressions as Numba reads them, and the names that stand in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from pgmc.analysis.axes import AxisName
from pgmc.codegen.array_program import EXAMPLES
from pgmc.codegen.expression_text import LIBRARY, Level, split_brackets, split_sign
from pgmc.codegen.lanes import is_lanes
from pgmc.codegen.loop_program import Listing
from pgmc.codegen.names import NameRegistry
from pgmc.codegen.prelude import Dtype
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
from pgmc.ir.symbols import Symbol, axis_name, is_one_hot, is_per_example


@dataclass(slots=True)
class NumbaExpressions:
    """Prints expressions and remembers which arguments and helpers they mention.

    ``aliases`` are the names in the source of the model's symbols, ``numbers`` the symbols passed as plain numbers,
    ``axes`` the representative of every axis, whose length is an argument. An array without axes that the kernel fills
    has one element.
    """

    names: NameRegistry
    dtype: Dtype
    extents: dict[AxisName, str] = field(default_factory=dict)
    sites: dict[str, str] = field(default_factory=dict)
    masks: dict[str, str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    listings: dict[Listing, tuple[str, str]] = field(default_factory=dict)
    helpers: dict[str, None] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()
    axes: Mapping[AxisName, AxisName] = field(default_factory=dict)
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

    def scalar(self, node: Scalar, level: Level = Level.SUM) -> str:
        """The text of an expression that holds together as tightly as ``level``."""
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
                    text += f" {'-' if minus else '+'} {self.scalar(positive, Level.PRODUCT)}"
                return f"({text})" if level else text
            case Mul(factors) if any(_keeps_inside(factor) for factor in factors):
                return self._guarded(factors)
            case Mul(factors):
                minus, positive = split_sign(node)
                if minus:
                    text = f"-{self.scalar(positive, Level.ATOM)}"
                    return f"({text})" if level else text
                text = " * ".join(self.scalar(f, Level.ATOM if k else Level.PRODUCT) for k, f in enumerate(factors))
                return f"({text})" if level is Level.ATOM else text
            case Pow(base, exponent):
                return self._power(base, exponent, level)
            case Call(name, argument):
                return self._call(name, argument)
            case Bracket(relations):
                return f"({self._one()} if {self._relations(relations)} else {self._zero()})"
            case _:
                raise InternalError(f"no text for {type(node).__name__} in a loop. Please report it.")

    def _guarded(self, factors: tuple[Scalar, ...]) -> str:
        """A product with conditions: where they fail, the rest is not looked at, for its places may lie outside."""
        relations, rest = split_brackets(factors)
        return f"({self.scalar(rest)} if {self._relations(relations)} else {self._zero()})"

    def _number(self, value: Fraction, level: Level) -> str:
        text = repr(float(value))
        if self.dtype == "float64":
            return f"({text})" if value < 0 and level else text
        return f"np.float32({text.removesuffix('.0')})"

    def _one(self) -> str:
        return self._number(Fraction(1), Level.SUM)

    def _zero(self) -> str:
        return self._number(Fraction(0), Level.SUM)

    def _access(self, access: Access) -> str:
        symbol = access.symbol
        if is_one_hot(symbol):
            *unit, state = access.positions
            code = self._element(symbol, tuple(unit))
            return f"({self._one()} if {code} == {self._position(state)} else {self._zero()})"
        if not access.positions and symbol.name in self.names.locals | self.numbers:
            return self.array(symbol.name)
        element = self._element(symbol, access.positions)
        return f"np.{self.dtype}({element})" if is_lanes(symbol) else element

    def _element(self, symbol: Symbol, positions: tuple[Position, ...], name: str | None = None) -> str:
        """An element of a symbol's array, or of the array ``name`` of the same shape."""
        inside = [self.example] * is_per_example(symbol) + [self.place(symbol, k, p) for k, p in enumerate(positions)]
        return f"{self.array(name or symbol.name)}[{', '.join(inside) or '0'}]"

    def place(self, symbol: Symbol, k: int, position: Position) -> str:
        """The position on an axis; one with an offset wraps round it, unless it is known to lie inside."""
        text = self._position(position)
        if position.is_plain or symbol.axes[k].boundary == "open" or shifted_index(position) in self.inside:
            return text
        return self._wrapped(text, axis_name(symbol, k))

    def _wrapped(self, text: str, axis: AxisName) -> str:
        wrapped = f"{self.helper('wrap')}({text}, {self.extent(self.axes.get(axis, axis))})"
        return self.places.get(wrapped, wrapped)

    def row(self, symbol: Symbol, positions: tuple[Position, ...]) -> str:
        """A row along the last axis of a symbol's array."""
        return self._element(symbol, positions)

    def _position(self, position: Position) -> str:
        factors = {1: "", -1: "-"}
        parts = [f"{factors.get(c, f'{c} * ')}{self._atom(atom)}" for atom, c in position.terms]
        if position.offset or not parts:
            parts.append(str(position.offset))
        parts.sort(key=lambda part: part.startswith("-"))
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
        """Conditions that hold together; one that bounds a position from both sides is a chain."""
        texts: list[str] = []
        for relation in relations:
            left, right = (self._side(side, relation.around) for side in (relation.left, relation.right))
            if texts and texts[-1].endswith(f"<= {left}") and relation.operator == "<":
                texts[-1] += f" < {right}"
            else:
                texts.append(f"{left} {relation.operator} {right}")
        return " and ".join(texts)

    def _side(self, position: Position, around: AxisName | None) -> str:
        """A side of a relation, wrapped round the axis if there is one."""
        text = self._position(position)
        return text if around is None or position.is_plain else self._wrapped(text, around)

    def _power(self, base: Scalar, exponent: Fraction, level: Level) -> str:
        if exponent == 2:
            inner = self.scalar(base, Level.ATOM)
            text = f"{inner} * {inner}"
        elif exponent in (3, 4):
            square = self._power(base, Fraction(2), Level.PRODUCT)
            text = f"{square} * {square if exponent == 4 else self.scalar(base, Level.ATOM)}"
        elif exponent == -1:
            text = f"{self._one()} / {self.scalar(base, Level.ATOM)}"
        elif exponent == Fraction(1, 2):
            return f"np.sqrt({self.scalar(base)})"
        else:
            text = f"{self.scalar(base, Level.ATOM)} ** {self._number(exponent, Level.PRODUCT)}"
        return f"({text})" if level else text

    def _call(self, name: str, argument: Scalar) -> str:
        if name in LIBRARY:
            return f"{LIBRARY[name]}({self.scalar(argument)})"
        if name == "step":
            return f"({self._one()} if {self.scalar(argument)} > 0 else {self._zero()})"
        return f"{self.helper(name)}({self.scalar(argument)})"


def _keeps_inside(factor: Scalar) -> bool:
    """Whether the factor is a bracket with an inequality, outside of which the others may have no meaning."""
    return isinstance(factor, Bracket) and any(r.operator in ("<", "<=") for r in factor.relations)
