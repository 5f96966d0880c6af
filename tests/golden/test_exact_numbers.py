"""Numbers known to ten digits: small models with weights given by formulas, enumerated independently of pgmc."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

import pgmc

Params = Mapping[str, np.ndarray]

i, j = np.arange(12)[:, None], np.arange(8)
W = np.sin(0.7 * i + 1.3 * j)
b, c = np.cos(0.9 * np.arange(12)), np.sin(0.4 * np.arange(8)) - 0.5


def bipartite(visible: int, hidden: int, dtype: str = "float64") -> pgmc.Program:
    m = pgmc.Model("bipartite")
    v, h = m.binary("v", visible), m.binary("h", hidden)
    weights, bias, offset = m.param("W", (visible, hidden)), m.param("b", visible), m.param("c", hidden)
    m.energy(-(v @ weights @ h) - bias @ v - offset @ h)
    return pgmc.compile(m, dtype=dtype)


def every_state(units: int) -> np.ndarray:
    """(2^units, units), the last unit fastest."""
    return (np.arange(2**units)[:, None] >> np.arange(units)[::-1]) & 1


@pytest.fixture(scope="module")
def wide() -> tuple[pgmc.Program, Params]:
    return bipartite(12, 8), {"W": W, "b": b, "c": c}


def test_bipartite_12_8_log_partition(wide: tuple[pgmc.Program, Params]) -> None:
    program, params = wide
    assert program.log_partition(params, method="exact").value == pytest.approx(20.516463595503, abs=1e-9)


def test_bipartite_12_8_float32() -> None:
    params = {"W": W, "b": b, "c": c}
    assert bipartite(12, 8, "float32").log_partition(params).value == pytest.approx(20.516463595503, abs=2e-5)


def test_bipartite_12_8_expectations(wide: tuple[pgmc.Program, Params]) -> None:
    program, params = wide
    v = every_state(12)
    log_p = program.log_likelihood(params, {"v": v})
    hidden = program.conditional("h").evaluate(params, {"v": v})["probs"]
    p = np.exp(log_p)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert p @ v[:, 0] == pytest.approx(0.963294018032, abs=1e-9)
    assert p @ (v[:, 0] * hidden[:, 0]) == pytest.approx(0.562673229500, abs=1e-9)
    assert -p @ log_p == pytest.approx(5.079384735222, abs=1e-9)


def test_bipartite_12_8_annealed(wide: tuple[pgmc.Program, Params]) -> None:
    program, params = wide
    for method in ("ais", "reverse-ais"):
        estimate = program.log_partition(params, method=method, chains=200, betas=300, seed=0)
        assert abs(estimate.value - 20.516463595503) < 5 * estimate.std_error < 0.1


def test_gibbs_kernel_eigenvalues() -> None:
    program = bipartite(6, 4)
    params = {"W": 2 * W[:6, :4], "b": b[:6], "c": c[:4]}
    v, h = every_state(6), every_state(4)

    def kernel(target: str, states: np.ndarray, given: dict[str, np.ndarray]) -> np.ndarray:
        on = program.conditional(target).evaluate(params, given)["probs"]
        return np.prod(np.where(states[None] == 1, on[:, None], 1 - on[:, None]), axis=2)

    matrix = kernel("h", h, {"v": v}) @ kernel("v", v, {"h": h})
    eigenvalues = np.sort(np.linalg.eigvals(matrix).real)[::-1]
    np.testing.assert_allclose(eigenvalues[:4], [1, 0.47357032, 0.31718495, 0.18689717], atol=5e-9)
    assert program.log_partition(params).value == pytest.approx(10.263550697224, abs=1e-9)


def test_three_layers_6_4_3() -> None:
    m = pgmc.Model("three_layers")
    v, h, g = m.binary("v", 6), m.binary("h", 4), m.binary("g", 3)
    first, second = m.param("first", (6, 4)), m.param("second", (4, 3))
    m.energy(-(v @ first @ h) - h @ second @ g - m.param("b", 6) @ v - m.param("c", 4) @ h - m.param("d", 3) @ g)
    params = {
        "first": W[:6, :4],
        "second": np.cos(0.5 * np.arange(4)[:, None] + 0.8 * np.arange(3)),
        "b": b[:6],
        "c": c[:4],
        "d": 0.3 * np.arange(3) - 0.4,
    }
    program = pgmc.compile(m, dtype="float64")
    assert program.log_partition(params, method="exact").value == pytest.approx(10.589609648242, abs=1e-9)


@pytest.mark.parametrize(("zero_diagonal", "expected"), [(False, 7.642254921986), (True, 7.483558305293)])
def test_eight_units_that_all_interact(zero_diagonal: bool, expected: float) -> None:
    m = pgmc.Model("dense")
    s = m.binary("s", 8)
    m.energy(-0.5 * (s @ m.param("J", (8, 8), zero_diagonal=zero_diagonal) @ s) - m.param("b", 8) @ s)
    params = {"J": 0.5 * np.sin(np.arange(8)[:, None] + np.arange(8)), "b": np.cos(0.9 * np.arange(8))}
    program = pgmc.compile(m, dtype="float64")
    assert program.log_partition(params, method="exact").value == pytest.approx(expected, abs=1e-9)


def test_one_weight_per_pair() -> None:
    m = pgmc.Model("pairs")
    v, h = m.binary("v", 9), m.binary("h", 9)
    m.energy(-(v * m.param("w", 9) * h).sum() - m.param("b", 9) @ v - m.param("c", 9) @ h)
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=9) for name in "wbc"}
    w, visible, hidden = (params[name] for name in "wbc")
    expected = np.log(1 + np.exp(visible) + np.exp(hidden) + np.exp(visible + hidden + w)).sum()
    assert pgmc.compile(m, dtype="float64").log_partition(params).value == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(("field", "expected"), [(0.0, 18.40839046687), (0.3, 21.253709228312)])
def test_ring_of_twenty_spins(field: float, expected: float) -> None:
    """β = 0.7; the even and the odd spins are the two variables."""
    m = pgmc.Model("ring")
    even, odd = m.spin("even", 10), m.spin("odd", 10)
    m.energy(-(even @ m.param("J", (10, 10)) @ odd) - m.param("f", 10) @ even - m.param("g", 10) @ odd)
    bonds = 0.7 * (np.eye(10) + np.roll(np.eye(10), -1, axis=1))
    fields = np.full(10, field)
    program = pgmc.compile(m, dtype="float64")
    value = program.log_partition({"J": bonds, "f": fields, "g": fields}, method="exact").value
    assert value == pytest.approx(expected, abs=1e-9)


def torus(side: int) -> np.ndarray:
    """Each bond of a periodic square lattice once, as a matrix."""
    number = np.arange(side * side).reshape(side, side)
    bonds = np.zeros((side * side, side * side))
    for axis in (0, 1):
        bonds[number, np.roll(number, -1, axis)] += 1
    return bonds


@pytest.mark.parametrize(
    ("side", "coupling", "expected"),
    [(3, 0.2, 6.6697446043), (3, 0.6, 11.5876950134), (4, np.log(1 + np.sqrt(2)) / 2, 15.5219154588)],
)
def test_square_lattice_on_a_torus(side: int, coupling: float, expected: float) -> None:
    """Kaufman's exact solution."""
    m = pgmc.Model("torus")
    s = m.spin("s", side * side)
    m.energy(-(s @ m.param("J", (side * side, side * side)) @ s))
    program = pgmc.compile(m, dtype="float64")
    value = program.log_partition({"J": coupling * torus(side)}, method="exact").value
    assert value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("method", ["ais", "tempering"])
def test_eight_by_eight_spins_at_the_critical_point(method: str) -> None:
    """Kaufman's log Z, 60.1417807891, within 5 standard errors (a false alarm of 6e-7) of less than 0.04.

    ``python -m benchmarks.ising`` measures it to 0.02, and that of 16 x 16 spins.
    """
    m = pgmc.Model("ising")
    s, J = m.spin("s", (8, 8), boundary="periodic"), m.param("J")
    x, y = pgmc.indices("x y")
    m.energy(-J * s[x, y] * s[x, y + 1] - J * s[x, y] * s[x + 1, y])
    how = {"ais": {"chains": 400, "betas": 500}, "tempering": {"chains": 20, "betas": 16, "sweeps": 500}}[method]
    found = pgmc.compile(m).log_partition({"J": np.log(1 + np.sqrt(2)) / 2}, method=method, seed=0, **how)
    assert abs(found.value - 60.1417807891) < 5 * found.std_error < 5 * 0.04
