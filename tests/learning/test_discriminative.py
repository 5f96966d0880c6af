"""The discriminative objective and exact prediction against brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pgmc


def labelled(hidden: int = 3) -> tuple[pgmc.Model, dict[str, Any]]:
    """Binary x and a label y, each coupled to hidden units."""
    m = pgmc.Model("labelled")
    x, y, h = m.binary("x", 4), m.categorical("y", states=3), m.binary("h", hidden)
    W, U = m.param("W", (4, hidden)), m.param("U", (3, hidden))
    d, c = m.param("d", 3), m.param("c", hidden)
    m.energy(-(x @ W @ h) - y @ U @ h - d @ y - c @ h)
    rng = np.random.default_rng(0)
    shapes = {"W": (4, hidden), "U": (3, hidden), "d": (3,), "c": (hidden,)}
    return m, {name: rng.normal(size=shape) for name, shape in shapes.items()}


def brute_force(params: dict[str, Any], x: Any) -> Any:
    """p(y | x) = softmax_y (d_y + Σ_j softplus(c_j + U_yj + Σ_i W_ij x_i)), Larochelle and Bengio (2008), eq. 2."""
    fields = params["c"] + params["U"][None] + (x @ params["W"])[:, None, :]
    logits = params["d"] + np.logaddexp(0.0, fields).sum(axis=-1)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def test_prediction_is_the_closed_form() -> None:
    m, params = labelled()
    x = np.random.default_rng(1).integers(0, 2, (7, 4))
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    np.testing.assert_allclose(program.predict(params, "y", {"x": x}), brute_force(params, x), atol=1e-12)


def test_prediction_of_several_units_is_their_marginals() -> None:
    """p(x_i = 1 | y): by the states that pgmc enumerates itself."""
    m, params = labelled()
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    every = pgmc.enumerate_states(m, params)
    y = np.array([0, 2])
    wanted = [
        every.probabilities[every.states["y"] == k] @ every.states["x"][every.states["y"] == k]
        / every.probabilities[every.states["y"] == k].sum()
        for k in y
    ]  # fmt: skip
    np.testing.assert_allclose(program.predict(params, "x", {"y": y}), wanted, atol=1e-12)


def test_gradient_is_that_of_the_conditional_likelihood() -> None:
    """One full-batch step of plain descent moves the parameters by minus the numerical gradient."""
    m, params = labelled()
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 2, (6, 4)), rng.integers(0, 3, 6)

    def loss(values: dict[str, Any]) -> float:
        return float(-np.mean(np.log(brute_force(values, x)[np.arange(6), y])))

    fit = pgmc.fit(
        m,
        {"x": x, "y": y},
        pgmc.Discriminative("y"),
        pgmc.SGD(1.0),
        epochs=1,
        batch_size=6,
        params=params,
        dtype="float64",
        progress=False,
    )
    for name, value in params.items():
        for place in np.ndindex(value.shape):
            step = np.zeros_like(value)
            step[place] = 1e-5
            slope = (loss({**params, name: value + step}) - loss({**params, name: value - step})) / 2e-5
            assert fit.params[name][place] - value[place] == pytest.approx(-slope, abs=1e-8)


def test_it_learns_a_rule_and_combines() -> None:
    """A parity-free rule of two pixels is learnt by the hybrid objective."""
    m, _ = labelled(hidden=6)
    rng = np.random.default_rng(3)
    x = rng.integers(0, 2, (300, 4))
    y = x[:, 0] + x[:, 1]
    objective = pgmc.Hybrid("y", weight=0.01)
    assert objective == pgmc.Discriminative("y") + 0.01 * pgmc.CD(1)
    fit = pgmc.fit(m, {"x": x, "y": y}, objective, pgmc.Adam(0.05), epochs=40, batch_size=50, progress=False)
    program = pgmc.compile(m)
    assert (program.predict(fit.params, "y", {"x": x}).argmax(axis=1) == y).mean() > 0.99
    assert fit.history["conditional_log_likelihood"][-1] > -0.1


def test_targets_that_do_not_fit_are_refused() -> None:
    m, params = labelled()
    x, y = np.zeros((2, 4)), np.zeros(2, int)
    with pytest.raises(pgmc.ArgumentError, match="'z' must be observed"):
        pgmc.fit(m, {"x": x, "y": y}, pgmc.Discriminative("z"), progress=False)
    with pytest.raises(pgmc.ArgumentError, match="both the target and observed"):
        pgmc.compile(m).predict(params, "y", {"x": x, "y": y})
    with pytest.raises(pgmc.IntractableError, match="joint states"):
        pgmc.fit(m, {"x": x, "y": y}, pgmc.Discriminative("x", limit=8), progress=False)
    with pytest.raises(pgmc.ArgumentError, match="weight"):
        pgmc.Hybrid("y", pgmc.PCD(), weight=-1.0)
