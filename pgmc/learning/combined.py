"""Weighted sums of objectives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.learning.objective import Array, Arrays, Estimate, Objective, Setup, Terms


@dataclass(frozen=True)
class Combined(Terms):
    """Σ weight · objective. Each objective draws from a random stream of its own.

    Metrics keep their names; where two objectives have the same one, the later is numbered
    (``free_energy_gap_2``).
    """

    terms: tuple[tuple[float, Objective], ...]

    def __post_init__(self) -> None:
        for weight, objective in self.terms:
            if not np.isfinite(weight):
                raise ArgumentError(f"The weight of {objective} must be finite, got {weight}.")

    def __str__(self) -> str:
        return " + ".join(f"{objective}" if w == 1 else f"{w:g} * {objective}" for w, objective in self.terms)

    def scaled(self, weight: float) -> Combined:
        """The sum times a number."""
        return Combined(tuple((weight * w, objective) for w, objective in self.terms))

    def plus(self, other: Combined) -> Combined:
        """The sum of both."""
        return Combined(self.terms + other.terms)

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """The states of all objectives, each name headed by the objective's number."""
        state: Arrays = {}
        for k, (_, objective) in enumerate(self.terms):
            own = objective.prepare(setup.child(f"objective {k}"), params)
            state |= {f"{k}.{name}": values for name, values in own.items()}
        return state

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """The weighted sum of the gradients."""
        total: Arrays = {}
        metrics: dict[str, float] = {}
        after: Arrays = {}
        for k, (weight, objective) in enumerate(self.terms):
            head = f"{k}."
            own = {name[len(head) :]: values for name, values in state.items() if name.startswith(head)}
            part = objective.gradient(setup.child(f"objective {k}"), params, batch, step, own, measure)
            for name, gradient in part.gradients.items():
                scaled = gradient * gradient.dtype.type(weight)
                total[name] = total[name] + scaled if name in total else scaled
            _merge(metrics, part.metrics, k)
            after |= {head + name: values for name, values in part.state.items()}
        return Estimate(total, metrics, after)

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """The metrics of all objectives."""
        metrics: dict[str, float] = {}
        for k, (_, objective) in enumerate(self.terms):
            _merge(metrics, objective.validate(setup.child(f"objective {k}"), params, data), k)
        return metrics


def _merge(metrics: dict[str, float], more: Mapping[str, float], number: int) -> None:
    for name, value in more.items():
        metrics[f"{name}_{number + 1}" if name in metrics else name] = value
