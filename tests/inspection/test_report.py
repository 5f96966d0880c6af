"""The report of a program, compared exactly."""

from __future__ import annotations

import sys
from typing import Any
from xml.etree import ElementTree

import pytest

from pgmc.analysis.blocks import Block
from pgmc.analysis.structure import Structure
from pgmc.inspection.equations import collect_equations
from pgmc.inspection.report import (
    KernelNote,
    ProgramReport,
    describe_symbol,
    print_program,
    wrap_equation,
)
from pgmc.ir import queries
from pgmc.ir.query_text import describe_query
from pgmc.ir.symbols import Axis, Binary, Constant, Constraint, Input, Parameter, Variable

TEXT = """\
two_layers: 2 variables (1\u202f284 units), 3 parameters (393\u202f284 numbers), float32, numba

variables     v  binary  784
              h  binary  500
parameters    W  free  784 × 500
              b  free  784
              c  free  500
structure     bipartite: no two units of a group interact
sweep         1. [v] parallel
              2. [h] parallel
energy        E(v, h) = -Σ_ij v[i]·W[i,j]·h[j] - Σ_i b[i]·v[i] - Σ_j c[j]·h[j]
conditionals  P(v[i] = 1 | h) = σ(b[i] + Σ_j W[i,j]·h[j])
              P(h[j] = 1 | v) = σ(c[j] + Σ_i v[i]·W[i,j])
families      v  Bernoulli: the energy is affine in v[i]
              h  Bernoulli: the energy is affine in h[j]
free energy   F(v) = -Σ_i b[i]·v[i] - Σ_j softplus(c[j] + Σ_i v[i]·W[i,j])
gradients     ∂⟨E⟩/∂W[i,j] = -⟨v[i]·h[j]⟩
refused       the partition function: v and h interact. Use log_partition(method='ais').
kernels       sweep   Sweep(free=('v', 'h')): compiled in 1.23 s
              energy  Energy(): cached"""


@pytest.fixture
def report(derived: Any) -> ProgramReport:
    return ProgramReport(
        derived.model,
        "float32",
        "numba",
        Structure("bipartite", "no two units of a group interact"),
        (Block(("v",), 0, "parallel"), Block(("h",), 1, "parallel")),
        collect_equations(
            derived.model,
            laws=derived.laws,
            free_energies={("v",): derived.free_energy},
            gradients=derived.gradients,
            refusals=derived.refusals,
        ),
        (
            KernelNote("sweep", "Sweep(free=('v', 'h'))", "compiled", 1.234),
            KernelNote("energy", "Energy()", "cached"),
        ),
        derived.graph,
    )


def test_text(report: ProgramReport) -> None:
    assert str(report) == print_program(report) == TEXT


def test_html(report: ProgramReport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ziamath.zmath", None)
    root = ElementTree.fromstring(report._repr_html_())
    text = " ".join("".join(root.itertext()).split())
    for part in ("two_layers: 2 variables", "bipartite", "P(h[j] = 1 | v)", "Energy(): cached"):
        assert part in text
    assert root.find("{http://www.w3.org/2000/svg}svg") is not None
    page = report.html()
    assert page.startswith("<!DOCTYPE html>\n<meta charset='utf-8'>\n<title>two_layers</title>\n<div")
    assert "src=" not in page
    assert "<script" not in page


def test_symbols() -> None:
    axes = (Axis(2), Axis(2))
    constraint = Constraint(symmetric=True, zero_diagonal=True)
    assert describe_symbol(Variable("v", axes, Binary())) == "binary"
    assert describe_symbol(Input("x", axes)) == "real"
    assert describe_symbol(Parameter("U", axes, constraint)) == "symmetric, zero diagonal"
    assert describe_symbol(Constant("A", axes)) == "constant"


def test_wrapping() -> None:
    assert wrap_equation("E = a + b - c + d", 9) == ["E = a + b", "- c", "+ d"]
    assert wrap_equation("E = a + b", 9) == ["E = a + b"]
    assert wrap_equation("words that wrap", 11) == ["words that", "wrap"]
    assert wrap_equation("unbreakable", 4) == ["unbreakable"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (queries.Energy(), "Energy()"),
        (queries.FreeEnergy(()), "FreeEnergy()"),
        (queries.Gradient(queries.FreeEnergy(("v",)), ("W", "b")), "Gradient(FreeEnergy(v); W, b)"),
        (queries.Conditional("h", queries.Ensemble.TEMPERED), "Conditional(h; tempered)"),
        (queries.Sweep(("v", "h"), first=("h",), backward=True), "Sweep(v, h; first=h; backward)"),
    ],
)
def test_queries_are_told_in_words(query: queries.Query, text: str) -> None:
    assert describe_query(query) == text
