"""What chains start from, and which of their units they keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgmc.errors import DataError
from pgmc.ir.model import Model
from pgmc.ir.symbols import Positive, Spin, Symbol, Variable, shape_of
from pgmc.runtime.groups import group_units, place_units
from pgmc.runtime.kernels import Array, Dtype
from pgmc.runtime.samples import ChainState
from pgmc.runtime.state import check_names, encode_values, random_state
from pgmc.runtime.streams import Stream


@dataclass(frozen=True, slots=True)
class Start:
    """What chains start from and what they keep.

    Everything has ``chains · replicas`` rows, those of a chain one after the other; what is given for a chain is given
    to each of its replicas.
    """

    model: Model
    dtype: Dtype
    chains: int
    replicas: int = 1

    def clamps(self, clamp: Mapping[str, Any]) -> dict[str, tuple[Array, Array]]:
        """Name -> values ``(rows, *shape)`` and which of them are kept."""
        declared = {v.name: v for v in self.model.variables}
        check_names("clamp", clamp, declared)
        clamps = {}
        for name in (name for name in declared if name in clamp):
            value = clamp[name]
            free = np.ma.getmaskarray(value) if isinstance(value, np.ma.MaskedArray) else None
            if free is not None:
                valid = 1 if isinstance(declared[name].domain, Spin | Positive) else 0
                value = np.where(free, valid, np.ma.getdata(value))
            values = self._rows(declared[name], value, partial=free is not None)
            kept = np.ones((self.chains, *values.shape[1:]), dtype=bool)
            if free is not None:
                kept &= ~free  # broadcasts over the chains
            if kept.any():
                clamps[name] = (values, self._repeated(kept))
        return clamps

    def states(
        self, init: Mapping[str, Any], clamps: Mapping[str, tuple[Array, Array]], stream: Stream
    ) -> dict[str, Array]:
        """Name -> new array ``(rows, *shape)`` for each variable, from ``init`` or at random."""
        declared = {v.name: v for v in self.model.variables}
        check_names("init", init, declared)
        missing = [n for n in declared if n not in init and not (n in clamps and clamps[n][1].all())]
        state = random_state(self.model, self.chains * self.replicas, stream.child("start"), self.dtype, missing)
        for name in declared:
            if name in init:
                state[name] = self._initial_rows(declared[name], init)
            if name in clamps:
                values, kept = clamps[name]
                state[name] = _overlay(declared[name], values, kept, state[name]) if name in state else values
        return {name: state[name] for name in declared}

    def inputs(self, inputs: Mapping[str, Any]) -> dict[str, Array]:
        """Name -> array ``(rows, *shape)`` for each input."""
        declared: dict[str, Symbol] = {i.name: i for i in self.model.inputs}
        check_names("inputs", inputs, declared, required=declared)
        return {name: self._rows(symbol, inputs[name]) for name, symbol in declared.items()}

    def _initial_rows(self, symbol: Symbol, init: Mapping[str, Any]) -> Array:
        """Where chains go on, replica by replica if as many of them stopped."""
        if isinstance(init, ChainState) and init.replicas is not None and self.replicas > 1:
            states = init.replicas.states[symbol.name]
            if states.shape[:2] == (self.chains, self.replicas):
                own = states.reshape(self.chains * self.replicas, *states.shape[2:])
                return np.array(encode_values(symbol, own, ("chains",), self.dtype))
        return self._rows(symbol, init[symbol.name])

    def _rows(self, symbol: Symbol, value: Any, *, partial: bool = False) -> Array:
        """The value of each row, in a new array."""
        shape = (self.chains, *shape_of(symbol))
        if np.ndim(value) == len(shape) - 1:
            array = np.broadcast_to(encode_values(symbol, value, (), self.dtype, partial=partial), shape)
        else:
            array = encode_values(symbol, value, ("chains",), self.dtype, partial=partial)
        if len(array) != self.chains:
            raise DataError(f"{symbol.name}: {len(array)} rows for chains={self.chains}.")
        return self._repeated(array)

    def _repeated(self, array: Array) -> Array:
        return np.repeat(array, self.replicas, axis=0)


def _overlay(symbol: Symbol, values: Array, kept: Array, state: Array) -> Array:
    """The state with the kept units at their values; in an exclusive block where one of them is on, the rest is off."""
    merged = np.where(kept, values, state)
    if isinstance(symbol, Variable) and symbol.exclusive:
        own = group_units(merged, symbol)
        decided = group_units(kept & (values == 1), symbol).any(axis=-1, keepdims=True)
        merged = place_units(np.where(decided & ~group_units(kept, symbol), 0, own), symbol)
    return merged
