"""Mean field against enumeration: the bound of the means found, on random models and on hand-made ones."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import conformance
import oracle
import pgmc
from pgmc.ir.queries import MeanField

TOLERANCE = 1e-10


def random_case(seed: int, backend: str) -> tuple[Any, Any, oracle.Exact] | None:
    spec, terms, theta = oracle.random_model(np.random.default_rng(seed), 64)
    if not terms:
        return None
    energy = oracle.energy_of(spec, terms)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pgmc.ModelWarning)
        program = pgmc.compile(
            conformance.declare(spec, terms, index_spelling=seed % 2 == 1), dtype="float64", backend=backend
        )
    exact = oracle.Exact(spec, lambda x: energy(x, theta))
    return program, conformance.params_of(spec, terms, theta), exact


def distributions(means: dict[str, Any], exact: oracle.Exact) -> list[Any]:
    """One probability vector per site, as the oracle wants them."""
    found: list[Any] = []
    for name, (_, values) in exact.spec.items():
        mean = means[name][0]
        if len(values) > 2:
            found += list(mean.reshape(-1, len(values)))
            continue
        on = mean.reshape(-1) if values == (0, 1) else (1 + mean.reshape(-1)) / 2
        found += [np.array([1 - p, p]) for p in on]
    return found


@pytest.mark.parametrize(("seed", "backend"), [(s, "numpy") for s in range(40)] + [(s, "numba") for s in range(40, 46)])
def test_bound_is_the_elbo_of_the_means(seed: int, backend: str) -> None:
    """Equal to the enumerated -E_q[E] + H(q), below log Z, and never falling from pass to pass."""
    case = random_case(seed, backend)
    if case is None:
        return
    program, params, exact = case
    bounds = [program.mean_field(params, {}, iterations=k, tol=0.0).bound[0] for k in (1, 2, 4)]
    result = program.mean_field(params, {}, iterations=100, tol=1e-9)
    assert result.bound[0] == pytest.approx(exact.elbo(distributions(result.means, exact)), abs=TOLERANCE)
    assert result.bound[0] <= exact.log_z + TOLERANCE
    assert np.all(np.diff([*bounds, result.bound[0]]) >= -1e-12 * (1 + abs(exact.log_z)))


def coupled() -> tuple[pgmc.Model, dict[str, Any]]:
    m = pgmc.Model("layers")
    v, h, g = m.binary("v", 3), m.binary("h", 2), m.spin("g", 2)
    W, U = m.param("W", (3, 2)), m.param("U", (2, 2))
    m.energy(-(v @ W @ h) - h @ U @ g)
    rng = np.random.default_rng(3)
    return m, {"W": rng.normal(size=(3, 2)), "U": rng.normal(size=(2, 2))}


def test_observed_variables_are_kept() -> None:
    """Given v, the bound lies below -F(v) summed by brute force over the latent units."""
    m, params = coupled()
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    v = np.array([[0, 1, 1], [1, 1, 0], [0, 0, 0]])
    result = program.mean_field(params, {"v": v}, iterations=500, tol=1e-12)
    states, _ = np.unique(np.array(np.meshgrid(*[[0, 1]] * 4)).reshape(4, -1), axis=1), None
    for row in range(3):
        h, g = states[:2].T, 2 * states[2:].T - 1
        energy = -(v[row] @ params["W"] @ h.T) - np.einsum("nj,jk,nk->n", h, params["U"], g)
        exact = float(np.logaddexp.reduce(-energy))
        assert result.bound[row] <= exact + TOLERANCE
        assert exact - result.bound[row] < 0.5
    assert result.converged
    assert set(result.means) == {"h", "g"}


def test_independent_latents_are_exact_in_one_pass() -> None:
    m = pgmc.Model("pair")
    v, h, y = m.binary("v", 4), m.binary("h", 3), m.categorical("y", states=3)
    W, b, R = m.param("W", (4, 3)), m.param("b", 3), m.param("R", (4, 3))
    m.energy(-(v @ W @ h) - b @ h - pgmc.einsum("i,ik,k->", v, R, y))
    rng = np.random.default_rng(0)
    params = {"W": rng.normal(size=(4, 3)), "b": rng.normal(size=3), "R": rng.normal(size=(4, 3))}
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    data = {"v": rng.integers(0, 2, (5, 4))}
    result = program.mean_field(params, data, iterations=1)
    np.testing.assert_allclose(result.bound, -program.free_energy(params, data), atol=TOLERANCE)
    np.testing.assert_allclose(
        result.means["h"], program.conditional("h").evaluate(params, data)["probs"], atol=TOLERANCE
    )
    np.testing.assert_allclose(result.means["y"].sum(axis=-1), 1.0, atol=1e-12)


def test_squares_of_sums_are_multiplied_out() -> None:
    """E = (Σ_i a_i s_i)² holds every pair of spins and, on the diagonal, constants."""
    m = pgmc.Model("square")
    s, a = m.spin("s", 4), m.param("a", 4)
    m.energy((a @ s) ** 2)
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    params = {"a": np.array([0.3, -0.7, 0.2, 1.1])}
    exact = oracle.Exact({"s": ((4,), (-1, 1))}, lambda x: (x["s"] @ params["a"]) ** 2)
    result = program.mean_field(params, {}, iterations=3, tol=0.0)
    assert result.bound[0] == pytest.approx(exact.elbo(distributions(result.means, exact)), abs=TOLERANCE)


def test_functions_of_sums_over_units_are_refused() -> None:
    m = pgmc.Model("refused")
    s, a = m.spin("s", 4), m.param("a", 4)
    m.energy(pgmc.softplus(a @ s))
    program = pgmc.compile(m)
    with pytest.raises(pgmc.IntractableError, match="not a polynomial"):
        program.mean_field(program.init(), {})


@pytest.mark.parametrize("option", [{"iterations": 0}, {"tol": -1.0}, {"damping": 1.0}, {"damping": float("nan")}])
def test_options_out_of_range(option: dict[str, Any]) -> None:
    m, params = coupled()
    with pytest.raises(pgmc.ArgumentError, match=next(iter(option))):
        pgmc.compile(m).mean_field(params, {}, **option)


def test_equations_are_those_of_the_chapter() -> None:
    """Goodfellow, Bengio, Courville (2016), equations 20.33 and 20.34, with a spin in the top layer."""
    m, _ = coupled()
    equations = str(pgmc.compile(m).mean_field_equations(["v"]))
    assert equations == "h[j] = σ(Σ_i W[i,j]·v[i] + Σ_k U[j,k]·g[k])\ng[k] = tanh(Σ_j U[j,k]·h[j])"


# ---- all means at once ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "backend"), [(s, "numpy") for s in range(12)] + [(40, "numba")])
def test_parallel_updates_damped_end_where_the_bound_is_stationary(seed: int, backend: str) -> None:
    case = random_case(seed, backend)
    if case is None:
        return
    program, params, exact = case
    result = program.mean_field(params, {}, iterations=3000, tol=1e-10, damping=0.8, parallel=True)
    assert result.bound[0] == pytest.approx(exact.elbo(distributions(result.means, exact)), abs=TOLERANCE)
    assert result.bound[0] <= exact.log_z + TOLERANCE
    assert not result.monotone and not result.cycle
    again = program.compiler.executable()
    state = {name: mean.copy() for name, mean in result.means.items()}
    again.relax(MeanField(()), {**params, "damping": np.asarray(0.0)}, state)
    if result.converged:
        for name, mean in result.means.items():
            np.testing.assert_allclose(state[name], mean, rtol=0, atol=1e-6)


def repelling() -> tuple[pgmc.Program, dict[str, Any]]:
    """Two spins that each want to be what the other is not; all at once they overshoot."""
    m = pgmc.Model("repelling")
    s, J, f = m.spin("s", 2), m.param("J"), m.param("f")
    m.energy(J * s[0] * s[1] - f * s[0] - f * s[1])
    return pgmc.compile(m, dtype="float64", backend="numpy"), {"J": 2.0, "f": 0.5}


def test_a_cycle_of_parallel_updates_is_detected() -> None:
    program, params = repelling()
    result = program.mean_field(params, {}, iterations=1000, tol=1e-8, parallel=True)
    assert result.cycle and not result.converged and result.passes < 100
    assert "parallel updates, not monotone: swinging between two sets of means" in repr(result)


def test_damping_ends_the_cycle() -> None:
    program, params = repelling()
    result = program.mean_field(params, {}, iterations=1000, tol=1e-8, damping=0.5, parallel=True)
    assert result.converged and not result.cycle
    np.testing.assert_allclose(result.means["s"], np.tanh(0.5 - 2.0 * result.means["s"][:, ::-1]), atol=1e-6)


def test_coordinate_updates_have_no_cycle() -> None:
    program, params = repelling()
    result = program.mean_field(params, {}, iterations=1000, tol=1e-8)
    assert result.converged and result.monotone and not result.cycle
