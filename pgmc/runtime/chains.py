"""Markov chains: where they start, what they keep, at which temperatures they run, and what is recorded."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.ir.definitions import expand_factors
from pgmc.ir.dependencies import parents
from pgmc.ir.memory import machine_memory
from pgmc.ir.model import Model
from pgmc.ir.symbols import shape_of
from pgmc.runtime.executable import Executable
from pgmc.runtime.hamiltonian import HMC, Mover
from pgmc.runtime.kernels import Array, state_dtype
from pgmc.runtime.recording import Observe, Record, check_observe
from pgmc.runtime.runs import Chosen, PlainRun, Run, TemperedRun
from pgmc.runtime.samples import ChainState, Samples
from pgmc.runtime.starts import Start
from pgmc.runtime.state import decoded_dtype, encode_params
from pgmc.runtime.streams import Stream
from pgmc.runtime.temperatures import check_proper, encode_temperatures
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
    chosen = Chosen(
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
    run = PlainRun(chosen, mover) if tempering is None else TemperedRun.start(chosen, tempering, chains, init)
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


@dataclass(slots=True)
class _Advance:
    """Sweeps a run from where it is, and tells of it now and then."""

    run: Run
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


def _make_mover(
    chosen: Chosen, sampler: HMC | None, tempering: Tempering | None, init: Mapping[str, Any] | None, unrecorded: int
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
