"""Printing as LaTeX: the spelling of ``pgmc.ir.printer`` in another notation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from pgmc.ir.answers import ConditionalLaw, Quantity
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import Scalar, Sum
from pgmc.ir.printer import Printer
from pgmc.ir.spelling import Level, Piece
from pgmc.ir.symbols import Constant, Symbol

# fmt: off
GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda",
    "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma",
    "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
})
# fmt: on
BUILT_IN = frozenset({"exp", "log", "tanh", "cos", "sin"})
RELATION_SIGNS = {"==": "=", "!=": r"\neq", "<": "<", ">": ">", "<=": r"\leq"}
LETTER_WITH_TAIL = re.compile(r"([A-Za-z]|[A-Z]?[a-z]+)(?:_?(\d+)|_(\w+))")


def latex_name(name: str) -> str:
    """A name as a LaTeX symbol: ``theta`` is θ, ``h1`` is h with (1) above, other words stand upright."""
    if len(name) == 1:
        return name
    if name in GREEK:
        return "\\" + name
    match = LETTER_WITH_TAIL.fullmatch(name)
    if match and (len(match[1]) == 1 or match[1] in GREEK):
        head = match[1] if len(match[1]) == 1 else "\\" + match[1]
        return f"{head}^{{({match[2]})}}" if match[2] else f"{head}^{{{latex_name(match[3])}}}"
    return r"\mathrm{" + name.replace("_", r"\_") + "}"


class LatexPrinter(Printer):
    """LaTeX for mathematics mode, without environments."""

    times = r" \, "
    bar = r" \mid "
    proportional = r"\propto"
    pi = r"\pi"

    def name(self, symbol: Symbol) -> str:
        """The name of a symbol; an anonymous constant shows its value."""
        if isinstance(symbol, Constant) and symbol.shown:
            return latex_value(symbol.shown)
        return latex_name(symbol.name)

    def element(self, symbol: Symbol, positions: Sequence[str]) -> Piece:
        """One element of a symbol's array."""
        name = self.name(symbol)
        negative = name.startswith("-")
        text = name.removeprefix("-") + (f"_{{{join_indices(positions)}}}" if positions else "")
        return Piece(text, Level.POWER if "^" in name else Level.ATOM, negative)

    def multiple(self, coefficient: int, index: str) -> str:
        """A multiple of an index in a position, without its sign."""
        return index if coefficient == 1 else f"{coefficient}{index}"

    def length(self, symbol: str, axis: int) -> str:
        """The length of an axis of a symbol; axis -1 is its number of states."""
        return rf"|{latex_name(symbol)}|" + (f"_{{{axis}}}" if axis else "")

    def block(self, place: str, length: int) -> str:
        """The number of the block of a length that a place lies in."""
        return rf"\lfloor {place} / {length} \rfloor"

    def brackets(self, text: str) -> str:
        """The text in brackets."""
        return rf"\left({text}\right)"

    def function(self, name: str, argument: str) -> Piece:
        """A function of an argument."""
        if name == "sqrt":
            return Piece(rf"\sqrt{{{argument}}}", Level.ATOM)
        heads = {"sigmoid": r"\sigma", "Normal": r"\mathcal{N}", "lgamma": r"\log \Gamma", "digamma": r"\psi"}
        head = heads.get(name, "\\" + name if name in BUILT_IN else rf"\operatorname{{{name}}}")
        return Piece(head + self.brackets(argument), Level.ATOM)

    def series(self, indices: Sequence[str]) -> str:
        """The sign of a sum over indices."""
        return rf"\sum_{{{join_indices(indices)}}} "

    def series_without(self, index: str, other: str) -> str:
        """The sign of a sum over an index but for one place."""
        return rf"\sum_{{{index} \neq {other}}} "

    def log_sum_exp(self, series: str, body: str) -> str:
        """The logarithm of a sum of exponentials."""
        return rf"\log {series}\exp{self.brackets(body)}"

    def mean(self, body: str) -> str:
        """The mean over examples."""
        return rf"\left\langle {body} \right\rangle"

    def condition(self, relations: Sequence[tuple[str, str, str]]) -> str:
        """An Iverson bracket."""
        return rf"\left[{', '.join(f'{a} {RELATION_SIGNS[sign]} {b}' for a, sign, b in relations)}\right]"

    def power(self, base: str, exponent: Fraction) -> Piece:
        """A power with an exponent that is neither negative nor a half."""
        return Piece(f"{base}^{{{exponent}}}", Level.POWER)

    def prime(self, name: str, count: int) -> str:
        """The name of an index that must be told apart from ``count`` others of the same name."""
        return (latex_name(name) if name in GREEK or len(name) == 1 else rf"\mathit{{{name}}}") + "'" * count

    def number(self, value: Fraction) -> Piece:
        """A literal."""
        if value.denominator == 1:
            return Piece(str(abs(value)), Level.ATOM, value < 0)
        return Piece(rf"\frac{{{abs(value.numerator)}}}{{{value.denominator}}}", Level.PRODUCT, value < 0)

    def product(self, factors: Sequence[str]) -> str:
        """A product; a digit after the first factor needs a visible sign."""
        text = factors[0]
        for factor in factors[1:]:
            text += (r" \cdot " if factor[:1].isdigit() else self.times) + factor
        return text

    def quotient(self, numerator: Piece, denominator: Piece) -> str:
        """A quotient of unsigned pieces."""
        return rf"\frac{{{numerator.text}}}{{{denominator.text}}}"

    def derivative(self, of: str, by: str, order: int = 1) -> str:
        """A partial derivative."""
        if order == 2:
            return rf"\frac{{\partial^2 {of}}}{{\partial {by}^2}}"
        return rf"\frac{{\partial {of}}}{{\partial {by}}}"

    def aside(self, words: str) -> str:
        """Words after an equation."""
        words = words.replace("∝", r"$\propto$").replace("×", r"$\times$")
        return rf" \quad \text{{({words})}}"

    def word(self, text: str) -> str:
        """A word of plain language."""
        return rf"\text{{{text} }}"

    def others(self, symbol: Symbol, indices: Sequence[str], relation: str = "!=") -> str:
        """Every unit of a variable but one, or every one before or behind it."""
        own = join_indices(indices)
        return rf"{self.name(symbol)}_{{{RELATION_SIGNS[relation]} {own if len(indices) == 1 else f'({own})'}}}"


