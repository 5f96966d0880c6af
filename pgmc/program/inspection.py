"""Methods of ``Program`` that show what was found, derived and generated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pgmc.errors import ArgumentError
from pgmc.inspection.highlight import Source
from pgmc.ir.answers import Computation, Quantity, Refusal
from pgmc.ir.queries import Conditional as ConditionalQuery
from pgmc.ir.queries import Energy, FreeEnergy, Gradient, MeanFieldUpdate, Query, Score, ScoreLoss, Sweep, kernel_name
from pgmc.ir.query_text import describe_query
from pgmc.ir.symbols import Positive, Real
from pgmc.program.arguments import check_choice, check_variables, parameter_names, variable_names
from pgmc.program.conditional import Conditional

if TYPE_CHECKING:
    from pgmc.inspection.derivation_steps import Derivation
    from pgmc.inspection.equations import Equation, Equations
    from pgmc.inspection.report import ProgramReport
    from pgmc.inspection.trace import Trace
    from pgmc.program.program import Program


def conditional(self: Program, name: str, without: Sequence[str] = ()) -> Conditional:
    """The law of each unit of a variable given all other units.

    Real variables named in ``without`` are integrated out.

    Raises
    ------
    ArgumentError
        If there is no variable of that name.
    """
    check_variables(self.model, "conditional", (name, *without))
    return Conditional(self.compiler, self.executable, name, tuple(without))


def free_energy_equation(self: Program, observed: Sequence[str]) -> Equation | Refusal:
    """F(observed) as an equation, or the reason why it has no closed form."""
    from pgmc.inspection.equations import collect_equations

    names = check_variables(self.model, "free_energy_equation", tuple(observed))
    answer = self.compiler.derive(FreeEnergy(names))
    if isinstance(answer, Refusal):
        return answer
    assert isinstance(answer, Computation)
    equations = collect_equations(self.model, free_energies={names: answer.quantities[0]})
    return equations[f"free_energy({', '.join(names)})"]


def gradient_equations(self: Program, observed: Sequence[str] | None = None) -> Equations:
    """∂E/∂θ for every parameter θ; with ``observed``, ∂F/∂θ of the free energy of those variables."""
    from pgmc.inspection.equations import collect_equations

    of = (
        Energy() if observed is None else FreeEnergy(check_variables(self.model, "gradient_equations", tuple(observed)))
    )
    gradients, named = _quantities(self, Gradient(of, parameter_names(self.model)))
    name = "energy" if observed is None else "free_energy"
    return collect_equations(self.model, gradients=gradients, gradient_of=name, named=named)


def score_equations(self: Program, observed: Sequence[str]) -> Equations | Refusal:
    """∂F/∂x and ∂²F/∂x² of the free energy of real or positive variables, and the loss of score matching.

    The reason why there are none, if a variable is discrete or the others cannot be summed out.
    """
    from pgmc.inspection.equations import Equations, score_entries

    names = check_variables(self.model, "score_equations", tuple(observed))
    of = _energy_of(self, names)
    answers = [self.compiler.derive(query) for query in (Score(of, names), Score(of, names, 2), ScoreLoss(of, names))]
    for answer in answers:
        if isinstance(answer, Refusal):
            return answer
    slopes, bends, (loss,) = (answer.quantities for answer in answers if isinstance(answer, Computation))
    return Equations(score_entries(_name_of(of), slopes, bends, loss))


def mean_field_equations(self: Program, observed: Sequence[str]) -> Computation | Refusal:
    """The fixed point of mean field given the observed variables, or the reason why there is none."""
    return self.compiler.fixed_point(check_variables(self.model, "mean_field_equations", tuple(observed)))


def equations(self: Program) -> Equations:
    """Everything derived: the energy, conditionals, free energies, scores and gradients, and what was refused."""
    from pgmc.inspection.equations import collect_equations

    free_energies, refusals = _free_energies(self)
    gradients, named = _quantities(self, Gradient(Energy(), parameter_names(self.model)))
    return collect_equations(
        self.model,
        laws=tuple(self.compiler.law(v.name) for v in self.model.variables),
        free_energies=free_energies,
        scores=_scores(self, tuple(free_energies)),
        gradients=gradients,
        named=named,
        refusals=refusals,
    )


def source(self: Program, query: Query | None = None, language: str = "numba") -> Source:
    """The generated Python of the sweep, the energy, the conditionals, the free energy and its gradients.

    It is a string; a notebook shows it in colours.

    Parameters
    ----------
    query : optional
        One query of ``pgmc.ir.queries`` whose kernel is wanted.
    language : {"numba", "numpy"}
        ``"numpy"`` shows the array program that the loops were made from.
    """
    check_choice("language", language, ("numba", "numpy"))
    queries = [query] if query is not None else usual_queries(self)
    if language == "numpy":
        return Source("\n\n".join(self.compiler.numpy_source(q) for q in queries))
    return Source("\n\n".join(self.compiler.stages(q).module.source for q in queries))


def explain(self: Program, what: str | Query) -> Derivation:
    """The steps that lead from the energy to an equation, or to the reason why there is none.

    Parameters
    ----------
    what
        A name of ``p.equations()``: ``"h"`` for the conditional of a unit of h, ``"free_energy(v)"``,
        ``"gradient(W)"``; or ``"mean_field(v)"``, given the observed variables; or a query of ``pgmc.ir.queries``.

    Raises
    ------
    ArgumentError
        If there is no such equation.

    Examples
    --------
    >>> print(p.explain("free_energy(v)"))
    """
    from pgmc.inspection.explanations import explain_query

    found = explain_query(self.compiler, _query_of(self, what) if isinstance(what, str) else what)
    if found is None:
        raise ArgumentError(f"explain: {what} is no derivation. Ask for a conditional, a free energy or a gradient.")
    return found


def _query_of(self: Program, name: str) -> Query:
    """The query that an equation of this name answers."""
    head, _, rest = name.partition("(")
    names = tuple(word.strip() for word in rest.removesuffix(")").split(",") if word.strip())
    if not rest and head in variable_names(self.model):
        return ConditionalQuery(head)
    if head in ("free_energy", "mean_field") and name.endswith(")"):
        observed = check_variables(self.model, "explain", names)
        return FreeEnergy(observed) if head == "free_energy" else MeanFieldUpdate(observed)
    if head == "gradient" and names and set(names) <= set(parameter_names(self.model)):
        return Gradient(Energy(), names)
    known = [*variable_names(self.model), "free_energy(...)", "gradient(...)", "mean_field(...)"]
    raise ArgumentError(f"explain: there is no equation {name!r}. There are {', '.join(known)}.")


def trace(self: Program, query: Query | None = None) -> Trace:
    """Every stage of a kernel: specification, representation, graph, blocks, laws, schedule, programs and source.

    ``print`` shows all of them, ``trace["blocks"]`` is one; a notebook shows sections that open.

    Parameters
    ----------
    query : optional
        A query of ``pgmc.ir.queries``; by default a sweep over all variables.

    Raises
    ------
    IntractableError
        If the query has no exact answer.
    """
    from pgmc.inspection.trace import trace_query

    return trace_query(self.compiler, Sweep(variable_names(self.model)) if query is None else query)


def report(self: Program) -> ProgramReport:
    """What was declared, found, derived and generated; printable, and HTML in a notebook."""
    from pgmc.inspection.report import KernelNote, ProgramReport

    made = self.compiler.origins.items()
    notes = tuple(KernelNote(kernel_name(q), describe_query(q), origin, seconds) for q, (origin, seconds) in made)
    return ProgramReport(
        self.model,
        self.compiler.dtype,
        self.compiler.backend,
        self.compiler.structure,
        self.blocks,
        self.equations(),
        notes,
        self.graph,
    )


def diagram(self: Program) -> str:
    """The interaction graph as SVG text."""
    from pgmc.inspection.diagrams import draw_graph

    return draw_graph(self.graph, self.model.name)


def _quantities(self: Program, query: Query) -> tuple[tuple[Quantity, ...], tuple[Quantity, ...]]:
    """The quantities of an answer, and the named values that they are made of."""
    answer = self.compiler.answer(query)
    return (answer.quantities, answer.definitions) if isinstance(answer, Computation) else ((), ())


def _energy_of(self: Program, observed: tuple[str, ...]) -> Energy | FreeEnergy:
    return Energy() if len(observed) == len(self.model.variables) else FreeEnergy(observed)


def _name_of(of: Energy | FreeEnergy) -> str:
    return "energy" if isinstance(of, Energy) else "free_energy"


def _scores(self: Program, offered: tuple[tuple[str, ...], ...]) -> tuple[Equation, ...]:
    """The scores of the first free energy, or of the energy, that all observed variables have derivatives in."""
    from pgmc.inspection.equations import score_entries

    for names in dict.fromkeys((*offered, variable_names(self.model))):
        if names and all(isinstance(self.model.variable(name).domain, Real | Positive) for name in names):
            of = _energy_of(self, names)
            slopes, bends = (self.compiler.derive(Score(of, names, order)) for order in (1, 2))
            if isinstance(slopes, Computation) and isinstance(bends, Computation):
                return score_entries(_name_of(of), slopes.quantities, bends.quantities)
    return ()


def _free_energies(self: Program) -> tuple[dict[tuple[str, ...], Quantity], tuple[Refusal, ...]]:
    """The free energy with each variable summed out alone, and with the analytically best set summed out."""
    found: dict[tuple[str, ...], Quantity] = {}
    refusals: dict[Refusal, None] = {}
    names = variable_names(self.model)
    for hidden in dict.fromkeys([self.compiler.eliminable(), *((name,) for name in names)]):
        if not hidden:  # that is the energy
            continue
        observed = tuple(name for name in names if name not in hidden)
        answer = self.compiler.derive(FreeEnergy(observed))
        if isinstance(answer, Computation):
            found[observed] = answer.quantities[0]
        elif isinstance(answer, Refusal):
            refusals[answer] = None
    return found, tuple(refusals)


def usual_queries(self: Program) -> list[Query]:
    """What the source of a program shows: the sweep, the energy, conditionals, the free energy and its gradients."""
    names = variable_names(self.model)
    hidden = self.compiler.eliminable()
    observed = tuple(name for name in names if name not in hidden)
    return [
        Sweep(names),
        Energy(),
        *(ConditionalQuery(name) for name in names),
        FreeEnergy(observed),
        Gradient(FreeEnergy(observed), parameter_names(self.model)),
    ]
