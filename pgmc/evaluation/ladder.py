"""log Z by parallel tempering: the ratios of neighbouring rungs, by Bennett's acceptance ratio.

Replicas at β = 0, ..., 1 swap places; at β = 0 units are independent and log Z is known. Between neighbours a < b on
the ladder, with δ(x) = (β_b - β_a) E(x) and as many states of both, c = log Z_a - log Z_b is the one root of

    Σ_{x ~ a} σ(c - δ(x)) = Σ_{x ~ b} σ(δ(x) - c),

the estimate of least variance that there is of a ratio from independent states. States of one chain are not
independent, neither along it nor between its rungs, so the error is taken between chains: each chain's share in all
roots together.

References
----------
Bennett (1976), Efficient estimation of free energy differences from Monte Carlo data. Shirts and Chodera (2008),
Statistically optimal analysis of samples from multiple equilibrium states. Desjardins, Courville and Bengio (2011), On
tracking the partition function.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError
from pgmc.evaluation.base import base_fields, base_log_partition
from pgmc.evaluation.estimates import LogPartition
from pgmc.evaluation.exact import input_rows
from pgmc.runtime.joint_states import repeat_rows
from pgmc.runtime.replicas import Places, Replicas, SwapCounts, tempered
from pgmc.runtime.state import random_state
from pgmc.runtime.streams import Stream
from pgmc.runtime.temperatures import check_proper
from pgmc.runtime.tempering import Tempering

if TYPE_CHECKING:
    from pgmc.runtime.executable import Executable

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]


def estimate_log_partition_tempering(
    executable: Executable,
    params: Arrays,
    inputs: Arrays | None = None,
    *,
    chains: int = 100,
    betas: int | Sequence[float] | Tempering = 20,
    sweeps: int = 1000,
    burn_in: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LogPartition:
    """log Z by parallel tempering.

    Parameters
    ----------
    executable
        The compiled model.
    params
        Parameter arrays of the declared shapes.
    inputs
        For a conditional model, name -> ``(n, *shape)``; each row has ``chains`` chains of its own.
    chains
        Number of independent chains, at least 2: the error is that between them.
    betas
        The rungs of the ladder from 0 to 1: their number, which are spaced evenly at first and by the swap rates of the
        burn-in then, or the inverse temperatures, or a ``Tempering``.
    sweeps
        Sweeps of every replica after the burn-in, each with a round of swaps.
    burn_in
        Sweeps that are not counted, a fifth as many by default.
    seed
        Same seed, same numbers, whatever ``threads``.
    progress
        Called as ``progress(done, sweeps)`` after each sweep, those of the burn-in included.

    Returns
    -------
    LogPartition
        In nats, with the standard error between chains.

    Raises
    ------
    ArgumentError
        If a count is out of its range, or the ladder does not begin at 0.

    Warns
    -----
    RuntimeWarning
        If no replica made a round trip on the ladder.
    """
    stream = Stream(seed, "parallel tempering")
    replicas, burn_in = _begin(executable, params, inputs, chains, betas, sweeps, burn_in, stream, threads)
    report = progress or (lambda done, total: None)
    for k in range(burn_in):
        replicas.sweep(k, 1)
        report(k + 1, burn_in + sweeps)
    if not isinstance(betas, Tempering) and np.ndim(betas) == 0 and np.isfinite(replicas.counts.rates).all():
        replicas.ladder = Tempering(betas).respaced(replicas.counts.rates).ladder
    replicas.counts = SwapCounts(*replicas.places.rungs.shape)
    energies = np.empty((sweeps, *replicas.places.rungs.shape))
    for k in range(sweeps):
        replicas.sweep(burn_in + k, 1)
        energies[k] = np.take_along_axis(replicas.energies(), replicas.places.at(), axis=1)
        report(burn_in + k + 1, burn_in + sweeps)
    _warn_of_cuts(replicas.counts)
    base = base_log_partition(executable.model, base_fields(executable.model, executable.dtype))
    ladder = replicas.ladder.astype(executable.dtype).astype(np.float64)  # as kernels saw it
    found = [_along(ladder, own) for own in np.split(energies, input_rows(inputs), axis=1)]
    values, errors = base + np.array([value for value, _ in found]), np.array([error for _, error in found])
    if inputs:
        return LogPartition(values, errors, "tempering", base_log_partition=base)
    return LogPartition(float(values[0]), float(errors[0]), "tempering", base_log_partition=base)


def _begin(
    executable: Executable,
    params: Arrays,
    inputs: Arrays | None,
    chains: int,
    betas: int | Sequence[float] | Tempering,
    sweeps: int,
    burn_in: int | None,
    stream: Stream,
    threads: int | None,
) -> tuple[Replicas, int]:
    """Replicas of random states, and how many sweeps not to count."""
    burn_in = -(-sweeps // 5) if burn_in is None else burn_in
    if chains < 2 or sweeps < 1 or burn_in < 0:
        raise ArgumentError(
            f"chains={chains}, sweeps={sweeps}, burn_in={burn_in}: log Z by tempering needs 2 chains or more, whose "
            "differences are its error, and a sweep."
        )
    ladder = (betas if isinstance(betas, Tempering) else Tempering(betas)).ladder
    if ladder[0] != 0 or len(ladder) < 2:
        raise ArgumentError(f"betas: the ladder is {ladder}. It must begin at 0, where log Z is known, and end at 1.")
    check_proper(executable.model, [v.name for v in executable.model.variables], 0.0)
    every, count = tuple(v.name for v in executable.model.variables), input_rows(inputs) * chains
    start = random_state(executable.model, count * len(ladder), stream.child("start"), executable.dtype)
    replicas = Replicas(
        executable,
        params,
        start | repeat_rows(inputs or {}, chains * len(ladder)),
        tempered(every),
        {},
        ladder,
        1,
        Places.start(count, len(ladder)),
        SwapCounts(count, len(ladder)),
        stream.child("sweep"),
        stream.child("swap"),
        threads,
    )
    return replicas, burn_in


def _warn_of_cuts(counts: SwapCounts) -> None:
    if counts.round_trips.any():
        return
    warnings.warn(
        "No replica went from the hottest rung to the coldest and back, so this estimate of log Z and its error rest "
        f"on states that may never have mixed (lowest swap rate {np.nanmin(counts.rates, initial=1.0):.3f}). Use more "
        "rungs (betas=) or more sweeps.",
        RuntimeWarning,
        stacklevel=4,
    )


def _along(ladder: Array, energies: Array) -> tuple[float, float]:
    """log Z at the end of a ladder less that at its beginning, and its error; energies ``(sweeps, chains, rungs)``."""
    total, shares = 0.0, np.zeros(energies.shape[1])
    for k in range(len(ladder) - 1):
        step = ladder[k + 1] - ladder[k]
        ratio, share = _between(step * energies[:, :, k], step * energies[:, :, k + 1])
        total -= ratio
        shares += share
    count = len(shares)
    return total, float(np.sqrt(np.sum(shares**2) * count / (count - 1)))


def _between(first_rung: Array, next_rung: Array) -> tuple[float, Array]:
    """The root c for δ of the states of both rungs, ``(sweeps, chains)``, and how far each chain moves it."""
    from scipy.optimize import brentq
    from scipy.special import expit

    def excess(c: float) -> float:
        return float(expit(c - first_rung).sum() - expit(next_rung - c).sum())

    low, high = min(first_rung.min(), next_rung.min()), max(first_rung.max(), next_rung.max())
    c = float(brentq(excess, low - 40.0, high + 40.0, xtol=1e-12, rtol=1e-14))
    first, second = expit(c - first_rung), expit(next_rung - c)
    slope = np.sum(first * (1 - first)) + np.sum(second * (1 - second))
    return c, (first - second).sum(axis=0) / slope
