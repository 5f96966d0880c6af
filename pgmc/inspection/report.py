"""The report of a program: what was declared, what was found and why, and what was generated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from pgmc.inspection.equations import Equation, Equations, equation_html
from pgmc.ir.answers import ConditionalLaw
from pgmc.ir.model import Model
from pgmc.ir.symbols import Constant, Intermediate, Parameter, Symbol, describe_domain, shape_of

if TYPE_CHECKING:
    import networkx as nx

    from pgmc.analysis.blocks import Block
    from pgmc.analysis.structure import Structure
    from pgmc.compiler import KernelOrigin

WIDTH = 108
HEAD = 14


@dataclass(frozen=True, slots=True)
class KernelNote:
    """A kernel of the program: the query it answers, where it came from, and how long that took."""

    name: str
    query: str
    origin: KernelOrigin
    seconds: float | None = None

    def __str__(self) -> str:
        took = "" if self.seconds is None else f" in {self.seconds:.2f} s"
        return f"{self.origin}{took}"


@dataclass(frozen=True, slots=True, repr=False)
class ProgramReport:
    """All that a report shows. ``print`` gives the terminal form, a notebook the HTML form."""

    model: Model
    dtype: str
    backend: str
    structure: Structure
    blocks: tuple[Block, ...]
    equations: Equations
    kernels: tuple[KernelNote, ...] = ()
    graph: nx.Graph | None = None

    def __str__(self) -> str:
        return print_program(self)

    def __repr__(self) -> str:
        return f"<ProgramReport of {headline(self)}>"

    def html(self) -> str:
        """A page of HTML that needs nothing else."""
        return f"<!DOCTYPE html>\n<meta charset='utf-8'>\n<title>{escape(self.model.name)}</title>\n{_html(self)}\n"

    def _repr_html_(self) -> str:
        return _html(self)


def print_program(report: ProgramReport) -> str:
    """The terminal report."""
    lines = [headline(report), ""]
    for head, rows in _sections(report):
        for k, row in enumerate(rows):
            wrapped = wrap_equation(row, WIDTH - HEAD)
            lines.append(f"{head if k == 0 else '':<{HEAD}}{wrapped[0]}")
            lines += [" " * (HEAD + 4) + line for line in wrapped[1:]]
    return "\n".join(lines)


def headline(report: ProgramReport) -> str:
    """The first line: the name, the amounts, and how the program runs."""
    model = report.model
    units = sum(count(v) for v in model.variables)
    numbers = sum(count(p) for p in model.parameters)
    return (
        f"{model.name}: {amount(len(model.variables), 'variable')} ({amount(units, 'unit')}), "
        f"{amount(len(model.parameters), 'parameter')} ({amount(numbers, 'number')}), "
        f"{report.dtype}, {report.backend}"
    )


def count(symbol: Symbol) -> int:
    """How many numbers the array of a symbol holds."""
    total = 1
    for size in shape_of(symbol):
        total *= size
    return total


def amount(number: int, noun: str) -> str:
    """``1 unit``, ``1 284 units`` (a narrow space between thousands)."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}".replace(",", "\u202f")


def _sections(report: ProgramReport) -> Iterable[tuple[str, list[str]]]:
    """Heads and rows, in the order in which a model becomes a program."""
    model = report.model
    yield "variables", _table(model.variables)
    yield "inputs", _table(model.inputs)
    yield "parameters", _table(model.parameters)
    yield "constants", _table([c for c in model.constants if c.shown is None])
    yield "structure", [str(report.structure)]
    yield "sweep", [f"{k + 1}. {block}" for k, block in enumerate(report.blocks)]
    for group, entries in report.equations.grouped():
        yield group, [str(entry) for entry in entries]
        if group == "conditionals":
            yield "families", _families(entries)
    width = max((len(kernel.name) for kernel in report.kernels), default=0)
    yield "kernels", [f"{kernel.name:<{width}}  {kernel.query}: {kernel}" for kernel in report.kernels]


def _families(entries: Sequence[Equation]) -> list[str]:
    """The family of each conditional, and why it is that one."""
    laws = [entry.answer for entry in entries if isinstance(entry.answer, ConditionalLaw)]
    width = max((len(law.target.name) for law in laws), default=0)
    return [": ".join((f"{law.target.name:<{width}}  {law.family}", *law.reasons)) for law in laws]


def _table(symbols: Sequence[Symbol]) -> list[str]:
    rows = [(s.name, describe_symbol(s), " × ".join(map(str, shape_of(s))) or "scalar") for s in symbols]
    widths = [max((len(row[k]) for row in rows), default=0) for k in range(2)]
    return [f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {shape}" for name, kind, shape in rows]


def describe_symbol(symbol: Symbol) -> str:
    """The domain of a variable or input, the constraints of a parameter."""
    if isinstance(symbol, Constant | Intermediate):
        return "constant" if isinstance(symbol, Constant) else "definition"
    if isinstance(symbol, Parameter):
        names = ("symmetric", "zero_diagonal", "positive", "masked", "fixed")
        held = [name.replace("_", " ") for name in names if getattr(symbol.constraint, name)]
        return ", ".join(held) or "free"
    return describe_domain(symbol)


def wrap_equation(text: str, width: int) -> list[str]:
    """The text in lines of at most ``width`` where it can be broken: before a sign, else between words."""
    lines: list[str] = []
    while len(text) > width:
        places = [k for k in range(width, 0, -1) if text[k : k + 3] in (" + ", " - ")]
        place = next(iter(places), 0) or text.rfind(" ", 0, width + 1)
        if place <= 0:
            break
        lines.append(text[:place])
        text = text[place + 1 :]
        width -= 4 * (len(lines) == 1)
    return [*lines, text]


# ---- HTML --------------------------------------------------------------------------------------------------

HEAD_STYLE = "text-align: left; vertical-align: top; font-weight: 600; padding: 6px 20px 6px 0; white-space: nowrap"
CELL_STYLE = "text-align: left; padding: 6px 0"
MONO = "font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 13px; white-space: pre-wrap"


def _html(report: ProgramReport) -> str:
    rows = "\n".join(_html_rows(report))
    drawing = ""
    if report.graph is not None:
        from pgmc.inspection.diagrams import draw_graph

        drawing = draw_graph(report.graph)
    return (
        '<div class="pgmc-program" style="font-family: ui-sans-serif, system-ui, sans-serif; line-height: 1.45">\n'
        f'<p style="font-size: 16px; font-weight: 600">{escape(headline(report))}</p>\n{drawing}\n'
        f'<table style="border-collapse: collapse">\n{rows}\n</table>\n</div>'
    )


def _html_rows(report: ProgramReport) -> Iterable[str]:
    equations: dict[str, list[Equation]] = dict(report.equations.grouped())
    for head, rows in _sections(report):
        entries = equations.get(head)
        cells = [equation_html(e) for e in entries] if entries else [_mono(row) for row in rows]
        for k, cell in enumerate(cells):
            th = f'<th style="{HEAD_STYLE}">{escape(head) if k == 0 else ""}</th>'
            yield f'<tr>{th}<td style="{CELL_STYLE}">{cell}</td></tr>'


def _mono(text: str) -> str:
    return f'<span style="{MONO}">{escape(text)}</span>'
