"""Guides: gradients of wake-sleep are unbiased, those of reweighted wake-sleep nearly so, and bounds are bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.learning.objective import Objective, Setup
from pgmc.runtime.streams import Stream


def helmholtz(visible: int = 3, hidden: int = 2) -> pgmc.Model:
    m = pgmc.Model("helmholtz")
    v, h = m.binary("v", visible), m.binary("h", hidden)
    W, b, c = m.param("W", (hidden, visible)), m.param("b", visible), m.param("c", hidden)
    m.directed(h, pgmc.Bernoulli(logits=c))
    m.directed(v, pgmc.Bernoulli(logits=h @ W + b))
    q = m.guide()
    R, d = q.param("R", (visible, hidden)), q.param("d", hidden)
    q.directed(h, pgmc.Bernoulli(logits=v @ R + d))
    return m


@pytest.fixture
def case() -> tuple[pgmc.Model, pgmc.Program, dict[str, Any], Any]:
    m = helmholtz()
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    rng = np.random.default_rng(5)
    params = {name: rng.normal(size=np.shape(value)) for name, value in program.init().items()}
    return m, program, params, rng.integers(0, 2, (4, 3)).astype(float)


def mean_gradient(
    program: pgmc.Program, objective: Objective, params: Any, data: Any, steps: int, times: int = 50
) -> Any:
    """The mean over steps of the gradient on the data repeated many times, and its standard error."""
    batch = {"v": np.repeat(data, times, axis=0)}
    names = tuple(p.name for p in program.model.parameters)
    setup = Setup(program.executable, ("v",), ("h",), names, batch, Stream(0, "test"), False, False)
    found = [objective.gradient(setup, params, batch, step, {}, False).gradients for step in range(steps)]
    return {
        name: (np.mean([g[name] for g in found], 0), np.std([g[name] for g in found], 0, ddof=1) / np.sqrt(steps))
        for name in found[0]
    }


def exact_gradients(m: pgmc.Model, program: pgmc.Program, params: Any, data: Any) -> dict[str, Any]:
    """The expectations of both phases of wake-sleep, and the gradient of the likelihood, by enumeration."""
    joint = pgmc.enumerate_states(m, {name: params[name] for name in ("W", "b", "c")})
    state = {name: np.asarray(values, dtype=float) for name, values in joint.states.items()}
    of_guide = np.exp(-program.guide.energy(params, {"h": state["h"], "v": state["v"]}))
    rows = [(state["v"] == row).all(axis=1) for row in data]
    inferred = sum(np.where(row, of_guide, 0.0) for row in rows) / len(data)
    given = (np.where(row, joint.probabilities, 0.0) for row in rows)
    posterior = sum(weights / weights.sum() for weights in given) / len(data)

    def weighted(which: pgmc.Program, weights: Any) -> dict[str, Any]:
        each = ({name: state[name][k : k + 1] for name in ("v", "h")} for k in range(len(joint)))
        singles = [which.energy_gradient(params, one) for one in each]
        return {name: sum(w * g[name] for w, g in zip(weights, singles, strict=True)) for name in singles[0]}

    return {
        "wake": weighted(program, inferred),
        "sleep": weighted(program.guide, joint.probabilities),
        "likelihood": weighted(program, posterior),
        "posterior": weighted(program.guide, posterior),
    }


def assert_close(found: Any, expected: Any) -> None:
    """Within six standard errors: false alarm below 1e-7 over all entries."""
    for name, value in expected.items():
        mean, error = found[name]
        assert np.all(np.abs(mean - value) <= 6 * error + 1e-12), name


def test_wake_sleep_is_unbiased_in_both_phases(case: Any) -> None:
    m, program, params, data = case
    exact = exact_gradients(m, program, params, data)
    assert_close(mean_gradient(program, pgmc.WakeSleep(), params, data, 60), exact["wake"] | exact["sleep"])


def test_reweighted_wake_sleep_tends_to_the_likelihood_gradient(case: Any) -> None:
    """Its bias falls with the number of draws: at 300 it is a quarter of that at 2, or less than 0.05."""
    m, program, params, data = case
    exact = exact_gradients(m, program, params, data)

    def error(samples: int, steps: int) -> float:
        objective = pgmc.ReweightedWakeSleep(samples, guide_phase="wake")
        found = mean_gradient(program, objective, params, data, steps, times=10)
        return max(np.abs(found[n][0] - g).max() for n, g in (exact["likelihood"] | exact["posterior"]).items())

    assert error(300, 5) < max(0.05, error(2, 60) / 4)


def test_importance_sampling_through_the_guide(case: Any) -> None:
    """The estimate is within six standard errors of the enumerated log p, and its mean is below it for few draws."""
    m, program, params, data = case
    joint = pgmc.enumerate_states(m, {name: params[name] for name in ("W", "b", "c")})
    exact = np.array([np.log(joint.probabilities[(joint.states["v"] == row).all(axis=1)].sum()) for row in data])
    many = program.log_likelihood(params, {"v": data}, samples=5000)
    assert np.all(np.abs(many.value - exact) < 6 * many.std_error)
    assert np.all((many.effective_sample_size > 1) & (many.effective_sample_size <= 5000))
    few = [program.log_likelihood(params, {"v": data}, samples=2, seed=k).value for k in range(300)]
    assert np.all(np.mean(few, axis=0) < exact)
    assert np.asarray(many).shape == (4,)


def test_both_objectives_learn(case: Any) -> None:
    m, _, _, _ = case
    data = np.array([[1, 1, 0], [0, 0, 1]] * 50)
    for objective in (pgmc.WakeSleep(), pgmc.ReweightedWakeSleep(5)):
        fit = pgmc.fit(
            m, {"v": data}, objective=objective, optimizer=pgmc.Adam(0.05), epochs=60, batch_size=10, progress=False
        )
        joint = pgmc.enumerate_states(m, {name: fit.params[name] for name in ("W", "b", "c")})
        seen = sum(joint.probabilities[(joint.states["v"] == row).all(axis=1)].sum() for row in data[:2])
        assert seen > 0.8  # a net without hidden units reaches 0.25


def test_a_guide_is_a_program_of_its_own(case: Any) -> None:
    _, program, params, data = case
    assert [i.name for i in program.guide.model.inputs] == ["v"]
    assert "P(h[j] = 1 | v) = σ(d[j] + Σ_i R[i,j]·v[i])" in str(program.guide)
    samples = program.guide.sample(params, chains=4, sweeps=1, inputs={"v": data}, seed=0)
    assert samples["h"].shape == (4, 1, 2)
    program.guide.verify(seed=0)


def test_a_saved_model_keeps_its_guide(case: Any, tmp_path: Any) -> None:
    m, _, params, _ = case
    pgmc.save(tmp_path / "m.pgmc", m, params)
    loaded, values = pgmc.load(tmp_path / "m.pgmc")
    assert loaded.build() == m.build()
    assert set(values) == {"W", "b", "c", "R", "d"}
    with pytest.raises(pgmc.ModelError, match="loaded from a file"):
        loaded.guide().param("new", 2)


def test_what_is_refused(case: Any) -> None:
    m, _, _, data = case
    with pytest.raises(pgmc.ArgumentError, match="the guide draws h, and the data leave nothing latent"):
        pgmc.fit(m, {"v": data, "h": data[:, :2]}, objective=pgmc.WakeSleep(), progress=False)
    bare = pgmc.Model("bare")
    v, h = bare.binary("v", 3), bare.binary("h", 2)
    W = bare.param("W", (3, 2))
    bare.energy(-(v @ W @ h))
    with pytest.raises(pgmc.ArgumentError, match="bare has no guide"):
        pgmc.fit(bare, {"v": data}, objective=pgmc.WakeSleep(), progress=False)
    with pytest.raises(pgmc.ModelError, match="'W' is already declared"):
        bare.guide().param("W", 2)
    q = bare.guide()
    q.directed(h, pgmc.Bernoulli(logits=v @ q.param("R", (3, 2))))
    with pytest.raises(pgmc.ModelError, match="the guide has declared 'R'"):
        bare.param("R", 2)
    with pytest.raises(pgmc.ArgumentError, match="v, h has no directed factor"):
        pgmc.fit(bare, {"v": data}, objective=pgmc.ReweightedWakeSleep(3), progress=False)
    with pytest.raises(pgmc.ArgumentError, match="guide_phase"):
        pgmc.ReweightedWakeSleep(3, guide_phase="dream")  # type: ignore[arg-type]
