"""Wake-sleep: the model learns from what the guide infers, the guide from what the model dreams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pgmc.learning.guided import Guided
from pgmc.learning.objective import Array, Arrays, Estimate, Setup, Terms


@dataclass(frozen=True)
class WakeSleep(Terms):
    """Wake-sleep of a directed model p(v, h) with a guide q(h | v).

    Wake: h is drawn from q(h | v) at the data, and -log p(v, h) descended in the parameters of p. Sleep: (v, h) is
    drawn from p, and -log q(h | v) descended in those of q. The sleep phase follows the gradient of KL(p || q), not of
    the bound, so the two phases have no common loss; the bound is monitored.

    Raises
    ------
    ArgumentError
        At the start of a fit, if there is no guide, it does not draw the latent variables, or a variable has no
        directed factor.

    References
    ----------
    Hinton, Dayan, Frey and Neal (1995), The wake-sleep algorithm for unsupervised neural networks.
    """

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """No state."""
        Guided.check(setup, "WakeSleep")
        return {}

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """Both phases, on as many dreams as there are rows in the batch."""
        pair = Guided.check(setup, "WakeSleep")
        awake = pair.infer(params, batch, 1, "wake", step)
        inputs = {name: batch[name] for name in setup.inputs}
        dreams = pair.dream(params, len(next(iter(batch.values()))), inputs, step)
        gradients = pair.gradient(setup.executable, params, awake) | pair.gradient(pair.guide, params, dreams)
        metrics = {"bound": float(pair.log_weights(params, awake).mean())} if measure else {}
        return Estimate(gradients, metrics, state)

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """The mean of the lower bound E_q[log p(v, h) - log q(h | v)] on log p(v), one draw for each row, in nats."""
        pair = Guided.check(setup, "WakeSleep")
        return {"bound": float(pair.log_weights(params, pair.infer(params, data, 1, "validation", 0)).mean())}
