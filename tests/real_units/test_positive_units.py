"""Positive units: gamma, exponential and truncated normal laws, their draws, and the integral over gamma units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import gammaln

import pgmc


def student() -> pgmc.Model:
    m = pgmc.Model("student")
    x, h = m.real("x", 3), m.positive("h", 2)
    R, gamma = m.param("R", (3, 2)), m.constant("gamma", [1.5, 0.7])
    m.energy((x @ x) / 2 + (h * (1 + (x @ R) ** 2 / 2)).sum() + ((1 - gamma) * pgmc.log(h)).sum())
    return m


R = np.random.default_rng(1).normal(size=(3, 2))
X = np.random.default_rng(2).normal(size=(5, 3))


def gamma_integral(shape: float, rate: float) -> float:
    """∫ x^(shape - 1) exp(-rate x) dx over x = u², which has no pole."""
    return float(integrate.quad(lambda u: 2 * u ** (2 * shape - 1) * np.exp(-rate * u**2), 0, 9)[0])


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_gamma_conditional_and_student_free_energy(backend: Any) -> None:
    program = pgmc.compile(student(), dtype="float64", backend=backend)
    found = program.conditional("h").evaluate({"R": R}, {"x": X})
    rate = 1 + (X @ R) ** 2 / 2
    np.testing.assert_allclose(found["rate"], rate, rtol=1e-12)
    np.testing.assert_allclose(found["shape"], np.tile([1.5, 0.7], (5, 1)), rtol=1e-12)
    free = program.free_energy({"R": R}, {"x": X})
    for k in range(5):
        expected = (X[k] ** 2).sum() / 2
        for j, shape in enumerate((1.5, 0.7)):
            expected -= np.log(gamma_integral(shape, rate[k, j]))
        assert free[k] == pytest.approx(expected, rel=1e-9)


def test_what_is_found() -> None:
    program = pgmc.compile(student())
    law = program.conditional("h")
    assert law.family == "Gamma" and set(law.parameters) == {"shape", "rate"}
    assert str(law) == "p(h[j] | x) = Gamma(shape gamma[j], rate 1/2·(Σ_i R[i,j]·x[i])² + 1)"
    assert "Γ(gamma[j])" in str(program.free_energy_equation(["x"]))
    assert [block.mode for block in program.blocks] == ["joint", "parallel"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gamma_draws(dtype: Any) -> None:
    """Kolmogorov-Smirnov at 1e-6 for each shape; it detects shifts of 0.03 deviations."""
    m = pgmc.Model("gammas")
    shapes = np.array([0.3, 0.9, 1.0, 4.0, 30.0])
    x = m.positive("x", 5)
    m.energy(2 * x.sum() + ((1 - shapes) * pgmc.log(x)).sum())
    drawn = pgmc.compile(m, dtype=dtype).sample({}, chains=40_000, sweeps=1, seed=3)["x"][:, 0].astype(np.float64)
    for k, shape in enumerate(shapes):
        assert stats.kstest(drawn[:, k], stats.gamma(shape, scale=0.5).cdf).pvalue > 1e-6
    assert np.abs(np.corrcoef(drawn, rowvar=False) - np.eye(5)).max() < 4.9 / np.sqrt(40_000)


def test_truncated_normal_draws() -> None:
    m = pgmc.Model("cut")
    centre = np.array([-8.0, -2.0, 0.0, 0.4, 5.0])
    x = m.positive("x", 5)
    m.energy((2 * (x - centre) ** 2).sum())
    program = pgmc.compile(m, dtype="float64")
    law = program.conditional("x")
    assert law.family == "TruncatedNormal"
    drawn = program.sample({}, chains=40_000, sweeps=1, seed=3)["x"][:, 0]
    assert (drawn > 0).all()
    for k, mean in enumerate(centre):
        exact = stats.truncnorm(-2 * mean, np.inf, loc=mean, scale=0.5)
        assert stats.kstest(drawn[:, k], exact.cdf).pvalue > 1e-6


def test_exponential_units_are_gamma_of_shape_one() -> None:
    m = pgmc.Model("exponential")
    x, h = m.positive("x", 2), m.binary("h", 2)
    m.energy(x.sum() + x @ h)
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    assert str(program.conditional("x")) == "p(x[i] | h) = Gamma(shape 1, rate h[i] + 1)"
    # log Z = 2 log Σ_h 1 / (1 + h), exactly and by annealing from exponential units
    exact = program.log_partition({}, method="exact")
    assert exact.value == pytest.approx(2 * np.log(1.5), abs=1e-13)
    annealed = program.log_partition({}, method="ais", chains=100, betas=20, seed=0)
    assert abs(annealed.value - exact.value) < 4.9 * annealed.std_error + 1e-9


@pytest.mark.parametrize(("dtype", "error"), [("float64", 1e-12), ("float32", 1e-4)])
def test_backends_draw_the_same_numbers(dtype: Any, error: float) -> None:
    runs = [
        pgmc.compile(student(), dtype=dtype, backend=backend).sample({"R": R}, chains=9, sweeps=3, seed=5)
        for backend in ("numba", "numpy")
    ]
    for name in ("x", "h"):
        np.testing.assert_allclose(runs[0][name], runs[1][name], rtol=error, atol=error)


def test_proof() -> None:
    report = pgmc.compile(student(), dtype="float64", backend="numpy").verify()
    assert any("shape of h" in check.what for check in report.checks)
    assert any("draws of h" in check.what for check in report.checks)


def test_refusals_and_bad_values() -> None:
    m = pgmc.Model("free")
    x, y = m.positive("x", 2), m.binary("y", 2)
    m.energy(-(x.sum() * 0) + pgmc.log(x).sum() + y.sum())
    with pytest.raises(pgmc.ModelError, match="no term of the energy grows with x"):
        pgmc.compile(m)
    n = pgmc.Model("falling")
    x, a = n.positive("x", 2), n.param("a", 2, init=1.0)
    n.energy((a * x).sum())
    program = pgmc.compile(n, dtype="float64", backend="numpy")
    with pytest.raises(pgmc.NumericsError, match=r"x\[1\] has no gamma law, its rate or its shape is -1"):
        program.sample({"a": [1.0, -1.0]}, chains=2, sweeps=1, seed=0)
    with pytest.raises(pgmc.DataError, match="finite numbers above 0"):
        program.energy({"a": [1.0, 1.0]}, {"x": [[0.0, 1.0]]})
    k = pgmc.Model("mixed")
    z = k.positive("z", 2)
    k.energy((z**2).sum() + pgmc.log(z).sum() / 2)
    assert any("Gamma conditional of z" in reason for reason in pgmc.compile(k).conditional("z").law.reasons)


def test_files_keep_the_domain(tmp_path: Any) -> None:
    pgmc.save(str(tmp_path / "student.pgmc"), student(), {"R": R})
    model, params = pgmc.load(str(tmp_path / "student.pgmc"))
    assert str(model.build().variable("h").domain) == "positive"
    np.testing.assert_allclose(params["R"], R, rtol=1e-6)


def test_units_that_a_clamp_leaves_free() -> None:
    program = pgmc.compile(student(), dtype="float64", backend="numpy")
    kept = np.ma.masked_array([2.5, 0.0], mask=[False, True])
    drawn = program.sample({"R": R}, chains=20, sweeps=2, clamp={"h": kept}, seed=1)["h"][:, 0]
    assert (drawn[:, 0] == 2.5).all() and (drawn[:, 1] > 0).all() and drawn[:, 1].std() > 0


def scales(shape: Any) -> pgmc.Model:
    """A precision with a gamma law for each real unit."""
    m = pgmc.Model("scales")
    x, h = m.real("x"), m.positive("h")
    gamma = m.param("gamma", positive=True) if shape is None else shape
    m.energy(x**2 / 2 + h * (1 + x**2 / 2) + (1 - gamma) * pgmc.log(h))
    return m


def test_gamma_units_are_drawn_given_the_real_ones() -> None:
    """With x integrated out their law would have no family."""
    program = pgmc.compile(scales(None), dtype="float64", backend="numpy")
    assert [str(block) for block in program.blocks] == ["[x] parallel", "[h] parallel"]
    # ∫ exp(-x²/2 - γ log(1 + x²/2)) dx Γ(γ), by a fine grid
    x = np.linspace(-30, 30, 60_001)
    expected = np.log(np.exp(-(x**2) / 2 - 1.3 * np.log1p(x**2 / 2)).sum() * (x[1] - x[0])) + gammaln(1.3)
    assert program.log_partition({"gamma": 1.3}).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("shape", [1, None])
def test_scales_prove_themselves(shape: Any) -> None:
    """An exponential law is a gamma law of shape 1, at the edge between two ways of drawing."""
    report = pgmc.compile(scales(shape), dtype="float64", backend="numpy").verify()
    assert "log partition" in {check.name for check in report.checks}


def test_log_partition_of_normal_units_cut_at_zero() -> None:
    """At β = 0 their laws are exponential; the integral is known. A false alarm of 1e-6."""
    m = pgmc.Model("cut")
    x, h = m.positive("x", 2), m.binary("h", 2)
    m.energy((2 * (x - 0.3) ** 2).sum() + x @ h)
    energies = [2 * (X - 0.3) ** 2 + k * X for k in (0, 1) for X in [np.linspace(0, 12, 240_001)]]
    whole = sum(integrate.trapezoid(np.exp(-e), dx=12 / 240_000) for e in energies)
    found = pgmc.compile(m, dtype="float64", backend="numpy").log_partition(
        {}, method="ais", chains=200, betas=30, seed=0
    )
    assert abs(found.value - 2 * np.log(whole)) < 4.9 * found.std_error + 1e-3
