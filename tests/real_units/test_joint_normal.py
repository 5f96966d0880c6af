"""Real units that interact: the joint normal law, its draws, and log Z."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.ir.queries import Sweep
from pgmc.runtime.joint_integrals import JointSum
from pgmc.runtime.streams import Stream, random_words, uniforms, unit_normals
from real_models import chain, visible_and_hidden


def covariance_units() -> pgmc.Model:
    m = pgmc.Model("covariance_units")
    x, g, h = m.real("x", 4), m.binary("g", 2), m.binary("h", 3)
    W, R, b = m.param("W", (4, 2)), m.param("R", (4, 3)), m.param("b", 3)
    m.energy((x @ x) / 2 - x @ W @ g + ((x @ R) ** 2) @ h / 2 - b @ h)
    return m


def settings() -> dict[str, Any]:
    generator = np.random.default_rng(4)
    return {"W": generator.normal(size=(4, 2)), "R": generator.normal(size=(4, 3)), "b": generator.normal(size=3)}


def bits(units: int) -> Any:
    return (np.arange(2**units)[:, None] >> np.arange(units)) & 1


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_mean_and_covariance(backend: Any) -> None:
    params = settings()
    program = pgmc.compile(covariance_units(), dtype="float64", backend=backend)
    states = bits(5)
    found = program.conditional("x").evaluate(params, {"g": states[:, :2], "h": states[:, 2:]})
    precision = np.eye(4) + np.einsum("nk,ik,jk->nij", states[:, 2:], params["R"], params["R"])
    covariance = np.linalg.inv(precision)
    np.testing.assert_allclose(found["precision"], precision, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found["covariance"], covariance, rtol=1e-12, atol=1e-13)
    mean = np.einsum("nij,jk,nk->ni", covariance, params["W"], states[:, :2])
    np.testing.assert_allclose(found["mean"], mean, rtol=1e-12, atol=1e-13)


def test_what_is_found() -> None:
    program = pgmc.compile(covariance_units())
    law = program.conditional("x")
    assert law.family == "Normal"
    assert str(law) == (
        "p(x | g, h) = Normal(mean precision⁻¹·field, with field[i] = Σ_j W[i,j]·g[j], "
        "precision[i,i′] = Σ_k h[k]·R[i′,k]·R[i,k] + [i = i′])"
    )
    assert [str(block) for block in program.blocks] == ["[x] joint", "[g, h] parallel"]
    assert r"\mathcal{N}" in law.latex()


def test_units_with_few_neighbours_are_drawn_colour_by_colour() -> None:
    program = pgmc.compile(chain())
    assert [block.mode for block in program.blocks if "x" in block.variables] == ["parallel", "parallel"]
    assert not program.conditional("x").law.others


def test_a_quartic_coupling_has_no_joint_law() -> None:
    m = pgmc.Model("quartic")
    y, S = m.real("y", 3), m.param("S", (3, 3))
    i, j = pgmc.indices("i j")
    m.energy((y @ y) / 2)
    m.energy(pgmc.Sum(S[i, j] * y[i] ** 2 * y[j] ** 2, j, where=j < i))
    law = pgmc.compile(m).conditional("y").law
    assert law.family == "Normal" and not law.others


def test_log_partition_is_a_sum_of_gaussian_integrals() -> None:
    params = settings()
    states = bits(5)
    g, h = states[:, :2], states[:, 2:]
    precision = np.eye(4) + np.einsum("nk,ik,jk->nij", h, params["R"], params["R"])
    field = g @ params["W"].T
    pulled = (field * np.linalg.solve(precision, field[..., None])[..., 0]).sum(axis=1)
    terms = h @ params["b"] + pulled / 2 - np.linalg.slogdet(precision)[1] / 2 + 2 * np.log(2 * np.pi)
    expected = np.logaddexp.reduce(terms)
    program = pgmc.compile(covariance_units(), dtype="float64", backend="numpy")
    found = program.log_partition(params)
    assert found.method == "exact" and found.value == pytest.approx(expected, rel=1e-13)
    annealed = program.log_partition(params, method="ais", chains=300, betas=50, seed=0)
    assert abs(annealed.value - expected) < 4.9 * annealed.std_error + 1e-3  # a false alarm of 1e-6


@pytest.mark.parametrize(("dtype", "error"), [("float64", 1e-11), ("float32", 2e-4)])
def test_backends_draw_the_same_numbers(dtype: Any, error: float) -> None:
    runs = [
        pgmc.compile(covariance_units(), dtype=dtype, backend=backend).sample(settings(), chains=9, sweeps=3, seed=5)
        for backend in ("numba", "numpy")
    ]
    np.testing.assert_array_equal(runs[0]["h"], runs[1]["h"])
    np.testing.assert_allclose(runs[0]["x"], runs[1]["x"], atol=error)


def test_second_moments_of_samples() -> None:
    """Against the exact law, within 5 standard errors of every entry."""
    params = settings()
    program = pgmc.compile(covariance_units(), dtype="float64")
    x = program.sample(params, chains=30_000, sweeps=25, seed=2)["x"][:, 0]
    states = bits(5)
    g, h = states[:, :2], states[:, 2:]
    free = -h @ params["b"]
    law = program.conditional("x").evaluate(params, {"g": g, "h": h})
    field = g @ params["W"].T
    weights = -free + (field * law["mean"]).sum(axis=1) / 2 + np.linalg.slogdet(law["covariance"])[1] / 2
    p = np.exp(weights - np.logaddexp.reduce(weights))
    second = np.einsum("n,nij->ij", p, law["covariance"] + np.einsum("ni,nj->nij", law["mean"], law["mean"]))
    products = np.einsum("ni,nj->nij", x, x)
    assert (np.abs(products.mean(axis=0) - second) < 5 * products.std(axis=0) / np.sqrt(len(x))).all()


def test_kept_units_are_drawn_around() -> None:
    program = pgmc.compile(covariance_units(), dtype="float64", backend="numpy")
    clamp = {"x": np.ma.masked_array([0.5, 0.0, -1.0, 0.0], mask=[False, True, False, True])}
    drawn = program.sample(settings(), chains=4, sweeps=2, clamp=clamp, seed=0)["x"][:, 0]
    np.testing.assert_array_equal(drawn[:, [0, 2]], np.tile([0.5, -1.0], (4, 1)))


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_coupling_that_is_too_strong(backend: Any) -> None:
    m = pgmc.Model("pair")
    x, y, J = m.real("x", 2), m.binary("y", 2), m.param("J", (2, 2), symmetric=True)
    m.energy((x @ x) / 2 - x @ J @ x / 2 - x @ y)
    program = pgmc.compile(m, dtype="float64", backend=backend)
    params = {"J": [[0.0, 1.5], [1.5, 0.0]]}
    message = r"x has no normal law, the smallest eigenvalue of its precision is -0.5. .* the parameter J"
    for ask in (
        lambda: program.sample(params, chains=3, sweeps=2, seed=0),
        lambda: program.conditional("x").evaluate(params, {"y": [[0, 1]]}),
        lambda: program.log_partition(params),
    ):
        with pytest.raises(pgmc.NumericsError, match=message):
            ask()


def test_proof() -> None:
    report = pgmc.compile(covariance_units(), dtype="float64", backend="numpy").verify()
    assert {"conditionals", "sweep, draw by draw", "log partition"} <= {check.name for check in report.checks}


@pytest.mark.parametrize("make", [visible_and_hidden, covariance_units])
def test_numpy_text_draws_the_same(make: Any) -> None:
    """The readable text, run with the stream's numbers, against the interpreted sweep."""
    model = make()
    program = pgmc.compile(model, dtype="float64", backend="numpy")
    generator = np.random.default_rng(0)
    params = {p.name: np.abs(generator.normal(size=[a.size for a in p.axes])) for p in program.model.parameters}
    names = tuple(v.name for v in program.model.variables)
    query, stream = Sweep(names), Stream(3, "text")
    shapes = {v.name: tuple(axis.size for axis in v.axes) for v in program.model.variables}
    state = {n: generator.integers(2, size=(5, *shape)).astype(np.float64) for n, shape in shapes.items()}
    text: dict[str, Any] = {}
    exec(program.source(query, language="numpy"), text)  # noqa: S102
    sites, total = {}, 0
    for name, shape in shapes.items():
        sites[f"site_{name}"], total = total, total + int(np.prod(shape))
    chains = np.arange(5)
    found = text["sweep"](
        **state,
        **params,
        **sites,
        uniform=lambda sweep, where: uniforms(random_words(stream.key, chains, sweep, where)),
        normal=lambda sweep, where: unit_normals(stream.key, chains, sweep, where, "float64"),
    )
    program.executable.sweep(query, params, state, stream=stream)
    for name in names:
        np.testing.assert_allclose(found[name], state[name], atol=1e-11)


