"""The score-function gradient: unbiased with every baseline, and with less variance than without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.ir.queries import Energy, Gradient
from pgmc.learning.objective import Setup
from pgmc.runtime.streams import Stream

BASELINES: list[tuple[str, dict[str, Any]]] = [
    ("none", {}),
    ("constant", {}),
    ("optimal", {}),
    ("input", {}),
    ("input", {"hidden": 3}),
    ("others", {"samples": 3}),
]
HIDDEN = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
MODEL, GUIDE = ("W", "b", "c"), ("R", "d")


def net(visible: int = 3, hidden: int = 2) -> pgmc.Model:
    m = pgmc.Model("net")
    v, h = m.binary("v", visible), m.binary("h", hidden)
    m.directed(h, pgmc.Bernoulli(logits=m.param("c", hidden)))
    m.directed(v, pgmc.Bernoulli(logits=h @ m.param("W", (hidden, visible)) + m.param("b", visible)))
    q = m.guide()
    q.directed(h, pgmc.Bernoulli(logits=v @ q.param("R", (visible, hidden)) + q.param("d", hidden)))
    return m


@pytest.fixture(scope="module")
def case() -> tuple[pgmc.Program, dict[str, Any], Any, Setup]:
    program = pgmc.compile(net(), dtype="float64", backend="numpy")
    rng = np.random.default_rng(5)
    params = {name: rng.normal(size=np.shape(value)) for name, value in program.init().items()}
    params["b"] = params["b"] + 2.0  # so that the signal is far from 0
    data = np.array([[1, 1, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0]], dtype=float)
    batch = {"v": np.repeat(data, 50, axis=0)}
    setup = Setup(program.executable, ("v",), ("h",), MODEL, batch, Stream(0, "test"), False, False)
    return program, params, data, setup


def log_sigmoid(x: Any) -> Any:
    return -np.logaddexp(0, -x)


def exact_bound(t: Any, data: Any) -> float:
    """E_q[log p(v, h) - log q(h | v)], the mean over the data, by a sum over all h."""
    total = 0.0
    for v in data:
        q = log_sigmoid((2 * HIDDEN - 1) * (v @ t["R"] + t["d"])).sum(axis=1)
        p = log_sigmoid((2 * HIDDEN - 1) * t["c"]).sum(axis=1)
        p = p + log_sigmoid((2 * v - 1) * (HIDDEN @ t["W"] + t["b"])).sum(axis=1)
        total += np.exp(q) @ (p - q)
    return total / len(data)


def exact_gradient(t: Any, data: Any) -> dict[str, Any]:
    """Minus its gradient, by central differences of the fourth order."""

    def slope(name: str, place: tuple[int, ...]) -> float:
        def at(step: float) -> float:
            moved = {n: np.array(v) for n, v in t.items()}
            moved[name][place] += step
            return exact_bound(moved, data)

        return (8 * (at(1e-3) - at(-1e-3)) - (at(2e-3) - at(-2e-3))) / 12e-3

    return {n: -np.array([slope(n, p) for p in np.ndindex(np.shape(v))]).reshape(np.shape(v)) for n, v in t.items()}


def run(case: Any, objective: pgmc.Reinforce, steps: int, learn: int = 20) -> tuple[dict[str, Any], float]:
    """Gradients of many batches with baselines as they are after some steps, and the scale of the guide's."""
    _, params, _, setup = case
    batch, state = dict(setup.data), objective.prepare(setup, params)
    for step in range(learn):
        state = objective.gradient(setup, params, batch, step, state, False).state
    found = [objective.gradient(setup, params, batch, learn + k, state, False).gradients for k in range(steps)]
    scale = max(1.0, float(np.sqrt(state["variance"]))) if objective.normalise else 1.0
    return {name: np.array([g[name] for g in found]) for name in found[0]}, scale


@pytest.mark.parametrize(("baseline", "how"), BASELINES)
def test_it_is_unbiased_with_every_baseline(case: Any, baseline: Any, how: Any) -> None:
    """100,000 draws or more against the exact bound: within six standard errors in each of 17 parameters.

    False alarms below 1e-7 in all; a bias of a tenth of the guide's largest gradient is seen for certain.
    """
    _, params, data, _ = case
    found, scale = run(case, pgmc.Reinforce(baseline=baseline, **how), 500)
    for name, expected in exact_gradient(params, data).items():
        each = found[name] * (scale if name in GUIDE else 1.0)
        error = each.std(axis=0, ddof=1) / np.sqrt(len(each))
        assert np.all(np.abs(each.mean(axis=0) - expected) <= 6 * error + 1e-9), (baseline, name)


def test_baselines_lower_the_variance(case: Any) -> None:
    """Sums over the guide's parameters: a constant leaves less than half of it, the optimal ones no more than that."""

    def variance(baseline: Any, **how: Any) -> float:
        found, scale = run(case, pgmc.Reinforce(baseline=baseline, **how), 100, learn=300 if how.get("hidden") else 20)
        return float(sum((found[name] * scale).var(axis=0).sum() for name in GUIDE))

    without, constant = variance("none"), variance("constant")
    assert constant < without / 2
    assert variance("optimal") < 1.02 * constant
    assert variance("input", hidden=8, baseline_rate=0.03) < 0.8 * constant
    assert variance("others", samples=4) < constant / 4


