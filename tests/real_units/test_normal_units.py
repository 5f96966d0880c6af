"""Real units with a quadratic energy: conditionals, free energies, log Z and draws against finite forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

import pgmc
from pgmc.evaluation.base import base_fields, base_log_partition
from pgmc.evaluation.quadrature import integrate_line
from pgmc.ir.interpret import interpret_energy
from real_models import MODELS, chain, scaled_by_units, shifted_power, visible_and_hidden

Params = Mapping[str, Any]


def setting(make: Callable[[], pgmc.Model], rows: int = 5) -> tuple[pgmc.Model, dict[str, Any], dict[str, Any]]:
    """A model, random parameters, and random states and inputs."""
    model = make()
    generator = np.random.default_rng(7)
    built = model.build()
    params = {
        p.name: np.exp(generator.normal(size=[axis.size for axis in p.axes]) / 2)
        if p.constraint.positive
        else generator.normal(size=[axis.size for axis in p.axes]) * 0.4
        for p in built.parameters
    }
    states: dict[str, Any] = {}
    for symbol in (*built.variables, *built.inputs):
        shape = (rows, *(axis.size for axis in symbol.axes))
        match str(symbol.domain):
            case "real":
                states[symbol.name] = generator.normal(size=shape)
            case "binary":
                states[symbol.name] = generator.integers(2, size=shape)
            case "spin":
                states[symbol.name] = 2 * generator.integers(2, size=shape) - 1
            case _:
                states[symbol.name] = generator.integers(3, size=shape)
    return model, params, states


def energy(model: pgmc.Model, params: Params, states: Params) -> Any:
    wide = {name: np.asarray(value, dtype=float) for name, value in params.items()}
    return interpret_energy(model.build(), wide, states)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("make", MODELS)
def test_conditionals_are_read_off_second_differences(make: Callable[[], pgmc.Model], backend: Any) -> None:
    if backend == "numba" and make not in (visible_and_hidden, scaled_by_units):
        return
    model, params, states = setting(make)
    program = pgmc.compile(model, dtype="float64", backend=backend)
    for variable in (v for v in model.build().variables if str(v.domain) == "real"):
        found = program.conditional(variable.name).evaluate(params, states)
        for unit in np.ndindex(*states[variable.name].shape[1:]):
            values = []
            for step in (-1.0, 0.0, 1.0):
                moved = states[variable.name].copy()
                moved[:, *unit] += step
                values.append(energy(model, params, {**states, variable.name: moved}))
            below, here, above = values
            precision = above - 2 * here + below
            mean = states[variable.name][:, *unit] - (above - below) / (2 * precision)
            np.testing.assert_allclose(found["precision"][:, *unit], precision, rtol=1e-12)
            np.testing.assert_allclose(found["mean"][:, *unit], mean, rtol=1e-12, atol=1e-12)


def line_integral(model: pgmc.Model, params: Params, states: Params, name: str) -> Any:
    """-log of the integral of exp(-E) over two real units, on a fine grid."""
    points = np.linspace(-12, 12, 241)
    grid = np.stack(np.meshgrid(points, points, indexing="ij"), axis=-1).reshape(-1, 2)
    free = []
    for row in range(len(states[name])):
        whole = {key: np.repeat(value[row : row + 1], len(grid), axis=0) for key, value in states.items()}
        density = np.exp(-energy(model, params, {**whole, name: grid})).reshape(241, 241)
        free.append(-np.log(integrate.trapezoid(integrate.trapezoid(density, points), points)))
    return np.array(free)


@pytest.mark.parametrize("make", [scaled_by_units, shifted_power])
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_free_energy_integrates_real_units_out(make: Callable[[], pgmc.Model], backend: Any) -> None:
    model, params, states = setting(make)
    program = pgmc.compile(model, dtype="float64", backend=backend)
    observed = {name: value for name, value in states.items() if name != "x"}
    found = program.free_energy(params, observed)
    np.testing.assert_allclose(found, line_integral(model, params, states, "x"), rtol=1e-9)


def test_real_and_discrete_units_are_summed_out_together() -> None:
    m = pgmc.Model("both")
    x, h, z = m.real("x", 2), m.binary("h", 2), m.binary("z", 3)
    A, B = m.param("A", (2, 3)), m.param("B", (2, 3))
    m.energy((x**2).sum() - x @ A @ z - h @ B @ z)
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    generator = np.random.default_rng(0)
    params = {name: generator.normal(size=(2, 3)) for name in "AB"}
    given = generator.integers(2, size=(4, 3))
    mean = given @ params["A"].T
    logits = given @ params["B"].T
    expected = -(mean**2 / 4 + np.log(np.pi) / 2).sum(axis=1) - np.log1p(np.exp(logits)).sum(axis=1)
    np.testing.assert_allclose(program.free_energy(params, {"z": given}), expected, rtol=1e-12)


def test_gradients_of_free_energies() -> None:
    model, params, states = setting(scaled_by_units, rows=3)
    program = pgmc.compile(model, dtype="float64", backend="numpy")
    observed = {name: value for name, value in states.items() if name != "x"}
    from pgmc.ir.queries import FreeEnergy, Gradient
    from pgmc.runtime.state import encode_params, encode_state

    names = tuple(v.name for v in model.build().variables if v.name != "x")
    encoded = encode_state(program.model, observed, (*names, "u"), "float64")
    found = program.executable.evaluate(
        Gradient(FreeEnergy(names), ("a", "U")), encode_params(program.model, params, "float64"), encoded
    )
    for name, step in (("a", 1e-6), ("U", 1e-6)):
        direction = np.random.default_rng(1).normal(size=np.shape(params[name]))
        above, below = (
            program.free_energy({**params, name: params[name] + sign * step * direction}, observed).mean()
            for sign in (1, -1)
        )
        assert np.sum(found[name] * direction) == pytest.approx((above - below) / (2 * step), rel=1e-6)


def test_log_partition_of_five_real_and_four_binary_units() -> None:
    """Reference: 2^4 sums of a Gaussian integral, computed independently of pgmc."""
    i, j = np.arange(5)[:, None], np.arange(4)
    m = pgmc.Model("golden")
    v, h = m.real("v", 5), m.binary("h", 4)
    W, b, c = m.param("W", (5, 4)), m.param("b", 5), m.param("c", 4)
    m.energy(((v - b) ** 2).sum() / (2 * 0.7**2) - c @ h - (v @ W @ h) / 0.7**2)
    params = {
        "W": 0.6 * np.sin(0.7 * i + 1.3 * j),
        "b": np.cos(0.9 * np.arange(5)),
        "c": np.sin(0.4 * np.arange(4)) - 0.5,
    }
    for dtype, error in (("float64", 1e-11), ("float32", 2e-5)):
        program = pgmc.compile(m, dtype=dtype)
        assert program.log_partition(params).method == "exact"
        assert program.log_partition(params).value == pytest.approx(11.453073155253, abs=error)


def test_curie_weiss_by_an_integral_along_a_line() -> None:
    """100 spins that interact through one real unit: the spins are summed out, the unit is integrated by quadrature."""
    m = pgmc.Model("mean_field_magnet")
    x, s = m.real("x"), m.spin("s", 100)
    beta = m.param("beta", init=1.5)
    m.energy(x**2 / 2 - pgmc.sqrt(beta / 100) * x * s.sum())
    found = pgmc.compile(m, dtype="float64").log_partition({"beta": 1.5})
    assert found.method == "exact"
    assert found.value == pytest.approx(82.7096261621, abs=1e-9)
    assert found.value == pytest.approx(81.7906876289 + np.log(2 * np.pi) / 2, abs=1e-9)


def test_line_integrals() -> None:
    narrow, wide = stats.norm(-30, 0.2), stats.norm(40, 7)
    mixture = integrate_line(lambda x: np.log(0.3 * narrow.pdf(x) + 0.7 * wide.pdf(x) + 1e-300))
    assert mixture[0] == pytest.approx(0, abs=1e-9)
    assert integrate_line(stats.norm(3, 0.5).logpdf)[0] == pytest.approx(0, abs=1e-13)
    assert integrate_line(stats.t(30).logpdf)[0] == pytest.approx(0, abs=1e-9)
    with pytest.raises(pgmc.NumericsError, match="not died out"):
        integrate_line(lambda x: 0 * x)


@pytest.mark.parametrize("with_data", [False, True])
def test_annealing_starts_from_independent_normal_units(with_data: bool) -> None:
    """The mean weight is within 4.9 standard errors of Z / Z_base: a false alarm of 1e-6."""
    model, params, _ = setting(visible_and_hidden)
    program = pgmc.compile(model, dtype="float64")
    options = {"data": {"v": program.sample(params, chains=200, sweeps=10, seed=0)["v"][:, 0]}} if with_data else {}
    exact = program.log_partition(params).value
    for method in ("ais", "reverse-ais"):
        found = program.log_partition(params, method=method, chains=400, betas=60, seed=1, **options)
        assert abs(found.value - exact) < 4.9 * found.std_error + 1e-3


def test_base_matched_to_data() -> None:
    model, _, _ = setting(visible_and_hidden)
    data = np.random.default_rng(0).normal(2.0, 0.5, size=(400, 3))
    fields = base_fields(model.build(), "float64", {"v": data})
    precision = fields["precision_base_v"]
    np.testing.assert_allclose(fields["base_v"] / precision, data.mean(axis=0))
    np.testing.assert_allclose(1 / precision, (400 * data.var(axis=0) + 1) / 401)
    alone = sum(
        stats.norm(mean, 1 / np.sqrt(k)).logpdf(0.0) for mean, k in zip(data.mean(axis=0), precision, strict=True)
    )
    assert base_log_partition(model.build(), fields) == pytest.approx(-alone + 2 * np.log(2))


def test_training_learns_precisions() -> None:
    model, params, _ = setting(visible_and_hidden)
    program = pgmc.compile(model, dtype="float64")
    data = {"v": program.sample(params, chains=2000, sweeps=20, seed=0)["v"][:, 0]}
    truth = program.log_likelihood(params, data).mean()
    for objective in (pgmc.ExactLikelihood(), pgmc.PCD(k=2), pgmc.CD(k=2)):
        fit = pgmc.fit(
            model,
            data,
            objective=objective,
            optimizer=pgmc.Adam(0.03),
            epochs=12,
            batch_size=100,
            dtype="float64",
            seed=0,
            progress=False,
        )
        assert (fit.params["beta"] > 0).all()
        assert program.log_likelihood(fit.params, data).mean() > truth - 0.05


def test_training_stops_with_the_last_parameters_that_have_a_law() -> None:
    """The precision is a free parameter, and the data are wider than it allows."""
    m = pgmc.Model("wide")
    v, h = m.real("v", 2), m.binary("h", 2)
    k, W = m.param("k", 2, init=0.05), m.param("W", (2, 2))
    m.energy((k * v**2).sum() / 2 - v @ W @ h)
    data = {"v": np.random.default_rng(0).normal(scale=30.0, size=(200, 2))}
    with pytest.raises(pgmc.NumericsError, match=r"stopped at step .* precision is -.*, of the parameter k") as caught:
        pgmc.fit(m, data, objective=pgmc.CD(k=1), optimizer=pgmc.SGD(0.01), epochs=5, batch_size=20, progress=False)
    assert (caught.value.params["k"] > 0).all()


# ---- draws -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "error"), [("float64", 1e-12), ("float32", 2e-5)])
def test_backends_draw_the_same_numbers(dtype: Any, error: float) -> None:
    model, params, _ = setting(chain)
    runs = [
        pgmc.compile(model, dtype=dtype, backend=backend).sample(params, chains=7, sweeps=4, seed=5)
        for backend in ("numba", "numpy")
    ]
    np.testing.assert_array_equal(runs[0]["h"], runs[1]["h"])
    np.testing.assert_allclose(runs[0]["x"], runs[1]["x"], atol=error)
    assert runs[0]["x"].dtype == dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_are_normal(dtype: Any) -> None:
    """Kolmogorov-Smirnov and the fourth moment, false alarms 1e-6; it detects shifts of 0.004 deviations."""
    m = pgmc.Model("one")
    x = m.real("x", 4)
    m.energy(2 * (x**2).sum() - x.sum())
    drawn = pgmc.compile(m, dtype=dtype).sample({}, chains=1 << 18, sweeps=1, seed=3)["x"].ravel()
    z = (drawn.astype(np.float64) - 0.25) * 2
    assert stats.kstest(z, "norm").pvalue > 1e-6
    assert abs((z**4).mean() - 3) < 4.9 * np.sqrt(96 / len(z))
    assert abs(np.mean(np.abs(z) > 4) / (2 * stats.norm.sf(4)) - 1) < 4.9 / np.sqrt(2 * stats.norm.sf(4) * len(z))
    assert abs(np.corrcoef(z.reshape(-1, 4), rowvar=False) - np.eye(4)).max() < 4.9 / np.sqrt(len(z) / 4)


def test_moments_of_a_sampled_model() -> None:
    model, params, _ = setting(visible_and_hidden)
    program = pgmc.compile(model, dtype="float64")
    drawn = program.sample(params, chains=40_000, sweeps=30, seed=1)
    h = (np.arange(4)[:, None] >> np.arange(2)) & 1
    p = np.exp(program.log_likelihood(params, {"h": h}))
    assert p.sum() == pytest.approx(1, abs=1e-12)
    mean = p @ program.conditional("v").evaluate(params, {"h": h})["mean"]
    deviation = drawn["v"][:, 0].std(axis=0)
    assert np.abs(drawn["v"][:, 0].mean(axis=0) - mean).max() < 5 * deviation.max() / np.sqrt(40_000)


def test_kept_units_and_starts() -> None:
    model, params, _ = setting(chain)
    program = pgmc.compile(model, dtype="float64")
    values = np.ma.masked_array([1.5, -2.0, 0.0, 0.0], mask=[False, False, True, True])
    drawn = program.sample(params, chains=3, sweeps=3, clamp={"x": values}, seed=2)["x"]
    np.testing.assert_array_equal(drawn[:, 0, :2], np.tile([1.5, -2.0], (3, 1)))
    assert (drawn[:, 0, 2:] != 0).all()
    start = program.sample(params, chains=5, sweeps=0, seed=2)["x"]
    assert start.std() > 0.3
    np.testing.assert_array_equal(start[:3], program.sample(params, chains=3, sweeps=0, seed=2)["x"])


# ---- energies without a law --------------------------------------------------------------------------------


def cubic(m: pgmc.Model) -> None:
    x = m.real("x", 3)
    m.energy((x**3).sum() + (x**2).sum())


def three_way(m: pgmc.Model) -> None:
    x, y, z = m.real("x", 3), m.real("y", 3), m.real("z", 3)
    m.energy((x * y * z).sum() + (x**2).sum() + (y**2).sum() + (z**2).sum())


def linear(m: pgmc.Model) -> None:
    m.energy(m.real("x", 3).sum())


def negative(m: pgmc.Model) -> None:
    x = m.real("x", 3)
    m.energy((x**2 * np.array([1.0, 0.5, -0.2])).sum())


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (cubic, r".*test_normal_units.py:\d+: .*x\[i\]³ has the odd degree 3 .*no lower bound"),
        (three_way, ".*odd degree 3"),
        (linear, "no term of the energy is quadratic in x, so nothing holds it back. Add a term such as x²/2"),
        (negative, "the precision of x, 2·constant_1.*, is -0.4; it must be positive"),
    ],
)
def test_unbounded_energies_are_refused(declare: Callable[[pgmc.Model], None], message: str) -> None:
    m = pgmc.Model("unbounded")
    declare(m)
    with pytest.raises(pgmc.ModelError, match=f"not normalisable: {message}"):
        pgmc.compile(m)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_precision_that_is_not_positive_names_its_parameter(backend: Any) -> None:
    m = pgmc.Model("unstable")
    x, h = m.real("x", 3), m.binary("h", 2)
    beta, W = m.param("beta", 3, init=1.0), m.param("W", (3, 2))
    m.energy((beta * x**2).sum() / 2 - x @ W @ h)
    program = pgmc.compile(m, dtype="float64", backend=backend)
    params = {"beta": [1.0, -0.3, 2.0], "W": np.zeros((3, 2))}
    h_values = {"h": np.zeros((4, 2), dtype=int)}
    message = r"x\[1\] .*precision is -0.3.*beta\[i\], of the parameter beta. .*positive=True"
    for ask in (
        lambda: program.sample(params, sweeps=3, seed=1),
        lambda: program.free_energy(params, h_values),
        lambda: program.conditional("x").evaluate(params, h_values),
        lambda: program.log_partition(params),
    ):
        with pytest.raises(pgmc.NumericsError, match=message):
            ask()


def test_what_real_units_do_not_have() -> None:
    model, params, states = setting(visible_and_hidden)
    with pytest.raises(pgmc.IntractableError, match="real variable has no list of states"):
        pgmc.enumerate_states(model, params)
    program = pgmc.compile(model, backend="numpy")
    with pytest.raises(pgmc.IntractableError, match="v is real, and mean field takes discrete units"):
        program.mean_field(params, {"h": states["h"]})
    with pytest.raises(pgmc.DataError, match="finite numbers"):
        program.energy(params, {**states, "v": np.full((5, 3), np.nan)})


def test_equations() -> None:
    program = pgmc.compile(visible_and_hidden())
    assert str(program.conditional("v")) == (
        "p(v[i] | h) = Normal(mean Σ_j W[i,j]·h[j] + b[i]/beta[i], precision beta[i])"
    )
    assert program.conditional("v").family == "Normal"
    assert set(program.conditional("v").parameters) == {"mean", "precision"}
    assert r"\mathcal{N}" in program.conditional("v").latex()
    text = str(program.free_energy_equation(["h"]))
    assert "1/2·Σ_i log(2·π)" in text
    assert "Normal" in str(program.report())
