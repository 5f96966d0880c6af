"""The whole pipeline: from a model and a query to a kernel, one line per stage, every result kept for inspection.

Derivation and analysis import sympy and networkx, which takes longer than running a cached kernel; so stages are
imported when they are first needed, and a query found in the cache needs none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

from pgmc.analysis.colored_units import ColoredUnits
from pgmc.analysis.periodic_axes import spread_periodicity
from pgmc.errors import IntractableError
from pgmc.ir.answers import Answer, Computation, ConditionalLaw, Refusal
from pgmc.ir.canonical import canonical_text
from pgmc.ir.check import check_model
from pgmc.ir.factors import undirected_part
from pgmc.ir.fresh_indices import freshen_model
from pgmc.ir.model import Model
from pgmc.ir.queries import (
    Ancestral,
    Conditional,
    Energy,
    Ensemble,
    FreeEnergy,
    Gradient,
    MeanField,
    MeanFieldBound,
    MeanFieldUpdate,
    Query,
    Sweep,
    TemperatureStep,
)
from pgmc.ir.signatures import KernelModule
from pgmc.ir.symbols import Positive, Real
from pgmc.runtime.executable import Executable
from pgmc.runtime.kernels import Array, CompiledKernel, Dtype, Kernel
from pgmc.runtime.state import encode_params

if TYPE_CHECKING:
    import networkx as nx

    from pgmc.analysis.blocks import Block
    from pgmc.analysis.structure import Structure
    from pgmc.codegen.kernel_module import Stages

Backend = Literal["numba", "numpy"]


class Compiler:
    """Answers queries about one model.

    Parameters
    ----------
    model : Model
        The checked, canonical model.
    dtype : {"float32", "float64"}
        The dtype of states, parameters and fields.
    backend : {"numba", "numpy"}
        ``"numpy"`` runs every answer on the reference interpreter.
    blocks : tuple of tuple of str, optional
        The blocks of a sweep over all variables, in order, in place of those found.
    ordered : tuple of str
        Variables whose units are drawn in an order that is data, even where a formula gives their colours.
    ignored : frozenset of str
        Parameters that are given but are another model's: the guide is given those of its model.
    """

    def __init__(
        self,
        model: Model,
        dtype: Dtype = "float32",
        backend: Backend = "numba",
        blocks: tuple[tuple[str, ...], ...] | None = None,
        ordered: tuple[str, ...] = (),
        ignored: frozenset[str] = frozenset(),
    ) -> None:
        check_model(model)
        self.model = model
        self._fresh = freshen_model(spread_periodicity(model))
        self.colored = ColoredUnits(self._fresh, frozenset(ordered))
        if any(isinstance(variable.domain, Real | Positive) for variable in model.variables):
            from pgmc.derivation.normalisability import check_normalisable

            check_normalisable(self._fresh)
        self.dtype: Dtype = dtype
        self.backend: Backend = backend
        self._imposed = blocks
        self._ignored = ignored
        self._ensembles: dict[Ensemble, Model] = {}
        self._mean_models: dict[tuple[tuple[str, ...], Ensemble], Model | Refusal] = {}
        self._parallel_without: dict[tuple[tuple[str, ...], tuple[str, ...]], bool] = {}
        self._reduced_models: dict[tuple[tuple[str, ...], Ensemble], Model | Refusal] = {}
        self._laws: dict[tuple[str, Ensemble], ConditionalLaw] = {}
        self._stages: dict[Query, Stages] = {}
        self.modules: dict[Query, KernelModule] = {}
        if blocks is not None:
            self.variable_blocks()

    @cached_property
    def _text(self) -> str:
        return canonical_text(self.model)

    # ---- analysis ----------------------------------------------------------------------------------------------

    @cached_property
    def graph(self) -> nx.Graph:
        """The interaction graph.

        Nodes carry ``kind``, ``shape`` and ``block``, the number of their first block, and if their units have colours
        ``colours``, how many units each colour has.
        """
        graph = self._interactions.copy()
        for k, block in reversed(list(enumerate(self.blocks()))):
            for name in block.variables:
                graph.nodes[name]["block"] = k
                if block.part is not None:
                    graph.nodes[name]["colours"] = self.colored.counts(name)
        return graph

    @cached_property
    def _interactions(self) -> nx.Graph:
        from pgmc.analysis.interaction_graph import build_interaction_graph

        return build_interaction_graph(self.model)

    @cached_property
    def structure(self) -> Structure:
        """The name of the structure and the reason for it."""
        from pgmc.analysis.structure import name_mixed_structure, name_structure

        if self.model.factors:
            return name_mixed_structure(self.model, self.undirected_graph)
        return name_structure(self._interactions)

    @cached_property
    def undirected_graph(self) -> nx.Graph:
        """The interaction graph of the energy alone, without directed factors."""
        from pgmc.analysis.interaction_graph import build_interaction_graph

        return build_interaction_graph(self.ensemble(Ensemble.UNDIRECTED))

    def blocks(self, free: tuple[str, ...] | None = None, first: tuple[str, ...] = ()) -> tuple[Block, ...]:
        """What one sweep over the free variables (default: all) updates, in order; ``first`` come first.

        A variable whose units have colours has one block for each of them.
        """
        from pgmc.analysis.blocks import split_by_color

        return split_by_color(self.variable_blocks(free, first), self.colored.counts)

    def variable_blocks(
        self,
        free: tuple[str, ...] | None = None,
        first: tuple[str, ...] = (),
        ensemble: Ensemble = Ensemble.PLAIN,
    ) -> tuple[Block, ...]:
        """The blocks of whole variables; those of variables whose units have colours are sequential."""
        wanted = tuple(v.name for v in self.model.variables) if free is None else free
        graph = self.undirected_graph if ensemble is Ensemble.UNDIRECTED else self._interactions
        return self._find_blocks(graph, wanted, first)

    def _find_blocks(self, graph: nx.Graph, free: tuple[str, ...], first: tuple[str, ...]) -> tuple[Block, ...]:
        from pgmc.analysis.blocks import check_blocks, collapse_blocks, find_blocks, restrict_blocks

        if self._imposed is None:
            blocks = find_blocks(graph, free, first)
            if any(isinstance(v.domain, Real) for v in self.model.variables):
                blocks = collapse_blocks(graph, blocks, first, self._integrable_block, self._stays_parallel)
        else:
            blocks = restrict_blocks(check_blocks(graph, self._imposed), free, first)
        return tuple(replace(b, mode="joint") if b.mode == "sequential" and self._is_joint(b) else b for b in blocks)

    def _is_joint(self, block: Block) -> bool:
        """Whether units that interact are drawn from their joint law."""
        return any(v.name in block.variables and isinstance(v.domain, Real) for v in self.model.variables) and any(
            self.law(name).family == "JointNormal" for name in block.variables
        )

    def eliminable(self) -> tuple[str, ...]:
        """The variables to sum out analytically: those that leave the fewest joint states of the others."""
        from pgmc.analysis.elimination import find_eliminable

        return find_eliminable(self.model, self._interactions, lambda v: self.law(v.name).family in ("Normal", "Gamma"))

    # ---- derivation --------------------------------------------------------------------------------------------

    def ensemble(self, ensemble: Ensemble) -> Model:
        """The model whose law is that of the ensemble."""
        from pgmc.derivation.ensembles import apply_ensemble

        if ensemble not in self._ensembles:
            self._ensembles[ensemble] = apply_ensemble(self._fresh, ensemble)
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
        model = self._reduced(without, ensemble)
        if isinstance(model, Refusal):
            return model
        return derive_conditional(model, model.variable(target)).map(collect_factors)

    def _reduced(self, without: tuple[str, ...], ensemble: Ensemble = Ensemble.PLAIN) -> Model | Refusal:
        """The model with some real variables integrated out."""
        from pgmc.derivation.free_energy import integrate_out

        if (without, ensemble) not in self._reduced_models:
            self._reduced_models[without, ensemble] = integrate_out(self.ensemble(ensemble), without)
        return self._reduced_models[without, ensemble]

    def _integrable_block(self, block: Block) -> bool:
        """Whether all units of a block are real and normal, each by itself."""
        real = {v.name for v in self.model.variables if isinstance(v.domain, Real)}
        return (
            block.mode == "parallel"
            and real.issuperset(block.variables)
            and all(self.law(name).family == "Normal" for name in block.variables)
        )

    def _stays_parallel(self, block: Block, without: tuple[str, ...]) -> bool:
        """Whether units of a block do not interact after some variables are integrated out either."""
        from pgmc.analysis.elimination import is_independent
        from pgmc.analysis.interaction_graph import build_interaction_graph

        key = block.variables, without
        if key not in self._parallel_without:
            model = self._reduced(without)
            self._parallel_without[key] = not isinstance(model, Refusal) and is_independent(
                build_interaction_graph(model), block.variables
            )
        return self._parallel_without[key]

    def _sweep_law(self, query: Sweep, target: str, without: tuple[str, ...] = ()) -> ConditionalLaw:
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

    def describe_scale(self, target: str) -> str:
        """What the precision of the units of a real variable is made of, in words."""
        from pgmc.derivation.normalisability import describe_precision

        return describe_precision(self.law(target))

    def derive(self, query: Query) -> Answer | Refusal:
        """The answer to a query as indexed expressions, or the reason why there is none."""
        from pgmc.derivation.conditionals import conditional_computation
        from pgmc.derivation.energy import derive_energy
        from pgmc.derivation.ensembles import derive_temperature_step
        from pgmc.derivation.free_energy import derive_free_energy
        from pgmc.schedule.ancestral import build_ancestral_schedule
        from pgmc.schedule.sweeps import build_sweep_schedule

        match query:
            case Ancestral():
                return build_ancestral_schedule(self._fresh, query)
            case Energy(ensemble):
                return derive_energy(self.ensemble(ensemble))
            case FreeEnergy(observed, ensemble):
                return derive_free_energy(self.ensemble(ensemble), observed)
            case TemperatureStep(of):
                answer = self.derive(of)
                return derive_temperature_step(answer) if isinstance(answer, Computation) else answer
            case Conditional(target, ensemble, without):
                law = self.marginal_law(target, without, ensemble)
                return law if isinstance(law, Refusal) else conditional_computation(law)
            case Gradient():
                return self._derive_gradient(query)
            case MeanField(observed, ensemble):
                return self._derive_mean_field(observed, ensemble)
            case MeanFieldUpdate(observed, ensemble):
                return self._derive_fixed_point(observed, ensemble)
            case MeanFieldBound(observed, ensemble):
                from pgmc.derivation.mean_field import derive_mean_field_bound

                means = self.mean_model(observed, ensemble)
                if isinstance(means, Refusal):
                    return means
                return derive_mean_field_bound(self.ensemble(ensemble), means, observed)
            case Sweep(free, first, ensemble=ensemble):
                blocks = self.variable_blocks(free, first, ensemble)
                return build_sweep_schedule(query, blocks, partial(self._sweep_law, query), self.colored.form)

    def mean_model(self, observed: tuple[str, ...], ensemble: Ensemble = Ensemble.PLAIN) -> Model | Refusal:
        """The model of the means of every variable not observed."""
        from pgmc.derivation.mean_field import build_mean_model

        if (observed, ensemble) not in self._mean_models:
            self._mean_models[observed, ensemble] = build_mean_model(self.ensemble(ensemble), observed)
        return self._mean_models[observed, ensemble]

    def _derive_mean_field(self, observed: tuple[str, ...], ensemble: Ensemble) -> Answer | Refusal:
        from pgmc.derivation.mean_field import derive_mean_field

        means = self.mean_model(observed, ensemble)
        if isinstance(means, Refusal):
            return means
        latents = tuple(v.name for v in self.model.variables if v.name not in observed)
        return derive_mean_field(self.ensemble(ensemble), means, self.variable_blocks(latents))

    def fixed_point(self, observed: tuple[str, ...]) -> Computation | Refusal:
        """The mean-field equations of every variable not observed."""
        return self._derive_fixed_point(observed, Ensemble.PLAIN)

    def _derive_fixed_point(self, observed: tuple[str, ...], ensemble: Ensemble) -> Computation | Refusal:
        from pgmc.derivation.mean_field import derive_fixed_point

        means = self.mean_model(observed, ensemble)
        return means if isinstance(means, Refusal) else derive_fixed_point(self.ensemble(ensemble), means, observed)

    def _derive_gradient(self, query: Gradient) -> Answer | Refusal:
        from pgmc.derivation.gradients import derive_gradient

        answer = self.derive(query.of)
        if not isinstance(answer, Computation):
            return answer
        parameters = {p.name: p for p in self.ensemble(query.of.ensemble).parameters}
        return derive_gradient(answer.quantities[0], tuple(parameters[name] for name in query.wrt))

    def answer(self, query: Query) -> Answer:
        """The answer to a query.

        Raises
        ------
        IntractableError
            If no exact answer exists; the message says why and what to do.
        """
        answer = self.derive(query)
        if isinstance(answer, Refusal):
            raise IntractableError(f"{self.model.name}: {answer}")
        return answer

    # ---- code --------------------------------------------------------------------------------------------------

    def stages(self, query: Query) -> Stages:
        """Every stage of the kernel of a query."""
        from pgmc.codegen.kernel_module import build_kernel_module

        if query not in self._stages:
            answer = self.answer(query)
            self._stages[query] = build_kernel_module(self._model_of(query), kernel_name(query), answer, self.dtype)
        return self._stages[query]

    def numpy_source(self, query: Query) -> str:
        """The array program of a query as NumPy text."""
        from pgmc.codegen.numpy_printer import print_numpy

        return print_numpy(self._model_of(query), kernel_name(query), self.answer(query))

    def _model_of(self, query: Query) -> Model:
        """The model whose symbols the answer of a query speaks of."""
        if isinstance(query, TemperatureStep):
            from pgmc.derivation.ensembles import add_next_temperature

            return add_next_temperature(self.ensemble(query.of.ensemble))
        if isinstance(query, Ancestral):
            return self._fresh
        asked = query.of if isinstance(query, Gradient) else query
        if isinstance(asked, MeanField | MeanFieldUpdate | MeanFieldBound):
            means = self.mean_model(asked.observed, asked.ensemble)
            if isinstance(means, Refusal):
                raise IntractableError(f"{self.model.name}: {means}")
            return means
        return self.ensemble(asked.ensemble)

    def make_kernel(self, query: Query) -> Kernel:
        """The kernel that the run time calls for a query: interpreted, from the cache, or compiled now."""
        model = self._model_of(query)
        if self.backend == "numpy":
            from pgmc.runtime.interpreted import InterpretedKernel

            return InterpretedKernel(self.answer(query), model, self.dtype, self.colored.positions)
        from pgmc.runtime.keys import kernel_key
        from pgmc.runtime.loader import load_or_build

        key = kernel_key(self._text, repr(self._imposed), repr(self.colored.ordered()), repr(query), self.dtype)
        self.modules[query], function = load_or_build(key, lambda: self.stages(query).module)
        return CompiledKernel(self.modules[query], function, model, self.colored.positions)

    def resized(self, model: Model) -> Compiler:
        """The compiler of the same model at other sizes, with the same choices."""
        return Compiler(model, self.dtype, self.backend, self._imposed, self.colored.ordered())

    @cached_property
    def undirected(self) -> Executable | None:
        """The run time of the energy without directed factors; None if every variable has a factor."""
        part = undirected_part(self.model)
        return None if part is None else Compiler(part, self.dtype, self.backend).executable()

    @cached_property
    def guide(self) -> Compiler | None:
        """The compiler of the inference net; None if there is none."""
        if self.model.guide is None:
            return None
        ignored = frozenset(p.name for p in self.model.parameters)
        return Compiler(self.model.guide, self.dtype, self.backend, ignored=ignored)

    def encode_params(self, params: Mapping[str, Any], *, with_guide: bool = False) -> dict[str, Array]:
        """Checked parameters as kernels take them; see ``pgmc.runtime.state.encode_params``."""
        own = {n: v for n, v in params.items() if n not in self._ignored} if isinstance(params, Mapping) else params
        return encode_params(self.model, own, self.dtype, with_guide=with_guide)

    def executable(self) -> Executable:
        """The run time of the model, with this compiler behind it."""
        return Executable(
            self.model,
            self.dtype,
            make_kernel=self.make_kernel,
            find_blocks=self.variable_blocks,
            find_eliminable=self.eliminable,
            describe_scale=self.describe_scale,
            is_joint=lambda name: self.law(name).family == "JointNormal",
            make_undirected=lambda: self.undirected,
            make_guide=lambda: None if self.guide is None else self.guide.executable(),
        )


def kernel_name(query: Query) -> str:
    """The name of the generated function."""
    match query:
        case Energy():
            return "energy"
        case FreeEnergy():
            return "free_energy"
        case TemperatureStep():
            return "temperature_step"
        case Conditional(target):
            return f"conditional_{target}"
        case Gradient():
            return "gradient"
        case Sweep():
            return "sweep"
        case Ancestral():
            return "ancestral"
        case MeanField():
            return "mean_field"
        case MeanFieldUpdate():
            return "mean_field_update"
        case MeanFieldBound():
            return "mean_field_bound"
