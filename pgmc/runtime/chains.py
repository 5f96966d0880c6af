"""Markov chains: starts, clamps, temperatures, and what is recorded."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgmc.errors import ArgumentError, DataError
from pgmc.ir.model import Model
from pgmc.ir.queries import Ensemble, Sweep
from pgmc.ir.symbols import Categorical, Symbol, shape_of
from pgmc.runtime.executable import Executable
from pgmc.runtime.kernels import Array, Dtype
from pgmc.runtime.samples import ChainState, Samples
from pgmc.runtime.state import (
    check_names,
    decode_state,
    encode_params,
    encode_values,
    random_state,
)
from pgmc.runtime.streams import Stream
from pgmc.runtime.threads import count_threads

Observe = Mapping[str, Callable[[dict[str, Array]], Any]]

TEMPERATURE = "inverse_temperature"


def run_chains(
    executable: Executable,
    params: Mapping[str, Any],
    *,
    chains: int = 100,
    sweeps: int = 1000,
    inputs: Mapping[str, Any] | None = None,
    clamp: Mapping[str, Any] | None = None,
    init: Mapping[str, Any] | None = None,
    observe: Observe | None = None,
    inverse_temperature: Any = 1.0,
    keep: int = 1,
    thin: int = 1,
    seed: int | None = None,
    threads: int | None = None,
) -> Samples:
    """Gibbs sampling from p(state) ∝ exp(-β E(state)) in independent chains.

    Parameters
    ----------
    executable
        The compiled model.
    params
        Name -> array of the declared shape.
    chains
        Number of chains.
    sweeps
        Number of sweeps, each an update of every unit that is free.
    inputs
        Name -> ``shape`` or ``(chains, *shape)`` for each input of a conditional model.
    clamp
        Name -> ``shape`` or ``(chains, *shape)``: values that variables keep. Masked entries of a masked array
        stay free.
    init
        Name -> ``shape`` or ``(chains, *shape)``: where chains start; at random where nothing is said. The
        ``last`` of earlier samples goes on where they stopped, with their seed unless another is given.
    observe
        Name -> function of the state, a dictionary of name -> ``(chains, *shape)``, that returns an array with a
        leading axis of chains. What they return is recorded instead of states.
    inverse_temperature
        β >= 0: a number, one per chain, or a schedule with one for each sweep. Where chains and sweeps are as
        many, give an array of shape ``(1, chains)``, ``(sweeps, 1)`` or ``(sweeps, chains)``.
    keep
        How many states to record of each chain: every ``thin``-th of the last ``keep * thin`` sweeps.
    thin
        Sweeps from one recorded state to the next.
    seed
        An integer in [0, 2^64), or None for a fresh one, which ``last.seed`` tells.
    threads
        Number of threads, by default one for each core. The numbers do not depend on it.

    Returns
    -------
    Samples
        Name -> ``(chains, keep, *shape)``; ``last`` is where the chains stopped.

    Raises
    ------
    ArgumentError
        If a count, the seed or a temperature is out of its range.
    DataError
        If an array has a wrong name, shape or value.
    """
    chains, sweeps = _check_count("chains", chains, 1), _check_count("sweeps", sweeps, 0)
    keep, thin = _check_count("keep", keep, 1), _check_count("thin", thin, 1)
    if keep * thin > max(sweeps, 1) or (sweeps == 0 and keep > 1):
        raise ArgumentError(f"keep={keep}, thin={thin}: that needs {keep * thin} sweeps, but sweeps={sweeps}.")
    count_threads(threads)
    observers = _check_observe(observe)
    first = init.sweeps if isinstance(init, ChainState) else 0
    if seed is None and isinstance(init, ChainState):
        seed = init.seed
    stream = Stream(seed, "sample")
    start = _Start(executable.model, executable.dtype, chains)
    clamps = start.clamps(clamp or {})
    run = _Run(
        executable,
        encode_params(executable.model, params, executable.dtype),
        {**start.states(init or {}, clamps, stream), **start.inputs(inputs or {})},
        {name: kept for name, (_, kept) in clamps.items() if not kept.all()},
        tuple(v.name for v in executable.model.variables if v.name not in clamps or not clamps[v.name][1].all()),
        _temperatures(inverse_temperature, chains, sweeps, executable.dtype),
        stream.child("sweep"),
        threads,
    )
    record = _Record(executable.model, observers, chains, keep)
    done = sweeps - keep * thin if sweeps else 0
    run.sweep(first, 0, done)
    for k in range(keep):
        step = min(thin, sweeps - done)
        run.sweep(first, done, step)
        done += step
        record.add(k, run.state)
    last = ChainState(record.decoded(run.state), seed=stream.seed, sweeps=first + sweeps)
    return Samples(record.arrays, last=last)


@dataclass(frozen=True, slots=True)
class _Run:
    """Chains under way."""

    executable: Executable
    params: dict[str, Array]
    state: dict[str, Array]
    masks: dict[str, Array]
    free: tuple[str, ...]
    temperatures: Array | None
    stream: Stream
    threads: int | None

    def sweep(self, first: int, done: int, sweeps: int) -> None:
        """The sweeps after the first ``done`` ones of this run; ``first`` is the number of its first sweep."""
        if not self.free or sweeps == 0:
            return
        if self.temperatures is None:
            self._launch(Ensemble.PLAIN, self.state, first + done, sweeps)
        elif len(self.temperatures) == 1:
            tempered = {**self.state, TEMPERATURE: self.temperatures[0]}
            self._launch(Ensemble.TEMPERED, tempered, first + done, sweeps)
        else:
            for t in range(done, done + sweeps):
                tempered = {**self.state, TEMPERATURE: self.temperatures[t]}
                self._launch(Ensemble.TEMPERED, tempered, first + t, 1)

    def _launch(self, ensemble: Ensemble, state: dict[str, Array], first_sweep: int, sweeps: int) -> None:
        self.executable.sweep(
            Sweep(self.free, masked=tuple(self.masks), ensemble=ensemble),
            self.params,
            state,
            stream=self.stream,
            first_sweep=first_sweep,
            sweeps=sweeps,
            masks=self.masks,
            threads=self.threads,
        )


@dataclass(frozen=True, slots=True)
class _Start:
    """What chains start from and what they keep."""

    model: Model
    dtype: Dtype
    chains: int

    def clamps(self, clamp: Mapping[str, Any]) -> dict[str, tuple[Array, Array]]:
        """Name -> values ``(chains, *shape)`` and which of them are kept."""
        declared: dict[str, Symbol] = {v.name: v for v in self.model.variables}
        check_names("clamp", clamp, declared)
        clamps = {}
        for name in (name for name in declared if name in clamp):
            value = clamp[name]
            free = np.ma.getmaskarray(value) if isinstance(value, np.ma.MaskedArray) else None
            if free is not None:
                valid = 0 if isinstance(declared[name].domain, Categorical) else 1  # type: ignore[union-attr]
                value = np.where(free, valid, np.ma.getdata(value))
            values = self._rows(declared[name], value)
            kept = np.ones(values.shape, dtype=bool)
            if free is not None:
                kept &= ~free  # broadcasts over the chains
            if kept.any():
                clamps[name] = (values, kept)
        return clamps

    def states(
        self, init: Mapping[str, Any], clamps: Mapping[str, tuple[Array, Array]], stream: Stream
    ) -> dict[str, Array]:
        """Name -> new array ``(chains, *shape)`` for each variable."""
        declared: dict[str, Symbol] = {v.name: v for v in self.model.variables}
        check_names("init", init, declared)
        missing = [n for n in declared if n not in init and not (n in clamps and clamps[n][1].all())]
        state = random_state(self.model, self.chains, stream.child("start"), self.dtype, missing)
        for name in declared:
            if name in init:
                state[name] = self._rows(declared[name], init[name])
            if name in clamps:
                values, kept = clamps[name]
                state[name] = np.where(kept, values, state[name]) if name in state else values
        return {name: state[name] for name in declared}

    def inputs(self, inputs: Mapping[str, Any]) -> dict[str, Array]:
        """Name -> array ``(chains, *shape)`` for each input."""
        declared: dict[str, Symbol] = {i.name: i for i in self.model.inputs}
        check_names("inputs", inputs, declared, required=declared)
        return {name: self._rows(symbol, inputs[name]) for name, symbol in declared.items()}

    def _rows(self, symbol: Symbol, value: Any) -> Array:
        """The value of each chain, in a new array."""
        shape = (self.chains, *shape_of(symbol))
        if np.ndim(value) == len(shape) - 1:
            return np.broadcast_to(encode_values(symbol, value, (), self.dtype), shape).copy()
        array = encode_values(symbol, value, ("chains",), self.dtype)
        if len(array) != self.chains:
            raise DataError(f"{symbol.name}: {len(array)} rows for chains={self.chains}.")
        return np.array(array)


class _Record:
    """What is kept of the states."""

    def __init__(self, model: Model, observers: Observe, chains: int, keep: int) -> None:
        self.arrays: dict[str, Array] = {}
        self._names = [variable.name for variable in model.variables]
        self._model = model
        self._observers = observers
        self._shape = (chains, keep)

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
                self.arrays[name] = np.empty((*self._shape, *value.shape[1:]), dtype=value.dtype)
            self.arrays[name][:, k] = value

    def _observe(self, name: str, state: dict[str, Array]) -> Array:
        value = np.asarray(self._observers[name](state))
        if value.ndim == 0 or len(value) != self._shape[0]:
            raise ArgumentError(
                f"observe[{name!r}] returned the shape {value.shape}: its first axis must be the "
                f"{self._shape[0]} chains. Keep that axis, and average afterwards."
            )
        return value


def _check_observe(observe: Observe | None) -> Observe:
    for name, function in (observe or {}).items():
        if not callable(function):
            raise ArgumentError(f"observe[{name!r}]: expected a function of the state, got {function!r}.")
    return observe or {}


def _check_count(name: str, value: Any, least: int) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        count = least - 1
    if isinstance(value, bool) or count < least:
        raise ArgumentError(f"{name}={value!r}: expected an integer, at least {least}.")
    return count


def _temperatures(value: Any, chains: int, sweeps: int, dtype: Dtype) -> Array | None:
    """Inverse temperatures as rows of ``(chains,)``: one row, or one for each sweep; None if all are 1."""
    try:
        beta = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{TEMPERATURE}: expected numbers, got {value!r}.") from error
    if not (np.isfinite(beta).all() and (beta >= 0).all()):
        raise ArgumentError(f"{TEMPERATURE}: expected finite numbers, at least 0, got {value!r}.")
    if beta.ndim == 1 and chains == sweeps == len(beta) > 1:
        raise ArgumentError(
            f"{TEMPERATURE}: {chains} numbers for {chains} chains and as many sweeps. "
            f"Give the shape (1, {chains}) for one per chain, or ({sweeps}, 1) for one per sweep."
        )
    if beta.shape == (sweeps,):
        beta = beta[:, None]
    elif beta.ndim <= 1:
        beta = beta.reshape(1, -1)
    if beta.ndim != 2 or beta.shape[0] not in (1, sweeps) or beta.shape[1] not in (1, chains):
        raise ArgumentError(
            f"{TEMPERATURE}: got the shape {np.shape(value)}. Expected a number, one per chain ({chains},), "
            f"or one per sweep ({sweeps},)."
        )
    if (beta == 1).all():
        return None
    return np.array(np.broadcast_to(beta, (len(beta), chains)), dtype=dtype, order="C")
