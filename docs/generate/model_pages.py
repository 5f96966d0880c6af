"""A page for every file of models/: what it says, and everything that is derived from it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import pgmc
from citations import link_citations
from pgmc.cli.catalogue import Spec, find_spec, list_names
from pgmc.cli.task import build_task_for
from pgmc.cli.training import choose_objective
from pgmc.inspection.latex import LatexPrinter, latex_quantity
from pgmc.ir.answers import Computation
from pgmc.ir.printer import Printer
from pgmc.ir.queries import Sweep
from pgmc.ir.symbols import Positive, Real
from typeset import equation, formula

SECTIONS = {
    "20.1": "Boltzmann machines",
    "20.2": "Restricted Boltzmann machines",
    "20.3": "Deep belief nets",
    "20.4": "Deep Boltzmann machines",
    "20.5": "Real-valued data",
    "20.6": "Convolutional machines",
    "20.7": "Structured outputs",
    "20.8": "Other Boltzmann machines",
    "20.9": "Random operations",
    "20.10": "Directed nets",
    "20.11": "Samples of auto-encoders",
    "20.12": "Generative stochastic networks",
    "20.13": "Other schemes",
}
"""The sections of the chapter, as they head the menu."""

REFERENCE = re.compile(r"^\.\. \[(\w+)\] (.*)$")


@dataclass(frozen=True)
class ModelPage:
    """The page of one specification."""

    name: str

    @cached_property
    def spec(self) -> Spec:
        """The specification."""
        return find_spec(self.name)

    @cached_property
    def docstring(self) -> str:
        """What the file says about itself."""
        return inspect.getdoc(inspect.getmodule(self.spec.build)) or ""

    @cached_property
    def program(self) -> pgmc.Program:
        """The model at its default sizes, compiled."""
        return pgmc.compile(self.spec.model())

    @property
    def title(self) -> str:
        """The words before the colon of the first line, without the article."""
        words = self.spec.summary.partition(":")[0].rstrip(".")
        words = re.sub(r"^(The|A|An) ", "", words)
        return words[:1].upper() + words[1:]

    @property
    def place(self) -> tuple[int, ...]:
        """The section of the chapter that the docstring names, or where a model of its kind would stand."""
        named = re.search(r"section\s+20\.(\d+)(?:\.(\d+))?", self.docstring)
        if named:
            return tuple(int(part) for part in named.groups() if part)
        model = self.program.model
        if model.factors:
            return (10,)
        if any(isinstance(variable.domain, Real | Positive) for variable in model.variables):
            return (5,)
        return (6,) if any(variable.exclusive for variable in model.variables) else (8,)

    @property
    def section(self) -> str:
        """The heading of the menu that it stands under."""
        return SECTIONS[f"20.{self.place[0]}"]

    def markdown(self) -> str:
        """The whole page."""
        parts = [
            f"# {self.title}",
            *self._text(),
            *self._found(),
            *self._equations(),
            *self._code(),
            *self._references(),
        ]
        return "\n\n".join(parts) + "\n"

    def _text(self) -> Iterator[str]:
        body = self.docstring.partition("\nReferences\n")[0]
        yield link_citations(body)
        yield f'<div class="graph">{" ".join(self.program.diagram().splitlines())}</div>'

    def _found(self) -> Iterator[str]:
        program = self.program
        yield "## Specification"
        source = inspect.getsource(self.spec.build)
        yield f"```python\n{source.strip()}\n```"
        yield f"In a checkout `models/{self.name}.py`; installed, `pgmc_models.{self.name}`."
        yield "## What is found in it"
        yield f"The structure is **{program.structure}**. A sweep updates, in this order:"
        yield "\n".join(f"{k}. `{block}`" for k, block in enumerate(program.blocks, 1))

    def _equations(self) -> Iterator[str]:
        yield "## What is derived"
        for group, entries in self.program.equations().grouped():
            yield f"### {group[0].upper()}{group[1:]}"
            for entry in entries:
                yield equation(entry)
            if group in ("conditionals", "free energy"):
                yield from self._steps(entry.name for entry in entries)
        yield from self._mean_field()
        yield from self._guide()

    def _guide(self) -> Iterator[str]:
        if self.program.model.guide is not None:
            yield "### Factors of the guide"
            for group, entries in self.program.guide.equations().grouped():
                if group in ("definitions", "factors"):
                    yield from map(equation, entries)

    def _mean_field(self) -> Iterator[str]:
        first, *others = self.program.model.variables
        found = self.program.mean_field_equations([first.name]) if others else None
        if isinstance(found, Computation):
            yield f"### Mean field given {first.name}"
            for quantity in found.quantities:
                yield formula(latex_quantity(quantity), str(quantity))

    def _steps(self, names: Iterable[str]) -> Iterator[str]:
        for name in names:
            derivation = self.program.explain(name)
            what = name.replace("free_energy", "F") if "(" in name else f"the law of {name}"
            lines = [f'??? note "How {what} was derived"']
            for k, step in enumerate(derivation.steps, 1):
                lines += ["", f"    {k}. {step.title} ({step.reason})", ""]
                lines.append(f"    {formula(step.spell(LatexPrinter()), step.spell(Printer()))}")
            yield "\n".join(lines)

    def _code(self) -> Iterator[str]:
        yield "## What is generated"
        model = self.program.model
        source = self.program.source(Sweep(tuple(v.name for v in model.variables)))
        kernel = source[source.rindex("@njit") :].strip()
        lines = [f'??? example "The kernel of a sweep, {len(kernel.splitlines())} lines"', "", "    ```python"]
        lines += [f"    {line}".rstrip() for line in kernel.splitlines()]
        yield "\n".join([*lines, "    ```"])
        yield f"`pgmc compile {self.name}` prints all kernels; `pgmc verify {self.name}` proves them."
        yield "## How to train it"
        yield from self._training()

    def _training(self) -> Iterator[str]:
        model = self.program.model
        sizes = {name: min(default, 64) for name, default in self.spec.sizes.items()}
        observed, objective = (model.variables[0].name,), "PCD(k=5, chains=100)"
        try:
            task = build_task_for(self.spec, "digits", {}, {})
        except pgmc.PgmcError:
            task = None
        if task is not None:
            observed, chosen, sizes = task.observed, choose_objective(task), task.sizes
            named = {"ReweightedWakeSleep": "samples=5", "ExactLikelihood": ""}
            objective = f"{type(chosen).__name__}({named.get(type(chosen).__name__, 'k=5, chains=100')})"
            if not model.inputs:
                yield f"```sh\npgmc train {self.name} digits\n```"
        given = ", ".join(f'"{name}": {name}' for name in (*observed, *(symbol.name for symbol in model.inputs)))
        arguments = ", ".join(f"{name}={size}" for name, size in sizes.items())
        yield (
            f"```python\nimport pgmc\nfrom pgmc_models.{self.name} import model\n\nm = model({arguments})\n"
            f"objective = pgmc.{objective}\n"
            f"fit = pgmc.fit(m, {{{given}}}, objective=objective, optimizer=pgmc.SGD(0.05), epochs=100)\n```"
        )

    def _references(self) -> Iterator[str]:
        listed = self.docstring.partition("\nReferences\n")[2]
        entries = [found for line in listed.splitlines() if (found := REFERENCE.match(line))]
        if entries:
            yield "## References"
            yield "\n".join(f"- {link_citations(f'[{key}]_')}" for key, _ in (found.groups() for found in entries))


def model_pages() -> list[ModelPage]:
    """The pages of all specifications, in the order of the chapter."""
    pages = [ModelPage(name) for name in list_names()]
    return sorted(pages, key=lambda page: (page.place, page.title))


def overview(pages: list[ModelPage]) -> str:
    """The page that lists them."""
    lines = ["# Models", "", "Every file of `models/`, in the order of chapter 20 of *Deep Learning*.", ""]
    section = ""
    for page in pages:
        if page.section != section:
            section = page.section
            lines += ["", f"## {section}", "", "| model | what it is | structure |", "| --- | --- | --- |"]
        about = page.spec.summary.partition(": ")[2] or page.spec.summary
        lines.append(f"| [{page.title}]({page.name}.md) | {about} | {page.program.structure} |")
    return "\n".join(lines) + "\n"
