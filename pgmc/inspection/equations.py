"""The equations of a program, as a collection that prints itself in every notation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from pgmc.inspection.latex import AlignedPrinter, LatexPrinter, latex_text
from pgmc.inspection.markup import mathematics
from pgmc.ir.answers import ConditionalLaw, Quantity, Refusal
from pgmc.ir.definitions import definition_quantities
from pgmc.ir.dependencies import sort_factors
from pgmc.ir.factors import factor_law
from pgmc.ir.model import Model
from pgmc.ir.printer import Printer

if TYPE_CHECKING:
    from pgmc.inspection.difference import Difference

Group: TypeAlias = Literal[
    "definitions", "factors", "energy", "conditionals", "free energy", "scores", "adjoints", "gradients", "refused"
]
GROUPS: tuple[Group, ...] = get_args(Group)


@dataclass(frozen=True, slots=True, repr=False)
class Equation:
    """One answer of the compiler, under a name.

    ``derivative_of`` is the quantity (``"energy"`` or ``"free_energy"``) that a gradient is the derivative of, the
    first or the second as ``order`` says.
    """

    name: str
    group: Group
    answer: Model | ConditionalLaw | Quantity | Refusal
    derivative_of: str | None = None
    order: int = 1

    def __str__(self) -> str:
        return str(self.answer) if isinstance(self.answer, Refusal) else self.spell(Printer())

    def latex(self) -> str:
        """The equation in LaTeX, without delimiters; a refusal is text."""
        return self.spell(LatexPrinter())

    def spell(self, printer: Printer) -> str:
        """The equation in the notation of a printer."""
        match self.answer:
            case Model():
                return printer.model(self.answer)
            case ConditionalLaw():
                return printer.conditional(self.answer)
            case Quantity():
                return printer.quantity(self.answer, self.derivative_of, self.order)
            case Refusal():
                return latex_text(str(self.answer))

    def __repr__(self) -> str:
        return f"<Equation {self.name}: {self}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str:
        return equation_html(self)


@dataclass(frozen=True, slots=True, repr=False)
class Equations(Mapping[str, Equation]):
    """Named equations in the order in which they were derived.

    Iterating gives the names: that of a definition, ``factor(v)`` for a directed factor, ``energy``, ``h`` for the
    conditional of a unit of h, ``free_energy(v)``, ``delta_a`` for the derivative with respect to a named value,
    ``gradient(W)``, and what was refused under the name of what was wanted. ``print`` shows all of them.
    """

    entries: tuple[Equation, ...]
    _by_name: dict[str, Equation] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update((entry.name, entry) for entry in self.entries)

    def __getitem__(self, name: str) -> Equation:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __str__(self) -> str:
        lines: list[str] = []
        for group, entries in self.grouped():
            lines += [group, *(f"  {entry}" for entry in entries), ""]
        return "\n".join(lines[:-1])

    def __repr__(self) -> str:
        return f"<Equations {', '.join(self)}>"

    def grouped(self) -> list[tuple[Group, list[Equation]]]:
        """The equations of each group that has any."""
        groups = [(group, [e for e in self.entries if e.group == group]) for group in GROUPS]
        return [(group, entries) for group, entries in groups if entries]

    def diff(self, other: Equations) -> Difference:
        """What changes from these equations to those of another specification; ``print`` shows - and + lines."""
        from pgmc.inspection.difference import compare_equations

        return compare_equations(self, other)

    def latex(self) -> str:
        """All equations, one a line, aligned at the relation."""
        lines = [entry.spell(AlignedPrinter()) for entry in self.entries]
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def _repr_html_(self) -> str:
        rows = "\n".join(self._rows())
        return f'<table class="pgmc-equations" style="{TABLE_STYLE}">\n{rows}\n</table>'

    def _rows(self) -> Iterator[str]:
        for group, entries in self.grouped():
            for k, entry in enumerate(entries):
                head = f'<th style="{HEAD_STYLE}">{escape(group) if k == 0 else ""}</th>'
                yield f'<tr>{head}<td style="{CELL_STYLE}">{equation_html(entry)}</td></tr>'


TABLE_STYLE = "border-collapse: collapse; text-align: left"
HEAD_STYLE = "text-align: left; vertical-align: top; font-weight: 600; padding: 6px 18px 6px 0; white-space: nowrap"
CELL_STYLE = "text-align: left; padding: 6px 0"


def collect_equations(
    model: Model,
    *,
    laws: tuple[ConditionalLaw, ...] = (),
    free_energies: Mapping[tuple[str, ...], Quantity] | None = None,
    scores: tuple[Equation, ...] = (),
    gradients: tuple[Quantity, ...] = (),
    gradient_of: str = "energy",
    named: tuple[Quantity, ...] = (),
    refusals: tuple[Refusal, ...] = (),
) -> Equations:
    """The collection of a model's energy and of what was derived from it.

    Parameters
    ----------
    model
        The model; its directed factors, parents first, and its energy are the first equations.
    laws
        The conditional law of a unit of each variable.
    free_energies
        Names of the observed variables -> free energy.
    scores
        Derivatives of a free energy in its own units, see ``score_entries``.
    gradients
        Derivatives of ``gradient_of``, each under its parameter's name.
    gradient_of
        ``"energy"`` or ``"free_energy"``.
    named
        What the gradients are made of beside the model's own definitions: further named values, and adjoints.
    refusals
        What could not be derived.
    """
    factors = (factor_law(factor) for factor in sort_factors(model.factors, model.definitions))
    defined = definition_quantities(model)
    known = {q.name for q in defined}
    defined += tuple(q for q in named if q.shown is None and q.name not in known)
    entries = [Equation(q.name, "definitions", q) for q in defined]
    entries += [Equation(f"factor({law.target.name})", "factors", law) for law in factors]
    entries.append(Equation("energy", "energy", model))
    entries += [Equation(law.target.name, "conditionals", law) for law in laws]
    for observed, quantity in (free_energies or {}).items():
        entries.append(Equation(f"free_energy({', '.join(observed)})", "free energy", quantity))
    entries += scores
    entries += [Equation(q.name, "adjoints", q) for q in named if q.shown is not None]
    entries += [Equation(f"gradient({q.name})", "gradients", q, gradient_of) for q in gradients]
    entries += [Equation(refusal.wanted, "refused", refusal) for refusal in refusals]
    return Equations(tuple(entries))


def score_entries(
    of: str,
    slopes: tuple[Quantity, ...] = (),
    bends: tuple[Quantity, ...] = (),
    loss: Quantity | None = None,
) -> tuple[Equation, ...]:
    """The equations of ∂F/∂x and ∂²F/∂x² under ``score(x)`` and ``curvature(x)``, and of the loss made of them.

    Parameters
    ----------
    of
        ``"energy"`` or ``"free_energy"``.
    slopes, bends
        First and second derivatives, each under its variable's name.
    loss
        What score matching minimises the mean of.
    """
    entries = [Equation(f"score({q.name})", "scores", q, of) for q in slopes]
    entries += [Equation(f"curvature({q.name})", "scores", q, of, 2) for q in bends]
    if loss is not None:
        entries.append(Equation("score_loss", "scores", loss))
    return tuple(entries)


def equation_html(entry: Equation) -> str:
    """One equation as HTML: typeset where the typesetter is installed, else as text."""
    if isinstance(entry.answer, Refusal):
        return escape(str(entry))
    return mathematics(entry.latex(), str(entry))
