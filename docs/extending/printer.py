# %% [markdown]
# # How to add a printer
#
# A printer knows precedence, signs and the names of indices; how each construct is spelled is said by small methods
# (`pgmc/ir/spelling.py`). Another notation is a class that overrides these and nothing else: LaTeX is one of them, in
# `pgmc/inspection/latex.py`.
#
# The skeleton below spells Typst, the markup language for documents. A `Piece` is text with how tightly it holds
# together (`Level`), so that brackets come where they are needed and nowhere else, and with its sign apart.

# %% The skeleton, to copy
from collections.abc import Sequence
from fractions import Fraction

import pgmc
from pgmc.ir.printer import Printer
from pgmc.ir.spelling import Level, Piece
from pgmc.ir.symbols import Symbol


class TypstPrinter(Printer):
    """Typst, for mathematics between dollar signs."""

    times = " "
    bar = " | "
    proportional = "prop"
    pi = "pi"

    def element(self, symbol: Symbol, positions: Sequence[str]) -> Piece:
        """One element of an array: ``W_(i j)``."""
        name = self.name(symbol)
        place = f"_({' '.join(positions)})" if positions else ""
        return Piece(name.removeprefix("-") + place, Level.ATOM, name.startswith("-"))

    def function(self, name: str, argument: str) -> Piece:
        """A function of an argument."""
        heads = {"sigmoid": "sigma", "Normal": "cal(N)", "lgamma": "log Gamma"}
        plain = name in ("exp", "log", "tanh", "sqrt", "cos")
        head = heads.get(name, name if plain else f'op("{name}")')
        return Piece(f"{head}({argument})", Level.ATOM)

    def series(self, indices: Sequence[str]) -> str:
        """The sign of a sum over indices."""
        return f"sum_({' '.join(indices)}) "

    def series_without(self, index: str, other: str) -> str:
        """The sign of a sum over an index but for one place."""
        return f"sum_({index} != {other}) "

    def mean(self, body: str) -> str:
        """The mean over examples."""
        return f"lr(angle.l {body} angle.r)"

    def prime(self, name: str, count: int) -> str:
        """The name of an index that must be told apart from others."""
        return name + "'" * count

    def power(self, base: str, exponent: Fraction) -> Piece:
        """A power."""
        return Piece(f"{base}^({exponent})", Level.POWER)

    def number(self, value: Fraction) -> Piece:
        """A literal; a fraction holds together as a product does."""
        return Piece(str(abs(value)), Level.ATOM if value.denominator == 1 else Level.PRODUCT, value < 0)

    def derivative(self, of: str, by: str, order: int = 1) -> str:
        """A partial derivative."""
        power = "" if order == 1 else f"^{order}"
        return f"(partial{power} {of}) / (partial {by}{power})"

    def others(self, symbol: Symbol, indices: Sequence[str], relation: str = "!=") -> str:
        """Every unit of a variable but one, or every one before or behind it."""
        return f"{self.name(symbol)}_({relation} {' '.join(indices)})"

    def word(self, text: str) -> str:
        """A word of plain language."""
        return f'"{text}"'


# %% It prints everything that is derived from any model
m = pgmc.Model("example")
x, h = m.real("x", 4), m.binary("h", 3)
W, beta, L = m.param("W", (4, 3)), m.param("beta", 4, positive=True), m.param("L", (3, 3))
m.energy((beta * x**2).sum() / 2 - x @ W @ h - h @ L @ h)

for equation in pgmc.compile(m).equations().values():
    if equation.group != "refused":
        print(f"$ {equation.spell(TypstPrinter())} $")

# %% [markdown]
# ## What a test of it says
#
# Unlike a sampler, a notation has no oracle. What can be checked is that brackets are balanced and that nothing of the
# plain notation is left over, for every specification there is.

# %% No brackets open, no sign of another notation
from pgmc.cli.catalogue import find_spec, list_names

for name in list_names():
    for equation in pgmc.compile(find_spec(name).model()).equations().values():
        text = "" if equation.group == "refused" else equation.spell(TypstPrinter())
        assert text.count("(") == text.count(")"), text
        assert not set(text) & set("Σσ·²′∂⟨"), text
print("all equations of the catalogue are printed")

# %% [markdown]
# Code is printed in the same manner, by classes that read the array program (`pgmc/codegen/numpy_printer.py`) or the
# loop program (`numba_printer.py`), with one method for each kind of step or statement:
# [what these are](../stages/code.md).
