"""Units whose local energy is of no family: what is found and refused, draws by slice sampling, and proofs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import pgmc
from generated import compile_sweeps_alone
from generic_models import GENERIC, bent, field, quartic, rates
from pgmc.runtime import interpreted


def declared(energy: Callable[[Any], Any], kind: str = "real") -> pgmc.Model:
    m = pgmc.Model("declared")
    x = getattr(m, kind)("x", 2)
    m.energy(energy(x))
    return m


def test_what_is_found_and_why() -> None:
    program = pgmc.compile(quartic())
    law = program.conditional("x")
    assert law.family == "Generic" and set(law.parameters) == {"log_density"}
    assert str(law) == "p(x[i] | h) ∝ exp(Σ_j W[i,j]·x[i]·h[j] + a[i]·x[i] + 1/2·x[i]² - 1/4·x[i]⁴)"
    for text in (" ".join(str(part).split()) for part in (law.explain(), program)):
        assert "of no family, so it is drawn by slice sampling" in text
        assert "Normal conditional of x: the energy has the degree 4 in the unit, not 2." in text
        assert "Bernoulli conditional of x" not in text
    assert [block.mode for block in program.blocks] == ["parallel", "parallel"]
    assert "while turn >= 0" in program.source()
    assert [block.part.colors for block in pgmc.compile(field()).blocks if block.part] == [2, 2]


@pytest.mark.parametrize(
    ("energy", "kind", "reason"),
    [
        (lambda x: (x**3).sum(), "real", "odd degree 3"),
        (lambda x: (x**3).sum() + pgmc.tanh(x).sum() * 0, "real", "odd degree 3|no finite integral"),
        (lambda x: (x**2).sum() - 0.1 * (x**4).sum(), "real", "the highest power of x in the energy, 4"),
        (lambda x: pgmc.softplus(x).sum(), "real", "no finite integral towards x = -1e"),
        (lambda x: 0.5 * pgmc.log(1 + x**2).sum(), "real", "no finite integral towards x = 1e"),
        (lambda x: -pgmc.softplus(x).sum() + pgmc.tanh(x).sum(), "real", "no finite integral"),
        (lambda x: (x**2).sum() + pgmc.log(x).sum(), "positive", r"near 0 the density of x rises as x\^\(-1\)"),
        (lambda x: pgmc.log(1 + x).sum(), "positive", "no finite integral towards x = 1e"),
        (lambda x: -0.5 * (x**2).sum() + x.sum(), "positive", "no finite integral"),
    ],
)
def test_what_has_no_integral_is_refused(energy: Callable[[Any], Any], kind: str, reason: str) -> None:
    with pytest.raises(pgmc.ModelError, match=reason):
        pgmc.compile(declared(energy, kind))


@pytest.mark.parametrize(
    "energy",
    [
        lambda x: pgmc.softplus(x).sum() + pgmc.softplus(-x).sum(),
        lambda x: 2 * pgmc.log(1 + x**2).sum(),
        lambda x: (x**2).sum() / 2 + pgmc.cos(x).sum(),
        lambda x: (x**6).sum() - (x**3).sum(),
    ],
)
def test_what_has_one_is_not(energy: Callable[[Any], Any]) -> None:
    assert pgmc.compile(declared(energy)).conditional("x").family == "Generic"


@pytest.mark.parametrize("make", GENERIC)
def test_programs_prove_themselves(make: Callable[[], pgmc.Model]) -> None:
    report = pgmc.compile(make(), dtype="float64", backend="numpy").verify()
    wanted = {"conditionals", "sweep, draw by draw", "sweep, statistically", "real size"}
    assert wanted <= {check.name for check in report.checks}
    assert any("log-density of" in check.what for check in report.checks)


def test_generated_kernels_prove_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_sweeps_alone(monkeypatch)
    assert pgmc.compile(rates()).verify().checks


@pytest.mark.parametrize(("make", "dtype", "error"), [(field, "float32", 1e-4), (bent, "float64", 1e-12)])
def test_backends_draw_the_same_numbers(make: Callable[[], pgmc.Model], dtype: Any, error: float) -> None:
    runs = []
    for backend in ("numba", "numpy"):
        program = pgmc.compile(make(), dtype=dtype, backend=backend)
        runs.append(program.sample(program.init(), chains=9, sweeps=3, seed=5)["x"])
    np.testing.assert_allclose(runs[0], runs[1], rtol=error, atol=error)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_draws_do_not_depend_on_the_batch(backend: Any) -> None:
    program = pgmc.compile(quartic(), dtype="float64", backend=backend)
    params = program.init()
    many, few = (program.sample(params, chains=n, sweeps=4, seed=2)["x"] for n in (9, 4))
    np.testing.assert_array_equal(many[:4], few)


def test_the_law_of_a_double_well() -> None:
    """Kolmogorov-Smirnov at 1e-6 of 40,000 chains after 40 sweeps, in which all cross the barrier of 1/4 many times;
    it detects shifts of 0.03 deviations."""
    m = pgmc.Model("wells")
    x, z = m.real("x", 2), m.positive("z", ())
    tilt = np.array([0.0, 0.4])
    m.energy((x**4).sum() / 4 - (x @ x) / 2 - tilt @ x)
    m.energy(z**2 + 1 / z)
    drawn = pgmc.compile(m).sample({}, chains=40_000, sweeps=40, seed=4)
    grid = np.linspace(-6.0, 6.0, 20_001)
    for k in range(2):
        below = np.cumsum(np.exp(grid**2 / 2 - grid**4 / 4 + tilt[k] * grid))
        assert stats.kstest(np.interp(drawn["x"][:, 0, k], grid, below / below[-1]), "uniform").pvalue > 1e-6
    logs = np.linspace(-8.0, 3.0, 20_001)
    below = np.cumsum(np.exp(logs - np.exp(2 * logs) - np.exp(-logs)))
    found = np.interp(np.log(drawn["z"][:, 0].astype(np.float64)), logs, below / below[-1])
    assert stats.kstest(found, "uniform").pvalue > 1e-6


@pytest.mark.parametrize("fault", ["level", "interval", "asymmetric"])
def test_faults_are_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The statistical check alone: the draws are compared with themselves where both come from one function."""
    right = interpreted.draw_slice

    def wrong(log_density: Any, start: Any, row: Any, sites: Any) -> Any:
        if fault == "level":
            return right(lambda x: 1.6 * log_density(x), start, row, sites)
        drawn, margin = right(log_density, start, row, sites)
        moved = start + 0.8 * (drawn - start) if fault == "interval" else np.maximum(drawn, start)
        return moved, margin

    monkeypatch.setattr(interpreted, "draw_slice", wrong)
    with pytest.raises(pgmc.VerificationError, match="sweep, "):
        pgmc.compile(quartic(), dtype="float64", backend="numpy").verify()


def test_annealing_and_temperatures() -> None:
    """AIS through slice updates: 4.9 standard errors, a false alarm in a million."""
    m = pgmc.Model("annealed")
    x = m.real("x", 3)
    m.energy((x**4).sum() / 4 - (x @ x) / 2)
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    grid = np.linspace(-6.0, 6.0, 4001)
    exact = 3 * np.log(np.exp(grid**2 / 2 - grid**4 / 4).sum() * (grid[1] - grid[0]))
    found = program.log_partition({}, method="ais", chains=200, betas=30, seed=0)
    assert abs(found.value - exact) < 4.9 * found.std_error + 1e-9
    assert found.std_error < 0.05


def test_a_density_that_is_no_number_is_reported() -> None:
    m = pgmc.Model("roots")
    x, a = m.real("x", 2), m.param("a", 2, init=1.0)
    m.energy((x**4).sum() + pgmc.sqrt(a * x**2 + 1).sum())
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    with pytest.raises(pgmc.NumericsError, match="a value of x is not finite"):
        program.sample({"a": [-1e9, 1.0]}, chains=3, sweeps=1, seed=0)
