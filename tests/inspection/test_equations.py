"""The collection of equations: text exactly, LaTeX and HTML parsed."""

from __future__ import annotations

import sys
from typing import Any
from xml.etree import ElementTree

import pytest

from pgmc.inspection.equations import Equations, collect_equations
from pgmc.inspection.latex import latex_text
from pgmc.inspection.typesetting import pieces

TEXT = """\
energy
  E(v, h) = -Σ_ij v[i]·W[i,j]·h[j] - Σ_i b[i]·v[i] - Σ_j c[j]·h[j]

conditionals
  P(v[i] = 1 | h) = σ(b[i] + Σ_j W[i,j]·h[j])
  P(h[j] = 1 | v) = σ(c[j] + Σ_i v[i]·W[i,j])

free energy
  F(v) = -Σ_i b[i]·v[i] - Σ_j softplus(c[j] + Σ_i v[i]·W[i,j])

gradients
  ∂⟨E⟩/∂W[i,j] = -⟨v[i]·h[j]⟩

refused
  the partition function: v and h interact. Use log_partition(method='ais')."""


@pytest.fixture
def equations(derived: Any) -> Equations:
    return collect_equations(
        derived.model,
        laws=derived.laws,
        free_energies={("v",): derived.free_energy},
        gradients=derived.gradients,
        refusals=derived.refusals,
    )


def test_text(equations: Equations) -> None:
    assert str(equations) == TEXT


def test_names(equations: Equations) -> None:
    names = ["energy", "v", "h", "free_energy(v)", "gradient(W)", "the partition function"]
    assert list(equations) == names
    assert len(equations) == 6
    assert str(equations["h"]) == "P(h[j] = 1 | v) = σ(c[j] + Σ_i v[i]·W[i,j])"
    assert equations["h"]._repr_latex_() == f"$\\displaystyle {equations['h'].latex()}$"
    with pytest.raises(KeyError):
        equations["w"]


def test_latex_is_aligned_at_the_relation(equations: Equations) -> None:
    lines = equations.latex().split("\n")
    assert lines[0] == r"\begin{aligned}"
    assert lines[-1] == r"\end{aligned}"
    assert lines[2] == (r"P(v_{i} = 1 \mid h) &= \sigma\left(b_{i} + \sum_{j} W_{ij} \, h_{j}\right) \\")
    assert lines[-2] == (r"\text{the partition function: v and h interact. Use log\_partition(method='ais').}")
    assert sum(" &= " in line for line in lines) == 5
    assert equations._repr_latex_() == f"$$\n{equations.latex()}\n$$"


def test_words_in_latex() -> None:
    assert latex_text(r"50% of {a}_b \ c^2 & #1 ~ $") == (r"\text{50\% of \{a\}\_b \backslash  c\^{}2 \& \#1 \~{} \$}")


def test_html_without_a_typesetter(equations: Equations, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ziamath.zmath", None)
    table = ElementTree.fromstring(equations._repr_html_())
    rows = table.findall("tr")
    assert [row.findtext("th") for row in rows] == [
        "energy",
        "conditionals",
        "",
        "free energy",
        "gradients",
        "refused",
    ]
    texts = ["".join(row.find("td").itertext()) for row in rows]  # type: ignore[union-attr]
    assert texts == [str(equation) for equation in equations.values()]


def test_html_with_a_typesetter(equations: Equations) -> None:
    pytest.importorskip("ziamath")
    table = ElementTree.fromstring(equations._repr_html_())
    drawings = table.findall(".//{http://www.w3.org/2000/svg}svg")
    assert all(float(drawing.get("height", "nan")) < 80 for drawing in drawings)
    formulas = table.findall(".//span")
    assert [span.get("aria-label") for span in formulas] == [
        str(entry) for entry in equations.values() if entry.group != "refused"
    ]
    assert [len(span) for span in formulas] == [4, 3, 3, 4, 2]  # pieces that a line can be broken between


@pytest.mark.parametrize(
    ("latex", "wanted"),
    [
        (r"a = \frac{b + c}{2} + d - e", ["a =", r"\frac{b + c}{2}", r"+ \; d", r"- \; e"]),
        (r"P(h = 1 \mid v) \propto \exp(-b + c)", [r"P(h = 1 \mid v) \propto", r"\exp(-b", r"+ \; c)"]),
        (r"N(\text{mean } m, \text{precision } p)", [r"N(\text{mean } m,", r"\text{precision } p)"]),
    ],
)
def test_where_a_formula_is_broken(latex: str, wanted: list[str]) -> None:
    assert list(pieces(latex)) == wanted


def test_what_the_typesetter_cannot_set_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ziamath")
    from pgmc.inspection.markup import mathematics, preformatted

    assert mathematics(r"\frac{", "a < b") == preformatted("a < b")
    assert "a &lt; b" in preformatted("a < b")
