"""Handwritten digits: 8 × 8 images of scikit-learn, a fifth of them kept for tests; nats are per test image."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import pgmc
from benchmarks.catalogue.row import Shown, model_of
from pgmc.cli.datasets import Images, load_images

Arrays = dict[str, Any]


@cache
def digits() -> Images:
    """Grey levels in [0, 1] with their classes."""
    return load_images("digits")


def black(grey: Any) -> Any:
    """Pixels that are at least half ink."""
    return (grey >= 0.5).astype(np.int8)


def falling(rate: float, epochs: int) -> Any:
    """A rate that is constant for half the epochs and then falls to 0."""
    return lambda epoch: rate * min(1.0, 2.0 * (1.0 - epoch / epochs))


def ascend(
    model: pgmc.Model, data: Arrays, objective: Any, rate: float = 0.2, epochs: int = 150, **more: Any
) -> pgmc.learning.report.Fit:
    """Stochastic gradient descent as `pgmc train` does it."""
    optimizer = pgmc.SGD(falling(rate, epochs), momentum=0.5, weight_decay=1e-3)
    return pgmc.fit(model, data, objective, optimizer, epochs=epochs, batch_size=100, progress=False, **more)


def independent(train: Any, test: Any, states: int = 2) -> float:
    """Nats per test image of independent pixels with the frequencies of the training images."""
    counts = np.stack([(train == k).sum(axis=0) + 0.5 for k in range(states)], axis=-1)
    logs = np.log(counts / counts.sum(axis=-1, keepdims=True))
    return float(np.take_along_axis(logs[None], test[..., None].astype(int), axis=-1).sum(axis=(1, 2)).mean())


def restricted() -> Shown:
    """Few enough hidden units for an exact log Z."""
    train, test = black(digits().train), black(digits().test)
    model = model_of("rbm", visible=64, hidden=16)
    program = pgmc.compile(model)
    params = ascend(model, {"v": train}, pgmc.PCD(k=5)).params
    exact = program.log_partition(params, method="exact")
    annealed = program.log_partition(params, method="ais", chains=200, betas=1000, data={"v": train}, seed=0)
    nats, baseline = float(program.log_likelihood(params, {"v": test}, exact).mean()), independent(train, test)
    return Shown(
        "rbm (64 visible, 16 hidden units), PCD, on binary digits",
        f"{nats:.2f} nats per test image, log Z exact ({exact.value:.3f}; by annealing {annealed.value:.3f} ± "
        f"{annealed.std_error:.3f}); independent pixels {baseline:.2f}",
        bool(nats > baseline + 5 and abs(exact.value - annealed.value) < 5 * annealed.std_error + 0.02),
    )


def grey_levels() -> Shown:
    """Four grey levels as four states of a softmax unit."""
    train, test = (np.minimum((grey * 4).astype(int), 3) for grey in (digits().train, digits().test))
    model = model_of("softmax_rbm", visible=64, states=4, hidden=64)
    program = pgmc.compile(model)
    params = ascend(model, {"v": train}, pgmc.PCD(k=5), rate=0.1).params
    log_z = program.log_partition(params, method="ais", chains=200, betas=1000, data={"v": train}, seed=0)
    nats, baseline = float(program.log_likelihood(params, {"v": test}, log_z).mean()), independent(train, test, 4)
    return Shown(
        "softmax_rbm (64 visible units of 4 states, 64 hidden units), PCD, on digits in four grey levels",
        f"{nats:.2f} nats per test image, log Z by annealing ± {log_z.std_error:.2f}; independent pixels "
        f"{baseline:.2f}",
        nats > baseline + 5,
    )


def bounds(
    model: pgmc.Model, data: Arrays, test: Arrays, epochs: int, at: tuple[int, ...], rate: float = 0.1, **more: Any
) -> dict[int, tuple[float, float]]:
    """The mean-field bound on log p of test images after some epochs of algorithm 20.1, and the error of log Z."""
    program = pgmc.compile(model)
    found = {}

    def measure(report: Any) -> None:
        if report.epoch in at:
            log_z = program.log_partition(report.params, method="ais", chains=200, betas=1000, data=data, seed=0)
            bound = program.mean_field(report.params, test).bound.mean() - log_z.value
            found[report.epoch] = (float(bound), float(log_z.std_error))

    ascend(model, data, pgmc.MeanFieldPCD(k=5, chains=100), rate, epochs, callbacks=[measure], **more)
    return found


def _course(found: dict[int, tuple[float, float]]) -> str:
    """Bounds after epochs in words."""
    return ", ".join(f"{value:.2f} after {epoch}" for epoch, (value, _) in found.items())


def deep() -> Shown:
    """Two and three hidden layers, all trained at once, with no pretraining; plain and centred."""
    data, test = {"v": black(digits().train)}, {"v": black(digits().test)}
    at = (1, 10, 50, 150)
    two = bounds(model_of("deep_boltzmann_machine", visible=64, hidden=64, top=32), data, test, 150, at)
    three = bounds(model_of("deep_boltzmann_machine", visible=64, hidden=64, top=32, depth=3), data, test, 150, at)
    baseline = independent(data["v"], test["v"])
    error = max(error for found in (two, three) for _, error in found.values())
    return Shown(
        "deep_boltzmann_machine (64-64-32 and 64-64-64-32), mean-field PCD (algorithm 20.1) without pretraining, on "
        "binary digits",
        f"bound on log p of a test image, in nats by epochs: 64-64-32 {_course(two)}; 64-64-64-32 {_course(three)}; "
        f"log Z by annealing ± {error:.2f}; independent pixels {baseline:.2f}",
        two[150][0] > two[1][0] + 5 and two[150][0] > baseline + 5 and three[150][0] > three[1][0],
    )


def centred_deep() -> Shown:
    """Early in training, where centring matters most, for a deep machine without pretraining."""
    data, test = {"v": black(digits().train)}, {"v": black(digits().test)}
    sizes = {"visible": 64, "hidden": 64, "top": 32}
    plain = bounds(model_of("deep_boltzmann_machine", **sizes), data, test, 50, (10, 50))
    model = model_of("centred_deep_boltzmann_machine", **sizes)
    start: Arrays = {**model.init(0), "mu": data["v"].mean(axis=0)}
    moved = bounds(model, data, test, 50, (10, 50), params=start)
    return Shown(
        "centred_deep_boltzmann_machine (64-64-32), mean-field PCD, on binary digits",
        f"bound on log p of a test image, in nats by epochs: centred {_course(moved)}; not centred {_course(plain)}",
        moved[50][0] > plain[50][0],
    )


def gated_pixels() -> Shown:
    """Which hidden units explain a pixel is latent as well."""
    data, test = {"v": black(digits().train)}, {"v": black(digits().test)}
    model = model_of("point_wise_gated_rbm", visible=64, hidden=32, others=32)
    start = model.init(0)
    generator = np.random.default_rng(0)
    start |= {name: (0.1 * generator.normal(size=start[name].shape)).astype(np.float32) for name in ("W", "U")}
    found = bounds(model, data, test, 150, (1, 50, 150), rate=0.05, params=start)
    baseline = independent(data["v"], test["v"])
    return Shown(
        "point_wise_gated_rbm (64 pixels and switches, 32 + 32 hidden units), mean-field PCD, on binary digits",
        f"bound on log p of a test image, in nats by epochs: {_course(found)}; independent pixels {baseline:.2f}",
        found[150][0] > max(baseline, found[1][0]),
    )
