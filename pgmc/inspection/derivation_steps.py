"""How an equation was derived, step by step, for people to follow; first of all a conditional."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from pgmc.derivation.local_energy import build_local_energy
from pgmc.derivation.tidy import add
from pgmc.inspection.equations import CELL_STYLE, HEAD_STYLE, TABLE_STYLE
from pgmc.inspection.latex import AlignedPrinter, LatexPrinter, latex_text
from pgmc.inspection.markup import mathematics
from pgmc.ir.answers import ConditionalLaw, Quantity, Refusal
from pgmc.ir.model import Model
from pgmc.ir.nodes import ZERO, Access, Unit, at
from pgmc.ir.printer import Printer, energy_expression
from pgmc.ir.rewrite import accesses, replace
from pgmc.ir.symbols import Variable


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what was done, the equation it gave, and why it holds."""

    title: str
    answer: Quantity | ConditionalLaw | Refusal
    reason: str
    derivative_of: str | None = None

    def spell(self, printer: Printer) -> str:
        """The equation in the notation of a printer; a refusal is text."""
        match self.answer:
            case ConditionalLaw():
                return printer.conditional(self.answer)
            case Refusal():
                text = str(self.answer)
                return latex_text(text) if isinstance(printer, LatexPrinter) else text
            case Quantity():
                return printer.quantity(self.answer, self.derivative_of)

    def __str__(self) -> str:
        return f"{self.title} ({self.reason})\n   {self.spell(Printer())}"


@dataclass(frozen=True, slots=True, repr=False)
class Derivation:
    """The way from an energy to an equation, or to the reason why there is none; ``print`` shows it, a notebook
    typesets it.
    """

    steps: tuple[Step, ...]

    def latex(self) -> str:
        """The equations in LaTeX, one a line, aligned at the relation."""
        lines = [step.spell(AlignedPrinter()) for step in self.steps]
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def __str__(self) -> str:
        return "\n".join(f"{k + 1}. {step}" for k, step in enumerate(self.steps))

    def __repr__(self) -> str:
        return f"<Derivation in {len(self.steps)} steps: {self.steps[-1].spell(Printer())}>"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def _repr_html_(self) -> str:
        rows = "\n".join(map(_row, self.steps))
        return f'<table class="pgmc-derivation" style="{TABLE_STYLE}">\n{rows}\n</table>'


def explain_conditional(model: Model, law: ConditionalLaw) -> Derivation:
    """The steps from the energy of a model to the conditional of a unit of ``law.target``.

    Terms without the unit are the same for each of its values, so they cancel from
    P(x | rest) = exp(-E(x, rest)) / Σ_x exp(-E(x, rest)). What is left, the local energy, is matched with the families
    of conditionals.
    """
    reason = "; ".join(law.reasons)
    return Derivation((*local_steps(model, law), Step(f"its law is {law.family}", law, reason)))


def local_steps(model: Model, law: ConditionalLaw) -> Iterator[Step]:
    """The terms that hold the target of a law, and the local energy of one of its units."""
    target = law.target
    terms = tuple(term for term in model.terms if any(a.symbol.name == target.name for a in accesses(term.body)))
    left_out = len(model.terms) - len(terms)
    cancelled = {0: "all of them", 1: "one other cancels"}.get(left_out, f"{left_out} others cancel")
    yield Step(f"the terms that hold {target.name}", Quantity("E", (), energy_expression(terms)), cancelled)
    yield Step("the local energy of one unit", _local_energy(model, target), "every sum split at the unit")


def _local_energy(model: Model, target: Variable) -> Quantity:
    """L[unit], the unit under its own name."""
    local = build_local_energy(model, model.variable(target.name))
    indices = local.indices if local.state is None else (*local.indices, local.state)
    unit = Access(local.target, tuple(map(at, indices)))
    parts = (replace(term, lambda n: unit if isinstance(n, Unit) else None) for term in local.terms if term != ZERO)
    return Quantity("L", indices, add(*parts))


def _row(step: Step) -> str:
    if isinstance(step.answer, Refusal):
        formula = escape(str(step.answer))
    else:
        formula = mathematics(step.spell(LatexPrinter()), step.spell(Printer()))
    head = f'<th style="{HEAD_STYLE}">{escape(step.title)}</th>'
    reason = f'<div style="color: #666">{escape(step.reason)}</div>'
    return f'<tr>{head}<td style="{CELL_STYLE}">{formula}{reason}</td></tr>'
