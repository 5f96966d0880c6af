"""Training on 3 x 3 bars and stripes, whose best possible log-likelihood is known in closed form.

An image is all rows or all columns, each on or off with equal chances: with n = 3 there are 2·2ⁿ equally likely ways
to draw one, of which two pairs give the same image. The mean log-likelihood is at most
-(2^(1-n)·n + (1 - 2^(1-n))·(n + 1)) log 2 = -2.59930. All pixels have the mean 1/2, so nothing is learned from means.
"""

from __future__ import annotations

import numpy as np
import pytest

import pgmc
from pgmc.learning.report import Fit

SIDE, HIDDEN = 3, 16
BOUND = -(2 ** (1 - SIDE) * SIDE + (1 - 2 ** (1 - SIDE)) * (SIDE + 1)) * np.log(2)


def images() -> np.ndarray:
    """(16, 9): every way to draw an image."""
    bits = (np.arange(2**SIDE)[:, None] >> np.arange(SIDE)) & 1
    rows = np.repeat(bits[:, :, None], SIDE, axis=2)
    return np.concatenate([rows, rows.swapaxes(1, 2)]).reshape(-1, SIDE * SIDE)


@pytest.fixture(scope="module")
def model() -> pgmc.Model:
    m = pgmc.Model("bars_and_stripes")
    v, h = m.binary("v", SIDE**2), m.binary("h", HIDDEN)
    W, b, c = m.param("W", (SIDE**2, HIDDEN)), m.param("b", SIDE**2), m.param("c", HIDDEN)
    m.energy(-(v @ W @ h) - b @ v - c @ h)
    return m


def train(model: pgmc.Model, objective: object, optimizer: object, epochs: int) -> tuple[float, Fit]:
    """The mean log-likelihood of the training data at the end, computed exactly."""
    weights = 0.1 * np.random.default_rng(0).normal(size=(SIDE**2, HIDDEN))
    fit = pgmc.fit(
        model,
        {"v": images()},
        objective,
        optimizer,
        epochs=epochs,
        batch_size=16,
        params={"W": weights, "b": np.zeros(SIDE**2), "c": np.zeros(HIDDEN)},
        dtype="float64",
        progress=False,
    )
    program = pgmc.compile(model, dtype="float64")
    return float(program.log_likelihood(fit.params, {"v": images()}).mean()), fit


def test_exact_gradient_reaches_the_bound(model: pgmc.Model) -> None:
    reached, fit = train(model, pgmc.ExactLikelihood(), pgmc.Adam(0.05), epochs=500)
    assert -2.62 <= reached <= BOUND
    # What the objective reports belongs to the parameters before the last step.
    assert fit.history["log_likelihood"][-1] == pytest.approx(reached, abs=5e-3)


def test_persistent_chains_come_close(model: pgmc.Model) -> None:
    """Stochastic, but seeded. The noise of 500 chains costs less than a tenth of a nat.

    Other seeds end between -2.68 and -2.71; twice the chains and twice the steps at -2.63.
    """
    epochs = 2000
    rate = pgmc.SGD(lambda epoch: 0.4 * (1 - epoch / epochs) + 1e-4)
    reached, _ = train(model, pgmc.PCD(k=5, chains=500), rate, epochs)
    assert -2.75 <= reached <= BOUND


def test_contrastive_divergence_learns_more_than_the_means(model: pgmc.Model) -> None:
    """CD is biased, so there is no number that it must reach; independent pixels have -9 log 2 = -6.24."""
    reached, _ = train(model, pgmc.CD(k=5), pgmc.SGD(0.2), epochs=1000)
    assert -4 <= reached <= BOUND
