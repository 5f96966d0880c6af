"""What each query about a model is answered with, as indexed expressions: derived, and for sweeps scheduled.

Modules that import sympy are imported when they are first needed, as a query found in the cache needs none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

from pgmc.analysis.block_search import BlockSearch
from pgmc.derivation.laws import Laws
from pgmc.errors import IntractableError
from pgmc.ir.answers import Answer, Computation, Refusal, SweepSchedule
from pgmc.ir.model import Model
from pgmc.ir.queries import (
    Ancestral,
    Conditional,
    Derivative,
    Energy,
    Ensemble,
    FreeEnergy,
    Gradient,
    MeanField,
    MeanFieldBound,
    MeanFieldUpdate,
    Query,
    Score,
    ScoreLoss,
    Sweep,
    TemperatureStep,
)


@dataclass
class Answers:
    """The answers to queries about one model; ``declared`` has named values, the models of ``laws`` have none."""

    declared: Model
    laws: Laws
    search: BlockSearch

    def shared(self, ensemble: Ensemble = Ensemble.PLAIN) -> Model:
        """The model of the ensemble with named intermediate values, each computed once."""
        from pgmc.derivation.ensembles import apply_ensemble

        return apply_ensemble(self._named, ensemble) if self._named.definitions else self.laws.ensemble(ensemble)

    @cached_property
    def _named(self) -> Model:
        """The model with names for what is worked out once: what the user defined, and what else is nested."""
        from pgmc.derivation.name_values import name_values

        return name_values(self.declared)

    def derive(self, query: Query) -> Answer | Refusal:
        """The answer to a query as indexed expressions, or the reason why there is none."""
        from pgmc.derivation.conditionals import conditional_computation
        from pgmc.derivation.energy import derive_energy
        from pgmc.derivation.ensembles import derive_temperature_step
        from pgmc.derivation.free_energy import derive_free_energy
        from pgmc.schedule.ancestral import build_ancestral_schedule

        match query:
            case Ancestral():
                return build_ancestral_schedule(self.declared, query)
            case Energy(ensemble):
                return derive_energy(self.shared(ensemble))
            case FreeEnergy(observed, ensemble):
                return derive_free_energy(self.laws.ensemble(ensemble), observed)
            case TemperatureStep(of):
                answer = self.derive(of)
                return derive_temperature_step(answer) if isinstance(answer, Computation) else answer
            case Conditional(target, ensemble, without):
                law = self.laws.marginal_law(target, without, ensemble)
                return law if isinstance(law, Refusal) else conditional_computation(law)
            case Gradient() | Score() | ScoreLoss():
                return self._derive_derivative(query)
            case MeanField(observed, ensemble):
                return self._derive_mean_field(observed, ensemble)
            case MeanFieldUpdate(observed, ensemble):
                return self.laws.fixed_point(observed, ensemble)
            case MeanFieldBound(observed, ensemble):
                from pgmc.derivation.mean_field import derive_mean_field_bound

                means = self.laws.mean_model(observed, ensemble)
                if isinstance(means, Refusal):
                    return means
                return derive_mean_field_bound(self.laws.ensemble(ensemble), means, observed)
            case Sweep():
                return self._derive_sweep(query)

    def _derive_mean_field(self, observed: tuple[str, ...], ensemble: Ensemble) -> Answer | Refusal:
        from pgmc.derivation.mean_field import derive_mean_field

        means = self.laws.mean_model(observed, ensemble)
        if isinstance(means, Refusal):
            return means
        latents = tuple(v.name for v in self.declared.variables if v.name not in observed)
        return derive_mean_field(self.laws.ensemble(ensemble), means, self.search.variable_blocks(latents))

    def _derive_sweep(self, query: Sweep) -> SweepSchedule | Refusal:
        from pgmc.schedule.sweeps import build_sweep_schedule

        if query.moved:
            return self._derive_moves(query)
        blocks = self.search.variable_blocks(query.free, query.first, query.ensemble)
        return build_sweep_schedule(query, blocks, partial(self.laws.sweep_law, query), self.laws.colored.form)

    def _derive_moves(self, query: Sweep) -> SweepSchedule | Refusal:
        """A trajectory, what is summed out of its potential, and all others."""
        from pgmc.derivation.energy import derive_energy
        from pgmc.derivation.trajectories import derive_trajectory
        from pgmc.schedule.moves import build_move_schedule

        model = self.laws.ensemble(query.ensemble)
        names = tuple(v.name for v in model.variables)
        rest = tuple(name for name in names if name not in query.summed)
        energy = self.derive(FreeEnergy(rest, query.ensemble)) if query.summed else derive_energy(model)
        if not isinstance(energy, Computation):
            assert isinstance(energy, Refusal)
            return energy
        variables = tuple(model.variable(name) for name in query.moved)
        trajectory = derive_trajectory(energy.quantities[0], variables, query.summed, query.masked)

        def sweep(part: Sweep) -> SweepSchedule:
            answer = self.derive(part)
            assert isinstance(answer, SweepSchedule)
            return answer

        return build_move_schedule(query, trajectory, sweep)

    def plan_moves(self, free: tuple[str, ...], masked: tuple[str, ...] = ()) -> tuple[tuple[str, ...], ...] | Refusal:
        """Which of the free variables Hamiltonian Monte Carlo moves, and which are summed out for that."""
        return self.search.plan_moves(free, masked, lambda names: self.derive(FreeEnergy(names)))

    def _derive_derivative(self, query: Derivative) -> Answer | Refusal:
        from pgmc.derivation.derivatives import derive_derivative
        from pgmc.derivation.energy import derive_energy

        answer = self.derive(query.of)
        if not isinstance(answer, Computation):
            return answer
        # The square of the mean over the examples is not the mean of the squares, and a score is a derivative in what
        # definitions are made of: these are written out where they stand.
        squared = isinstance(query, Gradient) and query.squared
        whole = not all(q.per_example for q in answer.definitions) if squared else not isinstance(query, Gradient)
        if whole and answer.definitions:
            answer = derive_energy(self.laws.ensemble(query.of.ensemble))
        return derive_derivative(answer, query, self.laws.ensemble(query.of.ensemble))

    def model_of(self, query: Query) -> Model:
        """The model whose symbols the answer of a query speaks of."""
        if isinstance(query, TemperatureStep):
            from pgmc.derivation.ensembles import add_next_temperature

            return add_next_temperature(self.model_of(query.of))
        if isinstance(query, Ancestral):
            return self.declared
        if isinstance(query, Sweep) and query.moved:
            from pgmc.ir.trajectory_symbols import add_trajectories

            return add_trajectories(self.laws.ensemble(query.ensemble))
        asked = query.of if isinstance(query, Gradient) else query
        if isinstance(asked, MeanField | MeanFieldUpdate | MeanFieldBound):
            means = self.laws.mean_model(asked.observed, asked.ensemble)
            if isinstance(means, Refusal):
                raise IntractableError(f"{self.declared.name}: {means}")
            return means
        if isinstance(asked, ScoreLoss):
            from pgmc.derivation.scores import with_noise_inputs

            return with_noise_inputs(self.laws.ensemble(asked.ensemble), asked)
        return self.shared(asked.ensemble) if isinstance(asked, Energy) else self.laws.ensemble(asked.ensemble)
