"""Exact data: samples of a machine whose parameters are known, drawn by enumeration.

A machine that is fitted to n samples of another of its own kind is off by the noise of the samples alone, which is
known: the expected divergence is (number of parameters) / 2n nats if the fit is the maximum of the likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import pgmc
from benchmarks.catalogue.row import Shown, model_of
from pgmc.ir.constraints import project

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """A machine with random parameters, and samples of its observed variables."""

    model: pgmc.Model
    params: Arrays
    every: pgmc.evaluation.enumerate.Enumeration

    @classmethod
    def draw(cls, model: pgmc.Model, strength: float, seed: int = 0, **given: Any) -> Known:
        """Parameters N(0, strength²), but for those that are given."""
        generator = np.random.default_rng(seed)
        params = {}
        for p in model.build().parameters:
            values = strength * generator.normal(size=[axis.size for axis in p.axes])
            params[p.name] = np.asarray(given.get(p.name, project(p, values)), dtype=np.float64)
        return cls(model, params, pgmc.enumerate_states(model, params))

    def sample(self, rows: int, names: tuple[str, ...], seed: int = 1) -> Arrays:
        """Independent draws of some variables."""
        generator = np.random.default_rng(seed)
        chosen = generator.choice(len(self.every), size=rows, p=self.every.probabilities)
        return {name: self.every.states[name][chosen] for name in names}

    def divergence(self, params: Arrays, observed: tuple[str, ...]) -> float:
        """KL(true || fitted) of the observed variables, in nats, by enumeration."""
        program = pgmc.compile(self.model, dtype="float64", backend="numpy")
        states = {name: self.every.states[name] for name in observed}
        gap = [program.log_likelihood(values, states) for values in (self.params, params)]
        return float(self.every.probabilities @ (gap[0] - gap[1]))


def decaying(rate: float, epochs: int) -> Any:
    """A rate that falls to a hundredth over the last half of the epochs."""
    return lambda epoch: rate * min(1.0, 10.0 ** (2.0 - 4.0 * epoch / epochs))


def ascend(model: pgmc.Model, data: Arrays, epochs: int = 1500, rate: float = 0.05, **more: Any) -> Arrays:
    """The maximum of the likelihood, by full batches and exact gradients."""
    rows = len(next(iter(data.values())))
    optimizer = pgmc.Adam(decaying(rate, epochs))
    exact = pgmc.ExactLikelihood()
    fit = pgmc.fit(
        model, data, exact, optimizer, epochs=epochs, batch_size=rows, dtype="float64", progress=False, **more
    )
    return fit.params


def recover(name: str, sizes: dict[str, int], strength: float, free: int, rows: int = 20_000, **given: Any) -> Shown:
    """Fit a machine without latent variables to samples of another; ``free`` counts parameters that matter."""
    known = Known.draw(model_of(name, **sizes), strength, **given)
    names = tuple(v.name for v in known.model.build().variables)
    fitted = ascend(known.model, known.sample(rows, names))
    found, expected = known.divergence(fitted, names), free / (2 * rows)
    size = " ".join(f"{key} {value}" for key, value in sizes.items())
    return Shown(
        f"{name} ({size}), exact likelihood, on {rows:,} exact samples of one with known parameters",
        f"KL(true, fitted) {found:.2e} nats; {free} parameters and so many samples give {expected:.2e} on average",
        found < 2.5 * expected,
    )


def visible_machine() -> Shown:
    """Eight units, every pair of them coupled."""
    return recover("visible_boltzmann_machine", {"visible": 8}, 0.7, free=36)


def spin_glass() -> Shown:
    """Spins on a small torus, every bond with a coupling of its own."""
    return recover("lattice", {"rows": 3, "columns": 4}, 0.4, free=36)


def potts() -> Shown:
    """One coupling and a field for each state, from samples of every spin."""
    known = Known.draw(model_of("potts", rows=3, columns=3, states=3), 0.3, J=0.5)
    fitted = float(ascend(known.model, known.sample(20_000, ("s",)), epochs=400)["J"])
    return Shown(
        "potts (3 × 3, 3 states), exact likelihood, on 20,000 exact samples",
        f"coupling {fitted:.4f}, true 0.5",
        abs(fitted - 0.5) < 0.02,
    )


def hidden_machine() -> Shown:
    """Hidden units that interact with one another: persistent chains, latents drawn given the data."""
    known = Known.draw(model_of("boltzmann_machine", visible=6, hidden=3), 0.8)
    data, held_out = known.sample(5_000, ("v",)), known.sample(5_000, ("v",), seed=2)
    epochs = 60
    fit = pgmc.fit(
        known.model,
        data,
        pgmc.PCD(k=2, chains=500, latent_sweeps=5),
        pgmc.SGD(decaying(0.1, epochs), momentum=0.5),
        epochs=epochs,
        batch_size=250,
        progress=False,
    )
    program = pgmc.compile(known.model, dtype="float64", backend="numpy")
    likelihood = {
        "true": _exact_log_likelihood(known, known.params, held_out["v"]),
        "fitted": _exact_log_likelihood(known, fit.params, held_out["v"]),
        "independent": _independent(data["v"], held_out["v"]),
    }
    bound = program.mean_field(fit.params, held_out).bound.mean() - program.log_partition(fit.params).value
    share = (likelihood["fitted"] - likelihood["independent"]) / (likelihood["true"] - likelihood["independent"])
    return Shown(
        "boltzmann_machine (visible 6, hidden 3), PCD, on 5,000 exact samples of one with known parameters",
        f"nats per held-out sample: {likelihood['fitted']:.4f} (mean-field bound {bound:.4f}); the true machine "
        f"{likelihood['true']:.4f}, independent units {likelihood['independent']:.4f}",
        bool(share > 0.9 and bound <= likelihood["fitted"]),
    )


def _exact_log_likelihood(known: Known, params: Arrays, v: Any) -> float:
    """Mean log p(v), hidden units summed out by enumeration."""
    every = pgmc.enumerate_states(known.model, params)
    size = v.shape[1]
    weights = 1 << np.arange(size)
    table = np.bincount(every.states["v"] @ weights, weights=every.probabilities, minlength=1 << size)
    return float(np.log(table[v @ weights]).mean())


def _independent(train: Any, test: Any) -> float:
    """Mean log-likelihood of independent units with the frequencies of the training data."""
    frequency = (train.sum(axis=0) + 0.5) / (len(train) + 1.0)
    return float(np.log(np.where(test == 1, frequency, 1.0 - frequency)).sum(axis=1).mean())


def shifted_pairs() -> Arrays:
    """Every row of six bits beside itself turned by -1, 0 and 1 places: what a three-way machine is made for."""
    x = (np.arange(64)[:, None] >> np.arange(6)) & 1
    pairs = [(row, np.roll(row, turn)) for row in x for turn in (-1, 0, 1)]
    first, second = map(np.array, zip(*pairs, strict=True))
    return {"x": first, "y": second}


def three_way() -> Shown:
    """Transformed pairs under three-way machines, and under a bipartite one with as many hidden units."""
    data = shifted_pairs()
    _, counts = np.unique(np.hstack([data["x"], data["y"]]), axis=0, return_counts=True)
    limit = float(counts @ np.log(counts / counts.sum()) / counts.sum())
    found = {}
    machines = {
        "three_way": {"visible": 6, "gates": 6, "hidden": 4},
        "factored_three_way": {"visible": 6, "gates": 6, "hidden": 4, "factors": 18},
    }
    for name, sizes in machines.items():
        found[name] = _best_of(model_of(name, **sizes), data)
    joined = {"v": np.hstack([data["x"], data["y"]])}
    found["rbm"] = _best_of(model_of("rbm", visible=12, hidden=4), joined)
    return Shown(
        "three_way and factored_three_way (6 + 6 + 4 units, 18 factors), exact likelihood, on all pairs of six bits "
        "and the same turned by -1, 0 or 1 places",
        f"nats per pair: {found['three_way']:.2f}, factored {found['factored_three_way']:.2f}, rbm with 4 hidden units "
        f"{found['rbm']:.2f}; no model exceeds {limit:.2f}",
        min(found["three_way"], found["factored_three_way"]) > found["rbm"] + 1.0,
    )


def _best_of(model: pgmc.Model, data: Arrays, starts: int = 2) -> float:
    """The best log-likelihood from some random starts, weights N(0, 0.3²)."""
    program = pgmc.compile(model, dtype="float64")
    values = []
    for seed in range(starts):
        generator = np.random.default_rng(seed)
        start = {
            name: 0.3 * generator.normal(size=value.shape) if value.ndim > 1 else value
            for name, value in program.init(0).items()
        }
        fitted = ascend(model, data, epochs=500, params=start)
        values.append(float(program.log_likelihood(fitted, data).mean()))
    return max(values)


def centred() -> Shown:
    """The same steps of plain gradient ascent, with and without offsets at the means of the data."""
    size, rows, epochs = 8, 20_000, 100
    biases = np.random.default_rng(5).normal(size=size) - 3.0
    known = Known.draw(model_of("visible_boltzmann_machine", visible=size), 0.6, b=biases)
    data = known.sample(rows, ("x",))
    found = {}
    for name in ("centred_boltzmann_machine", "visible_boltzmann_machine"):
        model = model_of(name, visible=size)
        start: Arrays = {**model.init(0), "b": np.zeros(size)}
        if "mu" in start:
            start["mu"] = data["x"].mean(axis=0)
        rates = {rate: _climb(known, model, data, start, rate, epochs) for rate in (0.3, 1.0, 3.0)}
        found[name] = min(rates.items(), key=lambda item: item[1])
    (rate, with_offsets), (plain_rate, without) = found.values()
    return Shown(
        f"centred_boltzmann_machine (visible {size}), exact likelihood, on {rows:,} exact samples of one that is "
        f"mostly off; {epochs} steps of plain gradient ascent, with offsets at the means of the data and without",
        f"KL(true, fitted) {with_offsets:.2e} nats centred (rate {rate:g}), {without:.2e} not centred (rate "
        f"{plain_rate:g}), the best of three rates each",
        with_offsets < without,
    )


def _climb(known: Known, model: pgmc.Model, data: Arrays, start: Arrays, rate: float, epochs: int) -> float:
    """The divergence after so many steps of plain gradient ascent."""
    fit = pgmc.fit(
        model,
        data,
        pgmc.ExactLikelihood(),
        pgmc.SGD(rate),
        epochs=epochs,
        batch_size=len(data["x"]),
        params=start,
        dtype="float64",
        progress=False,
    )
    program = pgmc.compile(model, dtype="float64", backend="numpy")
    true = pgmc.compile(known.model, dtype="float64", backend="numpy").log_likelihood(known.params, known.every.states)
    return float(known.every.probabilities @ (true - program.log_likelihood(fit.params, known.every.states)))
