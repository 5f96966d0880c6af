"""Gradient steps. Settings are immutable; what an optimiser remembers is a flat dict of arrays, and steps
work in place.

Weight decay acts on parameters with at least two axes (weights, not biases) that are not declared positive.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]
Rate: TypeAlias = float | Callable[[float], float]


@runtime_checkable
class Optimizer(Protocol):
    """What ``fit`` asks of an optimiser."""

    def prepare(self, values: Mapping[str, Array]) -> Arrays:
        """What to remember, before the first step."""
        ...

    def step(
        self, values: Arrays, gradients: Arrays, memory: Arrays, *, step: int, epoch: float, decayed: frozenset[str]
    ) -> None:
        """Move ``values`` against the gradients, in place; the arrays of ``gradients`` may be overwritten.

        ``step`` counts from 0, ``epoch`` is the number of epochs done (2.5 in the middle of the third),
        and ``decayed`` names the parameters that weight decay acts on.
        """
        ...

    def rate(self, epoch: float) -> float:
        """The learning rate after that many epochs."""
        ...


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent, with momentum.

    u ← momentum · u + g + weight_decay · θ, then θ ← θ - learning_rate · u; with ``nesterov`` the step is
    along g + weight_decay · θ + momentum · u instead.

    Parameters
    ----------
    learning_rate
        A positive number, or a function of the number of epochs done (a float: 2.5 in the middle of the
        third).
    momentum
        In [0, 1).
    nesterov
        Whether to look ahead along the momentum.
    weight_decay
        Coefficient of an L2 penalty, on parameters with at least two axes that are not declared positive.

    Raises
    ------
    ArgumentError
        If a setting is out of its range.
    """

    learning_rate: Rate
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _check_rate("SGD", self.learning_rate)
        _check_range("SGD: momentum", self.momentum, 0.0, 1.0)
        _check_range("SGD: weight_decay", self.weight_decay, 0.0, math.inf)
        if self.nesterov and self.momentum == 0:
            raise ArgumentError("SGD: nesterov=True needs a momentum above 0.")

    def rate(self, epoch: float) -> float:
        """The learning rate after that many epochs."""
        return _rate(self.learning_rate, epoch)

    def prepare(self, values: Mapping[str, Array]) -> Arrays:
        """Zero velocities, or nothing without momentum."""
        if self.momentum == 0:
            return {}
        return {f"velocity.{name}": np.zeros_like(value) for name, value in values.items()}

    def step(
        self, values: Arrays, gradients: Arrays, memory: Arrays, *, step: int, epoch: float, decayed: frozenset[str]
    ) -> None:
        """One step, in place."""
        rate = self.rate(epoch)
        for name, gradient in gradients.items():
            value, kind = values[name], values[name].dtype.type
            direction = gradient
            if self.weight_decay and name in decayed:
                direction += kind(self.weight_decay) * value
            if self.momentum:
                velocity = memory[f"velocity.{name}"]
                velocity *= kind(self.momentum)
                velocity += direction
                if self.nesterov:
                    direction += kind(self.momentum) * velocity
                else:
                    direction = velocity
            value -= np.multiply(direction, kind(rate), out=gradient)


@dataclass(frozen=True)
class Adam:
    """Adam, with decoupled weight decay.

    m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², and with the bias-corrected m̂ and v̂,
    θ ← θ - learning_rate · (m̂ / (√v̂ + epsilon) + weight_decay · θ).

    Parameters
    ----------
    learning_rate
        A positive number, or a function of the number of epochs done (a float: 2.5 in the middle of the
        third).
    beta1, beta2
        Decay rates of the moments, in [0, 1).
    epsilon
        Added to √v̂; positive.
    weight_decay
        On parameters with at least two axes that are not declared positive.

    Raises
    ------
    ArgumentError
        If a setting is out of its range.

    References
    ----------
    Kingma and Ba (2015), Adam. Loshchilov and Hutter (2019), Decoupled weight decay regularization.
    """

    learning_rate: Rate = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _check_rate("Adam", self.learning_rate)
        _check_range("Adam: beta1", self.beta1, 0.0, 1.0)
        _check_range("Adam: beta2", self.beta2, 0.0, 1.0)
        _check_range("Adam: weight_decay", self.weight_decay, 0.0, math.inf)
        if not (math.isfinite(self.epsilon) and self.epsilon > 0):
            raise ArgumentError(f"Adam: epsilon must be a finite number above 0, got {self.epsilon!r}.")

    def rate(self, epoch: float) -> float:
        """The learning rate after that many epochs."""
        return _rate(self.learning_rate, epoch)

    def prepare(self, values: Mapping[str, Array]) -> Arrays:
        """Zero moments."""
        return {f"{m}.{name}": np.zeros_like(v) for name, v in values.items() for m in ("mean", "square")}

    def step(
        self, values: Arrays, gradients: Arrays, memory: Arrays, *, step: int, epoch: float, decayed: frozenset[str]
    ) -> None:
        """One step, in place."""
        rate = self.rate(epoch)
        # Both bias corrections and the rate in two numbers, so that arrays are passed over as seldom as
        # possible.
        root = math.sqrt(1.0 - self.beta2 ** (step + 1))
        scale = rate * root / (1.0 - self.beta1 ** (step + 1))
        for name, gradient in gradients.items():
            value, kind = values[name], values[name].dtype.type
            mean, square = memory[f"mean.{name}"], memory[f"square.{name}"]
            mean += kind(1.0 - self.beta1) * (gradient - mean)
            square *= kind(self.beta2)
            square += kind(1.0 - self.beta2) * np.square(gradient, out=gradient)
            if self.weight_decay and name in decayed:
                value *= kind(1.0 - rate * self.weight_decay)
            below = np.sqrt(square, out=gradient)
            below += kind(self.epsilon * root)
            value -= kind(scale) * mean / below


def _rate(setting: Rate, epoch: float) -> float:
    rate = float(setting(epoch)) if callable(setting) else float(setting)
    if not math.isfinite(rate) or rate < 0:
        raise ArgumentError(f"The learning rate after {epoch:g} epochs is {rate}; it must be finite and not negative.")
    return rate


def _check_rate(optimizer: str, rate: Rate) -> None:
    if callable(rate):
        return
    number = isinstance(rate, int | float | np.integer | np.floating) and not isinstance(rate, bool)
    if not number or not math.isfinite(rate) or rate <= 0:
        raise ArgumentError(
            f"{optimizer}: learning_rate must be a finite number above 0 or a function of the epoch, got {rate!r}."
        )


def _check_range(what: str, value: float, low: float, below: float) -> None:
    if not (low <= value < below):
        raise ArgumentError(f"{what} must lie in [{low:g}, {below:g}), got {value!r}.")
