"""Variational stochastic maximum likelihood: its positive phase by enumeration, and what it learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.ir.queries import Gradient, MeanFieldBound
from pgmc.runtime.mean_field import relax_mean_field


def layered() -> tuple[pgmc.Model, dict[str, Any]]:
    m = pgmc.Model("layered")
    v, h, g = m.binary("v", 4), m.binary("h", 3), m.categorical("g", 2, states=3)
    W, U, b = m.param("W", (4, 3)), m.param("U", (3, 2, 3)), m.param("b", 4)
    m.energy(-(v @ W @ h) - pgmc.einsum("j,jkl,kl->", h, U, g) - b @ v)
    rng = np.random.default_rng(0)
    params = {"W": rng.normal(size=(4, 3)), "U": rng.normal(size=(3, 2, 3)), "b": rng.normal(size=4)}
    return m, params


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_positive_phase_is_the_gradient_of_the_bound(backend: Any) -> None:
    """∂ bound / ∂θ at fixed means, by central differences of the bound itself."""
    m, params = layered()
    program = pgmc.compile(m, dtype="float64", backend=backend)
    data = {"v": np.array([[0.0, 1, 1, 0], [1, 1, 0, 1]])}
    result = relax_mean_field(program.executable, params, data, rows=2, iterations=3)
    state = {**data, **result.means}
    found = program.executable.evaluate(Gradient(MeanFieldBound(("v",)), tuple(params)), params, state)

    def bound(values: dict[str, Any]) -> float:
        answer = program.executable.evaluate(MeanFieldBound(("v",)), values, state)
        return float(answer["bound"].mean())

    for name, value in params.items():
        for place in [(0,) * value.ndim, tuple(n - 1 for n in value.shape)]:
            step = np.zeros_like(value)
            step[place] = 1e-5
            slope = (bound({**params, name: value + step}) - bound({**params, name: value - step})) / 2e-5
            assert found[name][place] == pytest.approx(slope, abs=1e-8)


def test_it_raises_the_likelihood_of_a_deep_model() -> None:
    """Two patterns out of sixteen: the exact mean log-likelihood rises from -2.87 towards log 1/2 = -0.69.

    Not further: longer training drives the two modes apart until short chains no longer mix, as with any PCD.
    """
    m = pgmc.Model("deep")
    v, h, g = m.binary("v", 4), m.binary("h", 4), m.binary("g", 2)
    W, U, b = m.param("W", (4, 4)), m.param("U", (4, 2)), m.param("b", 4)
    m.energy(-(v @ W @ h) - h @ U @ g - b @ v)
    data = {"v": np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 25)}
    fit = pgmc.fit(
        m,
        data,
        pgmc.MeanFieldPCD(k=5, chains=100),
        pgmc.Adam(0.03),
        epochs=100,
        batch_size=50,
        params={name: 0.3 * value for name, value in _spread(m).items()},
        progress=False,
    )
    exact = pgmc.enumerate_states(m, fit.params)
    on = np.all(exact.states["v"] == [1, 1, 0, 0], axis=1), np.all(exact.states["v"] == [0, 0, 1, 1], axis=1)
    likelihood = np.mean([np.log(exact.probabilities[rows].sum()) for rows in on])
    assert likelihood > -1.1
    assert "bound" in fit.history


def _spread(m: pgmc.Model) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {name: rng.normal(size=value.shape) for name, value in m.init(0).items()}


def test_models_it_does_not_fit_are_refused() -> None:
    m, _ = layered()
    complete = {"v": np.zeros((2, 4)), "h": np.zeros((2, 3)), "g": np.zeros((2, 2), int)}
    with pytest.raises(pgmc.ArgumentError, match="no posterior"):
        pgmc.fit(m, complete, pgmc.MeanFieldPCD(), progress=False)
    with pytest.raises(pgmc.ArgumentError, match="iterations"):
        pgmc.MeanFieldPCD(iterations=0)
