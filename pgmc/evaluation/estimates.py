"""Numbers that come with an error: estimates of log Z, and the likelihoods that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Number: TypeAlias = float | Array


@dataclass(frozen=True, eq=False)
class LogPartition:
    """log Z in nats, with its error.

    Attributes
    ----------
    value
        log Z: a number, or ``(n,)`` numbers for the n rows of inputs of a conditional model.
    std_error
        Standard error of ``value`` by the delta method, the same shape; 0 for an exact value.
    method
        ``"exact"``, ``"ais"``, ``"reverse-ais"`` or ``"tempering"``.
    interval
        A 95 % bootstrap interval (low, high) over chains; None where there are no importance weights.
    effective_sample_size
        (Σw)²/Σw² of the importance weights; None where there are none.
    log_weights
        ``(chains,)`` or ``(n, chains)`` log importance weights, log Z of the base included; None where there are none.
    base_log_partition
        log Z of the base the annealing, or the ladder, starts from; None for an exact value.

    Notes
    -----
    ``"ais"`` is unbiased for Z, hence at most log Z in expectation: a stochastic lower bound.
    ``"reverse-ais"`` started from samples of the model is unbiased for 1/Z: a stochastic upper bound.
    """

    value: Number
    std_error: Number
    method: str
    interval: tuple[Number, Number] | None = None
    effective_sample_size: Number | None = None
    log_weights: Array | None = field(default=None, repr=False)
    base_log_partition: Number | None = None

    def __str__(self) -> str:
        if np.ndim(self.value) > 0:
            return self._many()
        if self.method == "exact":
            return f"log Z = {self.value:.6f} nats (exact)"
        if self.log_weights is None or self.interval is None:
            return f"log Z = {self.value:.4f} ± {self.std_error:.4f} nats ({self.method})"
        chains, (low, high) = self.log_weights.shape[-1], self.interval
        return (
            f"log Z = {self.value:.4f} ± {self.std_error:.4f} nats ({self.method}, {chains} chains, "
            f"effective {self.effective_sample_size:.1f}; 95 % bootstrap interval {low:.4f} to {high:.4f})"
        )

    def _many(self) -> str:
        values, errors = np.atleast_1d(self.value), np.atleast_1d(self.std_error)
        return (
            f"log Z of {len(values)} rows of inputs: {values.min():.4f} to {values.max():.4f} nats "
            f"({self.method}, largest standard error {errors.max():.4f})"
        )


def log_mean_exp(log_weights: Array) -> Array:
    """log of the mean of exp(log_weights) over the last axis, without overflow."""
    top = log_weights.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(top[..., 0] + np.log(np.exp(log_weights - top).mean(axis=-1)))


def normalised_weights(log_weights: Array) -> Array:
    """exp(log_weights) scaled to a mean of 1 over the last axis."""
    weights = np.exp(log_weights - log_weights.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.mean(axis=-1, keepdims=True))


def weight_sample_size(log_weights: Array) -> Array:
    """Effective sample size (Σw)²/Σw² of importance weights, over the last axis."""
    weights = normalised_weights(log_weights)
    return np.asarray(weights.sum(axis=-1) ** 2 / (weights**2).sum(axis=-1))


def log_mean_error(log_weights: Array) -> Array:
    """Standard error of log-mean-exp (delta method): the relative standard error of the mean weight."""
    count = log_weights.shape[-1]
    if count < 2:
        return np.full(log_weights.shape[:-1], np.nan)
    return np.asarray(normalised_weights(log_weights).std(axis=-1, ddof=1) / np.sqrt(count))


def bootstrap_interval(
    log_weights: Array, generator: np.random.Generator, level: float = 0.95, resamples: int = 1000
) -> tuple[Array, Array]:
    """Percentile bootstrap interval of log-mean-exp over the last axis, chains drawn with replacement."""
    count = log_weights.shape[-1]
    drawn = generator.multinomial(count, np.full(count, 1.0 / count), size=resamples) / count
    with np.errstate(divide="ignore"):
        means = np.log(normalised_weights(log_weights) @ drawn.T)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail], axis=-1)
    centre = log_mean_exp(log_weights)
    return centre + low, centre + high
