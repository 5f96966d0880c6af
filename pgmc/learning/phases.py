"""The two phases of likelihood gradients: statistics at the data, and at the model's fantasies.

With F the free energy of the observed variables, -∂ log p / ∂θ = ∂F(data)/∂θ - E[∂F(fantasy)/∂θ]: the
latents are summed out analytically in both phases (Rao-Blackwellised). Where F has no tractable form,
latents are sampled and ∂E/∂θ takes the place of ∂F/∂θ.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pgmc.ir.queries import Energy, Gradient, Sweep
from pgmc.learning.objective import Array, Arrays, Estimate, Setup
from pgmc.runtime.joint_states import first_states
from pgmc.runtime.state import random_state


def draw_latents(
    setup: Setup, params: Mapping[str, Array], batch: Arrays, stream_name: str, step: int, sweeps: int
) -> Arrays:
    """The batch with latents drawn given it: exactly, by one sweep, if they are independent, else by ``sweeps``."""
    executable = setup.executable
    if not setup.latents:
        return dict(batch)
    rows, stream = len(next(iter(batch.values()))), setup.stream.child(stream_name)
    if setup.independent_latents:
        latents = tuple(v for v in executable.model.variables if v.name in setup.latents)
        start, count = first_states(latents, rows, executable.dtype), 1
    else:
        own = stream.child(f"start {step}")
        start, count = random_state(executable.model, rows, own, executable.dtype, setup.latents), sweeps
    state = {**batch, **start}
    executable.sweep(
        Sweep(setup.latents),
        params,
        state,
        stream=stream,
        first_sweep=step * count,
        sweeps=count,
        threads=setup.threads,
    )
    return state


def mean_statistic(setup: Setup, params: Mapping[str, Array], state: Arrays, weights: Array | None = None) -> Arrays:
    """The mean over the rows of ∂F/∂θ, or of ∂E/∂θ where latents are part of the state; or their weighted sum."""
    query = Gradient(setup.energy, setup.parameters)
    asked = {name: state[name] for name in _names(setup)}
    return setup.executable.evaluate(query, params, asked, weights=weights, threads=setup.threads)


def contrast(
    setup: Setup, params: Mapping[str, Array], data: Arrays, fantasies: Arrays, measure: bool, state: Arrays
) -> Estimate:
    """Statistic at the data minus statistic at the fantasies, and the gap between their energies."""
    # One sum with weights of both signs: products of matrices cost less for all rows at once than for half of them
    # twice, and no difference of two gradients is left to take.
    rows = len(data[setup.observed[0]])
    both = {name: np.concatenate([data[name], fantasies[name]]) for name in _names(setup)}
    count = len(next(iter(both.values())))
    weights = np.full(count, 1.0 / rows)
    weights[rows:] = -1.0 / (count - rows)
    gradients = mean_statistic(setup, params, both, weights)
    metrics: dict[str, float] = {}
    if measure:
        energies = setup.energies(params, both)
        at_data, at_fantasies = float(energies[:rows].mean()), float(energies[rows:].mean())
        metrics = {"free_energy": at_data, "free_energy_gap": at_data - at_fantasies}
        if isinstance(setup.energy, Energy):
            metrics = {"energy": at_data, "energy_gap": at_data - at_fantasies}
    return Estimate(gradients, metrics, state)


def _names(setup: Setup) -> tuple[str, ...]:
    """What the statistic is a function of."""
    full = isinstance(setup.energy, Energy)
    return (*setup.observed, *(setup.latents if full else ()), *setup.inputs)
