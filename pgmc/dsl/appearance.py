"""How a specification looks in a terminal and in a notebook."""

from __future__ import annotations

from html import escape

from pgmc.dsl.snapshot import kind_of
from pgmc.ir.model import Model
from pgmc.ir.symbols import Symbol, describe_domain, shape_of

MOST_NAMED = 6
"""Variables that a short description names."""


def describe_model(model: Model) -> str:
    """One line: ``rbm: v binary (784), h binary (500); 3 parameters, 3 terms``."""
    named = [f"{v.name} {describe_domain(v)} ({_shape(v)})" for v in model.variables[:MOST_NAMED]]
    named += ["…"] * (len(model.variables) > MOST_NAMED)
    amounts = ((len(model.parameters), "parameter"), (len(model.terms), "term"))
    counts = ", ".join(f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in amounts)
    return f"{model.name}: {', '.join(named) or 'no variables'}; {counts}"


def model_html(model: Model) -> str:
    """A table of the symbols and the energy below it; a compiled program shows the equations typeset."""
    rows = "".join(
        f"<tr>{_cell(symbol.name, 'th')}{_cell(kind_of(symbol))}{_cell(_shape(symbol))}</tr>"
        for symbol in model.symbols
    )
    lines = "\n".join(str(model).splitlines())
    return (
        f'<div class="pgmc-model"><p><b>{escape(model.name)}</b></p><table style="border-collapse: collapse">{rows}'
        f'</table><pre style="white-space: pre-wrap; background: none">{escape(lines)}</pre></div>'
    )


def _cell(text: str, tag: str = "td") -> str:
    return f'<{tag} style="text-align: left; padding: 2px 18px 2px 0">{escape(text)}</{tag}>'


def _shape(symbol: Symbol) -> str:
    return " × ".join(map(str, shape_of(symbol))) or "1"
