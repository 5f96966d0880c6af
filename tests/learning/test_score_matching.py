"""Score matching: the losses against closed forms and differences, where they are minimal, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.ir.queries import Energy, FreeEnergy, Gradient, ScoreLoss
from real_models import visible_and_hidden

Array = Any


def settings(model: pgmc.Model, seed: int = 0, scale: float = 0.7) -> dict[str, Array]:
    """Random parameters; those that are to be positive are."""
    generator = np.random.default_rng(seed)
    values = pgmc.compile(model, dtype="float64").init()
    drawn = {name: scale * generator.normal(size=value.shape) for name, value in values.items()}
    return {name: 0.5 + np.abs(value) if name == "beta" else value for name, value in drawn.items()}


def line(hidden: int = 2) -> pgmc.Model:
    """One real unit, so that integrals are sums over a grid."""
    m = pgmc.Model("line")
    v, h = m.real("v", 1), m.binary("h", hidden)
    W, b, c = m.param("W", (1, hidden)), m.param("b", 1), m.param("c", hidden)
    beta = m.param("beta", 1, positive=True)
    m.energy((beta * v**2).sum() / 2 - (v * beta) @ W @ h - b @ v - c @ h)
    return m


def closed_form(p: dict[str, Array], v: Array) -> tuple[Array, Array]:
    """∂F/∂v and ∂²F/∂v² of ``visible_and_hidden``."""
    on = 1 / (1 + np.exp(-(p["c"] + (v * p["beta"]) @ p["W"])))
    slope = p["beta"] * v - p["b"] - p["beta"] * (on @ p["W"].T)
    bend = p["beta"] - p["beta"] ** 2 * ((on * (1 - on)) @ (p["W"] ** 2).T)
    return slope, bend


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_closed_form_and_differences_in_the_parameters(backend: Any) -> None:
    program = pgmc.compile(visible_and_hidden(), dtype="float64", backend=backend)
    params = settings(visible_and_hidden())
    v = np.random.default_rng(1).normal(size=(7, 3))
    query = ScoreLoss(FreeEnergy(("v",)), ("v",))

    def loss(values: dict[str, Array]) -> Array:
        slope, bend = closed_form(values, v)
        return (0.5 * slope**2 - bend).sum(axis=1)

    found = program.executable.evaluate(query, params, {"v": v})["score_loss"]
    np.testing.assert_allclose(found, loss(params), rtol=1e-12)
    gradients = program.executable.evaluate(Gradient(query, tuple(params)), params, {"v": v})
    for name, value in params.items():
        along = np.random.default_rng(2).normal(size=value.shape)
        ahead, behind = (loss({**params, name: value + sign * 1e-5 * along}).mean() for sign in (1, -1))
        assert np.vdot(gradients[name], along) == pytest.approx((ahead - behind) / 2e-5, rel=1e-7, abs=1e-8)


def test_equations() -> None:
    program = pgmc.compile(line())
    equations = program.score_equations(["v"])
    assert str(equations["score(v)"]) == (
        "∂F/∂v[i] = -b[i] + beta[i]·v[i] - beta[i]·Σ_j σ(Σ_i′ W[i′,j]·beta[i′]·v[i′] + c[j])·W[i,j]"
    )
    assert str(equations["score_loss"]).startswith("J(v) = Σ_i (1/2·(-b[i] + beta[i]·v[i]")
    assert str(program.equations()["curvature(v)"]) == str(equations["curvature(v)"])
    assert r"\frac{\partial^2 F}{\partial v_{i}^2}" in equations["curvature(v)"].latex()
    assert isinstance(
        program.score_equations(["h"]), type(program.compiler.derive(ScoreLoss(FreeEnergy(("h",)), ("h",))))
    )


# ---- where the losses are minimal ----------------------------------------------------------------------------

GRID = np.linspace(-12.0, 12.0, 2401)[:, None]


def density(program: pgmc.Program, params: dict[str, Array]) -> Array:
    weights = np.exp(-program.free_energy(params, {"v": GRID}))
    return weights / weights.sum()


def score(program: pgmc.Program, params: dict[str, Array], points: Array) -> Array:
    """-∂F/∂v by differences of five points."""
    h = 1e-3
    at = [program.free_energy(params, {"v": points + k * h}) for k in (-2, -1, 1, 2)]
    return -(at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h)


def test_the_loss_is_the_distance_between_scores() -> None:
    """J(θ) - J(θ*) = ½ E (∇log p - ∇log p*)² under p*, which no density has below 0, so θ* is a minimum."""
    program = pgmc.compile(line(), dtype="float64", backend="numpy")
    true, query = settings(line(), 3), ScoreLoss(FreeEnergy(("v",)), ("v",))
    weights = density(program, true)

    def loss(params: dict[str, Array]) -> float:
        return float(weights @ program.executable.evaluate(query, params, {"v": GRID})["score_loss"])

    for seed in (4, 5):
        other = settings(line(), seed)
        distance = score(program, other, GRID) - score(program, true, GRID)
        assert loss(other) - loss(true) == pytest.approx(0.5 * weights @ distance**2, rel=1e-7)
    gradients = program.executable.evaluate(Gradient(query, tuple(true)), true, {"v": GRID}, weights=weights)
    for gradient in gradients.values():
        np.testing.assert_allclose(gradient, 0.0, atol=1e-9)


def test_the_denoising_loss_is_the_distance_from_the_blurred_score() -> None:
    """E over clean points and noise of the loss, less the same elsewhere, is a difference of such distances."""
    program, sigma = pgmc.compile(line(), dtype="float64", backend="numpy"), 0.5
    true, query = settings(line(), 3), ScoreLoss(FreeEnergy(("v",)), ("v",), denoising=True)
    points = GRID[::10]
    clean = density(program, true)[::10] / density(program, true)[::10].sum()
    kernel = np.exp(-((points - points.T) ** 2) / (2 * sigma**2))  # clean × noisy
    joint = clean[:, None] * kernel / kernel.sum(axis=1, keepdims=True)
    blurred, pull = joint.sum(axis=0), (points - points.T) / sigma**2
    score_of_blurred = (joint * pull).sum(axis=0) / blurred

    def loss(params: dict[str, Array]) -> float:
        noisy = np.broadcast_to(points.T, joint.shape).reshape(-1, 1)
        given = {"v": noisy, "pgmc_noise_v": pull.reshape(-1, 1)}
        return float(joint.ravel() @ program.executable.evaluate(query, params, given)["score_loss"])

    first, second = settings(line(), 4), settings(line(), 5)
    distances = [0.5 * blurred @ (score(program, p, points) - score_of_blurred) ** 2 for p in (first, second)]
    assert loss(first) - loss(second) == pytest.approx(distances[0] - distances[1], rel=1e-7)


def test_positive_units() -> None:
    """Of Σ rate·x the loss is ½ rate² x² - 2 rate x, minimal at 2 ⟨x⟩/⟨x²⟩, which is the rate of exponential data."""
    m = pgmc.Model("waits")
    x, rate = m.positive("x", 2), m.param("rate", 2, positive=True, init=1.0)
    m.energy(rate @ x)
    data = np.random.default_rng(0).exponential(size=(400, 2)) / [0.5, 3.0]
    program, query = pgmc.compile(m, dtype="float64", backend="numpy"), ScoreLoss(Energy(), ("x",))
    best = {"rate": 2 * data.mean(axis=0) / (data**2).mean(axis=0)}
    gradient = program.executable.evaluate(Gradient(query, ("rate",)), best, {"x": data})["rate"]
    np.testing.assert_allclose(gradient, 0.0, atol=1e-12)
    loss = program.executable.evaluate(query, best, {"x": data})["score_loss"]
    np.testing.assert_allclose(loss, (0.5 * (best["rate"] * data) ** 2 - 2 * best["rate"] * data).sum(axis=1))


# ---- training ------------------------------------------------------------------------------------------------


def samples(rows: int) -> Array:
    """Draws of two clusters along one line, near enough for the scores to say how many points each has."""
    generator = np.random.default_rng(7)
    return np.where(generator.random((rows, 1)) < 0.5, -1.0, 1.0) + 0.7 * generator.normal(size=(rows, 1))


@pytest.mark.parametrize(("objective", "noise"), [(pgmc.ScoreMatching(), 0.0), (pgmc.DenoisingScoreMatching(0.6), 0.6)])
def test_a_fit_finds_the_density(
    objective: Any, noise: float, make: Callable[..., Any], train: Callable[..., Any]
) -> None:
    """That of the data; denoising, that of the data blurred by the noise."""
    case = make(lambda: line(1))
    case.params = {"W": np.array([[2.0]]), "b": -np.ones(1), "c": np.zeros(1), "beta": np.ones(1)}
    case.data = {"v": samples(1000)}
    fit = train(case, objective, pgmc.Adam(0.1), epochs=60, batch_size=1000, validation={"v": samples(200)})
    program = pgmc.compile(line(1), dtype="float64", backend="numpy")
    v, variance = samples(4000), 0.49 + noise**2
    v = v + noise * np.random.default_rng(8).normal(size=v.shape)
    mean = float(-program.free_energy(fit.params, {"v": v}).mean() - program.log_partition(fit.params).value)
    parts = [np.exp(-((v - c) ** 2) / (2 * variance)) for c in (-1.0, 1.0)]
    truth = float(np.log((parts[0] + parts[1]) / 2 / np.sqrt(2 * np.pi * variance)).mean())
    assert mean > truth - 0.03
    name = "validation_score_loss" if isinstance(objective, pgmc.ScoreMatching) else "validation_denoising_loss"
    assert fit.history[name][-1] < fit.history[name][0]


def test_objectives_combine(make: Callable[..., Any], train: Callable[..., Any]) -> None:
    case = make(visible_and_hidden)
    case.data = {"v": np.random.default_rng(0).normal(size=(12, 3))}
    fit = train(case, 0.5 * pgmc.ScoreMatching() + pgmc.CD(1), pgmc.SGD(0.01), epochs=2)
    assert {"score_loss", "free_energy"} <= set(fit.history)


# ---- refusals ------------------------------------------------------------------------------------------------


def test_discrete_data_are_refused(make: Callable[..., Any], train: Callable[..., Any]) -> None:
    with pytest.raises(pgmc.IntractableError, match=r"score loss of v: v is binary.*declare it as an input"):
        train(make("bipartite"), pgmc.ScoreMatching(), pgmc.SGD(0.01), epochs=1)


def test_corners_are_refused_but_for_denoising(make: Callable[..., Any], train: Callable[..., Any]) -> None:
    def bent() -> pgmc.Model:
        m = pgmc.Model("bent")
        x, a = m.real("x", 2), m.param("a", 2)
        m.energy((x @ x) / 2 + pgmc.relu(x - a).sum())
        return m

    case = make(bent)
    case.data = {"x": np.random.default_rng(0).normal(size=(12, 2))}
    with pytest.raises(pgmc.IntractableError, match="relu has a corner"):
        train(case, pgmc.ScoreMatching(), pgmc.SGD(0.01), epochs=1)
    assert train(case, pgmc.DenoisingScoreMatching(0.3), pgmc.SGD(0.01), epochs=1).steps


def test_positive_units_have_no_room_for_noise(make: Callable[..., Any], train: Callable[..., Any]) -> None:
    def waits() -> pgmc.Model:
        m = pgmc.Model("waits")
        m.energy(m.param("rate", 2, positive=True) @ m.positive("x", 2))
        return m

    case = make(waits)
    case.data = {"x": np.ones((12, 2))}
    with pytest.raises(pgmc.IntractableError, match="leave its domain"):
        train(case, pgmc.DenoisingScoreMatching(), pgmc.SGD(0.01), epochs=1)


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("inf"), float("nan")])
def test_sigma_has_a_range(sigma: float) -> None:
    with pytest.raises(pgmc.ArgumentError, match="above 0"):
        pgmc.DenoisingScoreMatching(sigma)
