"""The bound through latent variables made of noise, against quadrature over the noise and over the latents."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_digits

import pgmc
from pgmc.compiler import Compiler
from pgmc.dsl.model import Model
from pgmc.errors import ArgumentError, VerificationError
from pgmc.ir.answers import Refusal
from pgmc.ir.queries import Energy, Gradient
from pgmc.learning.fit import fit
from pgmc.learning.objective import Setup
from pgmc.program.verification.bound import check_bound
from pgmc.program.verification.report import Ledger
from pgmc.runtime.streams import Stream

Array = npt.NDArray[np.float64]
Params = dict[str, Array]
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def _net(units: int = 1) -> Model:
    """A network both ways, the guide's scale the exponential of a linear function."""
    m = pgmc.Model("net")
    x, z = m.binary("x", 3), m.real("z", units)
    a = m.define("a", pgmc.tanh(m.param("V", (4, units)) @ z + m.param("c", 4)))
    m.directed(z, pgmc.Normal(mean=m.param("m0", units), precision=m.param("p0", units, positive=True)))
    m.directed(x, pgmc.Bernoulli(logits=m.param("U", (3, 4)) @ a + m.param("b", 3)))
    q = m.guide()
    g = q.define("g", pgmc.tanh(q.param("R", (4, 3)) @ x + q.param("r", 4)))
    q.directed(
        z,
        pgmc.Normal(
            mean=q.param("M", (units, 4)) @ g + q.param("mu", units),
            scale=pgmc.exp(q.param("S", (units, 4)) @ g + q.param("s", units)),
        ),
    )
    return m


def _two_layers() -> Model:
    """Two latents, the upper one drawn by the guide from the lower one, as the model draws the lower from the upper."""
    m = pgmc.Model("two")
    x, y, z = m.real("x", 2), m.real("y", 1), m.real("z", 1)
    m.directed(z, pgmc.Normal(mean=0))
    m.directed(y, pgmc.Normal(mean=pgmc.tanh(z), precision=2.0))
    m.directed(x, pgmc.Normal(mean=pgmc.sigmoid(m.param("W", (2, 1)) @ y), precision=m.param("lam", positive=True)))
    q = m.guide()
    q.directed(y, pgmc.Normal(mean=q.param("A", (1, 2)) @ x, precision=q.param("pr", 1, positive=True)))
    q.directed(z, pgmc.Normal(mean=q.param("B", (1, 1)) @ y, scale=0.7))
    return m


def _made(m: Model, seed: int) -> tuple[pgmc.Program, Params, Params]:
    rng = np.random.default_rng(seed)
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    params = {
        name: rng.uniform(0.5, 1.5, size=value.shape) if (value == 1).all() else rng.normal(0, 0.7, size=value.shape)
        for name, value in m.init(dtype="float64").items()
    }
    real = "real" in str(program.model.variable("x").domain)
    shape = (3, *(axis.size for axis in program.model.variable("x").axes))
    return program, params, {"x": rng.normal(size=shape) if real else rng.integers(0, 2, size=shape).astype(float)}


def _noise_grid(names: dict[str, int], rows: int) -> tuple[Params, Array]:
    """Nodes of Gauss and Hermite in all directions, and their weights over ``rows`` rows."""
    total = sum(names.values())
    grids = np.stack(np.meshgrid(*[NODES] * total, indexing="ij"), -1).reshape(-1, total)
    weights = np.prod(np.stack(np.meshgrid(*[WEIGHTS] * total, indexing="ij"), -1).reshape(-1, total), axis=1)
    found, first = {}, 0
    for name, size in names.items():
        found[name] = np.tile(grids[:, first : first + size], (rows, 1))
        first += size
    return found, np.tile(weights, rows) / rows


def _guide_of_net(name: str, own: Params, state: Params) -> tuple[Array, Array]:
    g = np.tanh(state["x"] @ own["R"].T + own["r"])
    return g @ own["M"].T + own["mu"], np.exp(g @ own["S"].T + own["s"])


def _guide_of_two(name: str, own: Params, state: Params) -> tuple[Array, Array]:
    if name == "y":
        return state["x"] @ own["A"].T, own["pr"] ** -0.5
    return state["y"] @ own["B"].T, np.full(1, 0.7)


