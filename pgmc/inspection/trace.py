"""Every stage of one query, from the specification to the source, as one report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from pgmc.codegen.outline import outline
from pgmc.inspection.highlight import highlight
from pgmc.inspection.markup import preformatted
from pgmc.ir.answers import ConditionalLaw, SweepSchedule
from pgmc.ir.canonical import canonical_text, digest
from pgmc.ir.definitions import definition_quantities
from pgmc.ir.model import Model
from pgmc.ir.printer import print_term
from pgmc.ir.queries import Query
from pgmc.ir.query_text import describe_query
from pgmc.ir.symbols import Input, Variable, describe_domain, shape_of

if TYPE_CHECKING:
    import networkx as nx

    from pgmc.compiler import Compiler

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Stage:
    """What one part of the compiler made: its name, the folder of ``pgmc/`` that did it, and the result as text."""

    name: str
    folder: str
    does: str
    text: str
    is_python: bool = False

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Trace(Mapping[str, Stage]):
    """The stages of a query in order; ``trace["blocks"]`` is one of them.

    ``print`` shows all, a notebook as sections that open; ``html()`` is a page of its own.
    """

    model: str
    query: str
    stages: tuple[Stage, ...]
    _by_name: dict[str, Stage] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update((stage.name, stage) for stage in self.stages)

    def __getitem__(self, name: str) -> Stage:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"<Trace of {self.query} of {self.model}: {', '.join(self)}>"

    def __str__(self) -> str:
        parts = [f"{self.model}: {self.query}"]
        for k, stage in enumerate(self.stages):
            head = f"{k + 1}. {stage.name} "
            parts.append(f"{head}{'─' * (WIDTH - len(head))}\n{stage.folder}: {stage.does}\n\n{stage.text}")
        return "\n\n".join(parts)

    def html(self) -> str:
        """A page of HTML that needs nothing else."""
        title = escape(f"{self.model}: {self.query}")
        head = "<meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        return f"<!DOCTYPE html>\n<html lang='en'>{head}\n<title>{title}</title>\n{self._repr_html_()}\n</html>\n"

    def _repr_html_(self) -> str:
        sections = "\n".join(_section(k + 1, stage) for k, stage in enumerate(self.stages))
        title = escape(f"{self.model}: {self.query}")
        style = "font-family: ui-sans-serif, system-ui, sans-serif; line-height: 1.45"
        return f'<div class="pgmc-trace" style="{style}">\n<p><b>{title}</b></p>\n{sections}\n</div>'


def _section(number: int, stage: Stage) -> str:
    content = highlight(stage.text) if stage.is_python else preformatted(stage.text)
    head = f"<b>{number}. {escape(stage.name)}</b> <code>{escape(stage.folder)}</code> {escape(stage.does)}"
    summary = f'<summary style="cursor: pointer; padding: 4px 0">{head}</summary>'
    return f'<details open="open">{summary}<div style="overflow-x: auto; padding: 4px 0 12px">{content}</div></details>'


def trace_query(compiler: Compiler, query: Query) -> Trace:
    """All stages of the kernel of a query.

    Raises
    ------
    IntractableError
        If the query has no exact answer.
    """
    model = compiler.model
    made = compiler.stages(query)
    answer = made.answer
    how = "the updates of one sweep, in order" if isinstance(answer, SweepSchedule) else "what is computed"
    stages = (
        Stage("specification", "pgmc/dsl", "what was declared, and where", _specification(model)),
        Stage(
            "representation", "pgmc/ir", f"canonical, without sizes; digest {digest(model)[:12]}", canonical_text(model)
        ),
        Stage("graph", "pgmc/analysis", "which variables interact, and through which terms", _graph(compiler.graph)),
        Stage("blocks", "pgmc/analysis", str(compiler.structure), _blocks(compiler)),
        Stage("derivation", "pgmc/derivation", "the law of each unit, and why it is of its family", _laws(compiler)),
        Stage("schedule", "pgmc/schedule", how, str(answer)),
        Stage("array program", "pgmc/codegen", "steps over whole arrays", str(made.array_program)),
        Stage("loop program", "pgmc/codegen", "loops, buffers and products of matrices", outline(made.loop_program)),
        Stage("source", "pgmc/codegen", "the module that is compiled", made.module.source, is_python=True),
    )
    return Trace(model.name, describe_query(query), stages)


def _specification(model: Model) -> str:
    lines = []
    for symbol in model.symbols:
        kind = describe_domain(symbol) if isinstance(symbol, Variable | Input) else type(symbol).__name__.lower()
        shape = " × ".join(map(str, shape_of(symbol))) or "scalar"
        lines.append((symbol.name, kind, shape, str(symbol.origin or "")))
    for term in model.terms:
        origin = f"factor of {term.child}" if term.child else str(term.origin or "")
        lines.append(("energy", print_term(term), "", origin))
    for named in definition_quantities(model):
        lines.append(("definition", str(named), "", ""))
    widths = [min(60, max((len(line[k]) for line in lines), default=0)) for k in range(3)]
    return "\n".join(
        "  ".join((*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[3])).rstrip()
        for line in lines
    )


def _graph(graph: nx.Graph) -> str:
    lines = [f"{name}: {data['kind']}" for name, data in graph.nodes(data=True)]
    for a, b, data in graph.edges(data=True):
        how = f" (coupling: {data['coupling']})" if "coupling" in data else ""
        lines.append(f"{a} — {b}{how}: {', '.join(data['terms'])}")
    return "\n".join(lines)


def _blocks(compiler: Compiler) -> str:
    eliminable = ", ".join(compiler.eliminable()) or "nothing"
    blocks = [f"{k + 1}. {block}" for k, block in enumerate(compiler.blocks())]
    return "\n".join((*blocks, f"summed out analytically: {eliminable}"))


def _laws(compiler: Compiler) -> str:
    laws = [compiler.law(variable.name) for variable in compiler.model.variables]
    return "\n".join(_law(law) for law in laws)


def _law(law: ConditionalLaw) -> str:
    return f"{law}\n    {law.family}: {'; '.join(law.reasons)}"
