"""Hamiltonian moves: what moves and what is summed out, kernels, adaptation, laws, and proofs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import pgmc
from generated import compile_sweeps_alone
from generic_models import bent, field, quartic, rates
from models import mcrbm, mpot, ssrbm
from pgmc.ir.queries import Sweep
from pgmc.program.verification.mixed import build_mixed_instance
from pgmc.program.verification.moves import check_moves
from pgmc.program.verification.report import Ledger
from pgmc.runtime import interpreted, trajectories
from pgmc.runtime.hamiltonian import DualAveraging
from pgmc.runtime.streams import Stream


@pytest.mark.parametrize(
    ("model", "moved", "summed"),
    [
        (mcrbm.model(5, 2, 2), ("x",), ("h_m", "h_c")),
        (mpot.model(5, 2, 2), ("x",), ("h_m", "h_c")),
        (ssrbm.model(), ("x",), ("s", "h")),
        (field(), ("x",), ()),
        (rates(), ("z",), ("y", "h")),
    ],
)
def test_what_moves_and_what_is_summed_out(model: pgmc.Model, moved: tuple[str, ...], summed: tuple[str, ...]) -> None:
    compiler = pgmc.compile(model).compiler
    names = tuple(v.name for v in compiler.model.variables)
    assert compiler.plan_moves(names) == (moved, summed)
    text = str(compiler.answer(Sweep(names, moved=moved, summed=summed)))
    assert text.startswith(f"1. move {', '.join(moved)} (Hamiltonian{', ' * bool(summed)}{', '.join(summed)}")
    assert "slope_" in text


def test_units_that_keep_values_are_not_summed_out() -> None:
    compiler = pgmc.compile(mcrbm.model(5, 2, 2)).compiler
    assert compiler.plan_moves(("x", "h_m", "h_c"), ("h_m",)) == (("x",), ("h_c",))
    schedule = compiler.answer(Sweep(("x", "h_m", "h_c"), masked=("h_m",), moved=("x",), summed=("h_c",)))
    assert [[target.name for target in update.targets] for update in schedule.updates] == [["x"], ["h_c"], ["h_m"]]
    back = compiler.answer(Sweep(("x", "h_m", "h_c"), ("h_m",), moved=("x",), summed=("h_c",), backward=True))
    assert [[target.name for target in update.targets] for update in back.updates] == [["h_m"], ["x"], ["h_c"]]


def move_checks(program: pgmc.Program) -> list[str]:
    """What is found of the moves of a program on a small instance."""
    ledger = Ledger(program.model.name, 0)
    ledger.begin("small", several=False)
    check_moves(build_mixed_instance(program.compiler, Stream(0, "verify")), ledger)
    return [check.what for check in ledger.checks]


@pytest.mark.parametrize("make", [lambda: mpot.model(4, 2, 2), lambda: ssrbm.model(3, 2), bent])
def test_moves_prove_themselves(make: Callable[[], pgmc.Model]) -> None:
    found = move_checks(pgmc.compile(make(), dtype="float64", backend="numpy"))
    for wanted in ("slope of the potential", "lead back", "the volume", "quarters", "chains accept", "after a move"):
        assert any(wanted in what for what in found)


@pytest.mark.parametrize("fault", ["half a kick", "momenta", "judged", "scale"])
def test_faults_are_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference is replaced both in the kernel and in verification, so that only what a move must be finds it."""
    right = trajectories.leapfrog

    def wrong(states: Any, momenta: Any, steps: Any, leaps: int, moved: Any, slopes: Any) -> Any:
        if fault == "half a kick":
            there, after = right(states, momenta, steps, leaps, moved, slopes)
            return there, {name: p - 0.1 * slopes(there)[name] for name, p in after.items()}
        scale = 0.9 if fault == "scale" else 1.0
        return right(states, momenta, steps, leaps, moved, lambda x: {k: scale * v for k, v in slopes(x).items()})

    if fault in ("half a kick", "scale"):
        monkeypatch.setattr(trajectories, "leapfrog", wrong)
        monkeypatch.setattr("pgmc.program.verification.moves.leapfrog", wrong)
    elif fault == "momenta":
        drawn = trajectories.draw_momenta
        monkeypatch.setattr(trajectories, "draw_momenta", lambda *where: 1.6 * drawn(*where))
    else:
        monkeypatch.setattr(trajectories, "kinetic", lambda momenta: 0.0)
    with pytest.raises(pgmc.VerificationError, match="moves"):
        pgmc.compile(quartic(), dtype="float64", backend="numpy").verify()