Law = Callable[[str, Params, Params], tuple[Array, Array]]


def _exact(program: pgmc.Program, law: Law, params: Params, data: Params) -> float:
    """E_q[log p - log q] by quadrature over each latent, from the declared model and the law of the guide by hand."""
    latents = {v.name: v.axes[0].size for v in program.model.variables if v.name != "x"}
    noise, weights = _noise_grid(latents, len(data["x"]))
    state = {"x": np.repeat(data["x"], len(weights) // len(data["x"]), axis=0)}
    log_q = np.zeros(len(weights))
    for name in latents:  # in the order of declaration, which is that of the guides here
        mean, scale = law(name, params, state)
        state[name] = mean + scale * noise[name]
        log_q += (-0.5 * noise[name] ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)).sum(axis=1)
    log_p = -program.energy({p.name: params[p.name] for p in program.model.parameters}, state)
    return float(weights @ (log_p - log_q))


@pytest.mark.parametrize("analytic", [True, False])
@pytest.mark.parametrize(
    ("m", "law"),
    [(_net(), _guide_of_net), (_net(2), _guide_of_net), (_two_layers(), _guide_of_two)],
    ids=["net", "net_of_two", "two_layers"],
)
def test_the_mean_over_the_noise_is_the_bound_and_its_gradient(m: Model, law: Law, analytic: bool) -> None:
    """Both means by quadrature: the bound to 1e-7, its gradient to differences of the exact bound, 1e-5."""
    program, params, data = _made(m, seed=4)
    bound = program.executable.bound(analytic)
    latents = {v.name: v.axes[0].size for v in program.model.variables if v.name != "x"}
    noise, weights = _noise_grid({f"noise_{name}": size for name, size in latents.items()}, len(data["x"]))
    state = {"x": np.repeat(data["x"], len(weights) // len(data["x"]), axis=0), **noise}
    value = -float(weights @ bound.evaluate(Energy(), params, state)["energy"])
    assert value == pytest.approx(_exact(program, law, params, data), abs=1e-7)
    names = tuple(p.name for p in bound.model.parameters)
    assert set(names) == set(params)
    found = bound.evaluate(Gradient(Energy(), names), params, state, weights=weights)
    rng = np.random.default_rng(0)
    for name in names:
        direction = rng.normal(size=params[name].shape)
        moved = [_exact(program, law, {**params, name: params[name] + h * direction}, data) for h in (1e-5, -1e-5)]
        assert -np.vdot(found[name], direction) == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=1e-5, abs=1e-7)


def test_divergences_are_in_closed_form_only_where_they_can_be() -> None:
    """In ``_two_layers`` y is drawn by the guide before z, of which its law in the model is made."""
    single = Compiler(_net().build(), dtype="float64").reparametrised()
    assert not isinstance(single, Refusal)
    assert "noise" not in str(single.model).partition("=")[2]
    two = Compiler(_two_layers().build(), dtype="float64").reparametrised()
    assert not isinstance(two, Refusal)
    terms = str(two.model).partition("=")[2]
    assert "noise_y" in terms and "noise_z" not in terms


def test_the_gradient_is_free_of_bias() -> None:
    """The mean of 200 gradients of 20 draws each against quadrature: below 6 errors, false alarm 1e-6 in all."""
    program, params, data = _made(_net(), seed=7)
    batch = {"x": np.repeat(data["x"][:1], 20, axis=0)}
    setup, objective = _setup(program, batch), pgmc.ELBO()
    found = [objective.gradient(setup, params, batch, step, {}, measure=False).gradients for step in range(200)]
    noise, weights = _noise_grid({"noise_z": 1}, 1)
    state = {"x": np.repeat(data["x"][:1], len(weights), axis=0), **noise}
    exact = program.executable.bound(True).evaluate(Gradient(Energy(), tuple(params)), params, state, weights=weights)
    for name in params:
        values = np.stack([gradients[name] for gradients in found])
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values)) + 1e-12
        assert np.abs((values.mean(axis=0) - exact[name]) / error).max() < 6


def _setup(program: pgmc.Program, data: Params) -> Setup:
    names, stream = tuple(p.name for p in program.model.trained), Stream(3, "test")
    return Setup(program.executable, ("x",), ("z",), names, data, stream, False, False)


