"""Markov chains: where they start, what they keep, at which temperatures they run, and what is recorded."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.ir.definitions import expand_factors
from pgmc.ir.dependencies import parents
from pgmc.ir.memory import machine_memory
from pgmc.ir.model import Model
from pgmc.ir.queries import Ancestral, Ensemble, Sweep
from pgmc.ir.symbols import shape_of
from pgmc.runtime.executable import Executable
from pgmc.runtime.hamiltonian import HMC, Mover
from pgmc.runtime.kernels import Array, state_dtype
from pgmc.runtime.recording import Observe, Record, check_observe
from pgmc.runtime.replicas import Places, Replicas, SwapCounts, tempered
from pgmc.runtime.sample_energies import describe_origin
from pgmc.runtime.samples import ChainState, Origin, ReplicaState, Samples
from pgmc.runtime.starts import Start
from pgmc.runtime.state import decoded_dtype, encode_params
from pgmc.runtime.streams import Stream
from pgmc.runtime.temperatures import TEMPERATURE, check_proper, encode_temperatures
from pgmc.runtime.tempering import Tempering
from pgmc.runtime.threads import count_threads

REPORTS = 100
"""How many times at most ``progress`` is called, but once for each recorded state."""


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
    tempering: Tempering | None = None,
    sampler: HMC | None = None,
    keep: int = 1,
    thin: int = 1,
    seed: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Samples:
    """Gibbs sampling from p(state) ∝ exp(-β E(state)) in independent chains.

    Variables with directed factors are drawn from these, parents before children, after the sweeps of the others; so a
    model of directed factors alone needs no sweeps, and every recorded state is an independent draw. Where clamps have
    a say in the law of free variables, or a temperature is given, all free variables are swept.

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
    tempering
        A ladder of replicas for each chain, which swap places; what is recorded is the replica at β = 1.
    sampler
        Hamiltonian Monte Carlo for the real and positive units, in place of Gibbs updates of them.
    keep
        How many states to record of each chain: every ``thin``-th of the last ``keep * thin`` sweeps.
    thin
        Sweeps from one recorded state to the next.
    seed
        An integer in [0, 2^64), or None for a fresh one, which ``last.seed`` tells.
    threads
        Number of threads, by default one for each core. The numbers do not depend on it.
    progress
        Called as ``progress(done, sweeps)`` from time to time.

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
    observers = check_observe(observe)
    first = init.sweeps if isinstance(init, ChainState) else 0
    if seed is None and isinstance(init, ChainState):
        seed = init.seed
    stream = Stream(seed, "sample")
    ladder = _ladder(tempering)
    recorded = len(ladder) if tempering is not None and tempering.all_rungs else None
    _check_memory(executable, chains, len(ladder), 0 if observers else keep * (recorded or 1))
    start = Start(executable.model, executable.dtype, chains, len(ladder))
    clamps = start.clamps(clamp or {})
    temperatures = encode_temperatures(inverse_temperature, chains, sweeps, executable.dtype)
    free = tuple(v.name for v in executable.model.variables if v.name not in clamps or not clamps[v.name][1].all())
    check_proper(executable.model, free, ladder[0] * (1.0 if temperatures is None else temperatures.min()))
    plain = temperatures is None and tempering is None
    drawn = drawn_ancestrally(executable.model, tuple(clamps), free) if plain else ()
    chosen = _Chosen(
        executable,
        encode_params(executable.model, params, executable.dtype),
        {**start.states(init or {}, clamps, stream), **start.inputs(inputs or {})},
        {name: kept for name, (_, kept) in clamps.items() if not kept.all()},
        tuple(name for name in free if name not in drawn),
        drawn,
        temperatures,
        stream,
        threads,
        chains,
    )
    mover = _make_mover(chosen, sampler, tempering, init, sweeps - keep * thin)
    run = _Plain(chosen, mover) if tempering is None else _Tempered.start(chosen, tempering, chains, init)
    record = Record(executable.model, observers, chains, keep, recorded)
    advance = _Advance(run, first, sweeps, progress)
    advance(sweeps - keep * thin if sweeps else 0)
    for k in range(keep):
        advance(min(thin, sweeps))
        run.draw(first + advance.done)
        record.add(k, run.recorded())
    return run.samples(record, seed=stream.seed, sweeps=first + sweeps)


