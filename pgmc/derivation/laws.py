"""The models and the laws that follow from one model, each derived when it is first asked for and then kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from pgmc.analysis.colored_units import ColoredUnits
from pgmc.ir.answers import Computation, ConditionalLaw, Refusal
from pgmc.ir.model import Model
from pgmc.ir.queries import Ensemble, Sweep


@dataclass
class Laws:
    """The derived models and laws of a model whose bound indices all differ.

    Modules that import sympy are imported when they are first needed, as a query found in the cache needs none of them.
    """

    model: Model
    colored: ColoredUnits
    _ensembles: dict[Ensemble, Model] = field(default_factory=dict)
    _mean_models: dict[tuple[tuple[str, ...], Ensemble], Model | Refusal] = field(default_factory=dict)
    _reduced: dict[tuple[tuple[str, ...], Ensemble], Model | Refusal] = field(default_factory=dict)
    _laws: dict[tuple[str, Ensemble], ConditionalLaw] = field(default_factory=dict)

    def ensemble(self, ensemble: Ensemble) -> Model:
        """The model whose law is that of the ensemble."""
        from pgmc.derivation.ensembles import apply_ensemble

        if ensemble not in self._ensembles:
            self._ensembles[ensemble] = apply_ensemble(self.model, ensemble)
        return self._ensembles[ensemble]

    def law(self, target: str, ensemble: Ensemble = Ensemble.PLAIN) -> ConditionalLaw:
        """The conditional of each unit of the target given all others."""
        from pgmc.derivation.conditionals import derive_conditional

        if (target, ensemble) not in self._laws:
            model = self.ensemble(ensemble)
            self._laws[target, ensemble] = derive_conditional(
                model, model.variable(target), joint=self.colored.form(target) is None
            )
        return self._laws[target, ensemble]

    def marginal_law(
        self, target: str, without: tuple[str, ...], ensemble: Ensemble = Ensemble.PLAIN
    ) -> ConditionalLaw | Refusal:
        """The conditional of each unit of the target, some real variables integrated out."""
        from pgmc.derivation.collect_factors import collect_factors
        from pgmc.derivation.conditionals import derive_conditional

        if not without:
            return self.law(target, ensemble)
        model = self.reduced(without, ensemble)
        if isinstance(model, Refusal):
            return model
        return derive_conditional(model, model.variable(target)).map(collect_factors)

    def reduced(self, without: tuple[str, ...], ensemble: Ensemble = Ensemble.PLAIN) -> Model | Refusal:
        """The model with some real variables integrated out."""
        from pgmc.derivation.free_energy import integrate_out

        if (without, ensemble) not in self._reduced:
            self._reduced[without, ensemble] = integrate_out(self.ensemble(ensemble), without)
        return self._reduced[without, ensemble]

    def sweep_law(self, query: Sweep, target: str, without: tuple[str, ...] = ()) -> ConditionalLaw:
        """The law that a sweep draws a variable from: unit by unit where some units keep their values."""
        from pgmc.derivation.conditionals import derive_conditional

        if without:
            marginal = self.marginal_law(target, without, query.ensemble)
            if isinstance(marginal, ConditionalLaw):
                return marginal
        law = self.law(target, query.ensemble)
        if law.family == "JointNormal" and target in query.masked:
            return derive_conditional(self.ensemble(query.ensemble), law.target)
        return law

    def mean_model(self, observed: tuple[str, ...], ensemble: Ensemble = Ensemble.PLAIN) -> Model | Refusal:
        """The model of the means of every variable not observed."""
        from pgmc.derivation.mean_field import build_mean_model

        if (observed, ensemble) not in self._mean_models:
            self._mean_models[observed, ensemble] = build_mean_model(self.ensemble(ensemble), observed)
        return self._mean_models[observed, ensemble]

    def fixed_point(self, observed: tuple[str, ...], ensemble: Ensemble = Ensemble.PLAIN) -> Computation | Refusal:
        """The mean-field equations of every variable not observed."""
        from pgmc.derivation.mean_field import derive_fixed_point

        means = self.mean_model(observed, ensemble)
        return means if isinstance(means, Refusal) else derive_fixed_point(self.ensemble(ensemble), means, observed)
