"""Real units integrated out before others are summed out, and blocks that are drawn so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.ir.answers import SweepSchedule
from pgmc.ir.queries import Sweep
from real_models import visible_and_hidden


def spikes_and_slabs() -> pgmc.Model:
    m = pgmc.Model("spikes_and_slabs")
    x, s, h = m.real("x", 3), m.real("s", 2), m.binary("h", 2)
    W, mu, b = m.param("W", (3, 2)), m.param("mu", 2), m.param("b", 2)
    alpha = m.param("alpha", 2, positive=True)
    m.energy((x @ x) / 2 + (alpha * s**2).sum() / 2 - x @ W @ (s * h) - (mu * s) @ h - b @ h)
    return m


def settings() -> dict[str, Any]:
    generator = np.random.default_rng(2)
    return {
        "W": generator.normal(size=(3, 2)) / 6,  # weak enough for a law to exist
        "mu": generator.normal(size=2),
        "b": generator.normal(size=2),
        "alpha": np.exp(generator.normal(size=2) / 4),
    }


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_free_energy_of_what_interacts_before_and_not_after(backend: Any) -> None:
    """F(x) = x²/2 - Σ_i log Σ_h exp(b h) ∫ exp(-½ α s² + (xᵀW_i + μ) h s) ds."""
    t, x = settings(), np.random.default_rng(0).normal(size=(6, 3))
    program = pgmc.compile(spikes_and_slabs(), dtype="float64", backend=backend)
    pull = (x @ t["W"] + t["mu"]) ** 2 / (2 * t["alpha"]) + t["b"]
    expected = (x**2).sum(axis=1) / 2 - (np.log1p(np.exp(pull)) + np.log(2 * np.pi / t["alpha"]) / 2).sum(axis=1)
    np.testing.assert_allclose(program.free_energy(t, {"x": x}), expected, rtol=1e-12)
    found = program.conditional("h", without=["s"]).evaluate(t, {"x": x})
    np.testing.assert_allclose(found["logits"], pull, rtol=1e-12)


def test_spikes_are_drawn_with_slabs_integrated_out() -> None:
    program = pgmc.compile(spikes_and_slabs())
    assert [str(block) for block in program.blocks] == [
        "[x] parallel",
        "[h] parallel, s integrated out",
        "[s] parallel",
    ]
    names = ("x", "s", "h")
    for backward, order in ((False, ["x", "h", "s"]), (True, ["h", "s", "x"])):
        schedule = program.compiler.answer(Sweep(names, backward=backward))
        assert isinstance(schedule, SweepSchedule)
        assert [update.targets[0].name for update in schedule.updates] == order
    masked = program.compiler.answer(Sweep(names, masked=("s",)))
    assert isinstance(masked, SweepSchedule) and not any(update.integrated_out for update in masked.updates)


def test_nothing_is_integrated_out_where_that_couples_units() -> None:
    assert not any(block.integrated_out for block in pgmc.compile(visible_and_hidden()).blocks)


def test_what_cannot_be_integrated_out() -> None:
    program = pgmc.compile(spikes_and_slabs())
    with pytest.raises(pgmc.IntractableError, match="s and x interact"):
        program.conditional("h", without=["x", "s"]).evaluate(settings(), {})


def test_proof_and_moments() -> None:
    """Means of the spikes against sums of Gaussian integrals, within 5 standard errors."""
    t = settings()
    program = pgmc.compile(spikes_and_slabs(), dtype="float64")
    states = (np.arange(4)[:, None] >> np.arange(2)) & 1
    weights = []
    for h in states:
        matrix = np.block([[np.eye(3), -t["W"] * h], [-(t["W"] * h).T, np.diag(t["alpha"])]])
        field = np.concatenate([np.zeros(3), t["mu"] * h])
        weights.append(t["b"] @ h + field @ np.linalg.solve(matrix, field) / 2 - np.linalg.slogdet(matrix)[1] / 2)
    p = np.exp(weights - np.logaddexp.reduce(weights))
    drawn = program.sample(t, chains=20_000, sweeps=30, seed=1)["h"][:, 0]
    assert (np.abs(drawn.mean(axis=0) - p @ states) < 5 * 0.5 / np.sqrt(20_000)).all()


def test_training_sums_both_out() -> None:
    t = settings()
    program = pgmc.compile(spikes_and_slabs(), dtype="float64")
    data = {"x": program.sample(t, chains=500, sweeps=20, seed=0)["x"][:, 0]}
    fit = pgmc.fit(
        spikes_and_slabs(), data, objective=pgmc.CD(k=1), optimizer=pgmc.SGD(0.01), epochs=2, batch_size=50, seed=0,
        progress=False,
    )  # fmt: skip
    assert all(np.isfinite(value).all() for value in fit.params.values()) and (fit.params["alpha"] > 0).all()