def drawn_ancestrally(model: Model, clamped: tuple[str, ...], free: tuple[str, ...]) -> tuple[str, ...]:
    """The variables to draw from their directed factors; none if clamps have a say in the law of free variables.

    A clamped variable has none if it is clamped as a whole and so are all its parents.
    """
    for factor in expand_factors(model.factors, model.definitions):
        name = factor.target.name
        if name in clamped and (name in free or any(parent in free for parent in parents(factor))):
            return ()
    return tuple(name for name in model.children if name in free)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The checked arguments of a run; the state holds inputs, too, and has a row for each replica."""

    executable: Executable
    params: dict[str, Array]
    state: dict[str, Array]
    masks: dict[str, Array]
    free: tuple[str, ...]
    drawn: tuple[str, ...]
    temperatures: Array | None
    stream: Stream
    threads: int | None
    chains: int

    @property
    def origin(self) -> Origin:
        """What the samples remember; of inputs, which all replicas of a chain share, one row for each chain."""
        every = len(next(iter(self.state.values()))) // self.chains
        inputs = {symbol.name: self.state[symbol.name][::every] for symbol in self.executable.model.inputs}
        return describe_origin(self.executable, self.params, inputs, self.threads)


class _Run(Protocol):
    """Chains under way."""

    def sweep(self, first: int, done: int, sweeps: int) -> None:
        """The sweeps after the first ``done`` ones of this run; ``first`` is the number of its first sweep."""

    def draw(self, sweep: int) -> None:
        """An ancestral pass over what is not swept, with the random numbers of that sweep."""

    def recorded(self) -> dict[str, Array]:
        """The present state of what is to be recorded."""

    def samples(self, record: Record, *, seed: int, sweeps: int) -> Samples:
        """What was recorded, and where the chains are now."""


@dataclass(slots=True)
class _Advance:
    """Sweeps a run from where it is, and tells of it now and then."""

    run: _Run
    first: int
    sweeps: int
    progress: Callable[[int, int], None] | None
    done: int = 0

    def __call__(self, sweeps: int) -> None:
        step = sweeps if self.progress is None else -(-self.sweeps // REPORTS)
        while sweeps > 0:
            now = min(step, sweeps)
            self.run.sweep(self.first, self.done, now)
            self.done, sweeps = self.done + now, sweeps - now
            if self.progress is not None:
                self.progress(self.done, self.sweeps)


@dataclass(frozen=True, slots=True)
class _Plain:
    """One replica a chain."""

    chosen: _Chosen
    mover: Mover | None = None

    def sweep(self, first: int, done: int, sweeps: int) -> None:
        """The sweeps after the first ``done`` ones, at the temperatures of their own."""
        chosen = self.chosen
        if not chosen.free or sweeps == 0:
            return
        if chosen.temperatures is None:
            # What is drawn ancestrally sums to one, and so has no say in the law of the others.
            ensemble = Ensemble.UNDIRECTED if chosen.drawn else Ensemble.PLAIN
            self._launch(ensemble, chosen.state, first + done, sweeps)
        elif len(chosen.temperatures) == 1:
            self._launch(Ensemble.TEMPERED, {**chosen.state, TEMPERATURE: chosen.temperatures[0]}, first + done, sweeps)
        else:
            for t in range(done, done + sweeps):
                self._launch(Ensemble.TEMPERED, {**chosen.state, TEMPERATURE: chosen.temperatures[t]}, first + t, 1)

    def _launch(self, ensemble: Ensemble, state: dict[str, Array], first_sweep: int, sweeps: int) -> None:
        chosen = self.chosen
        carry_out = chosen.executable.sweep if self.mover is None else self.mover.sweep
        carry_out(
            Sweep(chosen.free, masked=tuple(chosen.masks), ensemble=ensemble),
            chosen.params,
            state,
            stream=chosen.stream.child("sweep"),
            first_sweep=first_sweep,
            sweeps=sweeps,
            masks=chosen.masks,
            threads=chosen.threads,
        )

    def draw(self, sweep: int) -> None:
        """An ancestral pass over the variables that have directed factors and are not swept."""
        chosen = self.chosen
        if chosen.drawn:
            chosen.executable.sweep(
                Ancestral(chosen.drawn),
                chosen.params,
                chosen.state,
                stream=chosen.stream.child("ancestral"),
                first_sweep=sweep,
                threads=chosen.threads,
            )

    def recorded(self) -> dict[str, Array]:
        """The state itself."""
        return self.chosen.state

    def samples(self, record: Record, *, seed: int, sweeps: int) -> Samples:
        """What was recorded, and where the chains are now."""
        moves = None if self.mover is None else self.mover.report
        sizes = None if moves is None else moves.step_sizes
        last = ChainState(record.decoded(self.chosen.state), seed=seed, sweeps=sweeps, step_sizes=sizes)
        return Samples(record.arrays, last=last, moves=moves, origin=self.chosen.origin)


@dataclass(frozen=True, slots=True)
class _Tempered:
    """Several replicas a chain, of which the one at β = 1 is recorded, or all are."""

    chosen: _Chosen
    replicas: Replicas
    all_rungs: bool

    @classmethod
    def start(cls, chosen: _Chosen, tempering: Tempering, chains: int, init: Mapping[str, Any] | None) -> _Tempered:
        """Replicas on the rungs they stopped on, if as many of them did, else in order."""
        ladder = tempering.ladder
        places = Places.start(chains, len(ladder))
        before = init.replicas if isinstance(init, ChainState) else None
        if before is not None and before.rungs.shape == places.rungs.shape:
            places = Places(before.rungs.copy(), before.headings.copy())
        replicas = Replicas(
            chosen.executable,
            chosen.params,
            chosen.state,
            tempered(chosen.free, tuple(chosen.masks)),
            chosen.masks,
            ladder,
            tempering.swap_every,
            places,
            SwapCounts(chains, len(ladder)),
            chosen.stream.child("sweep"),
            chosen.stream.child("swap"),
            chosen.threads,
        )
        return cls(chosen, replicas, tempering.all_rungs)

    def sweep(self, first: int, done: int, sweeps: int) -> None:
        """The sweeps after the first ``done`` ones, each rung at its share of their temperatures."""
        temperatures = self.chosen.temperatures
        if not self.chosen.free:
            return
        if temperatures is None or len(temperatures) == 1:
            self.replicas.sweep(first + done, sweeps, 1.0 if temperatures is None else temperatures[0])
        else:
            for t in range(done, done + sweeps):
                self.replicas.sweep(first + t, 1, temperatures[t])

    def draw(self, sweep: int) -> None:
        """Nothing: at a temperature of its own a directed factor is not normalised, so all variables are swept."""

    def recorded(self) -> dict[str, Array]:
        """The states at β = 1, or of every rung in order."""
        return self._states(every=self.all_rungs)

    def samples(self, record: Record, *, seed: int, sweeps: int) -> Samples:
        """What was recorded, where all replicas are now, and what was seen of swaps."""
        places, counts = self.replicas.places, self.replicas.counts
        shape = places.rungs.shape
        states = {n: x.reshape(*shape, *x.shape[1:]) for n, x in record.decoded(self.chosen.state).items()}
        stopped = ReplicaState(states, places.rungs, places.headings)
        last = ChainState(record.decoded(self._states()), seed=seed, sweeps=sweeps, replicas=stopped)
        return Samples(
            record.arrays,
            last=last,
            swap_rates=counts.rates,
            round_trips=counts.round_trips,
            origin=self.chosen.origin,
        )

    def _states(self, *, every: bool = False) -> dict[str, Array]:
        rows = self.replicas.rows(every=every)
        return {name: array[rows] for name, array in self.chosen.state.items()}


def _make_mover(
    chosen: _Chosen, sampler: HMC | None, tempering: Tempering | None, init: Mapping[str, Any] | None, unrecorded: int
) -> Mover | None:
    """What carries out Hamiltonian moves, if they are asked for."""
    if sampler is None:
        return None
    if not isinstance(sampler, HMC):
        raise ArgumentError(f"sampler={sampler!r}: expected settings such as pgmc.HMC(steps=20), or None for Gibbs.")
    if tempering is not None:
        raise ArgumentError(
            "sampler and tempering: a replica changes its temperature with every swap, and steps of one size fit one "
            "temperature. Leave one of the two out; Gibbs updates draw units of any energy at any temperature."
        )
    sizes = init.step_sizes if isinstance(init, ChainState) else None
    sizes = sizes if sizes is not None and sizes.shape == (chosen.chains,) else None
    warmup = sampler.warmup if sampler.warmup is not None else 0 if sizes is not None else max(unrecorded, 0)
    if warmup > max(unrecorded, 0):
        raise ArgumentError(
            f"HMC: warmup={warmup}: steps may not adapt in sweeps that are recorded, and only {max(unrecorded, 0)} "
            "come before those. Give more sweeps, or a smaller warmup."
        )
    masked = tuple(chosen.masks)
    return Mover(chosen.executable, sampler, chosen.chains, chosen.free, masked, warmup=warmup, step_sizes=sizes)


def _ladder(tempering: Tempering | None) -> Array:
    if tempering is None:
        return np.ones(1)
    if not isinstance(tempering, Tempering):
        raise ArgumentError(f"tempering={tempering!r}: expected a ladder such as pgmc.Tempering(betas=8), or None.")
    return tempering.ladder


def _check_memory(executable: Executable, chains: int, rungs: int, kept: int) -> None:
    """Refuse before allocating what the machine cannot hold."""
    total = 0
    for variable in executable.model.variables:
        running = state_dtype(variable, executable.dtype)
        bytes_of_unit = rungs * running.itemsize + kept * decoded_dtype(variable, running).itemsize
        total += chains * math.prod(shape_of(variable)) * bytes_of_unit
    memory = machine_memory()
    if memory is not None and total > memory:
        raise ArgumentError(
            f"{executable.model.name}: the states of chains={chains} need {total} bytes, and this machine has "
            f"{memory}. Use fewer chains, keep fewer states, or record what observe= makes of them."
        )


def _check_count(name: str, value: Any, least: int) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        count = least - 1
    if isinstance(value, bool) or count < least:
        raise ArgumentError(f"{name}={value!r}: expected an integer, at least {least}.")
    return count