class AlignedPrinter(LatexPrinter):
    """LaTeX for one line of an ``aligned`` environment."""

    def relation(self, left: str, sign: str, right: str) -> str:
        """An equation."""
        return f"{left} &{sign} {right}"


def latex_value(text: str) -> str:
    """A float as LaTeX: an exponent becomes a power of ten."""
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"


def latex_text(text: str) -> str:
    """Words within mathematics. Superscripts and other signs of the plain printer are left as they are."""
    special = {"\\": r"\backslash ", "{": r"\{", "}": r"\}", "_": r"\_", "^": r"\^{}", "~": r"\~{}"}
    special |= {sign: "\\" + sign for sign in "#$%&"}
    return r"\text{" + "".join(special.get(c, c) for c in text) + "}"


def join_indices(names: Sequence[str]) -> str:
    """Indices side by side, with commas where one is more than a letter."""
    return ("" if all(len(name.rstrip("'")) == 1 for name in names) else ", ").join(names)


def latex_scalar(node: Scalar) -> str:
    """The expression in LaTeX."""
    return LatexPrinter().scalar(node)


def latex_term(term: EnergyTerm) -> str:
    """One summand of an energy in LaTeX."""
    return LatexPrinter().scalar(Sum(term.body, term.over))


def latex_model(model: Model) -> str:
    """The energy of a model in LaTeX."""
    return LatexPrinter().model(model)


def latex_quantity(quantity: Quantity, derivative_of: str | None = None) -> str:
    """A quantity, or the derivative of another one by its parameter, in LaTeX."""
    return LatexPrinter().quantity(quantity, derivative_of)


def latex_conditional(law: ConditionalLaw) -> str:
    """The law of one unit in LaTeX."""
    return LatexPrinter().conditional(law)