def test_the_optimal_baseline_is_that_of_the_book(case: Any) -> None:
    """E[ℓ g²] / E[g²] by a sum over all h, against the averages over 40,000 draws, within 0.1."""
    program, params, data, setup = case
    objective = pgmc.Reinforce(baseline="optimal", decay=0.0, samples=200)
    state = objective.gradient(setup, params, dict(setup.data), 0, objective.prepare(setup, params), False).state
    center = objective.prepare(setup, params)["mean"]
    top = {name: 0.0 for name in GUIDE}
    below = {name: 0.0 for name in GUIDE}
    for v in data:
        q = np.exp(log_sigmoid((2 * HIDDEN - 1) * (v @ params["R"] + params["d"])).sum(axis=1))
        for weight, h in zip(q, HIDDEN, strict=True):
            whole = {"v": v[None], "h": h[None]}
            signal = program.guide.energy(params, whole)[0] - program.energy(params, whole)[0]
            for name, g in program.guide.energy_gradient(params, whole).items():
                top[name] = top[name] + weight * (signal - center) * g**2
                below[name] = below[name] + weight * g**2
    for name in GUIDE:
        seen = below[name] > 0
        got = state[f"top.{name}"][seen] / state[f"below.{name}"][seen]
        np.testing.assert_allclose(got, (top[name] / np.where(seen, below[name], 1))[seen], atol=0.1)


def test_squared_gradients_are_sums_of_squares() -> None:
    """Of a categorical child, a spin and a normal one with a sum of several parameters in its mean."""
    m = pgmc.Model("several")
    y, s, x = m.categorical("y", states=3), m.spin("s", 2), m.real("x", 2)
    a, A, B, u = m.param("a", 3), m.param("A", (2, 3)), m.param("B", (2, 2)), m.param("u", 2)
    m.directed(y, pgmc.Categorical(logits=a))
    m.directed(s, pgmc.Bernoulli(logits=A @ y))
    m.directed(x, pgmc.Normal(mean=B @ s + B @ (s * s) + u, precision=m.param("beta", positive=True)))
    rng = np.random.default_rng(0)
    compiled, plain = (pgmc.compile(m, dtype="float64", backend=backend) for backend in ("numba", "numpy"))
    params = {n: np.abs(rng.normal(size=np.shape(v))) for n, v in plain.init().items()}
    state = {
        "y": rng.integers(0, 3, 6),
        "s": 2.0 * rng.integers(0, 2, (6, 2)) - 1,
        "x": rng.normal(size=(6, 2)),
    }
    weights = rng.random(6)
    rows = [plain.energy_gradient(params, {n: v[k : k + 1] for n, v in state.items()}) for k in range(6)]
    query = Gradient(Energy(), tuple(params), squared=True)
    for program in (compiled, plain):
        squared = program.executable.evaluate(query, params, state, weights=weights)
        for name in params:
            expected = sum(w * row[name] ** 2 for w, row in zip(weights, rows, strict=True))
            np.testing.assert_allclose(squared[name], expected, atol=1e-12)


def test_it_learns() -> None:
    data = np.array([[1, 1, 0], [0, 0, 1]] * 50)
    m = net()
    fit = pgmc.fit(m, {"v": data}, pgmc.Reinforce(), pgmc.Adam(0.05), epochs=60, batch_size=10, progress=False)
    joint = pgmc.enumerate_states(m, {name: fit.params[name] for name in MODEL})
    seen = sum(joint.probabilities[(joint.states["v"] == row).all(axis=1)].sum() for row in data[:2])
    assert seen > 0.8  # a net without hidden units reaches 0.25


def test_a_fit_goes_on_with_its_baseline(tmp_path: Any) -> None:
    data = np.random.default_rng(0).integers(0, 2, (200, 3))
    m = net()
    how: Any = {
        "objective": pgmc.Reinforce(hidden=4),
        "optimizer": pgmc.Adam(0.01),
        "batch_size": 10,
        "progress": False,
    }
    whole = pgmc.fit(m, {"v": data}, epochs=4, **how)
    pgmc.fit(m, {"v": data}, epochs=2, checkpoint=tmp_path, **how)
    rest = pgmc.fit(m, {"v": data}, epochs=4, checkpoint=tmp_path, **how)
    for name, value in whole.params.items():
        np.testing.assert_array_equal(rest.params[name], value)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"baseline": "best"}, "baseline must be one of"),
        ({"baseline": "others"}, "samples must be a whole number of at least 2"),
        ({"baseline": "constant", "hidden": 3}, "hidden units are those of the baseline 'input'"),
        ({"decay": 1.0}, "decay must lie in"),
        ({"baseline_rate": -1.0}, "learning_rate must be"),
    ],
)
def test_settings_out_of_range_are_refused(how: Any, says: str) -> None:
    with pytest.raises(pgmc.ArgumentError, match=says):
        pgmc.Reinforce(**how)