def test_exact_likelihood_ascends_with_a_matrix_that_hidden_units_make() -> None:
    """The gradient of log Z is a mean over points of each normal law; against differences of log Z."""
    model, params = covariance_units(), settings()
    program = pgmc.compile(model, dtype="float64", backend="numpy")
    total = JointSum(program.executable, program.model.variables[0], program.model.variables[1:], {})
    log_z, found = total.mean_gradient(params, ("W", "R", "b"))
    assert log_z[0] == pytest.approx(program.log_partition(params).value, abs=1e-12)
    for name, value in params.items():
        along = np.random.default_rng(5).normal(size=value.shape)
        ahead, behind = (program.log_partition({**params, name: value + s * 1e-5 * along}).value for s in (1, -1))
        assert -np.vdot(found[name], along) == pytest.approx((ahead - behind) / 2e-5, rel=1e-7)
    x = np.random.default_rng(6).normal(size=(40, 4)) @ np.array(
        [[1, 0.9, 0, 0], [0, 0.4, 0, 0], [0, 0, 1, 0.8], [0, 0, 0, 0.5]]
    )
    fit = pgmc.fit(
        model, {"x": x}, pgmc.ExactLikelihood(), pgmc.Adam(0.05), params=params, epochs=15, batch_size=40,
        dtype="float64", progress=False,
    )  # fmt: skip
    assert fit.history["log_likelihood"][-1] > fit.history["log_likelihood"][0] + 0.1
    last = program.log_likelihood(fit.params, {"x": x}).mean()
    assert last >= fit.history["log_likelihood"][-1] - 0.05
