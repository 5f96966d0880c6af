"""Bayesian networks from files: the joint probabilities are products of the tables that stand in the file."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pgmc

RAIN = """\
network "garden" { property made by hand; }
// cloudy -> sprinkler, rain -> wet
variable wet-grass { type discrete [ 2 ] { yes, no }; }
variable cloudy { type discrete [ 2 ] { yes, no }; property position = (1, 2); }
variable rain { type discrete [ 3 ] { none, 1-5mm, ">5mm" }; }
variable sprinkler { type discrete [2] {on, off}; }
probability ( cloudy ) { table 0.5, 0.5; }
probability ( rain | cloudy ) { table 0.2, 0.75, 0.5, 0.25, 0.3, 0.0; }  /* the child changes slowest */
probability ( sprinkler | cloudy ) { (yes) 0.1, 0.9; default 0.5, 0.5; }
probability ( wet-grass | sprinkler, rain ) {
    (on, none) 0.9, 0.1;
    (on, 1-5mm) 0.95, 0.05;
    (on, ">5mm") 1.0, 0.0;
    (off, none) 0.0, 1.0;
    (off, 1-5mm) 0.8, 0.2;
    (off, ">5mm") 0.99, 0.01;
}
"""
CLOUDY = np.array([0.5, 0.5])
RAINS = np.array([[0.2, 0.5, 0.3], [0.75, 0.25, 0.0]])
SPRINKLER = np.array([[0.1, 0.9], [0.5, 0.5]])
WET = np.array([[[0.9, 0.1], [0.95, 0.05], [1.0, 0.0]], [[0.0, 1.0], [0.8, 0.2], [0.99, 0.01]]])


@pytest.fixture(scope="module")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("bif") / "garden.bif"
    path.write_text(RAIN, encoding="utf-8")
    return pgmc.read_bif(path)


def states() -> dict[str, Any]:
    grid = np.array(list(product(range(2), range(2), range(3), range(2))))
    return dict(zip(("wet_grass", "cloudy", "rain", "sprinkler"), grid.T, strict=True))


def joint(s: dict[str, Any]) -> Any:
    first = CLOUDY[s["cloudy"]] * RAINS[s["cloudy"], s["rain"]] * SPRINKLER[s["cloudy"], s["sprinkler"]]
    return first * WET[s["sprinkler"], s["rain"], s["wet_grass"]]


def test_names(garden: Any) -> None:
    assert garden.model.name == "garden"
    assert garden.labels == {
        "wet_grass": ("yes", "no"),
        "cloudy": ("yes", "no"),
        "rain": ("none", "1-5mm", ">5mm"),
        "sprinkler": ("on", "off"),
    }
    assert garden.params["logits_wet_grass"].shape == (2, 3, 2)


def test_joint_probabilities(garden: Any) -> None:
    p = pgmc.compile(garden.model, dtype="float64", backend="numpy")
    assert p.structure == "directed"
    found = np.exp(p.log_joint(garden.params, states()))
    np.testing.assert_allclose(found, joint(states()), atol=1e-12)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)


def test_a_posterior(garden: Any) -> None:
    p = pgmc.compile(garden.model, dtype="float64", backend="numpy")
    rest = {name: values for name, values in states().items() if name != "rain"}
    found = p.conditional("rain").evaluate(garden.params, {**states()})["probs"]
    table = joint(states()).reshape(2, 2, 3, 2)
    wanted = table / np.maximum(table.sum(axis=2, keepdims=True), 1e-300)
    at = tuple(np.asarray(rest[name]) for name in ("wet_grass", "cloudy", "sprinkler"))
    possible = table.sum(axis=2)[at] > 0
    np.testing.assert_allclose(found[possible], wanted.transpose(0, 1, 3, 2)[at][possible], atol=1e-12)


def test_samples_are_drawn_parents_first(garden: Any) -> None:
    """Each of 24 states is within 5 standard errors: a false alarm in 24 · 6e-7 of seeds, and the seed is fixed."""
    p = pgmc.compile(garden.model, dtype="float32", backend="numpy")
    n = 20_000
    drawn = p.sample(garden.params, chains=n, sweeps=0, seed=0).last
    code = np.ravel_multi_index([drawn[k] for k in ("wet_grass", "cloudy", "rain", "sprinkler")], (2, 2, 3, 2))
    wanted = joint(states())
    seen = np.bincount(code, minlength=24) / n
    assert (np.abs(seen - wanted) <= 5 * np.sqrt(wanted * (1 - wanted) / n)).all()


def test_names_that_a_specification_cannot_use(tmp_path: Path) -> None:
    path = tmp_path / "odd.bif"
    blocks = [f'variable "{name}" {{ type discrete [ 2 ] {{ a, b }}; }}' for name in ("a.b", "a-b", "7", "lambda", "é")]
    tables = [f'probability ( "{name}" ) {{ table 0.5, 0.5; }}' for name in ("a.b", "a-b", "7", "lambda", "é")]
    path.write_text("network é { }\n" + "\n".join(blocks + tables), encoding="utf-8")
    made = pgmc.read_bif(path)
    assert list(made.labels) == ["a_b", "a_b_2", "x_7", "x_lambda", "x"]
    assert made.model.name == "network"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("0.95, 0.05", "0.95, 0.5", r"garden.bif:10  p\(wet-grass given on, 1-5mm\) is \[0.95, 0.5\]"),
        ("(on, none) 0.9, 0.1;", "", "p\\(wet-grass given on, none\\)"),
        ("(on, none)", "(on, drizzle)", "garden.bif:11  rain has no state 'drizzle'"),
        ("(on, none)", "(on)", "1 states for 2 parents"),
        ("type discrete [ 3 ]", "type discrete [ 4 ]", "garden.bif:5  4 states are announced, and 3 are listed"),
        ("type discrete [ 3 ]", "type continuous [ 3 ]", "expected type discrete"),
        ("table 0.5, 0.5", "table 0.5", "expected 2 numbers, got 1"),
        ("table 0.5, 0.5", "table half, half", "garden.bif:7  expected numbers"),
        ("( cloudy ) {", "( fog ) {", "'fog' is not declared above"),
        ("probability ( cloudy ) { table 0.5, 0.5; }", "", "variable cloudy has no probabilities"),
        ("network", "net", "expected network, variable or probability, got 'net'"),
        ("0.99, 0.01;\n}\n", "0.99, 0.01;\n", "garden.bif:16  expected }, and the file ends"),
    ],
)
def test_files_that_are_refused(old: str, new: str, words: str, tmp_path: Path) -> None:
    assert old in RAIN
    path = tmp_path / "garden.bif"
    path.write_text(RAIN.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(pgmc.DataError, match=words):
        pgmc.read_bif(path)


def test_circles_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "circle.bif"
    variables = "".join(f"variable {name} {{ type discrete [ 2 ] {{ a, b }}; }}\n" for name in "xy")
    rows = "{ (a) 0.5, 0.5; (b) 0.5, 0.5; }\n"
    path.write_text(f"{variables}probability ( x | y ) {rows}probability ( y | x ) {rows}", encoding="utf-8")
    with pytest.raises(pgmc.ModelError, match="circle"):
        pgmc.read_bif(path)
    with pytest.raises(pgmc.DataError, match="cannot be read"):
        pgmc.read_bif(tmp_path / "nothing.bif")