def test_generated_moves_prove_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_sweeps_alone(monkeypatch)
    assert len(move_checks(pgmc.compile(rates()))) >= 8


def test_numbers_depend_on_the_chain_alone() -> None:
    program = pgmc.compile(quartic(), dtype="float64", backend="numpy")
    params, settings = program.init(), pgmc.HMC(steps=4, warmup=5)
    many, few = (program.sample(params, chains=n, sweeps=8, seed=2, sampler=settings) for n in (7, 3))
    np.testing.assert_array_equal(many["x"][:3], few["x"])
    np.testing.assert_array_equal(many.moves.step_sizes[:3], few.moves.step_sizes)
    whole = program.sample(params, chains=3, sweeps=8, keep=3, seed=2, sampler=settings)
    np.testing.assert_array_equal(whole["x"][:, -1], few["x"][:, 0])


@pytest.mark.parametrize("pooled", [False, True])
def test_the_law_of_a_double_well(pooled: bool) -> None:
    """Kolmogorov-Smirnov at 1e-6 of 2,000 chains; it detects shifts of 0.15 deviations."""
    m = pgmc.Model("wells")
    x, z, h = m.real("x", 2), m.positive("z", ()), m.binary("h", 2)
    m.energy((x**4).sum() / 4 - (x @ x) / 2 - x @ h / 2)
    m.energy(z**2 + 1 / z)
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    settings = pgmc.HMC(steps=6, warmup=40, pooled=pooled)
    drawn = program.sample({}, chains=2000, sweeps=50, seed=4, sampler=settings)
    grid = np.linspace(-6.0, 6.0, 20_001)
    below = np.cumsum(np.exp(grid**2 / 2 - grid**4 / 4) * (1.0 + np.exp(grid / 2)))
    for k in range(2):
        assert stats.kstest(np.interp(drawn["x"][:, 0, k], grid, below / below[-1]), "uniform").pvalue > 1e-6
    logs = np.linspace(-8.0, 3.0, 20_001)
    below = np.cumsum(np.exp(logs - np.exp(2 * logs) - np.exp(-logs)))
    assert stats.kstest(np.interp(np.log(drawn["z"][:, 0]), logs, below / below[-1]), "uniform").pvalue > 1e-6
    on = drawn["h"][:, 0]
    expected = 1.0 / (1.0 + np.exp(-drawn["x"][:, 0] / 2))
    z_scores = (on - expected).sum(axis=0) / np.sqrt((expected * (1 - expected)).sum(axis=0))
    assert np.abs(z_scores).max() < 4.9
    assert 0.6 < drawn.moves.acceptance.mean() < 1.0 and drawn.moves.warmup == 40
    assert (np.ptp(drawn.moves.step_sizes) == 0.0) == pooled
    assert "of moves accepted" in repr(drawn)


def test_dual_averaging_reaches_its_target() -> None:
    """Acceptance falls from 1 to 0 around a size of 0.7, whatever the first size."""
    for start in (1e-3, 1.0, 50.0):
        sizes = DualAveraging(np.full(4, start), 0.8)
        for _ in range(400):
            sizes.update(1.0 / (1.0 + (sizes.sizes / 0.7) ** 4))
        np.testing.assert_allclose(1.0 / (1.0 + (sizes.final / 0.7) ** 4), 0.8, atol=0.03)


def test_chains_go_on_with_their_step_sizes() -> None:
    program = pgmc.compile(field(), dtype="float64", backend="numpy")
    params, settings = program.init(), pgmc.HMC(steps=3)
    first = program.sample(params, chains=4, sweeps=12, seed=1, sampler=settings)
    assert first.moves.warmup == 11
    second = program.sample(params, sweeps=3, chains=4, init=first.last, sampler=settings)
    np.testing.assert_array_equal(first.moves.step_sizes, second.moves.step_sizes)
    assert second.moves.warmup == 0


