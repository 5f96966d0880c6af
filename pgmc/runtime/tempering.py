"""Replica exchange: a ladder of inverse temperatures, and the swaps of neighbours on it.

Each chain has one replica for each rung of the ladder. Replica r is at β_r, with the law exp(-β_r E) / Z(β_r), and the
law of all of them is the product. A swap proposes that two neighbours on the ladder change places and is accepted with
probability min(1, exp((β_a - β_b)(E_a - E_b))), which leaves the product as it is. The hot replicas, which cross
barriers easily, so hand their states down to the cold ones.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class Tempering:
    """A ladder for replica exchange (parallel tempering).

    Parameters
    ----------
    betas
        The number of rungs, which are then spaced evenly from β = 0 (independent units) to 1; or the inverse
        temperatures themselves, rising to 1. They are factors of ``inverse_temperature``, which is 1 by default.
    swap_every
        Sweeps from one round of swaps to the next. Rounds take turns between the pairs of rungs (0, 1), (2, 3), ...
        and (1, 2), (3, 4), ...
    all_rungs
        Record the states of every rung, ``(chains, keep, rungs, *shape)`` in the order of ``betas``, in place of
        those at β = 1 alone.

    Raises
    ------
    ArgumentError
        If the inverse temperatures do not rise to 1, or a count is below 1.

    References
    ----------
    Geyer (1991), Markov chain Monte Carlo maximum likelihood. Hukushima and Nemoto (1996), Exchange Monte Carlo method
    and application to spin glass simulations. Syed, Bouchard-Côté, Deligiannidis and Doucet (2022), Non-reversible
    parallel tempering: a scalable highly parallel MCMC scheme: taking turns between even and odd pairs.
    """

    betas: int | Sequence[float]
    swap_every: int = 1
    all_rungs: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", _check_betas(self.betas))
        object.__setattr__(self, "swap_every", _check_count("swap_every", self.swap_every))

    @property
    def ladder(self) -> Array:
        """The inverse temperatures, rising to 1, float64 ``(rungs,)``."""
        return np.array(self.betas, dtype=np.float64)

    def respaced(self, swap_rates: npt.ArrayLike, *, rungs: int | None = None, rate: float | None = None) -> Tempering:
        """The ladder with its rungs moved so that all pairs swap about equally often.

        The rate at which swaps are rejected adds up along the ladder to a barrier Λ, which does not depend on how the
        rungs are spaced as long as they are dense. Equal steps of the barrier give equal rates, 1 - Λ / (rungs - 1).

        Parameters
        ----------
        swap_rates
            ``Samples.swap_rates`` of a run on this ladder, ``(rungs - 1,)``.
        rungs
            How many rungs the new ladder has; as many as this one by default.
        rate
            In place of ``rungs``: the rate of swaps wanted, between 0 and 1. Rungs are added until the barrier
            allows it; 1/2 makes for the most round trips on the work of all replicas.

        Raises
        ------
        ArgumentError
            If the rates are not one number from 0 to 1 for each pair, or both ``rungs`` and ``rate`` are given.
        """
        ladder, rates = self.ladder, np.asarray(swap_rates, dtype=np.float64)
        if rates.shape != (len(ladder) - 1,) or not ((rates >= 0) & (rates <= 1)).all():
            raise ArgumentError(
                f"respaced: expected {len(ladder) - 1} swap rates from 0 to 1, got {swap_rates!r}. Give the "
                "swap_rates of samples that were drawn with this ladder, every pair of which was tried."
            )
        if rungs is not None and rate is not None:
            raise ArgumentError("respaced: give either rungs= or rate=, as each follows from the other.")
        barrier = np.concatenate([[0.0], np.cumsum(1.0 - rates)])
        if rate is not None:
            if not 0 < rate < 1:
                raise ArgumentError(f"respaced: rate={rate!r}: expected a number between 0 and 1.")
            rungs = 1 + max(1, int(np.ceil(barrier[-1] / (1.0 - rate))))
        count = len(ladder) if rungs is None else _check_count("rungs", rungs, 2)
        if barrier[-1] == 0:  # every swap is accepted: any spacing does as well
            barrier = ladder
        betas = np.interp(np.linspace(0.0, barrier[-1], count), barrier, ladder)
        betas[0], betas[-1] = ladder[0], 1.0
        return Tempering(tuple(map(float, betas)), self.swap_every, self.all_rungs)


def _check_betas(betas: Any) -> tuple[float, ...]:
    if np.ndim(betas) == 0:
        return tuple(map(float, np.linspace(0.0, 1.0, _check_count("betas", betas, 2))))
    try:
        values = np.asarray(betas, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"betas={betas!r}: expected numbers that rise to 1.") from error
    rising = values.ndim == 1 and len(values) > 0 and bool((np.diff(values) > 0).all())
    if not rising or not values[0] >= 0 or values[-1] != 1:
        raise ArgumentError(
            f"betas={betas!r}: expected the number of rungs, or inverse temperatures that rise from 0 or more to 1, "
            "such as (0.2, 0.4, 0.7, 1)."
        )
    return tuple(map(float, values))


def _check_count(name: str, value: Any, least: int = 1) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        count = least - 1
    if isinstance(value, bool) or count < least:
        raise ArgumentError(f"Tempering: {name}={value!r}: expected an integer, at least {least}.")
    return count


def swapped_pairs(rungs: int, turn: int) -> Array:
    """The lower rungs of the pairs that a round of swaps tries: 0, 2, ... in even turns and 1, 3, ... in odd ones."""
    return np.arange(turn % 2, rungs - 1, 2)


def swap_neighbours(energies: Array, betas: Array, rungs: Array, pairs: Array, uniforms: Array) -> tuple[Array, Array]:
    """One round of swaps.

    Parameters
    ----------
    energies
        E of each replica, ``(chains, rungs)`` in nats at β = 1.
    betas
        β of each rung, ``(chains, rungs)``.
    rungs
        The rung that each replica is on, ``(chains, rungs)``, a permutation in each row.
    pairs
        The lower rung of each pair tried, no two of which share a rung.
    uniforms
        A number in (0, 1) for each chain and pair.

    Returns
    -------
    rungs, probabilities
        The rung that each replica is on now, and the probability with which each pair swapped, ``(chains, pairs)``.
    """
    chains = np.arange(len(rungs))[:, None]
    replica = np.argsort(rungs, axis=1)
    low, high = replica[:, pairs], replica[:, pairs + 1]
    gain = (betas[:, pairs] - betas[:, pairs + 1]) * (energies[chains, low] - energies[chains, high])
    probabilities = np.exp(np.minimum(gain, 0.0))
    accepted = uniforms < probabilities
    moved = rungs.copy()
    moved[chains, low] += accepted
    moved[chains, high] -= accepted
    return moved, probabilities
