"""What ``compile`` hands to the user, against enumeration, and how it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.errors import ArgumentError, DataError, IntractableError, ModelError
from pgmc.inspection.equations import Equation
from pgmc.ir.answers import Refusal
from pgmc.ir.queries import Energy


def layered() -> pgmc.Model:
    m = pgmc.Model("layered")
    v, h, y = m.binary("v", 4), m.spin("h", 3), m.categorical("y", states=3)
    W, U, b = m.param("W", (4, 3)), m.param("U", (3, 3)), m.param("b", 4)
    m.energy(-(v @ W @ h) - h @ U @ y - b @ v)
    return m


@pytest.fixture(scope="module", params=["numpy", "numba"])
def program(request: pytest.FixtureRequest) -> pgmc.Program:
    return pgmc.compile(layered(), dtype="float64", backend=request.param)


@pytest.fixture(scope="module")
def params() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"W": rng.normal(size=(4, 3)), "U": rng.normal(size=(3, 3)), "b": rng.normal(size=4)}


@pytest.fixture(scope="module")
def every(params: dict[str, np.ndarray]) -> Any:
    return pgmc.enumerate_states(layered(), params)


def test_what_was_found(program: pgmc.Program) -> None:
    assert program.structure == "layered"
    assert [block.variables for block in program.blocks] == [("v", "y"), ("h",)]
    assert dict(program.graph.nodes["h"])["block"] == 1
    assert "layered" in repr(program)
    text = str(program)
    for word in ("layered", "v", "h", "y", "σ"):
        assert word in text


def test_energy(program: pgmc.Program, params: dict[str, np.ndarray], every: Any) -> None:
    energy = program.energy(params, every.states)
    assert energy.dtype == np.float64
    np.testing.assert_allclose(energy, every.energies, atol=1e-12)


def test_states_of_any_dtype(program: pgmc.Program, params: dict[str, np.ndarray], every: Any) -> None:
    wanted = program.energy(params, every.states)
    for dtype in (np.int8, np.int64, np.float32, np.float64):
        cast = {name: np.asarray(x, dtype=dtype) for name, x in every.states.items()}
        np.testing.assert_array_equal(program.energy(params, cast), wanted)
    booleans = every.states | {"v": np.asarray(every.states["v"], dtype=bool)}
    np.testing.assert_array_equal(program.energy(params, booleans), wanted)


@pytest.mark.parametrize("observed", [("h",), ("v", "y"), ("h", "y"), ("v", "h", "y")])
def test_free_energy(
    program: pgmc.Program, params: dict[str, np.ndarray], every: Any, observed: tuple[str, ...]
) -> None:
    """Σ exp(-F) over the observed states is Z, and F(all) is E."""
    rows = np.concatenate([np.asarray(every.states[n]).reshape(len(every), -1) for n in observed], axis=1)
    _, first, where = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    log_sums = np.log(np.bincount(where.ravel(), np.exp(-every.energies)))
    found = program.free_energy(params, {n: np.asarray(every.states[n])[first] for n in observed})
    np.testing.assert_allclose(found, -log_sums, atol=1e-10)


def test_free_energy_that_is_refused(program: pgmc.Program, params: dict[str, np.ndarray], every: Any) -> None:
    """v and y may be summed out given h, but h and v interact."""
    with pytest.raises(IntractableError, match="layered"):
        program.free_energy(params, {"y": every.states["y"]})
    assert isinstance(program.free_energy_equation(["y"]), Refusal)
    assert isinstance(program.free_energy_equation(["h"]), Equation)


def test_energy_gradient(program: pgmc.Program, params: dict[str, np.ndarray], every: Any) -> None:
    v, h, y = (np.asarray(every.states[n], dtype=float) for n in "vhy")
    hot = y[:, None] == np.arange(3)
    gradient = program.energy_gradient(params, every.states)
    np.testing.assert_allclose(gradient["W"], -v.T @ h / len(every), atol=1e-12)
    np.testing.assert_allclose(gradient["U"], -h.T @ hot / len(every), atol=1e-12)
    np.testing.assert_allclose(gradient["b"], -v.mean(0), atol=1e-12)


def test_likelihood(program: pgmc.Program, params: dict[str, np.ndarray], every: Any) -> None:
    exact = program.log_partition(params, method="exact")
    assert exact.value == pytest.approx(every.log_partition, abs=1e-10)
    log_p = program.log_likelihood(params, every.states)
    np.testing.assert_allclose(np.exp(log_p), every.probabilities, atol=1e-12)
    np.testing.assert_allclose(program.log_likelihood(params, every.states, log_z=exact), log_p, atol=1e-12)


def test_samples(program: pgmc.Program, params: dict[str, np.ndarray]) -> None:
    samples = program.sample(params, chains=5, sweeps=6, keep=3, thin=2, seed=1)
    assert {n: samples[n].shape for n in samples} == {"v": (5, 3, 4), "h": (5, 3, 3), "y": (5, 3)}
    assert {n: samples[n].dtype for n in samples} == {"v": np.int8, "h": np.int8, "y": np.int8}
    again = program.sample(params, chains=5, sweeps=6, seed=1)
    for name in samples:
        np.testing.assert_array_equal(samples[name][:, -1:], again[name])


def test_sampling_goes_on(program: pgmc.Program, params: dict[str, np.ndarray]) -> None:
    whole = program.sample(params, chains=7, sweeps=9, seed=2)
    half = program.sample(params, chains=7, sweeps=4, seed=2)
    rest = program.sample(params, chains=7, sweeps=5, init=half.last)
    for name in whole:
        np.testing.assert_array_equal(rest[name], whole[name])


def test_sources(program: pgmc.Program) -> None:
    source = program.source()
    for kernel in ("def sweep(", "def energy(", "def conditional_h(", "def free_energy(", "def gradient("):
        assert kernel in source
    compile(program.source(Energy()), "energy", "exec")
    assert "njit" not in program.source(Energy(), language="numpy")
    with pytest.raises(ArgumentError, match="language"):
        program.source(Energy(), language="fortran")


def test_programs_are_snapshots() -> None:
    m = layered()
    before = pgmc.compile(m, dtype="float64", backend="numpy")
    m.energy(-(m.param("a", 3) @ m.spin("z", 3)))
    assert [v.name for v in before.model.variables] == ["v", "h", "y"]
    after = pgmc.compile(m, dtype="float64", backend="numpy")
    assert [v.name for v in after.model.variables] == ["v", "h", "y", "z"]


def test_imposed_blocks(params: dict[str, np.ndarray]) -> None:
    program = pgmc.compile(layered(), backend="numpy", blocks=[["h"], ["v"], ["y"]])
    assert [block.variables for block in program.blocks] == [("h",), ("v",), ("y",)]
    with pytest.raises(ModelError, match="v and h interact"):
        pgmc.compile(layered(), blocks=[["v", "h"], ["y"]])
    with pytest.raises(ModelError, match="no block updates y"):
        pgmc.compile(layered(), blocks=[["v"], ["h"]])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"dtype": "float16"}, "dtype"), ({"backend": "cuda"}, "backend")],
)
def test_options_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        pgmc.compile(layered(), **options)
    with pytest.raises(ArgumentError, match=r"expected a pgmc\.Model"):
        pgmc.compile("layered")  # type: ignore[arg-type]


def test_empty_model() -> None:
    with pytest.raises(ModelError):
        pgmc.compile(pgmc.Model("empty"))


def test_arrays_that_are_wrong(program: pgmc.Program, params: dict[str, np.ndarray], every: Any) -> None:
    bad: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        (params | {"W": params["W"].T}, {}, "W"),
        (params | {"W": params["W"] * np.nan}, {}, "finite"),
        ({"W": params["W"]}, {}, "no array for"),
        (params, {"v": np.full((96, 4), 0.5)}, "0 or 1"),
        (params, {"h": np.zeros((96, 3))}, r"-1 or \+1"),
        (params, {"y": np.full(96, 3)}, "from 0 to 2"),
        (params, {"v": np.zeros((96, 5))}, r"\(n, 4\)"),
        (params, {"v": np.zeros((95, 4))}, "rows"),
    ]
    state = {name: np.asarray(x)[:96] for name, x in every.states.items()}
    for changed, arrays, message in bad:
        with pytest.raises(DataError, match=message):
            program.energy(changed, state | arrays)


def test_unknown_variables(program: pgmc.Program) -> None:
    with pytest.raises(ArgumentError, match="'x' is not a variable"):
        program.conditional("x")
    with pytest.raises(ArgumentError, match="'x' is not a variable"):
        program.free_energy_equation(["x"])
