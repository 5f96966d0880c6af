"""Chains of replicas under way: sweeps at every rung of a ladder, and swaps between them.

A swap moves inverse temperatures, not states: replica r of chain k stays in row k · rungs + r, and ``rungs`` says which
rung it is on. Rows, and so random numbers, do not depend on how many chains there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from pgmc.errors import NumericsError
from pgmc.ir.queries import Energy, Ensemble, Sweep
from pgmc.runtime.executable import Executable
from pgmc.runtime.joint_states import base_measures
from pgmc.runtime.kernels import Array
from pgmc.runtime.streams import Stream, random_words, uniforms
from pgmc.runtime.tempering import swap_neighbours, swapped_pairs

Arrays: TypeAlias = dict[str, Array]

TEMPERATURE = "inverse_temperature"


@dataclass
class Places:
    """Where the replicas of each chain are on the ladder, and what is known of their way.

    Attributes
    ----------
    rungs
        The rung of each replica, int64 ``(chains, rungs)``.
    headings
        int64 ``(chains, rungs)``: +1 for a replica that was on the hottest rung last, -1 for one that came from there
        to the coldest, 0 for one that has seen neither.
    """

    rungs: Array
    headings: Array

    @classmethod
    def start(cls, chains: int, rungs: int) -> Places:
        """Replica r on rung r."""
        rows = np.tile(np.arange(rungs, dtype=np.int64), (chains, 1))
        return cls(rows, (rows == 0).astype(np.int64))

    def move(self, rungs: Array) -> Array:
        """Put replicas on other rungs; how many round trips of each chain that completes, ``(chains,)``."""
        hot, cold = rungs == 0, rungs == rungs.shape[1] - 1
        trips = np.sum(hot & (self.headings == -1), axis=1)
        self.headings = np.where(hot, 1, np.where(cold & (self.headings == 1), -1, self.headings))
        self.rungs = rungs
        return np.asarray(trips)

    def at(self) -> Array:
        """The replica on each rung, ``(chains, rungs)``."""
        return np.argsort(self.rungs, axis=1)


@dataclass
class SwapCounts:
    """What was seen of swaps: sums over the rounds of one run."""

    chains: int
    rungs: int
    tried: Array = field(init=False)
    accepted: Array = field(init=False)
    round_trips: Array = field(init=False)

    def __post_init__(self) -> None:
        self.tried, self.accepted = np.zeros(self.rungs - 1), np.zeros(self.rungs - 1)
        self.round_trips = np.zeros(self.chains, dtype=np.int64)

    @property
    def rates(self) -> Array:
        """The mean probability with which each pair of neighbours swapped; NaN for a pair that was never tried."""
        return np.where(self.tried > 0, self.accepted / np.maximum(self.tried, 1), np.nan)


@dataclass
class Replicas:
    """Replicas under way; ``state`` has ``chains · rungs`` rows, and inputs are part of it."""

    executable: Executable
    params: Mapping[str, Array]
    state: Arrays
    query: Sweep
    masks: Mapping[str, Array]
    ladder: Array
    swap_every: int
    places: Places
    counts: SwapCounts
    stream: Stream
    swaps: Stream
    threads: int | None = None
    known: Array | None = field(default=None, repr=False)
    """The energies of the present states, once they were asked for."""

    def sweep(self, first: int, sweeps: int, temperature: Array | float = 1.0) -> None:
        """Sweeps from number ``first`` on, with a round of swaps after every ``swap_every``-th by its number.

        The β of each rung is that of the ladder times ``temperature``, a number or one for each chain.
        """
        factor = np.broadcast_to(np.asarray(temperature, dtype=np.float64), (len(self.places.rungs),))
        # As kernels see them: a swap that took other numbers would not leave the law of the sweeps as it is.
        betas = (factor[:, None] * self.ladder).astype(self.executable.dtype)
        done = 0
        while done < sweeps:
            length = min(sweeps - done, self.swap_every - (first + done) % self.swap_every)
            self._sweep(first + done, length, betas)
            done += length
            if (first + done) % self.swap_every == 0:
                self._swap(first + done - 1, betas.astype(np.float64))

    def energies(self) -> Array:
        """E of each replica less the base measure of counts, ``(chains, rungs)`` in nats: what β multiplies."""
        if self.known is not None:
            return self.known
        found = self.executable.evaluate(Energy(), self.params, self.state, threads=self.threads)["energy"]
        if not np.isfinite(found).all():
            raise NumericsError(
                f"{self.executable.model.name}: the energy of a replica is {found[~np.isfinite(found)][0]}, so no swap "
                "has a probability. Look for parameters that are not finite or very large."
            )
        found = found - base_measures(self.executable.model, self.state)
        self.known = found.reshape(self.places.rungs.shape)
        return self.known

    def rows(self, *, every: bool = False) -> Array:
        """The row of each chain's replica on the coldest rung, or of those on every rung, in order."""
        at, count = self.places.at(), len(self.ladder)
        rows = np.arange(len(at))[:, None] * count + at
        return np.asarray(rows.ravel() if every else rows[:, -1])

    def _sweep(self, first: int, sweeps: int, betas: Array) -> None:
        own = np.take_along_axis(betas, self.places.rungs, axis=1).ravel()
        self.known = None
        self.executable.sweep(
            self.query,
            self.params,
            {**self.state, TEMPERATURE: own},
            stream=self.stream,
            first_sweep=first,
            sweeps=sweeps,
            masks=self.masks,
            threads=self.threads,
        )

    def _swap(self, sweep: int, betas: Array) -> None:
        """A round of swaps after the sweep of that number, which also keys its random numbers."""
        chains, count = self.places.rungs.shape
        pairs = swapped_pairs(count, sweep // self.swap_every)
        if len(pairs) == 0:
            return
        numbers = uniforms(random_words(self.swaps.key, np.arange(chains), sweep, pairs))
        rungs, probabilities = swap_neighbours(self.energies(), betas, self.places.rungs, pairs, numbers)
        self.counts.tried[pairs] += chains
        self.counts.accepted[pairs] += probabilities.sum(axis=0)
        self.counts.round_trips += self.places.move(rungs)


def tempered(free: tuple[str, ...], masked: tuple[str, ...] = (), first: tuple[str, ...] = ()) -> Sweep:
    """The sweep of replicas."""
    return Sweep(free, first=first, masked=masked, ensemble=Ensemble.TEMPERED)
