"""Hamiltonian Monte Carlo as a sampler: its settings, the sizes of its steps, and what is told of it.

Real and positive units move together, along leapfrog steps, under the energy or the free energy of what is summed out
of it; a move is accepted with a probability that makes up for the error of the steps. The sizes of the steps adapt in
the first sweeps and stay as they are after that, as chains whose steps go on adapting follow no fixed law.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError, NumericsError
from pgmc.ir.answers import Refusal
from pgmc.ir.queries import Sweep
from pgmc.ir.trajectory_symbols import ACCEPTANCE, DIVERGENCES, JITTER, LEAPS, STEP_SIZE
from pgmc.runtime.executable import Executable
from pgmc.runtime.streams import Stream

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]


@dataclass(frozen=True)
class HMC:
    """Hamiltonian Monte Carlo for the real and positive units, in place of Gibbs updates of them.

    Discrete units, and as many others as have a closed form, are summed out of the energy that the units move under,
    and drawn after every move. In the first sweeps the size of the steps is adapted by dual averaging; it is fixed
    after that.

    Parameters
    ----------
    steps
        Leapfrog steps of a move.
    step_size
        Their size: where adaptation starts, or for good without it.
    target
        The mean probability of acceptance that adaptation aims at.
    warmup
        How many sweeps adapt; by default those before the first state that is recorded, and none for chains that go on
        from ``Samples.last`` of a run with this sampler, whose sizes they keep.
    pooled
        Adapt one size for all chains. It then depends on how many chains there are, while the size of each chain does
        not.
    jitter
        By what share the size varies at random from move to move, so that no orbit closes.

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    References
    ----------
    Neal (2011), MCMC using Hamiltonian dynamics. Hoffman and Gelman (2014), The No-U-Turn sampler: section 3.2.
    """

    steps: int = 10
    step_size: float = 0.1
    target: float = 0.8
    warmup: int | None = None
    pooled: bool = False
    jitter: float = 0.1

    def __post_init__(self) -> None:
        _check_count("steps", self.steps, 1)
        if self.warmup is not None:
            _check_count("warmup", self.warmup, 0)
        _check_number("step_size", self.step_size, 0.0, math.inf)
        _check_number("target", self.target, 0.0, 1.0)
        if self.jitter != 0:
            _check_number("jitter", self.jitter, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Moves:
    """What was seen of Hamiltonian moves, after warm-up where there was any left.

    Attributes
    ----------
    acceptance
        The mean probability with which each chain accepted a move, ``(chains,)``.
    divergences
        How many moves of each chain had an error of the energy beyond 1000 nats, ``(chains,)``. Such moves are
        refused; they say that steps are too long for some region, which the chain then hardly enters.
    step_sizes
        The size of the steps of each chain, ``(chains,)``.
    warmup
        How many sweeps adapted it.
    """

    acceptance: Array
    divergences: Array
    step_sizes: Array
    warmup: int

    def __str__(self) -> str:
        accepted = f"{self.acceptance.mean():.2f} of moves accepted ({self.acceptance.min():.2f} to "
        sizes = f"steps of {self.step_sizes.min():.3g} to {self.step_sizes.max():.3g}"
        return f"{accepted}{self.acceptance.max():.2f}), {sizes}, {int(self.divergences.sum())} diverged"


@dataclass
class DualAveraging:
    """The size of the steps of some chains while it adapts, by equations 5 and 6 of Hoffman and Gelman (2014)."""

    start: Array
    target: float
    round: int = 0
    shortfall: Array = field(init=False)
    logarithm: Array = field(init=False)
    average: Array = field(init=False)

    GAMMA, DELAY, KAPPA = 0.05, 10.0, 0.75

    def __post_init__(self) -> None:
        self.shortfall = np.zeros_like(self.start)
        self.logarithm, self.average = np.log(self.start), np.zeros_like(self.start)

    @property
    def sizes(self) -> Array:
        """Those to try next."""
        return np.exp(self.logarithm)

    @property
    def final(self) -> Array:
        """Those to keep."""
        return np.exp(self.average) if self.round else self.start

    def update(self, acceptance: Array) -> None:
        """Learn from the probabilities with which moves of these sizes were accepted."""
        self.round += 1
        share = 1.0 / (self.round + self.DELAY)
        self.shortfall = (1.0 - share) * self.shortfall + share * (self.target - acceptance)
        pull = np.sqrt(self.round) / self.GAMMA * self.shortfall
        self.logarithm = np.log(10.0 * self.start) - pull
        weight = self.round**-self.KAPPA
        self.average = weight * self.logarithm + (1.0 - weight) * self.average


class Mover:
    """Sweeps with Hamiltonian moves, of chains under way."""

    def __init__(
        self,
        executable: Executable,
        settings: HMC,
        chains: int,
        free: tuple[str, ...],
        masked: tuple[str, ...] = (),
        *,
        warmup: int = 0,
        step_sizes: Array | None = None,
    ) -> None:
        plan = executable.plan_moves(free, masked)
        if isinstance(plan, Refusal):
            raise ArgumentError(f"{executable.model.name}: sampler=: {plan}")
        self.moved, self.summed = plan
        self.settings = settings
        self.warmup = warmup
        self._executable = executable
        start = np.full(chains, settings.step_size) if step_sizes is None else np.asarray(step_sizes, dtype=np.float64)
        self._adaptation = DualAveraging(start, settings.target)
        self._done, self._counted = 0, 0
        self._acceptance, self._divergences = np.zeros(chains), np.zeros(chains)

    @property
    def adapting(self) -> bool:
        """Whether the next sweep is one of warm-up."""
        return self._done < self.warmup

    @property
    def step_sizes(self) -> Array:
        """Of the next sweep."""
        return self._adaptation.sizes if self.adapting else self._adaptation.final

    @property
    def report(self) -> Moves:
        """What was seen so far."""
        counted = max(self._counted, 1)
        divergences = np.rint(self._divergences).astype(np.int64)
        return Moves(self._acceptance / counted, divergences, self._adaptation.final, self._done - self._after)

    @property
    def _after(self) -> int:
        return max(self._done - self.warmup, 0)

    def sweep(
        self,
        query: Sweep,
        params: Mapping[str, Array],
        state: Mapping[str, Array],
        *,
        stream: Stream,
        first_sweep: int,
        sweeps: int,
        masks: Mapping[str, Array],
        threads: int | None,
    ) -> None:
        """The sweeps of the query with moves in them, one by one while sizes adapt."""
        dtype = self._executable.dtype
        asked = replace(query, moved=self.moved, summed=self.summed)
        told = {
            LEAPS.name: np.asarray(self.settings.steps, dtype),
            JITTER.name: np.asarray(self.settings.jitter, dtype),
        }
        done = 0
        while done < sweeps:
            adapting = self.adapting
            length = 1 if adapting else sweeps - done
            sizes = self.step_sizes.astype(dtype)
            seen = {ACCEPTANCE.name: np.zeros_like(sizes), DIVERGENCES.name: np.zeros_like(sizes)}
            self._executable.sweep(
                asked,
                {**params, **told},
                {**state, STEP_SIZE.name: sizes, **seen},
                stream=stream,
                first_sweep=first_sweep + done,
                sweeps=length,
                masks=masks,
                threads=threads,
            )
            done, self._done = done + length, self._done + length
            self._learn(seen[ACCEPTANCE.name].astype(np.float64), seen[DIVERGENCES.name], length, adapting)

    def _learn(self, acceptance: Array, divergences: Array, sweeps: int, adapting: bool) -> None:
        if not np.isfinite(acceptance).all():
            raise NumericsError(
                f"Model {self._executable.model.name!r}: the energy of a chain is not finite, so no move from there "
                f"has a probability. Look at the parameters, and at where {', '.join(self.moved)} starts."
            )
        if adapting:
            seen = np.full_like(acceptance, acceptance.mean()) if self.settings.pooled else acceptance
            self._adaptation.update(seen)
        if self._counted and not adapting and self._after == sweeps:  # the first sweeps after warm-up
            self._acceptance[...], self._divergences[...], self._counted = 0.0, 0.0, 0
        self._acceptance += acceptance
        self._divergences += divergences
        self._counted += sweeps


def _check_count(name: str, value: Any, least: int) -> None:
    try:
        count = operator.index(value)
    except TypeError:
        count = least - 1
    if isinstance(value, bool) or count < least:
        raise ArgumentError(f"HMC: {name}={value!r}: expected an integer, at least {least}.")


def _check_number(name: str, value: Any, low: float, high: float) -> None:
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not low < value < high:
        above = f"between {low:g} and {high:g}" if math.isfinite(high) else f"above {low:g}"
        raise ArgumentError(f"HMC: {name}={value!r}: expected a number {above}.")
