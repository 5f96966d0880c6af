"""Lattices by index offsets on periodic axes, against enumeration and closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import oracle
import pgmc
from pgmc.ir.queries import Sweep
from pgmc.runtime.streams import Stream

Case = tuple[pgmc.Model, dict[str, Any], Callable[[Any], Any], tuple[int, ...]]
BINARY, SPIN, THREE = (0, 1), (-1, 1), (0, 1, 2)


def roll(values: Any, *shifts: int) -> Any:
    """s[x + dx, ...] for every x: the value a shift further on."""
    return np.roll(values, [-d for d in shifts], axis=tuple(range(1, 1 + len(shifts))))


def ring() -> Case:
    m, (x,) = pgmc.Model("ring"), [pgmc.indices("x")]
    s, J, h = m.spin("s", 5, boundary="periodic"), m.param("J", 5), m.param("h")
    m.energy(-J[x] * s[x] * s[x + 1] - h * s[x])
    return m, {"J": (5,), "h": ()}, lambda t: lambda a: -(a * roll(a, 1)) @ t["J"] - t["h"] * a.sum(1), SPIN


def square() -> Case:
    m, (x, y) = pgmc.Model("square"), pgmc.indices("x y")
    s, J = m.spin("s", (2, 3), boundary="periodic"), m.param("J", (2, 3))
    m.energy(-J[x, y] * s[x, y] * (s[x + 1, y] + s[x, y + 1]))
    return m, {"J": (2, 3)}, lambda t: lambda a: -(t["J"] * a * (roll(a, 1, 0) + roll(a, 0, 1))).sum((1, 2)), SPIN


def three_spins() -> Case:
    m, (x, y) = pgmc.Model("triangles"), pgmc.indices("x y")
    s, J = m.spin("s", (2, 3), boundary="periodic"), m.param("J", (2, 3))
    m.energy(-J[x, y] * s[x, y] * s[x + 1, y] * s[x, y - 1])
    return m, {"J": (2, 3)}, lambda t: lambda a: -(t["J"] * a * roll(a, 1, 0) * roll(a, 0, -1)).sum((1, 2)), SPIN


def one_way() -> Case:
    """Periodic along the second axis only, binary units, next-nearest neighbours, two offsets of a coupling."""
    m, (x, y) = pgmc.Model("stripes"), pgmc.indices("x y")
    s, J = (make(n, (2, 4), boundary=("open", "periodic")) for n, make in (("s", m.binary), ("J", m.param)))
    m.energy(-J[x, y] * s[x, y] * s[x, y + 2] + J[x, y + 1] * s[x, y])
    return m, {"J": (2, 4)}, lambda t: lambda a: (
        -(t["J"] * a * roll(a, 0, 2)).sum((1, 2)) + (np.roll(t["J"], -1, 1) * a).sum((1, 2))
    ), BINARY  # fmt: skip


def potts() -> Case:
    m, (x, k) = pgmc.Model("potts"), pgmc.indices("x k")
    y, J = m.categorical("s", 4, states=3, boundary="periodic"), m.param("J", 4)
    m.energy(-J[x] * y[x, k] * y[x + 1, k])
    return m, {"J": (4,)}, lambda t: lambda a: -((a == roll(a, 1)) @ t["J"]), THREE


CASES = {f.__name__: f for f in (ring, square, three_spins, one_way, potts)}


def solved(name: str, backend: str) -> tuple[pgmc.Program, dict[str, Any], oracle.Exact]:
    model, shapes, energy, values = CASES[name]()
    rng = np.random.default_rng(0)
    params = {parameter: rng.normal(size=shape) for parameter, shape in shapes.items()}
    program = pgmc.compile(model, dtype="float64", backend=backend)  # type: ignore[arg-type]
    shape = tuple(axis.size for axis in program.model.variable("s").axes)
    of_state = energy(params)
    return program, params, oracle.Exact({"s": (shape, values)}, lambda state: of_state(state["s"]))


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", CASES)
def test_energies_conditionals_and_gradients(name: str, backend: str) -> None:
    program, params, exact = solved(name, backend)
    state = exact.states()
    np.testing.assert_allclose(program.energy(params, state), exact.E, atol=1e-12)
    probs = program.conditional("s").evaluate(params, state)["probs"].reshape(exact.S, exact.n, -1)
    for site in range(exact.n):
        wanted = exact.conditional(site)[0]
        np.testing.assert_allclose(probs[:, site], wanted if wanted.shape[1] > 2 else wanted[:, 1:], atol=1e-12)
    gradient = program.energy_gradient(params, state)
    for parameter, value in params.items():
        for place in np.ndindex(np.shape(value)):
            step = np.zeros(np.shape(value))
            step[place] = 1.0  # energies are linear in the couplings
            change = program.energy({**params, parameter: value + step}, state) - exact.E
            assert gradient[parameter][place] == pytest.approx(change.mean(), abs=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_one_sweep_keeps_the_law_and_moves_every_unit(name: str) -> None:
    """50,000 exact starts: chi-square at 1e-9 (a cell of probability 0.5 is seen to shift from 0.027 on)."""
    program, params, exact = solved(name, "numba")
    rng = np.random.default_rng(1)
    start = exact.sample(rng, 50_000)
    samples = program.sample(params, chains=len(start), sweeps=1, init=exact.states(start), seed=2)
    values = samples["s"][:, -1].reshape(len(start), -1)
    end = np.searchsorted(exact.spec["s"][1], values)
    assert oracle.chi2_test(np.bincount(exact.index(end), minlength=exact.S), exact.p) > 1e-9
    assert (start != end).any(axis=0).all()


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_both_backends_draw_the_same_units_in_the_same_order(name: str, backward: bool) -> None:
    results = []
    for backend in ("numpy", "numba"):
        program, params, exact = solved(name, backend)
        dtype = np.int64 if name == "potts" else np.float64
        state = {"s": exact.states(exact.sample(np.random.default_rng(3), 20))["s"].astype(dtype)}
        query = Sweep(("s",), backward=backward)
        program.executable.sweep(query, params, state, stream=Stream(0, "order"), sweeps=3)
        results.append(state["s"])
    np.testing.assert_array_equal(*results)


def ising(size: int, dtype: str = "float64") -> pgmc.Program:
    m, (x, y) = pgmc.Model("ising"), pgmc.indices("x y")
    s, J = m.spin("s", (size, size), boundary="periodic"), m.param("J")
    m.energy(-J * s[x, y] * (s[x + 1, y] + s[x, y + 1]))
    return pgmc.compile(m, dtype=dtype)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "coupling", "log_z"),
    [(3, 0.2, 6.6697446043), (3, 0.44068679350977, 9.0202134009), (4, 0.44068679350977, 15.5219154588)],
)
def test_partition_function_is_that_of_kaufman(size: int, coupling: float, log_z: float) -> None:
    """Kaufman (1949), the m × n torus."""
    assert ising(size).log_partition({"J": coupling}).value == pytest.approx(log_z, abs=1e-9)


def test_annealing_finds_the_critical_torus() -> None:
    """log Z of 8 × 8 at β_c by annealed importance sampling, within 5 standard errors and 0.2 nats."""
    estimate = ising(8, "float32").log_partition({"J": 0.44068679350977}, method="ais", seed=0)
    assert abs(estimate.value - 60.1417807891) < min(5 * estimate.std_error, 0.2)


def test_a_ring_in_a_field_has_the_transfer_matrix_of_the_book() -> None:
    """λ± = e^J cosh h ± sqrt(e^2J sinh² h + e^-2J), Z = λ₊^N + λ₋^N."""
    model, *_ = ring()
    coupling, field = 0.7, 0.3
    root = math.sqrt(math.exp(2 * coupling) * math.sinh(field) ** 2 + math.exp(-2 * coupling))
    middle = math.exp(coupling) * math.cosh(field)
    wanted = math.log((middle + root) ** 5 + (middle - root) ** 5)
    params = {"J": np.full(5, coupling), "h": field}
    found = pgmc.compile(model, dtype="float64", backend="numpy").log_partition(params)
    assert found.value == pytest.approx(wanted, abs=1e-10)


def test_mean_field_bound_is_the_elbo() -> None:
    program, params, exact = solved("square", "numpy")
    result = program.mean_field(params, {}, iterations=50)
    q = [np.array([(1 - mean) / 2, (1 + mean) / 2]) for mean in result.means["s"].ravel()]
    assert result.bound[0] == pytest.approx(exact.elbo(q), abs=1e-10)
    assert result.bound[0] <= exact.log_z + 1e-10


def test_structure_and_colours_are_found() -> None:
    program = ising(4)
    assert program.structure == "lattice"
    assert "2 colours" in program.source(Sweep(("s",)))
    assert str(program.conditional("s")) == (
        "P(s[x,y] = +1 | s[≠(x,y)]) = σ(2·J·(s[x,y+1] + s[x+1,y]) + 2·J·s[x,y-1] + 2·J·s[x-1,y])"
    )


def test_sizes_do_not_enter_the_source() -> None:
    assert ising(4).source(Sweep(("s",))) == ising(64).source(Sweep(("s",)))


def test_neighbours_need_room() -> None:
    m, x = pgmc.Model("small"), pgmc.indices("x")
    s = m.spin("s", 2, boundary="periodic")
    with pytest.raises(pgmc.ModelError, match=r"offsets of x span 2 places, and axis 0 of s has 2"):
        m.energy(s[x - 1] * s[x + 1])


@pytest.mark.parametrize("boundary", ["closed", ("periodic",), 3])
def test_boundaries_are_checked(boundary: Any) -> None:
    with pytest.raises(pgmc.ModelError, match="group 's': boundary is"):
        pgmc.Model("m").spin("s", (2, 3), boundary=boundary)


def test_the_offset_of_an_index_is_an_integer() -> None:
    m, x = pgmc.Model("m"), pgmc.indices("x")
    s = m.spin("s", 4, boundary="periodic")
    with pytest.raises(pgmc.NotationError, match="the offset of an index is float"):
        s[x + 0.5]


def test_a_saved_lattice_comes_back(tmp_path: Any) -> None:
    model, *_ = square()
    params = {"J": np.arange(6.0).reshape(2, 3)}
    pgmc.save(tmp_path / "lattice.pgmc", model, params)
    again, values = pgmc.load(tmp_path / "lattice.pgmc")
    assert again.build() == model.build()
    np.testing.assert_array_equal(values["J"], params["J"])
