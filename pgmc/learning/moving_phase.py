"""Negative phases that move real and positive units by Hamiltonian Monte Carlo, with steps that follow training.

A law that changes asks for steps that change with it. Their size goes up a little after every step of training where
more moves than wanted were accepted of late, and down where fewer were; it is the same for all chains, and part of what
the objective remembers.

References
----------
Ranzato, Mnih and Hinton (2010), Generating more realistic images using gated MRFs: their negative phase. Neal (2011),
MCMC using Hamiltonian dynamics.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.ir.queries import Sweep
from pgmc.learning.objective import Array, Arrays, Setup
from pgmc.runtime.hamiltonian import HMC, Mover
from pgmc.runtime.streams import Stream

STEP_SIZE, ACCEPTANCE = "moves.step_size", "moves.acceptance"
"""The size of the steps, and the acceptance of late, in what the objective remembers. No variable has a dot."""

CHANGE, MEMORY = 0.02, 0.9
"""By what share the size changes, and how much of the acceptance of late is that of before."""


def check_sampler(name: str, sampler: object) -> None:
    """ArgumentError if it is neither None nor settings of Hamiltonian Monte Carlo."""
    if sampler is not None and not isinstance(sampler, HMC):
        raise ArgumentError(f"{name}: sampler={sampler!r}: expected settings such as pgmc.HMC(steps=20), or None.")


def first_memory(sampler: HMC | None) -> Arrays:
    """What is remembered before the first step."""
    if sampler is None:
        return {}
    return {STEP_SIZE: np.array([sampler.step_size]), ACCEPTANCE: np.array([sampler.target])}


def sweep_chains(
    setup: Setup,
    params: Mapping[str, Array],
    state: Mapping[str, Array],
    memory: Mapping[str, Array],
    sampler: HMC,
    *,
    stream: Stream,
    first_sweep: int,
    sweeps: int,
) -> tuple[Arrays, dict[str, float]]:
    """Sweeps of all variables with moves in them, in place: what to remember then, and what to tell."""
    every = tuple(v.name for v in setup.executable.model.variables)
    chains = len(state[every[0]])
    sizes = np.full(chains, float(memory[STEP_SIZE][0]))
    mover = Mover(setup.executable, sampler, chains, every, step_sizes=sizes)
    chain_state = {name: values for name, values in state.items() if name in (*every, *setup.inputs)}
    mover.sweep(
        Sweep(every),
        params,
        chain_state,
        stream=stream,
        first_sweep=first_sweep,
        sweeps=sweeps,
        masks={},
        threads=setup.threads,
    )
    accepted = float(mover.report.acceptance.mean())
    late = MEMORY * float(memory[ACCEPTANCE][0]) + (1.0 - MEMORY) * accepted
    change = 1.0 + CHANGE if late > sampler.target else 1.0 - CHANGE
    kept = {STEP_SIZE: memory[STEP_SIZE] * change, ACCEPTANCE: np.array([late])}
    return kept, {"acceptance": accepted, "step_size": float(memory[STEP_SIZE][0])}
