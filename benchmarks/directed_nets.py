"""Directed and hybrid nets on MNIST, pixels binarised once by sampling: log-likelihoods of the test images in nats.

    python -m benchmarks.directed_nets mnist_sampled.npz [EPOCHS] [NET ...]

The file has ``train.data`` (50000, 784), ``valid.data`` and ``test.data`` of zeros and ones. Published for the MNIST
that Larochelle and Murray (2011) binarised, another draw of the pixels: -97.45 for the fully visible net (their
logistic regression), -103.1 for a sigmoid belief net of 200 units by reweighted wake-sleep (Bornschein, Bengio 2015);
and for a third draw a bound of -85.97 for a deep belief net of 500 and 2000 units (Salakhutdinov, Hinton 2009), here
500 and 500.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import pgmc
from pgmc_models import deep_belief_net, fully_visible_belief_net, helmholtz_machine

PUBLISHED = {"fully_visible_belief_net": -97.45, "helmholtz_machine": -103.1, "deep_belief_net": -85.97}
DRAWS = 1000
ROWS = 1000
"""Test images that the estimate through the guide is taken for."""


def load(path: Path) -> dict[str, Any]:
    """The three splits, as uint8."""
    with np.load(path) as file:
        return {split: file[f"{split}.data"] for split in ("train", "valid", "test")}


def decay(epochs: int) -> Any:
    """A rate of 0.001 that falls linearly to a tenth."""
    return lambda epoch: 1e-3 * (1.0 - 0.9 * epoch / epochs)


def starts(data: Any) -> Any:
    """The logits of the frequencies of pixels: what biases start from."""
    mean = (data.sum(axis=0) + 1.0) / (len(data) + 2.0)
    return np.log(mean / (1.0 - mean))


def fully_visible(data: Mapping[str, Any], epochs: int) -> tuple[float, float]:
    """The exact mean log-likelihood of the test images after the best epoch, and its standard error."""
    model = fully_visible_belief_net.model()
    program = pgmc.compile(model)
    best: tuple[float, Any] = (-np.inf, None)

    def keep_best(report: Any) -> None:
        nonlocal best
        score = report.metrics["validation_log_likelihood"]
        best = max(best, (score, report.params), key=lambda pair: pair[0])
        print(f"  epoch {report.epoch}: validation {score:.2f}", flush=True)

    pgmc.fit(
        model,
        {"x": data["train"]},
        objective=pgmc.ExactLikelihood(),
        optimizer=pgmc.Adam(decay(epochs)),
        epochs=epochs,
        validation={"x": data["valid"]},
        params=program.init() | {"b": starts(data["train"])},
        callbacks=[keep_best],
        progress=False,
    )
    values = program.log_joint(best[1], {"x": data["test"]})
    return float(values.mean()), float(values.std() / np.sqrt(len(values)))


def helmholtz(data: Mapping[str, Any], epochs: int) -> tuple[float, float]:
    """The mean of the lower bound through the guide over some test images, and its standard error.

    The rate is constant for less than half the epochs and then falls to a hundredth; what is evaluated is a running
    mean of the parameters over the last epochs.
    """
    model = helmholtz_machine.model()
    program = pgmc.compile(model)
    mean: dict[str, Any] = {}

    def follow(report: Any) -> None:
        early = report.epoch < 0.3 * epochs
        for name, value in report.params.items():
            mean[name] = value if early or name not in mean else mean[name] + 0.25 * (value - mean[name])
        print(f"  epoch {report.epoch}: bound {report.metrics['log_likelihood_bound']:.2f}", flush=True)

    pgmc.fit(
        model,
        {"v": data["train"]},
        objective=pgmc.ReweightedWakeSleep(10),
        optimizer=pgmc.Adam(lambda epoch: 2e-3 * min(1.0, max(0.01, (1.0 - epoch / epochs) / 0.55))),
        epochs=epochs,
        params=program.init() | {"b": starts(data["train"])},
        callbacks=[follow],
        progress=False,
    )
    estimate = program.log_likelihood(mean, {"v": data["test"][:ROWS]}, samples=DRAWS)
    return float(estimate.value.mean()), float(estimate.value.std() / np.sqrt(ROWS))


def deep_belief(data: Mapping[str, Any], epochs: int) -> tuple[float, float]:
    """The mean lower bound of the test images through the up-pass, log Z by annealing, and its standard error."""
    model = deep_belief_net.model()
    program = pgmc.compile(model)
    found = pgmc.fit_layerwise(
        model,
        {"v": data["train"]},
        pgmc.PCD(1, chains=100),
        pgmc.SGD(lambda epoch: 0.05 * (1.0 - epoch / epochs) + 1e-4),
        epochs=epochs,
        params=program.init() | {"b": starts(data["train"])},
        progress=False,
    )
    for fit in found.fits:
        print(f"  {fit.model.name}: {fit.history['seconds'].sum():.0f} s", flush=True)
    hidden = program.guide.sample(found.params, ROWS, 1, inputs={"v": data["train"][:ROWS]}, seed=0)["h1"][:, 0]
    log_z = program.log_partition(found.params, method="ais", chains=100, betas=10_000, data={"h1": hidden}, seed=0)
    print(f"  log Z of the top {log_z.value:.2f} ± {log_z.std_error:.2f}", flush=True)
    estimate = program.log_likelihood(found.params, {"v": data["test"]}, log_z, samples=20)
    print(f"  20 importance weights, through the same up-pass: {estimate.value.mean():.2f}", flush=True)
    error = np.hypot(estimate.bound.std() / np.sqrt(len(estimate)), log_z.std_error)
    return float(estimate.bound.mean()), float(error)


NETS = {"fully_visible_belief_net": fully_visible, "helmholtz_machine": helmholtz, "deep_belief_net": deep_belief}


def main(arguments: list[str]) -> None:
    """Train the nets and print a line for each."""
    if not arguments or not Path(arguments[0]).is_file():
        sys.exit(f"Name the file.\n\n{__doc__}")
    data, epochs = load(Path(arguments[0])), int(arguments[1]) if len(arguments) > 1 else 30
    for name in arguments[2:] or NETS:
        began = time.perf_counter()
        value, error = NETS[name](data, epochs)
        seconds = time.perf_counter() - began
        known = f"published {PUBLISHED[name]}"
        print(f"{name:<26}{value:8.2f} ± {error:.2f} nats ({known}), {epochs} epochs, {seconds:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
