"""Persistent contrastive divergence: the negative phase is a set of chains that go on from step to step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.ir.queries import Sweep
from pgmc.learning.moving_phase import check_sampler, first_memory, sweep_chains
from pgmc.learning.objective import Array, Arrays, Estimate, Setup, Terms, check_count
from pgmc.learning.phases import contrast, draw_latents
from pgmc.runtime.hamiltonian import HMC
from pgmc.runtime.joint_states import repeat_rows
from pgmc.runtime.replicas import Places, Replicas, SwapCounts, tempered
from pgmc.runtime.temperatures import check_proper
from pgmc.runtime.tempering import Tempering

RUNGS, HEADINGS = "tempering.rungs", "tempering.headings"
"""Where replicas are, beside the states in what the objective remembers. No variable has a name with a dot."""


@dataclass(frozen=True)
class PCD(Terms):
    """Persistent contrastive divergence, or stochastic maximum likelihood.

    Fantasy chains follow the model while it changes: k Gibbs sweeps each step, from where the last step
    left them. With a small learning rate they stay near the model's law, and the gradient has little
    bias. Chains start at random rows of the data, with latents drawn given them.

    Parameters
    ----------
    k
        Sweeps each step.
    chains
        Number of fantasy chains.
    latent_sweeps
        Sweeps over the latents given the data, used only where these interact (else one sweep draws them exactly).
    tempering
        A ladder of replicas for each chain, which swap places; the fantasies are the replicas at β = 1. A step costs
        as many sweeps as there are rungs, and chains leave the modes that training digs around them.
    sampler
        Hamiltonian Monte Carlo for the real and positive units of the fantasies, such as
        ``pgmc.HMC(steps=20, target=0.9)``. The size of its steps follows training, one for all chains: after every
        step it goes up or down by 2 % as more or fewer moves than wanted were accepted of late. ``warmup`` plays no
        part.

    Raises
    ------
    ArgumentError
        If k, chains or latent_sweeps is below 1, or tempering and sampler are both given; at the start of a fit, if the
        model has inputs: a fantasy belongs to the input it was drawn under, and the next batch has other inputs. ``CD``
        starts at the data and has no such difficulty.

    References
    ----------
    Younes (1999), On the convergence of Markovian stochastic algorithms. Tieleman (2008), Training
    restricted Boltzmann machines using approximations to the likelihood gradient. Desjardins, Courville, Bengio,
    Vincent and Delalleau (2010), Tempered Markov chain Monte Carlo for training of restricted Boltzmann machines.
    """

    k: int = 1
    chains: int = 100
    latent_sweeps: int = 10
    tempering: Tempering | None = None
    sampler: HMC | None = None

    def __post_init__(self) -> None:
        check_count("PCD: k", self.k)
        check_count("PCD: chains", self.chains)
        check_count("PCD: latent_sweeps", self.latent_sweeps)
        if self.tempering is not None and not isinstance(self.tempering, Tempering):
            raise ArgumentError(
                f"PCD: tempering={self.tempering!r}: expected a ladder such as pgmc.Tempering(betas=8), or None."
            )
        check_sampler("PCD", self.sampler)
        if self.tempering is not None and self.sampler is not None:
            raise ArgumentError(
                "PCD: tempering and sampler: steps of one size fit one temperature. Leave one of the two out."
            )

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """The chains at random rows of the data."""
        if setup.inputs:
            raise ArgumentError(
                f"PCD: model {setup.executable.model.name!r} is conditional on {', '.join(setup.inputs)}. A persistent "
                "chain belongs to the inputs it was run under, and each batch has others. Use CD(k)."
            )
        rows = len(next(iter(setup.data.values())))
        chosen = setup.stream.child("start").generator().integers(rows, size=self.chains)
        start = {name: np.ascontiguousarray(setup.data[name][chosen]) for name in setup.observed}
        state = draw_latents(setup, params, start, "start latents", 0, self.latent_sweeps)
        if self.tempering is None:
            return state | first_memory(self.sampler)
        rungs = len(self.tempering.ladder)
        check_proper(setup.executable.model, (*setup.observed, *setup.latents), self.tempering.ladder[0])
        places = Places.start(self.chains, rungs)
        return repeat_rows(state, rungs) | {RUNGS: places.rungs, HEADINGS: places.headings}

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """∂F(data) - ∂F(fantasies), after k sweeps of the fantasies under the present parameters."""
        data = batch
        if setup.latents and not setup.has_free_energy:
            data = draw_latents(setup, params, batch, "latents", step, self.latent_sweeps)
        after, fantasies, rates = self.advance(setup, params, step, state)
        estimate = contrast(setup, params, data, fantasies, measure, after)
        return replace(estimate, metrics=estimate.metrics | rates) if measure else estimate

    def advance(
        self, setup: Setup, params: Mapping[str, Array], step: int, state: Arrays
    ) -> tuple[Arrays, Arrays, dict[str, float]]:
        """The chains after k more sweeps: what to remember, the fantasies, and how often replicas swapped."""
        after = {name: values.copy() for name, values in state.items()}
        if self.tempering is not None:
            return self._exchange(self.tempering, setup, params, step, after)
        stream, first = setup.stream.child("negative phase"), step * self.k
        if self.sampler is not None:
            kept, told = sweep_chains(
                setup, params, after, after, self.sampler, stream=stream, first_sweep=first, sweeps=self.k
            )
            fantasies = {name: values for name, values in after.items() if name not in kept}
            return after | kept, fantasies, told
        every = tuple(v.name for v in setup.executable.model.variables)
        # Latents first: the fantasies of the observed variables are then drawn last, under these
        # parameters only.
        setup.executable.sweep(
            Sweep(every, first=setup.latents),
            params,
            after,
            stream=stream,
            first_sweep=first,
            sweeps=self.k,
            threads=setup.threads,
        )
        return after, after, {}

    def _exchange(
        self, tempering: Tempering, setup: Setup, params: Mapping[str, Array], step: int, after: Arrays
    ) -> tuple[Arrays, Arrays, dict[str, float]]:
        """The same with replicas, in place on ``after``."""
        every = tuple(v.name for v in setup.executable.model.variables)
        states = {name: after[name] for name in every}
        replicas = Replicas(
            setup.executable,
            params,
            states,
            tempered(every, first=setup.latents),
            {},
            tempering.ladder,
            tempering.swap_every,
            Places(after[RUNGS], after[HEADINGS]),
            SwapCounts(self.chains, len(tempering.ladder)),
            setup.stream.child("negative phase"),
            setup.stream.child("swaps"),
            setup.threads,
        )
        replicas.sweep(step * self.k, self.k)
        after |= {RUNGS: replicas.places.rungs, HEADINGS: replicas.places.headings}
        cold = replicas.rows()
        rates = replicas.counts.rates
        lowest = {"lowest_swap_rate": float(np.nanmin(rates))} if np.isfinite(rates).any() else {}
        return after, {name: values[cold] for name, values in states.items()}, lowest

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """Nothing of its own."""
        return {}
