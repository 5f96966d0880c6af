"""Contrastive divergence: the negative phase is a short chain started at the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pgmc.ir.queries import Sweep
from pgmc.learning.moving_phase import check_sampler, first_memory, sweep_chains
from pgmc.learning.objective import Array, Arrays, Estimate, Setup, Terms, check_count
from pgmc.learning.phases import contrast, draw_latents
from pgmc.runtime.hamiltonian import HMC


@dataclass(frozen=True)
class CD(Terms):
    """Contrastive divergence with k Gibbs sweeps.

    Latents are drawn given the data; then, k times over, the observed variables are redrawn given the
    latents and the latents given the observed variables. The gradient is that of -log p with the end of
    this chain in the place of the model. It is biased, towards modes near the data; the bias falls with
    k.

    Parameters
    ----------
    k
        Sweeps from the data.
    latent_sweeps
        Sweeps over the latents given the data, used only where these interact (else one sweep draws them exactly).
    sampler
        Hamiltonian Monte Carlo for the real and positive units, such as ``pgmc.HMC(steps=20, target=0.9)``: the chain
        moves from the data by k trajectories. The size of the steps follows training, as with ``PCD``.

    Raises
    ------
    ArgumentError
        If k or latent_sweeps is below 1.

    References
    ----------
    Hinton (2002), Training products of experts by minimizing contrastive divergence.
    """

    k: int = 1
    latent_sweeps: int = 10
    sampler: HMC | None = None

    def __post_init__(self) -> None:
        check_count("CD: k", self.k)
        check_count("CD: latent_sweeps", self.latent_sweeps)
        check_sampler("CD", self.sampler)

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """No chains, as all start at the data; the size of the steps of moves."""
        return first_memory(self.sampler)

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """∂F(data) - ∂F(k sweeps later), averaged over the batch."""
        data = draw_latents(setup, params, batch, "latents", step, self.latent_sweeps)
        fantasies = {name: data[name].copy() for name in (*setup.observed, *setup.latents)}
        fantasies |= {name: data[name] for name in setup.inputs}
        if self.sampler is None:
            self._run(setup, params, fantasies, step)
            return contrast(setup, params, data, fantasies, measure, state)
        stream = setup.stream.child("negative phase")
        kept, told = sweep_chains(
            setup, params, fantasies, state, self.sampler, stream=stream, first_sweep=step * self.k, sweeps=self.k
        )
        estimate = contrast(setup, params, data, fantasies, measure, kept)
        return replace(estimate, metrics=estimate.metrics | told) if measure else estimate

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """Nothing of its own."""
        return {}

    def _run(self, setup: Setup, params: Mapping[str, Array], state: Arrays, step: int) -> None:
        # The statistic needs the latents of the last sweep only where they are not summed out.
        whole = self.k if setup.latents and not setup.has_free_energy else self.k - 1
        stream, first = setup.stream.child("negative phase"), step * self.k
        if whole:
            every = tuple(v.name for v in setup.executable.model.variables)
            query = Sweep(every, first=setup.observed)
            setup.executable.sweep(
                query, params, state, stream=stream, first_sweep=first, sweeps=whole, threads=setup.threads
            )
        if whole < self.k:
            query, last = Sweep(setup.observed), first + whole
            setup.executable.sweep(query, params, state, stream=stream, first_sweep=last, threads=setup.threads)
