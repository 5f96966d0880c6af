"""A row of the table: which specifications belong to it, and what is trained to show that they work."""

from __future__ import annotations

import ast
import importlib
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pgmc


@dataclass(frozen=True)
class Shown:
    """What a show found: model, objective and data in words, the figures, and whether they are as they should be."""

    trained: str
    result: str
    holds: bool


def both(first: Callable[[], Shown], second: Callable[[], Shown]) -> Callable[[], Shown]:
    """One show after another."""

    def show() -> Shown:
        a, b = first(), second()
        return Shown(f"{a.trained}; {b.trained}", f"{a.result}; {b.result}", a.holds and b.holds)

    return show


@dataclass(frozen=True)
class Row:
    """One row of the catalogue.

    Attributes
    ----------
    key, title
        Its number in the catalogue, and what it is.
    specs
        Name of a file of ``models/`` -> the sizes that differ from the default ones.
    show
        Trains one of them, and says what came out.
    """

    key: str
    title: str
    specs: dict[str, dict[str, int]]
    show: Callable[[], Shown]


@dataclass(frozen=True)
class Proof:
    """What was found of one specification."""

    name: str
    lines: int
    structure: str
    blocks: int
    updates: str
    errors: dict[str, float]
    refused: str
    seconds: float

    @property
    def found(self) -> str:
        """Structure and blocks in words."""
        return f"{self.structure}, {self.blocks} {'block' if self.blocks == 1 else 'blocks'}: {self.updates}"

    @property
    def largest(self) -> str:
        """The largest error of each check."""
        return self.refused or ", ".join(f"{name} {error:.0e}" for name, error in self.errors.items())


@dataclass(frozen=True)
class Outcome:
    """A row with everything that was found."""

    row: Row
    proofs: tuple[Proof, ...]
    shown: Shown
    seconds_of_show: float


def model_of(name: str, **sizes: int) -> pgmc.Model:
    """A specification of ``models/``."""
    build = importlib.import_module(f"pgmc_models.{name}").model
    made: pgmc.Model = build(**sizes)
    return made


def lines_of_spec(name: str) -> int:
    """The lines of the function ``model`` of a file of ``models/`` between its description and the return."""
    source = inspect.getsource(importlib.import_module(f"pgmc_models.{name}"))
    (function,) = (n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef) and n.name == "model")
    body = [n for n in function.body if not isinstance(n, ast.Return)]
    body = [n for n in body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    return sum((n.end_lineno or n.lineno) - n.lineno + 1 for n in body)


def prove(name: str, **sizes: int) -> Proof:
    """Compile a specification, and compare its generated kernels with brute force."""
    began = time.process_time()
    program = pgmc.compile(model_of(name, **sizes))
    errors: dict[str, float] = {}
    refused = ""
    try:
        for check in program.verify().checks:
            errors[check.name] = max(errors.get(check.name, 0.0), check.error)
    except pgmc.VerificationError as error:
        refused = f"**failed**: {str(error).splitlines()[0]}"
    updates = "; ".join(f"{', '.join(b.variables)} {b.mode}" for b in program.blocks)
    return Proof(
        name,
        lines_of_spec(name),
        program.structure,
        len(program.blocks),
        updates,
        errors,
        refused,
        time.process_time() - began,
    )


def run(row: Row, report: Callable[[str], Any]) -> Outcome:
    """Prove every specification of a row, and train what it shows."""
    proofs = []
    for name, sizes in row.specs.items():
        report(f"{row.key} {name}: proof")
        proofs.append(prove(name, **sizes))
    report(f"{row.key}: training")
    began = time.process_time()
    shown = row.show()
    return Outcome(row, tuple(proofs), shown, time.process_time() - began)
