"""Machines with real units: each is fitted to samples of one of its own kind with known parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pgmc
from benchmarks.catalogue.row import Shown, model_of

Arrays = dict[str, Any]

ROWS, HELD_OUT, EPOCHS = 3000, 1000, 60


def recovered(
    name: str,
    observed: str,
    strengths: dict[str, float],
    *,
    centres: dict[str, float] | None = None,
    rate: float = 0.03,
    objective: Any = None,
    **sizes: int,
) -> Callable[[], Shown]:
    """A show that fits a machine to samples of another, beside independent normal units.

    ``strengths`` are standard deviations of the parameters of the true machine, of logarithms where they are positive;
    those that are not named stay as they start. ``centres`` are added to them.
    """

    def show() -> Shown:
        model = model_of(name, **sizes)
        program, truth = pgmc.compile(model), _known(model, strengths, centres or {})
        drawn = program.sample(truth, chains=ROWS + HELD_OUT, sweeps=200, seed=0)[observed][:, 0]
        train, test = {observed: drawn[:ROWS]}, {observed: drawn[ROWS:]}
        optimizer = pgmc.Adam(lambda epoch: rate * (1.0 - 0.95 * epoch / EPOCHS))
        method = pgmc.CD(k=5) if objective is None else objective
        fit = pgmc.fit(model, train, method, optimizer, epochs=EPOCHS, batch_size=100, seed=0, progress=False)
        nats = {}
        for kind, params in (("fitted", fit.params), ("true", truth)):
            log_z = program.log_partition(params, seed=0)
            nats[kind] = float(program.log_likelihood(params, test, log_z).mean())
        alone = _independent(train[observed], test[observed])
        gained = (nats["fitted"] - alone) / (nats["true"] - alone)
        how = "exact" if log_z.method == "exact" else "by annealing"
        return Shown(
            f"{name} ({', '.join(f'{size} {axis}' for axis, size in sizes.items())}), {type(method).__name__}, on "
            f"{ROWS:,} samples of one with known parameters",
            f"nats per held-out sample, log Z {how}: fitted {nats['fitted']:.3f}, true {nats['true']:.3f}, "
            f"independent normal units {alone:.3f}",
            bool(nats["true"] > alone and gained > 0.75),
        )

    return show


def _known(model: pgmc.Model, strengths: dict[str, float], centres: dict[str, float]) -> Arrays:
    generator, params = np.random.default_rng(0), dict(model.init(0))
    for p in model.build().parameters:
        values = strengths.get(p.name, 0.0) * generator.normal(size=params[p.name].shape) + centres.get(p.name, 0.0)
        if p.name in strengths:
            params[p.name] = np.exp(values) if p.constraint.positive else values
    return params


def _independent(train: Any, test: Any) -> float:
    """Nats per sample of independent normal units with the means and variances of the training samples."""
    mean, variance = train.mean(axis=0), train.var(axis=0)
    return float((-0.5 * (test - mean) ** 2 / variance - 0.5 * np.log(2 * np.pi * variance)).sum(axis=1).mean())


gaussian = recovered(
    "gaussian_rbm",
    "v",
    {"W": 1.3, "a": 0.3, "b": 0.3, "beta": 0.2},
    centres={"b": -5.0},  # so that half of the hidden units are on
    objective=pgmc.ExactLikelihood(),
    visible=6,
    hidden=3,
)
mean_and_covariance = recovered(
    "mcrbm", "x", {"W": 0.7, "R": 1.5, "b_m": 0.3, "b_c": 0.5}, visible=4, means=2, covariances=3
)
student_t = recovered("mpot", "x", {"W": 0.7, "R": 1.5, "b_m": 0.3}, visible=4, means=2, covariances=3)
spike_and_slab = recovered(
    "ssrbm",
    "x",
    {"W": 0.8, "mu": 0.5, "b": 0.3, "Lambda": 0.1, "alpha": 0.1},
    centres={"Lambda": 1.4, "b": 0.5},  # precise enough for slabs of any size: Λ - Σ_i h_i W_i W_iᵀ / α_i is positive
    rate=0.02,
    visible=5,
    hidden=2,
)


def rectified() -> Shown:
    """Covariances: h is not integrated out of a rectified machine, so that log p of a sample is not to be had."""
    model = model_of("rectified_rbm", visible=5, hidden=3)
    program = pgmc.compile(model)
    truth = _known(model, {"W": 0.6, "beta": 0.1, "a": 0.3, "b": 0.5}, {"beta": 1.4})

    def covariances(params: Arrays, seed: int) -> tuple[Any, Any]:
        drawn = program.sample(params, chains=5 * ROWS, sweeps=200, seed=seed)["v"][:, 0]
        return drawn, np.cov(drawn, rowvar=False)[np.triu_indices(5, 1)]

    train, wanted = covariances(truth, 0)
    optimizer = pgmc.Adam(lambda epoch: 0.01 * (1.0 - 0.95 * epoch / EPOCHS))
    fit = pgmc.fit(model, {"v": train}, pgmc.CD(k=5), optimizer, epochs=EPOCHS, seed=0, progress=False)
    error, floor = (
        float(np.linalg.norm(covariances(params, 1)[1] - wanted) / np.linalg.norm(wanted))
        for params in (fit.params, truth)
    )
    return Shown(
        f"rectified_rbm (5 visible, 3 hidden), CD, on {5 * ROWS:,} samples of one with known parameters",
        f"covariances between visible units, of as many samples, off by {error:.1%}; of the true machine, drawn again, "
        f"by {floor:.1%}; of independent units by 100 %",
        error < 0.2,
    )
