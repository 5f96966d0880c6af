"""Reweighted wake-sleep: several draws from the guide, weighted by how well they explain the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.learning.guided import Guided
from pgmc.learning.objective import Array, Arrays, Estimate, Setup, Terms, check_count

GuidePhase = Literal["wake", "sleep", "both"]


@dataclass(frozen=True)
class ReweightedWakeSleep(Terms):
    """Reweighted wake-sleep with K draws from the guide for each row.

    With weights w_k ∝ p(v, h_k)/q(h_k | v), normalised over the K draws, the gradient of log p(v) is estimated by
    Σ_k w_k ∂ log p(v, h_k)/∂θ. The guide follows Σ_k w_k ∂ log q(h_k | v)/∂φ (its wake phase), ∂ log q(h | v)/∂φ at
    draws of the model (its sleep phase), or the mean of both. The bias falls with K; with K = 1 and the sleep phase
    this is wake-sleep.

    Parameters
    ----------
    samples
        K.
    guide_phase
        ``"wake"``, ``"sleep"`` or ``"both"``.

    Raises
    ------
    ArgumentError
        If a setting is out of its range; at the start of a fit as for ``WakeSleep``.

    References
    ----------
    Bornschein and Bengio (2015), Reweighted wake-sleep.
    """

    samples: int = 5
    guide_phase: GuidePhase = "both"

    def __post_init__(self) -> None:
        check_count("ReweightedWakeSleep: samples", self.samples)
        if self.guide_phase not in get_args(GuidePhase):
            raise ArgumentError(f"ReweightedWakeSleep: guide_phase must be one of {get_args(GuidePhase)}.")

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """No state."""
        Guided.check(setup, "ReweightedWakeSleep")
        return {}

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """The weighted gradient of the model, and that of the guide."""
        pair = Guided.check(setup, "ReweightedWakeSleep")
        drawn = pair.infer(params, batch, self.samples, "wake", step)
        logs = pair.log_weights(params, drawn).reshape(-1, self.samples)
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        weights = (weights / weights.sum(axis=1, keepdims=True)).ravel() / len(logs)
        gradients = pair.gradient(setup.executable, params, drawn, weights)
        gradients |= self._of_guide(pair, params, batch, drawn, weights, step)
        metrics = {"log_likelihood_bound": float(_log_means(logs).mean())} if measure else {}
        return Estimate(gradients, metrics, state)

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """The mean of log 1/K Σ_k p(v, h_k)/q(h_k | v), a lower bound on log p(v) on average, in nats."""
        pair = Guided.check(setup, "ReweightedWakeSleep")
        drawn = pair.infer(params, data, self.samples, "validation", 0)
        logs = pair.log_weights(params, drawn).reshape(-1, self.samples)
        return {"log_likelihood_bound": float(_log_means(logs).mean())}

    def _of_guide(
        self, pair: Guided, params: Mapping[str, Array], batch: Arrays, drawn: Arrays, weights: Array, step: int
    ) -> Arrays:
        phases: list[Arrays] = []
        if self.guide_phase != "sleep":
            phases.append(pair.gradient(pair.guide, params, drawn, weights))
        if self.guide_phase != "wake":
            inputs = {name: batch[name] for name in pair.setup.inputs}
            dreams = pair.dream(params, len(next(iter(batch.values()))), inputs, step)
            phases.append(pair.gradient(pair.guide, params, dreams))
        return {name: np.asarray(sum(phase[name] for phase in phases) / len(phases)) for name in phases[0]}


def _log_means(logs: Array) -> Array:
    """log 1/K Σ_k exp(logs), of each row."""
    return np.asarray(np.logaddexp.reduce(logs, axis=1) - np.log(logs.shape[1]))
