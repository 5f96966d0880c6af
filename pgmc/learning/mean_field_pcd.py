"""Variational stochastic maximum likelihood: mean field in the positive phase, persistent chains in the negative."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.ir.queries import Energy, Gradient, MeanFieldBound
from pgmc.learning.objective import Array, Arrays, Estimate, Setup, Terms, check_count
from pgmc.learning.persistent import PCD
from pgmc.runtime.mean_field import relax_mean_field
from pgmc.runtime.tempering import Tempering


@dataclass(frozen=True)
class MeanFieldPCD(Terms):
    """Ascent on the mean-field bound of the likelihood, for models whose latents interact.

    With q the mean-field posterior of the latents given the data, log p(v) ≥ -E_q[E] + H(q) - log Z. The gradient is
    E_q[∂E/∂θ] at the data, without sampling noise, minus the mean of ∂E/∂θ over persistent chains.

    Parameters
    ----------
    k, chains
        Sweeps each step, and number, of the persistent chains, as in ``PCD``.
    iterations, tol, damping
        Of mean field: the most passes each step, the change of a mean at which passes end, and the share of the old
        mean in the new one.
    latent_sweeps
        Sweeps over the latents with which the chains start.
    tempering
        A ladder of replicas for each chain, as in ``PCD``.

    Raises
    ------
    ArgumentError
        If a setting is out of its range; at the start of a fit, if there is nothing latent or the model has inputs.
    IntractableError
        If the energy is not a polynomial in the latent units.

    References
    ----------
    Salakhutdinov and Hinton (2009), Deep Boltzmann machines. Goodfellow, Bengio and Courville (2016), algorithm 20.1.
    """

    k: int = 1
    chains: int = 100
    iterations: int = 10
    tol: float = 1e-4
    damping: float = 0.0
    latent_sweeps: int = 10
    tempering: Tempering | None = None

    def __post_init__(self) -> None:
        self._chains()
        check_count("MeanFieldPCD: iterations", self.iterations)

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """The chains at random rows of the data."""
        if not setup.latents:
            raise ArgumentError("MeanFieldPCD: the data give every variable, so there is no posterior. Use PCD.")
        return self._chains().prepare(setup, params)

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """E_q[∂E/∂θ] at the data minus the mean of ∂E/∂θ over the chains."""
        executable, rows = setup.executable, len(next(iter(batch.values())))
        result = relax_mean_field(
            executable,
            params,
            batch,
            rows=rows,
            iterations=self.iterations,
            tol=self.tol,
            damping=self.damping,
            threads=setup.threads,
        )
        # The gradient of the bound is minus that of E_q[E].
        positive = executable.evaluate(
            Gradient(MeanFieldBound(setup.observed), setup.parameters),
            params,
            {**batch, **result.means},
            threads=setup.threads,
        )
        after, fantasies, rates = self._chains().advance(setup, params, step, state)
        negative = executable.evaluate(Gradient(Energy(), setup.parameters), params, fantasies, threads=setup.threads)
        gradients = {name: -positive[name] - negative[name] for name in setup.parameters}
        metrics = {"bound": float(np.mean(result.bound)), "passes": float(result.passes), **rates} if measure else {}
        return Estimate(gradients, metrics, after)

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """The mean bound on log Σ exp(-E) of held-out data, in nats; log Z is not subtracted."""
        rows = len(next(iter(data.values())))
        result = relax_mean_field(
            setup.executable, params, data, rows=rows, iterations=self.iterations, tol=self.tol, threads=setup.threads
        )
        return {"bound": float(np.mean(result.bound))}

    def _chains(self) -> PCD:
        return PCD(self.k, self.chains, self.latent_sweeps, self.tempering)