def test_clamps_and_temperatures() -> None:
    program = pgmc.compile(quartic(), dtype="float64", backend="numpy")
    kept = np.ma.masked_array([0.5, 0.0, -1.0], mask=[False, True, False])
    drawn = program.sample(program.init(), chains=5, sweeps=6, clamp={"x": kept}, seed=0, sampler=pgmc.HMC(steps=3))[
        "x"
    ]
    np.testing.assert_array_equal(drawn[:, 0, [0, 2]], np.tile([0.5, -1.0], (5, 1)))
    assert np.unique(drawn[:, 0, 1]).size == 5
    cold = program.sample(program.init(), chains=300, sweeps=40, seed=0, inverse_temperature=30.0, sampler=pgmc.HMC())
    assert np.abs(np.abs(cold["x"]) - 1.0).mean() < 0.2


def test_refusals() -> None:
    program = pgmc.compile(quartic(), backend="numpy")
    params = program.init()
    with pytest.raises(pgmc.ArgumentError, match=r"a replica changes its temperature"):
        program.sample(params, sampler=pgmc.HMC(), tempering=pgmc.Tempering((0.2, 1.0)))
    with pytest.raises(pgmc.ArgumentError, match="steps may not adapt in sweeps that are recorded"):
        program.sample(params, sweeps=10, keep=5, sampler=pgmc.HMC(warmup=6))
    with pytest.raises(pgmc.ArgumentError, match="it moves real and positive units"):
        program.sample(params, sweeps=10, clamp={"x": np.zeros(3)}, sampler=pgmc.HMC())
    with pytest.raises(pgmc.ArgumentError, match=r"expected settings such as pgmc\.HMC"):
        program.sample(params, sampler="hmc")
    for wrong in ({"steps": 0}, {"step_size": -1.0}, {"target": 1.0}, {"jitter": 1.0}, {"warmup": -1}):
        with pytest.raises(pgmc.ArgumentError, match=f"HMC: {next(iter(wrong))}="):
            pgmc.HMC(**wrong)
    m = pgmc.Model("broken")
    x, a = m.real("x", 2), m.param("a", 2, init=1.0)
    m.energy((x**4).sum() + pgmc.sqrt(a * x**2 + 1).sum())
    broken = pgmc.compile(m, dtype="float64", backend="numpy")
    with pytest.raises(pgmc.NumericsError, match="the energy of a chain is not finite"):
        broken.sample({"a": [-1e9, 1.0]}, chains=3, sweeps=2, seed=0, sampler=pgmc.HMC(warmup=0))


def test_a_wrong_move_of_the_kernel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = interpreted.move
    monkeypatch.setattr(interpreted, "move", lambda *a, **k: right(*a, **{**k, "leaps": k["leaps"] - 1}))
    with pytest.raises(pgmc.VerificationError, match="moves"):
        pgmc.compile(quartic(), dtype="float64", backend="numpy").verify()


@pytest.mark.parametrize("objective", [pgmc.PCD, pgmc.CD])
def test_learning_with_moves_in_the_negative_phase(objective: Any) -> None:
    """The variance of data that are wider than the model grows into it, and steps adapt to what is asked of them."""
    m = pgmc.Model("scale")
    x, beta = m.real("x", 2), m.param("beta", 2, init=4.0, positive=True)
    m.energy((beta * x**2).sum() / 2 + (x**4).sum() / 100)
    data = np.random.default_rng(0).normal(size=(400, 2)) * [0.7, 1.4]
    settings = objective(k=1, sampler=pgmc.HMC(steps=8, step_size=0.01, target=0.9))
    fit = pgmc.fit(m, {"x": data}, settings, pgmc.SGD(0.3), epochs=40, batch_size=100, seed=0, progress=False)
    grid = np.linspace(-9.0, 9.0, 4001)
    for k in range(2):
        density = np.exp(-fit.params["beta"][k] * grid**2 / 2 - grid**4 / 100)
        np.testing.assert_allclose((density * grid**2).sum() / density.sum(), data[:, k].var(), rtol=0.2)
    assert fit.history["step_size"][-1] > 0.05 and fit.history["acceptance"][-1] > 0.7


def test_learning_refuses_two_negative_phases() -> None:
    with pytest.raises(pgmc.ArgumentError, match="steps of one size fit one temperature"):
        pgmc.PCD(sampler=pgmc.HMC(), tempering=pgmc.Tempering((0.2, 1.0)))
    with pytest.raises(pgmc.ArgumentError, match="CD: sampler='hmc'"):
        pgmc.CD(sampler="hmc")
