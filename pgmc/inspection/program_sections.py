"""The sections of a report that a compiled model has by itself: specification, graph, sweep, equations, code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pgmc.inspection.diagrams import draw_graph
from pgmc.inspection.equations import Equation, Equations, Group, equation_html
from pgmc.inspection.explanations import explain_query
from pgmc.inspection.highlight import highlight
from pgmc.inspection.page import Block, Code, Drawing, Facts, Formula, Formulas, Section, Table, Text
from pgmc.inspection.report import amount, count, describe_symbol
from pgmc.ir.model import Model
from pgmc.ir.queries import Conditional, FreeEnergy, Query
from pgmc.ir.query_text import describe_query
from pgmc.ir.symbols import Symbol, shape_of

if TYPE_CHECKING:
    from pgmc.compiler import Compiler

GROUPS: dict[Group, str] = {
    "definitions": "Named values",
    "factors": "Directed factors",
    "energy": "Energy",
    "conditionals": "Conditionals",
    "free energy": "Free energies",
    "scores": "Scores",
    "adjoints": "Adjoints of named values",
    "gradients": "Gradients",
    "refused": "What has no closed form, and why",
}


def specification_section(model: Model, spec: str | None) -> Section:
    """What was declared; ``spec`` is the Python that did it, if that is known."""
    blocks: list[Block] = (
        [Code("model(**sizes)", highlight(spec.strip()), "as it was written", is_open=True)] if spec else []
    )
    rows = [(s.name, kind, describe_symbol(s), _shape(s)) for kind, symbols in _symbols(model) for s in symbols]
    blocks.append(Table(("name", "", "values", "shape"), rows, words=True))
    return Section("Specification", blocks)


def graph_section(compiler: Compiler) -> Section:
    """The graph of the variables, and what a sweep makes of it."""
    structure = compiler.structure
    blocks = [str(block) for block in compiler.blocks()]
    facts = [("structure", [str(structure)]), ("a sweep updates", [f"{k + 1}. {b}" for k, b in enumerate(blocks)])]
    return Section("Graph and blocks", [Drawing(draw_graph(compiler.graph)), Facts(facts)])


def equations_section(compiler: Compiler, equations: Equations) -> Section:
    """Everything derived, and of conditionals and free energies the steps that led to them."""
    blocks: list[Block] = []
    for group, entries in equations.grouped():
        if group == "refused":
            blocks += [Text(str(entry), head=GROUPS[group] if k == 0 else "") for k, entry in enumerate(entries)]
        else:
            blocks.append(Formulas([_formula(compiler, entry) for entry in entries], head=GROUPS[group]))
    return Section("Equations", blocks)


def source_section(compiler: Compiler, queries: Sequence[Query]) -> Section:
    """The generated module of each query, to be opened."""
    made = ((describe_query(query), compiler.stages(query).module) for query in queries)
    codes = [Code(module.name, highlight(module.source), query) for query, module in made]
    return Section("Generated code", [Text("One module for each kernel, headed by what it computes."), *codes])


def lead(compiler: Compiler) -> str:
    """The structure and the amounts in one line."""
    model = compiler.model
    units = sum(count(v) for v in model.variables)
    numbers = sum(count(p) for p in model.parameters)
    return (
        f"{compiler.structure.name}; {amount(len(model.variables), 'variable')} with {amount(units, 'unit')}, "
        f"{amount(len(model.parameters), 'parameter')} with {amount(numbers, 'number')}; {compiler.dtype}"
    )


def _formula(compiler: Compiler, entry: Equation) -> Formula:
    query: Query | None = None
    if entry.group == "conditionals":
        query = Conditional(entry.name)
    elif entry.group == "free energy":
        names = entry.name.removeprefix("free_energy(").removesuffix(")")
        query = FreeEnergy(tuple(name for name in names.split(", ") if name))
    steps = None if query is None else explain_query(compiler, query)
    return Formula(equation_html(entry), "" if steps is None else steps._repr_html_())


def _symbols(model: Model) -> Iterable[tuple[str, Sequence[Symbol]]]:
    yield "variable", model.variables
    yield "input", model.inputs
    yield "parameter", model.parameters
    yield "constant", [c for c in model.constants if c.shown is None]


def _shape(symbol: Symbol) -> str:
    return " × ".join(map(str, shape_of(symbol))) or "scalar"
