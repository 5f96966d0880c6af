"""A sigmoid belief net whose logits are those of a network: posteriors, guides and learning, against enumeration."""

from __future__ import annotations

import numpy as np
import pytest

import pgmc
from pgmc.dsl.model import Model
from pgmc.ir.queries import Energy
from pgmc.learning.fit import fit
from pgmc.learning.objective import Objective


def _net(visible: int = 4, hidden: int = 3) -> Model:
    m = pgmc.Model("nested")
    x, h = m.binary("x", visible), m.binary("h", hidden)
    V, c, U, b = m.param("V", (4, hidden)), m.param("c", 4), m.param("U", (visible, 4)), m.param("b", visible)
    a = m.define("a", pgmc.tanh(V @ h + c))
    m.directed(h, pgmc.Bernoulli(logits=m.param("d", hidden)))
    m.directed(x, pgmc.Bernoulli(logits=U @ a + b))
    q = m.guide()
    g = q.define("g", pgmc.softplus(q.param("R", (5, visible)) @ x + q.param("r", 5)))
    q.directed(h, pgmc.Bernoulli(logits=q.param("S", (hidden, 5)) @ g + q.param("s", hidden)))
    return m


def _params(m: Model, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=value.shape) for name, value in m.init(dtype="float64").items()}


def test_it_proves_itself() -> None:
    report = pgmc.compile(_net(), dtype="float64", backend="numpy").verify()
    assert {"conditionals", "transition matrix", "directed factors", "gradients"} <= {c.name for c in report.checks}


def test_a_clamped_child_has_a_say_through_a_named_value() -> None:
    """The causes of a clamped image follow their posterior: 1024 chains, z below 6, false alarm 1e-8 in all."""
    m = _net()
    params = _params(m, 1)
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    image = np.array([1, 0, 1, 1])
    states = np.array(list(np.ndindex(2, 2, 2)))
    own = {p.name: params[p.name] for p in program.model.parameters}
    logs = -program.energy(own, {"x": np.repeat(image[None], 8, axis=0), "h": states})
    posterior = np.exp(logs - np.logaddexp.reduce(logs)) @ states
    drawn = program.sample(own, chains=1024, sweeps=10, clamp={"x": image}, seed=2)["h"][:, -1]
    error = np.sqrt(posterior * (1 - posterior) / 1024)
    assert (np.abs(drawn.mean(axis=0) - posterior) < 6 * error).all()


def test_the_guide_estimates_the_likelihood() -> None:
    """Each mean weight within 6 exact standard errors of p(x), false alarm 1e-7 in all; a weak guide has tame ones."""
    m = _net()
    params = {
        name: value if name in ("V", "c", "U", "b", "d") else 0.3 * value for name, value in _params(m, 5).items()
    }
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    guide = program.executable.guide
    assert guide is not None
    own = {p.name: params[p.name] for p in program.model.parameters}
    data, states = np.array(list(np.ndindex(2, 2, 2, 2))), np.array(list(np.ndindex(2, 2, 2)))
    both = {"x": np.repeat(data, 8, axis=0).astype(float), "h": np.tile(states, (16, 1)).astype(float)}
    joint = np.exp(-program.energy(own, both)).reshape(16, 8)
    of_guide = np.exp(-guide.evaluate(Energy(), params, both)["energy"]).reshape(16, 8)
    exact = joint.sum(axis=1)
    assert exact.sum() == pytest.approx(1, abs=1e-12)
    assert of_guide.sum(axis=1) == pytest.approx(1, abs=1e-12)
    error = np.sqrt(((joint**2 / of_guide).sum(axis=1) - exact**2) / 2000)
    found = program.log_likelihood(params, {"x": data}, samples=2000, seed=0)
    assert (np.abs(np.exp(found.value) - exact) < 6 * error).all()


@pytest.mark.parametrize(
    ("objective", "epochs", "reached"),
    [(pgmc.WakeSleep(), 20, -2.7), (pgmc.ReweightedWakeSleep(5), 40, -2.2)],
    ids=["wake_sleep", "reweighted"],
)
def test_both_nets_learn(objective: Objective, epochs: int, reached: float) -> None:
    """Four patterns, the exact log-likelihood: -2.85 at the start, -2.51 of independent units, -1.39 at best."""
    m = _net()
    patterns = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [1, 1, 1, 1]])
    data = {"x": np.repeat(patterns, 25, axis=0)}
    executable = pgmc.compile(m, dtype="float64", backend="numpy").executable
    rng = np.random.default_rng(0)
    start = {name: rng.normal(0, 0.5, size=value.shape) for name, value in m.init(dtype="float64").items()}
    learnt = fit(
        executable, start, data, objective, pgmc.Adam(0.1), epochs=epochs, batch_size=50, seed=0, progress=False
    )
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    assert _log_likelihood(program, learnt.params, patterns) > reached > _log_likelihood(program, start, patterns)


def _log_likelihood(program: pgmc.Program, params: dict[str, np.ndarray], patterns: np.ndarray) -> float:
    own = {p.name: np.asarray(params[p.name]) for p in program.model.parameters}
    states = np.array(list(np.ndindex(2, 2, 2)))
    both = {"x": np.repeat(patterns, 8, axis=0), "h": np.tile(states, (len(patterns), 1))}
    return float(np.logaddexp.reduce(-program.energy(own, both).reshape(-1, 8), axis=1).mean())
