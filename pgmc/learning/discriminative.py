"""The conditional log-likelihood of some observed variables given the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pgmc.errors import ArgumentError, IntractableError
from pgmc.learning.combined import Combined
from pgmc.learning.contrastive_divergence import CD
from pgmc.learning.objective import Array, Arrays, Estimate, Objective, Setup, Terms, check_count
from pgmc.learning.phases import mean_statistic
from pgmc.runtime.enumeration import StateSum, check_enumerable


@dataclass(frozen=True)
class Discriminative(Terms):
    """The exact gradient of the mean of -log p(target | rest of the observed variables).

    -log p(y | x) = F(x, y) + log Σ_y' exp(-F(x, y')), with the latent variables summed out analytically and the states
    of the target enumerated. ``Hybrid`` adds the likelihood of everything observed.

    Parameters
    ----------
    target : str
        An observed variable with few joint states, such as a class label.
    limit : int
        The largest number of joint states of the target that is enumerated for each example.

    Raises
    ------
    ArgumentError
        At the start of a fit, if the target is not one of several observed variables.
    IntractableError
        If the target has too many states, or the free energy of the observed variables has no tractable form.

    References
    ----------
    Larochelle and Bengio (2008), Classification using discriminative restricted Boltzmann machines, equation 3.
    """

    target: str
    limit: int = 1 << 16

    def __post_init__(self) -> None:
        if not isinstance(self.target, str):
            raise ArgumentError(f"Discriminative: target must be the name of a variable, got {self.target!r}.")
        check_count("Discriminative: limit", self.limit)

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """No state; refuses targets that do not fit the data or have too many states."""
        if self.target not in setup.observed or len(setup.observed) + len(setup.inputs) < 2:
            others = ", ".join(setup.observed)
            raise ArgumentError(
                f"Discriminative: {self.target!r} must be observed beside something to predict it from; "
                f"the data give {others}."
            )
        if setup.latents and not setup.has_free_energy:
            raise IntractableError(
                f"Discriminative: the free energy of {', '.join(setup.observed)} has no tractable form. "
                "Observe more variables, or train the joint likelihood."
            )
        check_enumerable(setup.executable, (setup.executable.model.variable(self.target),), self.limit)
        return {}

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """∂F/∂θ at the targets of the batch minus its mean over p(target | rest)."""
        gradients = mean_statistic(setup, params, batch)
        log_sums, negative = self._alternatives(setup, batch).mean_gradient(params, setup.parameters)
        for name, value in negative.items():
            gradients[name] = (gradients[name] - value).astype(setup.executable.dtype)
        metrics: dict[str, float] = {}
        if measure:
            metrics = {"conditional_log_likelihood": float(np.mean(-setup.energies(params, batch) - log_sums))}
        return Estimate(gradients, metrics, state)

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """The mean conditional log-likelihood of held-out targets, in nats."""
        log_sums = self._alternatives(setup, data).log_sums(params)
        return {"conditional_log_likelihood": float(np.mean(-setup.energies(params, data) - log_sums))}

    def _alternatives(self, setup: Setup, batch: Arrays) -> StateSum:
        """Every state of the target beside the rest of each row."""
        given = {name: batch[name] for name in (*setup.observed, *setup.inputs) if name != self.target}
        rows = len(next(iter(batch.values())))
        target = setup.executable.model.variable(self.target)
        return StateSum(setup.executable, (target,), given, rows, setup.threads)


def Hybrid(target: str, generative: Objective | None = None, weight: float = 0.01) -> Combined:
    """The hybrid objective: -log p(target | rest) - weight · log p(target, rest), each by a gradient of its own.

    The same as ``Discriminative(target) + weight * generative``.

    Parameters
    ----------
    target : str
        As in ``Discriminative``.
    generative : Objective, optional
        How the joint likelihood is ascended: ``CD(1)`` by default.
    weight : float
        Of the joint likelihood; 0.01 by default.

    Raises
    ------
    ArgumentError
        If the weight is not a finite number above 0.

    References
    ----------
    Larochelle and Bengio (2008), Classification using discriminative restricted Boltzmann machines, equation 11.
    """
    if not 0 < weight < float("inf"):
        raise ArgumentError(f"Hybrid: weight must be a finite number above 0, got {weight!r}.")
    return Discriminative(target) + weight * Combined(((1.0, CD(1) if generative is None else generative),))
