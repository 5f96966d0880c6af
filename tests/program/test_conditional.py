"""Conditionals as users hold them."""

from __future__ import annotations

import numpy as np
import pytest

import pgmc
from pgmc.errors import DataError
from pgmc.program.conditional import probabilities


@pytest.fixture(scope="module")
def program() -> pgmc.Program:
    m = pgmc.Model("mixed")
    v, s, y = m.binary("v", 3), m.spin("s", 2), m.categorical("y", 2, states=3)
    m.energy(-(v @ m.param("W", (3, 2)) @ s) - pgmc.einsum("i,jk,ijk->", v, y, m.param("U", (3, 2, 3))))
    return pgmc.compile(m, dtype="float64", backend="numpy")


@pytest.fixture(scope="module")
def params() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"W": rng.normal(size=(3, 2)), "U": rng.normal(size=(3, 2, 3))}


def test_families_and_parameters(program: pgmc.Program) -> None:
    families = {name: program.conditional(name).family for name in ("v", "s", "y")}
    assert families == {"v": "Bernoulli", "s": "Bernoulli", "y": "Categorical"}
    assert list(program.conditional("v").parameters) == ["logits"]


def test_every_spelling(program: pgmc.Program) -> None:
    c = program.conditional("s")
    assert str(c) == "P(s[j] = +1 | v) = σ(2·Σ_i W[i,j]·v[i])"
    assert str(c) in repr(c)
    assert "W" in c.latex() and c.latex() in c._repr_latex_()
    assert "W" in str(c.sympy())


def test_probabilities_are_those_of_the_energy(program: pgmc.Program, params: dict[str, np.ndarray]) -> None:
    states, p = pgmc.enumerate_states(program.model, params)
    for name, values in (("v", (0, 1)), ("s", (-1, 1)), ("y", (0, 1, 2))):
        found = program.conditional(name).evaluate(params, states)["probs"]
        unit = np.asarray(states[name])[:, 0]
        rest = [np.delete(np.asarray(x), 0, axis=1) if n == name else np.asarray(x) for n, x in states.items()]
        _, group = np.unique(np.concatenate(rest, axis=1), axis=0, return_inverse=True)
        total = np.bincount(group.ravel(), p)
        for value in values:
            wanted = (np.bincount(group.ravel(), p * (unit == value)) / total)[group.ravel()]
            given = found[:, 0, value] if name == "y" else found[:, 0] if value == 1 else 1 - found[:, 0]
            np.testing.assert_allclose(given, wanted, atol=1e-12)


def test_only_what_matters_is_asked_for(program: pgmc.Program, params: dict[str, np.ndarray]) -> None:
    v = np.ones((2, 3), np.int8)
    found = program.conditional("s").evaluate(params, {"v": v})
    assert found["logits"].shape == found["probs"].shape == (2, 2)
    np.testing.assert_allclose(found["logits"], 2 * v @ params["W"], atol=1e-12)
    with pytest.raises(DataError, match="v"):
        program.conditional("s").evaluate(params, {"s": np.ones((2, 2))})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_saturate(dtype: type) -> None:
    extreme = np.array([-1e5, -800, 0, 800, 1e5], dtype=dtype)
    np.testing.assert_allclose(probabilities(extreme, "Bernoulli"), [0, 0, 0.5, 1, 1])
    rows = np.array([[1e5, -1e5, 0], [-np.inf, 0, 0], [7, 7, 7]], dtype=dtype)
    wanted = [[1, 0, 0], [0, 0.5, 0.5], [1 / 3] * 3]
    np.testing.assert_allclose(probabilities(rows, "Categorical"), wanted, rtol=1e-6)
