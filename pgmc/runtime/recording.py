"""What is kept of the states of chains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.ir.model import Model
from pgmc.runtime.kernels import Array
from pgmc.runtime.state import decode_state

Observe = Mapping[str, Callable[[dict[str, Array]], Any]]


class Record:
    """What is kept of the states; with ``rungs``, of as many replicas of each chain, in rows one after the other."""

    def __init__(self, model: Model, observers: Observe, chains: int, keep: int, rungs: int | None = None) -> None:
        self.arrays: dict[str, Array] = {}
        self._names = [variable.name for variable in model.variables]
        self._model = model
        self._observers = observers
        self._chains, self._keep = chains, keep
        self._rungs = () if rungs is None else (rungs,)

    def decoded(self, state: Mapping[str, Array]) -> dict[str, Array]:
        """The state of the variables as users see it."""
        return decode_state(self._model, {name: state[name] for name in self._names})

    def add(self, k: int, state: Mapping[str, Array]) -> None:
        """Records the k-th state."""
        values = self.decoded(state)
        if self._observers:
            values = {name: self._observe(name, values) for name in self._observers}
        for name, value in values.items():
            if name not in self.arrays:
                shape = (self._chains, self._keep, *self._rungs, *value.shape[1:])
                self.arrays[name] = np.empty(shape, dtype=value.dtype)
            self.arrays[name][:, k] = value.reshape(self._chains, *self._rungs, *value.shape[1:])

    def _observe(self, name: str, state: dict[str, Array]) -> Array:
        value = np.asarray(self._observers[name](state))
        rows = len(next(iter(state.values())))
        if value.ndim == 0 or len(value) != rows:
            raise ArgumentError(
                f"observe[{name!r}] returned the shape {value.shape}: its first axis must be the "
                f"{rows} chains. Keep that axis, and average afterwards."
            )
        return value


def check_observe(observe: Observe | None) -> Observe:
    """The functions of the state, none by default.

    Raises
    ------
    ArgumentError
        If one of them cannot be called.
    """
    for name, function in (observe or {}).items():
        if not callable(function):
            raise ArgumentError(f"observe[{name!r}]: expected a function of the state, got {function!r}.")
    return observe or {}