def test_more_weighted_draws_are_closer_to_the_likelihood() -> None:
    program, params, data = _made(_net(), seed=7)
    setup = _setup(program, data)
    rows = {"x": np.repeat(data["x"], 200, axis=0)}
    loose = pgmc.ELBO(samples=1).validate(setup, params, rows)["bound"]
    tight = pgmc.ELBO(samples=50, weighted=True).validate(setup, params, rows)["bound"]
    exact = _log_likelihood(program, params, data)
    assert loose < tight < exact + 0.01
    assert tight == pytest.approx(exact, abs=0.05)


def test_the_weighted_gradient_is_that_of_the_weighted_bound() -> None:
    """At given noise both are functions of the parameters: differences, 1e-6."""
    program, params, data = _made(_net(), seed=3)
    setup, objective = _setup(program, data), pgmc.ELBO(samples=4, weighted=True)
    found = objective.gradient(setup, params, data, 2, {}, measure=True)

    def bound(moved: Params) -> float:
        return objective.gradient(setup, moved, data, 2, {}, measure=True).metrics["bound"]

    rng = np.random.default_rng(0)
    for name, value in params.items():
        direction = rng.normal(size=value.shape)
        above, below = (bound({**params, name: value + h * direction}) for h in (1e-5, -1e-5))
        slope = -np.vdot(found.gradients[name], direction)
        assert slope == pytest.approx((above - below) / 2e-5, rel=1e-6, abs=1e-8)


def _log_likelihood(program: pgmc.Program, params: Params, data: Params) -> float:
    """The mean of log p(x), by a fine sum over z."""
    z = np.linspace(-12, 12, 4001)[:, None]
    own = {p.name: params[p.name] for p in program.model.parameters}
    logs = [
        np.logaddexp.reduce(-program.energy(own, {"x": np.repeat(x[None], len(z), axis=0), "z": z}))
        + np.log(z[1, 0] - z[0, 0])
        for x in data["x"]
    ]
    return float(np.mean(logs))


def test_what_cannot_be_made_of_noise_is_refused() -> None:
    m = pgmc.Model("discrete")
    x, h = m.binary("x", 3), m.binary("h", 2)
    m.directed(h, pgmc.Bernoulli(logits=0))
    m.directed(x, pgmc.Bernoulli(logits=m.param("W", (3, 2)) @ h))
    m.guide().directed(h, pgmc.Bernoulli(logits=m.guide().param("R", (2, 3)) @ x))
    with pytest.raises(ArgumentError, match=r"h is binary in the guide.*ReweightedWakeSleep"):
        pgmc.fit(m, {"x": np.zeros((4, 3))}, objective=pgmc.ELBO(), epochs=1, progress=False)


def test_verification_covers_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    def check() -> set[str]:
        program, ledger = pgmc.compile(_net(2), dtype="float64", backend="numpy"), Ledger("net", 0)
        ledger.begin("the program itself", several=False)
        check_bound(program.compiler, program.executable, Stream(0, "verify"), ledger)
        return {row.what for row in ledger.verification()["bound through draws"]}

    assert {"log q - log p at what the guide makes of noise", "∂L/∂M, through the draws"} <= check()
    monkeypatch.setattr("pgmc.derivation.reparametrise._scale", lambda precision: precision)
    with pytest.raises(VerificationError, match="log q - log p at what the guide makes of noise"):
        check()


def test_digits_get_a_code() -> None:
    """A short training on 8 x 8 digits: the bound of held-out images above what independent pixels reach."""
    images = (load_digits().data >= 8).astype(float)
    train, test = images[:1500], images[1500:]
    m = importlib.import_module("pgmc_models.variational_autoencoder").model(visible=64, hidden=32, code=6)
    executable = pgmc.compile(m).executable
    learnt = fit(
        executable, m.init(0), {"x": train}, pgmc.ELBO(), pgmc.Adam(0.01), epochs=40, batch_size=100, seed=0,
        validation={"x": test}, progress=False,
    )  # fmt: skip
    rates = np.clip(train.mean(axis=0), 0.01, 0.99)
    independent = (test * np.log(rates) + (1 - test) * np.log(1 - rates)).sum(axis=1).mean()
    assert learnt.history["validation_bound"][-1] > independent + 2
