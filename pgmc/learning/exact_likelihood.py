"""Exact maximum likelihood, by enumeration of a small model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pgmc.ir.symbols import Variable
from pgmc.learning.objective import Array, Arrays, Estimate, Setup, Terms, check_count
from pgmc.learning.phases import mean_statistic
from pgmc.runtime.enumeration import StateSum, check_enumerable, enumerated_variables
from pgmc.runtime.joint_integrals import JointSum, joint_block


@dataclass(frozen=True)
class ExactLikelihood(Terms):
    """The exact gradient of the mean of -log p(data), for models small enough to enumerate.

    -log p(v) = F(v) + log Z. Units that can be summed out analytically are; the states of the others are
    enumerated, in the data phase too where the free energy of the data has no tractable form. Real units that interact
    with one another are integrated out together, for every state of the others. With
    inputs, log Z is enumerated for each different row of inputs in the batch. A model of directed factors alone has
    log Z = 0: with all variables observed this is maximum likelihood at any size.

    Parameters
    ----------
    limit
        The largest number of joint states that is enumerated.

    Raises
    ------
    IntractableError
        At the start of a fit, if there are more states than that.
    """

    limit: int = 1 << 20

    def __post_init__(self) -> None:
        check_count("ExactLikelihood: limit", self.limit)

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """No state; refuses models that are too large."""
        if not _is_normalised(setup):
            check_enumerable(setup.executable, _visited(setup), self.limit)
        if not setup.has_free_energy:
            check_enumerable(setup.executable, self._latents(setup), self.limit)
        return {}

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """∂F(data) minus its expectation under the model, averaged over the batch."""
        gradients, log_sums = self._positive(setup, params, batch, measure)
        log_partition, negative = self._negative(setup, params, batch)
        for name, value in negative.items():
            gradients[name] = (gradients[name] - value).astype(setup.executable.dtype)
        metrics = {"log_likelihood": float(log_sums.mean() - log_partition)} if measure else {}
        return Estimate(gradients, metrics, state)

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """The mean log-likelihood of held-out data, in nats."""
        mean = self._log_sums(setup, params, data).mean()
        return {"log_likelihood": float(mean) - self._log_partition(setup, params, data)}

    def _latents(self, setup: Setup) -> tuple[Variable, ...]:
        return tuple(v for v in setup.executable.model.variables if v.name in setup.latents)

    def _given_data(self, setup: Setup, batch: Arrays) -> StateSum:
        rows = len(next(iter(batch.values())))
        return StateSum(setup.executable, self._latents(setup), batch, rows, setup.threads)

    def _log_sums(self, setup: Setup, params: Mapping[str, Array], batch: Arrays) -> Array:
        """-F of each row."""
        if setup.has_free_energy:
            return -setup.energies(params, batch)
        return self._given_data(setup, batch).log_sums(params)

    def _positive(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, measure: bool
    ) -> tuple[Arrays, Array]:
        if setup.has_free_energy:
            log_sums = self._log_sums(setup, params, batch) if measure else np.zeros(1)
            return mean_statistic(setup, params, batch), log_sums
        log_sums, gradients = self._given_data(setup, batch).mean_gradient(params, setup.parameters)
        return gradients, log_sums

    def _sums(self, setup: Setup, batch: Arrays) -> tuple[StateSum | JointSum, Array]:
        """The sum for each different row of inputs, and the share of the batch that has it."""
        if not setup.inputs:
            return _sum_over_all(setup, {}, 1), np.ones(1)
        flat = [np.asarray(batch[n], dtype=np.float64).reshape(len(batch[n]), -1) for n in setup.inputs]
        _, first, counts = np.unique(np.concatenate(flat, axis=1), axis=0, return_index=True, return_counts=True)
        given = {name: np.ascontiguousarray(batch[name][first]) for name in setup.inputs}
        return _sum_over_all(setup, given, len(first)), counts / counts.sum()

    def _log_partition(self, setup: Setup, params: Mapping[str, Array], batch: Arrays) -> float:
        """The mean of log Z over the rows of the batch."""
        if _is_normalised(setup):
            return 0.0
        sums, shares = self._sums(setup, batch)
        return float(shares @ sums.log_sums(params))

    def _negative(self, setup: Setup, params: Mapping[str, Array], batch: Arrays) -> tuple[float, Arrays]:
        """That mean, and minus its gradient."""
        if _is_normalised(setup):
            return 0.0, {}
        sums, shares = self._sums(setup, batch)
        log_sums, gradients = sums.mean_gradient(params, setup.parameters, shares)
        return float(shares @ log_sums), gradients


def _visited(setup: Setup) -> tuple[Variable, ...]:
    """The variables whose states are enumerated for log Z."""
    block = joint_block(setup.executable)
    if block is None:
        return enumerated_variables(setup.executable)
    return tuple(v for v in setup.executable.model.variables if v is not block)


def _sum_over_all(setup: Setup, given: Arrays, rows: int) -> StateSum | JointSum:
    """What log Z is the logarithm of, real units that interact integrated out together."""
    block = joint_block(setup.executable)
    if block is None:
        return StateSum(setup.executable, _visited(setup), given, rows, setup.threads)
    return JointSum(setup.executable, block, _visited(setup), given, rows, setup.threads)


def _is_normalised(setup: Setup) -> bool:
    """Whether every variable has a directed factor, so that log Z is 0 whatever the parameters."""
    model = setup.executable.model
    return len(model.factors) == len(model.variables)
