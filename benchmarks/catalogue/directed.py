"""Directed and hybrid nets on binary digits; nats are per test image."""

from __future__ import annotations

from typing import Any

import numpy as np

import pgmc
from benchmarks.catalogue.images import black, digits, falling, independent
from benchmarks.catalogue.row import Shown, model_of

Arrays = dict[str, Any]


def _split() -> tuple[Any, Any]:
    return black(digits().train), black(digits().test)


def _train(model: pgmc.Model, train: Any, objective: Any, epochs: int, rate: float = 0.01) -> Arrays:
    """Adam with a rate that falls to 0, from the logits of the frequencies of pixels."""
    mean = (train.sum(axis=0) + 1.0) / (len(train) + 2.0)
    name = "x" if model.name == "fully_visible_belief_net" else "v"
    start = pgmc.compile(model).init() | {"b": np.log(mean / (1.0 - mean))}
    optimizer = pgmc.Adam(falling(rate, epochs))
    fit = pgmc.fit(model, {name: train}, objective, optimizer, epochs=epochs, params=start, progress=False)
    return fit.params


def _estimate(model: pgmc.Model, params: Arrays, test: Any, **more: Any) -> Any:
    return pgmc.compile(model).log_likelihood(params, {"v": test}, samples=1000, **more)


def sigmoid_belief_net() -> Shown:
    """Few enough hidden units to sum over."""
    train, test = _split()
    model = model_of("sigmoid_belief_net", visible=64, hidden=8)
    params = _train(model, train, pgmc.ExactLikelihood(), 60, rate=0.02)
    states = np.array(list(np.ndindex(*(2,) * 8)), dtype=float)
    program = pgmc.compile(model)
    rows = {"v": np.repeat(test, len(states), axis=0), "h": np.tile(states, (len(test), 1))}
    nats = float(np.logaddexp.reduce(program.log_joint(params, rows).reshape(len(test), -1), axis=1).mean())
    baseline = independent(train, test)
    return Shown(
        "sigmoid_belief_net (64 visible, 8 hidden units), exact likelihood, on binary digits",
        f"{nats:.2f} nats per test image, exact; independent pixels {baseline:.2f}",
        nats > baseline + 3,
    )


def deep_belief_net() -> Shown:
    """By levels, and then as a whole."""
    train, test = _split()
    model = model_of("deep_belief_net", visible=64, hidden=64, top=64)
    program, epochs = pgmc.compile(model), 150
    greedy = pgmc.fit_layerwise(
        model, {"v": train}, pgmc.PCD(k=5), pgmc.SGD(falling(0.1, epochs), momentum=0.5), epochs=epochs, progress=False
    ).params
    slow = pgmc.SGD(falling(0.01, 50))
    whole = pgmc.fit(model, {"v": train}, pgmc.UpDown(10), slow, epochs=50, params=greedy, progress=False).params
    bounds, errors = [], []
    for params in (greedy, whole):
        hidden = program.guide.sample(params, len(train), 1, inputs={"v": train}, seed=0)["h1"][:, 0]
        log_z = program.log_partition(params, method="ais", chains=200, betas=2000, data={"h1": hidden}, seed=0)
        bounds.append(float(_estimate(model, params, test, log_z=log_z).bound.mean()))
        errors.append(float(log_z.std_error))
    baseline = independent(train, test)
    return Shown(
        "deep_belief_net (64-64-64), PCD by levels, then up-down, on binary digits",
        f"bound on log p of a test image {bounds[0]:.2f} nats by levels, {bounds[1]:.2f} after up-down; log Z by "
        f"annealing ± {max(errors):.2f}; independent pixels {baseline:.2f}",
        bounds[0] > baseline + 3,
    )


def helmholtz_machine() -> Shown:
    """Wake-sleep beside reweighted wake-sleep."""
    train, test = _split()
    model = model_of("helmholtz_machine", visible=64, hidden=32)
    objectives = {"wake-sleep": pgmc.WakeSleep(), "reweighted wake-sleep": pgmc.ReweightedWakeSleep(10)}
    found = {name: _estimate(model, _train(model, train, o, 150), test) for name, o in objectives.items()}
    nats = {name: float(estimate.value.mean()) for name, estimate in found.items()}
    baseline = independent(train, test)
    return Shown(
        "helmholtz_machine (64 visible, 32 hidden units), on binary digits; log p by 1,000 draws from the guide",
        f"{', '.join(f'{value:.2f} nats by {name}' for name, value in nats.items())}; independent pixels "
        f"{baseline:.2f}",
        nats["reweighted wake-sleep"] > nats["wake-sleep"] > baseline,
    )


def reinforce() -> Shown:
    """The same net by the score-function gradient, with baselines and without."""
    train, test = _split()
    model = model_of("helmholtz_machine", visible=64, hidden=32)
    objectives = {
        "none": pgmc.Reinforce(baseline="none", normalise=False),
        "constant": pgmc.Reinforce(baseline="constant"),
        "optimal": pgmc.Reinforce(baseline="optimal"),
        "input-dependent": pgmc.Reinforce(baseline="input", hidden=50),
        "4 other draws": pgmc.Reinforce(baseline="others", samples=5),
    }
    nats = {
        name: float(_estimate(model, _train(model, train, o, 100), test).value.mean()) for name, o in objectives.items()
    }
    baseline = independent(train, test)
    return Shown(
        "helmholtz_machine (64 visible, 32 hidden units), REINFORCE, on binary digits; log p by 1,000 draws",
        f"nats by baseline: {', '.join(f'{name} {value:.2f}' for name, value in nats.items())}; independent pixels "
        f"{baseline:.2f}",
        nats["input-dependent"] > baseline + 1 and max(nats, key=lambda name: nats[name]) != "none",
    )


def fully_visible() -> Shown:
    """Logistic, at its exact likelihood; and linear, in closed form, which is a Gaussian."""
    train, test = _split()
    model = model_of("fully_visible_belief_net", visible=64)
    params = _train(model, train, pgmc.ExactLikelihood(), 60)
    nats, baseline = float(pgmc.compile(model).log_joint(params, {"x": test}).mean()), independent(train, test)
    i, j = pgmc.indices("i j")
    linear = pgmc.Model("linear")
    x, W, b = linear.real("x", 64), linear.param("W", (64, 64)), linear.param("b", 64)
    law = pgmc.Normal(
        mean=b[i] + pgmc.Sum(W[i, j] * x[j], j, where=j < i), precision=linear.param("s", 64, positive=True)[i]
    )
    linear.directed(x[i], law)
    noise = np.random.default_rng(0).normal(size=digits().train.shape)
    grey = digits().train + 0.1 * noise  # some pixels are always white
    found = pgmc.compile(linear, dtype="float64").log_joint(pgmc.fit_closed_form(linear, {"x": grey}), {"x": grey})
    covariance = np.cov(grey.T, bias=True)
    exact = -0.5 * (64 * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1] + 64)
    return Shown(
        "fully_visible_belief_net (64 units), exact likelihood, on binary digits; and its linear kind in closed form, "
        "on grey ones with noise",
        f"{nats:.2f} nats per test image, exact; independent pixels {baseline:.2f}. Linear: {found.mean():.6f} nats "
        f"per training image, the Gaussian with their covariance {exact:.6f}",
        bool(nats > baseline + 5 and abs(found.mean() - exact) < 1e-6),
    )
