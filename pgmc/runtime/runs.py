"""Chains under way: one replica a chain, or a ladder of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pgmc.ir.queries import Ancestral, Ensemble, Sweep
from pgmc.runtime.executable import Executable
from pgmc.runtime.hamiltonian import Mover
from pgmc.runtime.kernels import Array
from pgmc.runtime.recording import Record
from pgmc.runtime.replicas import Places, Replicas, SwapCounts, tempered
from pgmc.runtime.sample_energies import describe_origin
from pgmc.runtime.samples import ChainState, Origin, ReplicaState, Samples
from pgmc.runtime.streams import Stream
from pgmc.runtime.temperatures import TEMPERATURE
from pgmc.runtime.tempering import Tempering


@dataclass(frozen=True, slots=True)
class Chosen:
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


class Run(Protocol):
    """Chains under way."""

    def sweep(self, first: int, done: int, sweeps: int) -> None:
        """The sweeps after the first ``done`` ones of this run; ``first`` is the number of its first sweep."""

    def draw(self, sweep: int) -> None:
        """An ancestral pass over what is not swept, with the random numbers of that sweep."""

    def recorded(self) -> dict[str, Array]:
        """The present state of what is to be recorded."""

    def samples(self, record: Record, *, seed: int, sweeps: int) -> Samples:
        """What was recorded, and where the chains are now."""


@dataclass(frozen=True, slots=True)
class PlainRun:
    """One replica a chain."""

    chosen: Chosen
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
class TemperedRun:
    """Several replicas a chain, of which the one at β = 1 is recorded, or all are."""

    chosen: Chosen
    replicas: Replicas
    all_rungs: bool

    @classmethod
    def start(cls, chosen: Chosen, tempering: Tempering, chains: int, init: Mapping[str, Any] | None) -> TemperedRun:
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
