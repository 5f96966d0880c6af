"""What a terminal and a notebook show: short on one line, rich as HTML that is whole and escapes what users wrote."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import pgmc

SHORT = 160


@pytest.fixture(scope="module")
def objects() -> dict[str, Any]:
    m = pgmc.Model("machine")
    v, h = m.binary("v", 4), m.spin("h", 3)
    W = m.param("W", (4, 3))
    m.energy(-(v @ W @ h))
    p = pgmc.compile(m, backend="numpy")
    fit = pgmc.fit(m, {"v": np.eye(4)}, objective=pgmc.ExactLikelihood(), epochs=2, progress=False)
    return {
        "Model": m,
        "Program": p,
        "Conditional": p.conditional("h"),
        "Samples": p.sample(fit.params, chains=4, sweeps=5, seed=0),
        "Fit": fit,
        "Report": p.report(),
        "Equations": p.equations(),
        "Equation": p.equations()["h"],
        "Derivation": p.explain("free_energy(v)"),
        "Difference": p.equations().diff(p.equations()),
        "Trace": p.trace(),
        "Verification": p.verify(),
    }


NAMES = ["Model", "Program", "Conditional", "Samples", "Fit", "Report", "Equations", "Equation", "Derivation"]
NAMES += ["Difference", "Trace", "Verification"]


@pytest.mark.parametrize("name", NAMES)
def test_short_and_rich(objects: dict[str, Any], name: str) -> None:
    shown = objects[name]
    lines = repr(shown).splitlines()
    assert len(lines) <= 3 and all(len(line) <= SHORT for line in lines), repr(shown)
    html = ElementTree.fromstring(f"<div>{shown._repr_html_().replace('<br>', '<br/>')}</div>")
    assert "".join(html.itertext()).strip() or html.find(".//{http://www.w3.org/2000/svg}svg") is not None


def test_what_they_say(objects: dict[str, Any]) -> None:
    assert repr(objects["Model"]) == "<pgmc.Model machine: v binary (4), h spin (3); 1 parameter, 1 term>"
    assert repr(objects["Equation"]) == "<Equation h: P(h[j] = +1 | v) = σ(2·Σ_i W[i,j]·v[i])>"
    assert repr(objects["Difference"]) == "<Difference: nothing changed, 6 equations did not>"
    assert repr(objects["Report"]).startswith("<ProgramReport of machine: 2 variables (7 units)")
    assert repr(objects["Derivation"]).startswith("<Derivation in 5 steps: F(v) = ")
    html = objects["Model"]._repr_html_()
    for word in ("machine", "binary", "4 × 3", "E(v, h) = -Σ_ij W[i,j]·v[i]·h[j]"):
        assert word in html
    assert "gradient norm" in objects["Fit"]._repr_html_()


def test_text_of_users_is_escaped() -> None:
    """Names are identifiers, but a recorded quantity is called as its user likes."""
    m = pgmc.Model("plain")
    m.energy(-m.binary("v", 2) @ m.param("b", 2))
    p = pgmc.compile(m, backend="numpy")
    samples = p.sample(p.init(), chains=2, sweeps=1, seed=0, observe={"<b>&": lambda state: state["v"][:, 0]})
    html = samples._repr_html_()
    assert "<b>&" not in html and "&lt;b&gt;&amp;" in html
    assert "class='x'" not in pgmc.compile(m)._repr_html_()
