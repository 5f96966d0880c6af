"""How each construct of an expression is spelled on one line; another notation overrides these methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

from pgmc.ir.symbols import Constant, Intermediate, Symbol


class Level(IntEnum):
    """How tightly a piece of text holds together; it is bracketed where something tighter is needed."""

    SUM = 1  # a + b
    SERIES = 2  # Σ_i a[i]: fits where a product does, but swallows every factor to its right
    PRODUCT = 3  # a·b
    POWER = 4  # x²
    ATOM = 5  # x, f(x)


@dataclass(frozen=True, slots=True)
class Piece:
    """Text without its sign."""

    text: str
    level: Level
    negative: bool = False


RELATION_SIGNS = {"==": "=", "!=": "≠", "<": "<", ">": ">", "<=": "≤"}
FUNCTION_NAMES = {"sigmoid": "σ", "sqrt": "√", "lgamma": "log Γ", "digamma": "ψ"}
SUBSCRIPTS = str.maketrans("-0123456789", "₋₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Spelling:
    """The spelling in Unicode."""

    times = "·"
    bar = " | "
    every = ":"
    proportional = "∝"
    pi = "π"

    def name(self, symbol: Symbol) -> str:
        """The name of a symbol; an anonymous constant shows its value."""
        return (isinstance(symbol, Constant | Intermediate) and symbol.shown) or symbol.name

    def element(self, symbol: Symbol, positions: Sequence[str]) -> Piece:
        """One element of a symbol's array."""
        name = self.name(symbol)
        text = f"{name}[{','.join(positions)}]" if positions else name
        return Piece(text.removeprefix("-"), Level.ATOM, text.startswith("-"))

    def multiple(self, coefficient: int, index: str) -> str:
        """A multiple of an index in a position, without its sign."""
        return index if coefficient == 1 else f"{coefficient}{self.times}{index}"

    def length(self, symbol: str, axis: int) -> str:
        """The length of an axis of a symbol; axis -1 is its number of states."""
        return f"|{symbol}|" + (str(axis).translate(SUBSCRIPTS) if axis else "")

    def block(self, place: str, length: int) -> str:
        """The number of the block of a length that a place lies in."""
        return f"⌊{place}/{length}⌋"

    def brackets(self, text: str) -> str:
        """The text in brackets."""
        return f"({text})"

    def function(self, name: str, argument: str) -> Piece:
        """A function of an argument."""
        return Piece(f"{FUNCTION_NAMES.get(name, name)}({argument})", Level.ATOM)

    def series(self, indices: Sequence[str]) -> str:
        """The sign of a sum over indices."""
        single = all(len(name.rstrip("′")) == 1 for name in indices)
        if single or len(indices) == 1:
            return f"Σ_{''.join(indices)} "
        return f"Σ_{{{','.join(indices)}}} "

    def series_without(self, index: str, other: str) -> str:
        """The sign of a sum over an index but for one place."""
        return f"Σ_{{{index}≠{other}}} "

    def log_sum_exp(self, series: str, body: str) -> str:
        """The logarithm of a sum of exponentials."""
        return f"log {series}exp({body})"

    def mean(self, body: str) -> str:
        """The mean over examples."""
        return f"⟨{body}⟩"

    def condition(self, relations: Sequence[tuple[str, str, str]]) -> str:
        """An Iverson bracket."""
        return f"[{', '.join(f'{a} {RELATION_SIGNS[sign]} {b}' for a, sign, b in relations)}]"

    def power(self, base: str, exponent: Fraction) -> Piece:
        """A power with an exponent that is neither negative nor a half."""
        if exponent.denominator == 1:
            return Piece(base + str(exponent.numerator).translate(SUPERSCRIPTS), Level.POWER)
        return Piece(f"{base}^({exponent})", Level.POWER)

    def prime(self, name: str, count: int) -> str:
        """The name of an index that must be told apart from ``count`` others of the same name."""
        return name + "′" * count

    def number(self, value: Fraction) -> Piece:
        """A literal."""
        level = Level.ATOM if value.denominator == 1 else Level.PRODUCT
        return Piece(str(abs(value)), level, value < 0)

    def product(self, factors: Sequence[str]) -> str:
        """A product."""
        return self.times.join(factors)

    def quotient(self, numerator: Piece, denominator: Piece) -> str:
        """A quotient of unsigned pieces."""
        return f"{self.fit(numerator, Level.PRODUCT)}/{self.fit(denominator, Level.POWER)}"

    def relation(self, left: str, sign: str, right: str) -> str:
        """An equation."""
        return f"{left} {sign} {right}"

    def derivative(self, of: str, by: str, order: int = 1) -> str:
        """A partial derivative."""
        return f"∂{of}/∂{by}" if order == 1 else f"∂²{of}/∂{by}²"

    def aside(self, words: str) -> str:
        """Words after an equation."""
        return f", {words}"

    def word(self, text: str) -> str:
        """A word of plain language."""
        return text

    def others(self, symbol: Symbol, indices: Sequence[str], relation: str = "!=") -> str:
        """Every unit of a variable but one, or every one before or behind it."""
        own = ",".join(indices)
        return f"{self.name(symbol)}[{RELATION_SIGNS[relation]}{own if len(indices) == 1 else f'({own})'}]"

    def fit(self, piece: Piece, level: Level) -> str:
        """The text of a piece where at least ``level`` is needed."""
        if piece.negative:
            return self.brackets("-" + piece.text) if level > Level.SUM else "-" + piece.text
        return self.brackets(piece.text) if piece.level < level else piece.text
