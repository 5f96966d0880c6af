"""The bound through a guide whose draws have derivatives: latent variables made of noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pgmc.errors import ArgumentError, IntractableError
from pgmc.ir.queries import Energy, Gradient
from pgmc.learning.guided import Guided
from pgmc.learning.objective import Array, Arrays, Estimate, Setup, Terms, check_count
from pgmc.runtime.executable import Executable
from pgmc.runtime.guided import state_of, with_noise
from pgmc.runtime.joint_states import repeat_rows


@dataclass(frozen=True)
class ELBO(Terms):
    """The bound L = E_q[log p(x, z) - log q(z | x)] ≤ log p(x), with the gradient through the draws.

    Latent variables that the guide draws from a normal law are z = μ + σ·ε with standard normal noise ε, so that the
    mean over the noise and the derivative may change places. The share of a variable that is normal in the model,
    too, is a divergence in closed form, -KL(q ‖ p), where its law in the model is made of nothing that the guide
    draws after it. The gradient is free of bias, for any number of draws.

    Parameters
    ----------
    samples
        Draws K for each row.
    weighted
        Whether to climb the tighter bound E log 1/K Σ_k w_k with w_k = p(x, z_k)/q(z_k | x), in place of the mean of
        L over the draws. With one draw both are the same but for the closed form.

    Raises
    ------
    ArgumentError
        If a setting is out of its range; at the start of a fit as for ``WakeSleep``, and if a latent variable cannot
        be made of noise.

    References
    ----------
    Kingma and Welling (2014), Auto-encoding variational Bayes; equations 20.76 to 20.79 of Goodfellow, Bengio,
    Courville (2016).
    Burda, Grosse, Salakhutdinov (2016), Importance weighted autoencoders: ``weighted``.
    """

    samples: int = 1
    weighted: bool = False

    def __post_init__(self) -> None:
        check_count("ELBO: samples", self.samples)

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """No state."""
        self._bound(setup)
        return {}

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """Minus the gradient of the bound, averaged over the rows."""
        bound, drawn = self._bound(setup), self._drawn(setup, batch, "noise", step)
        weights, metrics = None, dict[str, float]()
        if self.weighted or measure:
            logs = self._log_weights(setup, bound, params, drawn)
            metrics = {"bound": float(self._of_draws(logs).mean())} if measure else {}
            if self.weighted:
                shares = np.exp(logs - logs.max(axis=1, keepdims=True))
                weights = (shares / shares.sum(axis=1, keepdims=True)).ravel() / len(logs)
        query = Gradient(Energy(), tuple(p.name for p in bound.model.parameters))
        gradients = bound.evaluate(query, params, drawn, weights=weights, threads=setup.threads)
        return Estimate(gradients, metrics, state)

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """The mean of the bound, in nats."""
        drawn = self._drawn(setup, data, "validation", 0)
        logs = self._log_weights(setup, self._bound(setup), params, drawn)
        return {"bound": float(self._of_draws(logs).mean())}

    def _bound(self, setup: Setup) -> Executable:
        Guided.check(setup, "ELBO")
        try:
            return setup.executable.bound(not self.weighted)
        except IntractableError as error:
            raise ArgumentError(f"ELBO: {error}") from None

    def _drawn(self, setup: Setup, batch: Arrays, stream: str, step: int) -> Arrays:
        """Every row ``samples`` times, each with noise of its own."""
        bound, rows = self._bound(setup), repeat_rows(batch, self.samples)
        return state_of(bound, with_noise(bound, rows, setup.stream.child(stream), step))

    def _log_weights(self, setup: Setup, bound: Executable, params: Mapping[str, Array], drawn: Arrays) -> Array:
        energies = bound.evaluate(Energy(), params, drawn, threads=setup.threads)["energy"]
        return -np.asarray(energies).reshape(-1, self.samples)

    def _of_draws(self, logs: Array) -> Array:
        """The bound of each row."""
        if self.weighted:
            return np.asarray(np.logaddexp.reduce(logs, axis=1) - np.log(self.samples))
        return np.asarray(logs.mean(axis=1))
