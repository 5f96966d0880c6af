"""The score-function gradient of the bound through a guide, with baselines that lower its variance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.ir.queries import Energy, Gradient
from pgmc.learning.guided import Guided
from pgmc.learning.objective import Array, Arrays, Estimate, Setup, Terms, check_count
from pgmc.learning.optimizers import Adam
from pgmc.learning.regression import Regression, features
from pgmc.runtime.guided import state_of

Baseline = Literal["none", "constant", "optimal", "input", "others"]

ROWS_TO_BEGIN = 100
"""Rows of data on which the running averages start."""

MEAN, VARIANCE, TOP, BELOW, REGRESSION = "mean", "variance", "top.", "below.", "regression."


@dataclass(frozen=True)
class Reinforce(Terms):
    """The gradient of the bound L = E_q[log p(v, h) - log q(h | v)] in both nets, from draws of the guide.

    With the signal ℓ = log p(v, h) - log q(h | v), the model follows the mean of ∂ log p(v, h)/∂θ, the guide that of
    (ℓ - baseline) ∂ log q(h | v)/∂φ. A baseline that does not depend on the draw it is used for leaves the mean as it
    is and lowers the variance. It takes no derivative through h, so h may be discrete.

    Parameters
    ----------
    samples
        Draws from the guide for each row.
    baseline
        ``"none"``; ``"constant"``: a running mean c of ℓ; ``"input"``: c + C(v), a regression on the data that is
        trained beside; ``"optimal"``: for each parameter φ_i the one of least variance,
        E[ℓ (∂ log q/∂φ_i)²] / E[(∂ log q/∂φ_i)²], from running averages; ``"others"``: the mean of ℓ over the other
        draws for the same row.
    hidden
        Units of a hidden layer in C; 0 for a linear regression.
    normalise
        Whether ℓ - baseline is divided by max(1, its running standard deviation). It is the same for all rows and
        does not depend on them, so the guide's gradient keeps its direction, and a step its size.
    decay
        Of the running averages, in [0, 1).
    baseline_rate
        Adam's rate for C.

    Raises
    ------
    ArgumentError
        If a setting is out of its range; at the start of a fit as for ``WakeSleep``.

    References
    ----------
    Mnih and Gregor (2014), Neural variational inference and learning in belief networks: "input" with ``normalise``.
    Goodfellow, Bengio, Courville (2016), equations 20.60 to 20.69; (20.68) is "optimal".
    """

    samples: int = 1
    baseline: Baseline = "input"
    hidden: int = 0
    normalise: bool = True
    decay: float = 0.9
    baseline_rate: float = 1e-2

    def __post_init__(self) -> None:
        check_count("Reinforce: samples", self.samples, least=2 if self.baseline == "others" else 1)
        check_count("Reinforce: hidden", self.hidden, least=0)
        if self.baseline not in get_args(Baseline):
            raise ArgumentError(f"Reinforce: baseline must be one of {get_args(Baseline)}, got {self.baseline!r}.")
        if not 0 <= self.decay < 1:
            raise ArgumentError(f"Reinforce: decay must lie in [0, 1), got {self.decay!r}.")
        if self.hidden and self.baseline != "input":
            raise ArgumentError(f"Reinforce: hidden units are those of the baseline 'input', not {self.baseline!r}.")
        Adam(self.baseline_rate)  # which checks it

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """The running averages on some rows of the data, and the regression before its first step."""
        pair = Guided.check(setup, "Reinforce")
        rows = {name: values[:ROWS_TO_BEGIN] for name, values in setup.data.items()}
        drawn = pair.infer(params, rows, self.samples, "start", 0)
        signal = pair.log_weights(params, drawn)
        state: Arrays = {MEAN: np.asarray(signal.mean()), VARIANCE: np.asarray(signal.var())}
        if self.baseline == "optimal":
            state |= self._squares(pair, params, drawn, signal - signal.mean())
        if self.baseline == "input":
            own = self._regression.begin(features(setup, rows).shape[1], setup.stream.child("regression"))
            state |= {REGRESSION + name: value for name, value in own.items()}
        return state

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """Minus the gradient of the bound, that of the guide divided by the scale of the signal."""
        pair = Guided.check(setup, "Reinforce")
        drawn = pair.infer(params, batch, self.samples, "wake", step)
        signal = pair.log_weights(params, drawn)
        gradients = pair.gradient(setup.executable, params, drawn)
        rest = signal - self._baseline(setup, batch, signal, state)
        scale = max(1.0, float(np.sqrt(state[VARIANCE]))) if self.normalise else 1.0
        weights = rest / (len(rest) * scale)
        of_guide = pair.gradient(pair.guide, params, drawn, weights)
        if self.baseline == "optimal":
            score = pair.gradient(pair.guide, params, drawn, np.full(len(rest), 1.0 / (len(rest) * scale)))
            of_guide = {name: value - _ratio(state, name) * score[name] for name, value in of_guide.items()}
        gradients |= {name: value.astype(setup.executable.dtype) for name, value in of_guide.items()}
        metrics = {"bound": float(signal.mean()), "signal_deviation": float(rest.std())} if measure else {}
        return Estimate(gradients, metrics, self._after(pair, params, batch, drawn, signal, rest, state, step))

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """The mean of the lower bound on log p(v), in nats."""
        pair = Guided.check(setup, "Reinforce")
        drawn = pair.infer(params, data, self.samples, "validation", 0)
        return {"bound": float(pair.log_weights(params, drawn).mean())}

    @property
    def _regression(self) -> Regression:
        return Regression(self.hidden, self.baseline_rate)

    def _baseline(self, setup: Setup, batch: Arrays, signal: Array, state: Arrays) -> Array | float:
        """What is subtracted from the signal of each draw, from what was known before this batch."""
        if self.baseline == "none":
            return 0.0
        if self.baseline == "others":
            own = signal.reshape(-1, self.samples)
            return np.ravel((own.sum(axis=1, keepdims=True) - own) / (self.samples - 1))
        if self.baseline == "input":
            predicted = self._regression.predict(features(setup, batch), _part(state, REGRESSION))
            return np.repeat(state[MEAN] + _deviation(state) * predicted, self.samples)
        return float(state[MEAN])

    def _after(
        self,
        pair: Guided,
        params: Mapping[str, Array],
        batch: Arrays,
        drawn: Arrays,
        signal: Array,
        rest: Array,
        state: Arrays,
        step: int,
    ) -> Arrays:
        """What is known after this batch."""
        new: Arrays = {MEAN: np.asarray(signal.mean()), VARIANCE: np.asarray(np.square(rest).mean())}
        if self.baseline == "optimal":
            new |= self._squares(pair, params, drawn, signal - state[MEAN])
        after = {name: np.asarray(self.decay * state[name] + (1 - self.decay) * value) for name, value in new.items()}
        if self.baseline == "input":
            wanted = (signal - state[MEAN]).reshape(-1, self.samples).mean(axis=1) / _deviation(state)
            own = self._regression.fitted(features(pair.setup, batch), wanted, _part(state, REGRESSION), step)
            after |= {REGRESSION + name: value for name, value in own.items()}
        return after

    def _squares(self, pair: Guided, params: Mapping[str, Array], drawn: Arrays, signal: Array) -> Arrays:
        """E[ℓ (∂ log q/∂φ)²] and E[(∂ log q/∂φ)²] over the draws."""
        guide, rows = pair.guide, len(signal)
        query = Gradient(Energy(), tuple(p.name for p in guide.model.parameters), squared=True)
        found: Arrays = {}
        for head, weights in ((TOP, signal / rows), (BELOW, np.full(rows, 1.0 / rows))):
            asked = state_of(guide, drawn)
            squares = guide.evaluate(query, params, asked, weights=weights, threads=pair.setup.threads)
            found |= {head + name: np.asarray(value, dtype=np.float64) for name, value in squares.items()}
        return found


def _ratio(state: Mapping[str, Array], name: str) -> Array:
    """The baseline of each element of a parameter, less the running mean; 0 where nothing was seen of it."""
    top, below = state[TOP + name], state[BELOW + name]
    return np.divide(top, below, out=np.zeros_like(top), where=below > 0)


def _deviation(state: Mapping[str, Array]) -> float:
    return max(1.0, float(np.sqrt(state[VARIANCE])))


def _part(state: Mapping[str, Array], head: str) -> Arrays:
    return {name.removeprefix(head): value for name, value in state.items() if name.startswith(head)}
