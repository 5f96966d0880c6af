"""Ancestral passes: the law of what they draw, exactly, and when samplers use them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.ir.queries import Ancestral
from pgmc.runtime.chains import drawn_ancestrally
from pgmc.schedule.ancestral import build_ancestral_schedule


def chain_of_three() -> pgmc.Model:
    m = pgmc.Model("chain")
    a, b, c = m.binary("a", 2), m.binary("b", 2), m.categorical("c", states=3)
    V, W, U = m.param("V", (2, 2)), m.param("W", (2, 2)), m.param("U", (2, 3))
    m.directed(c, pgmc.Categorical(logits=b @ U))
    m.directed(b, pgmc.Bernoulli(logits=a @ W))
    m.directed(a, pgmc.Bernoulli(logits=V @ np.ones(2)))
    return m


def hybrid() -> pgmc.Model:
    m = pgmc.Model("hybrid")
    v, h, t = m.binary("v", 2), m.binary("h", 2), m.binary("t", 2)
    W, U = m.param("W", (2, 2)), m.param("U", (2, 2))
    m.energy(-(h @ U @ t))
    m.directed(v, pgmc.Bernoulli(logits=W @ h))
    return m


def values(program: pgmc.Program) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    return {name: rng.normal(size=np.shape(value)) for name, value in program.init().items()}


def test_parents_come_before_children_in_whatever_order_they_were_declared() -> None:
    compiler = pgmc.compile(chain_of_three()).compiler
    schedule = build_ancestral_schedule(compiler.model, Ancestral(("a", "b", "c")))
    assert [update.targets[0].name for update in schedule.updates] == ["a", "b", "c"]


@pytest.mark.parametrize("build", [chain_of_three, hybrid])
def test_verification_proves_factors(build: Any) -> None:
    """Includes the exact moves of an ancestral pass; false alarm below 1e-8 in all."""
    report = pgmc.compile(build(), dtype="float64", backend="numpy").verify(seed=1)
    titles = {check.name for check in report.checks}
    assert {"directed factors", "ancestral pass, statistically"} <= titles


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_one_pass_is_an_exact_draw(backend: Any) -> None:
    """Chi-square over the 48 joint states of 20,000 draws, at false alarm 1e-6; it detects a shift of 0.02."""
    from scipy.stats import chi2

    program = pgmc.compile(chain_of_three(), backend=backend)
    params = values(program)
    samples = program.sample(params, chains=20000, sweeps=1, seed=0)
    exact = pgmc.enumerate_states(chain_of_three(), params)
    drawn = {name: samples[name][:, 0].reshape(20000, -1) for name in samples}
    whole = np.concatenate([drawn[name] for name in exact.states], axis=1)
    listed = np.concatenate([np.reshape(exact.states[n], (len(exact), -1)) for n in exact.states], axis=1)
    counts = np.array([(whole == row).all(axis=1).sum() for row in listed])
    expected = 20000 * exact.probabilities
    assert ((counts - expected) ** 2 / expected).sum() < chi2.isf(1e-6, len(exact) - 1)


@pytest.mark.parametrize(
    ("build", "clamped", "drawn"),
    [
        (chain_of_three, (), ("a", "b", "c")),
        (chain_of_three, ("a",), ("b", "c")),
        (chain_of_three, ("a", "b"), ("c",)),
        (chain_of_three, ("c",), ()),
        (chain_of_three, ("b",), ()),
        (hybrid, (), ("v",)),
        (hybrid, ("h",), ("v",)),
        (hybrid, ("v",), ()),
        (hybrid, ("v", "h"), ()),
    ],
)
def test_what_is_drawn_ancestrally(build: Any, clamped: tuple[str, ...], drawn: tuple[str, ...]) -> None:
    """Clamping a cause leaves its effects to be drawn; clamping an effect has a say in its causes."""
    model = build().build()
    free = tuple(v.name for v in model.variables if v.name not in clamped)
    assert sorted(drawn_ancestrally(model, clamped, free)) == sorted(drawn)


def test_a_variable_clamped_in_part_is_swept() -> None:
    model = chain_of_three().build()
    assert drawn_ancestrally(model, ("a",), ("a", "b", "c")) == ()


def test_clamped_effects_give_the_posterior() -> None:
    """Explaining away: means of the causes after 2,000 chains of 40 sweeps, six standard errors wide."""
    program = pgmc.compile(chain_of_three(), backend="numpy", dtype="float64")
    params = values(program)
    samples = program.sample(params, chains=2000, sweeps=40, clamp={"c": 2}, seed=0)
    exact = pgmc.enumerate_states(chain_of_three(), params)
    kept = exact.probabilities * (exact.states["c"] == 2)
    for name in ("a", "b"):
        mean = kept @ exact.states[name] / kept.sum()
        assert samples[name].mean((0, 1)) == pytest.approx(mean, abs=6 * 0.5 / np.sqrt(2000))


def test_log_z_is_that_of_the_undirected_part() -> None:
    program = pgmc.compile(hybrid(), backend="numpy", dtype="float64")
    params = values(program)
    exact = pgmc.enumerate_states(hybrid(), params)
    assert program.log_partition(params).value == pytest.approx(exact.log_partition, abs=1e-12)
    ais = program.log_partition(params, method="ais", chains=500, betas=100, seed=0)
    assert ais.value == pytest.approx(exact.log_partition, abs=5 * ais.std_error)
    joint = program.log_joint(params, exact.states)
    assert joint == pytest.approx(np.log(exact.probabilities), abs=1e-10)


def test_structures() -> None:
    assert pgmc.compile(chain_of_three()).structure == "directed"
    assert pgmc.compile(hybrid()).structure == "hybrid"
    assert "h → v, on top of an energy of h, t (bipartite)" in str(pgmc.compile(hybrid()))
