"""A small regression that is trained beside a model: linear, or with one hidden layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pgmc.ir.symbols import Categorical, Symbol
from pgmc.learning.objective import Array, Arrays, Setup
from pgmc.learning.optimizers import Adam
from pgmc.runtime.streams import Stream


@dataclass(frozen=True)
class Regression:
    """A number predicted from the data of a row: w·x + a or, with hidden units, w·tanh(V x + b) + a.

    Its parameters live in a flat dict of arrays, with what Adam remembers of them. It starts by predicting 0.

    Attributes
    ----------
    hidden
        Units of the hidden layer; 0 for none.
    rate
        Of Adam.
    """

    hidden: int
    rate: float

    def begin(self, features: int, stream: Stream) -> Arrays:
        """The first values of everything."""
        width = self.hidden or features
        values: Arrays = {"w": np.zeros(width), "a": np.zeros(())}
        if self.hidden:
            values["V"] = stream.generator().normal(size=(features, width)) / np.sqrt(features)
            values["b"] = np.zeros(width)
        return values | self._adam.prepare(values)

    def predict(self, x: Array, state: Mapping[str, Array]) -> Array:
        """A number for each row of ``x``, ``(n,)``."""
        return np.asarray(self._layer(x, state) @ state["w"] + state["a"])

    def fitted(self, x: Array, wanted: Array, state: Mapping[str, Array], step: int) -> Arrays:
        """After one step down the mean of ½ (prediction - wanted)²; ``wanted`` is ``(n,)``."""
        after = {name: np.array(value) for name, value in state.items()}
        errors = (self.predict(x, state) - wanted) / len(x)
        layer = self._layer(x, state)
        gradients: Arrays = {"w": layer.T @ errors, "a": np.asarray(errors.sum())}
        if self.hidden:
            back = errors[:, None] * state["w"] * (1.0 - layer**2)
            gradients |= {"V": x.T @ back, "b": back.sum(axis=0)}
        values = {name: after[name] for name in gradients}
        self._adam.step(values, gradients, after, step=step, epoch=0.0, decayed=frozenset())
        return after

    @property
    def _adam(self) -> Adam:
        return Adam(self.rate)

    def _layer(self, x: Array, state: Mapping[str, Array]) -> Array:
        return np.tanh(x @ state["V"] + state["b"]) if self.hidden else x


def features(setup: Setup, batch: Mapping[str, Array]) -> Array:
    """What a batch gives, as ``(n, features)`` numbers: states one-hot, everything else as it is."""
    model = setup.executable.model
    symbols: tuple[Symbol, ...] = (*(model.variable(name) for name in setup.observed), *model.inputs)
    columns = [_numbers(symbol, batch[symbol.name]) for symbol in symbols]
    return np.concatenate([c.reshape(len(c), -1) for c in columns], axis=1).astype(np.float64)


def _numbers(symbol: Symbol, values: Array) -> Array:
    domain = getattr(symbol, "domain", None)
    return np.eye(domain.states)[values] if isinstance(domain, Categorical) else values
