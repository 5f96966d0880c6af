"""The interaction graph of a model, and the blocks that a sweep over some of its variables updates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from pgmc.analysis.colored_units import ColoredUnits
from pgmc.ir.answers import ConditionalLaw, Refusal
from pgmc.ir.model import Model
from pgmc.ir.queries import Ensemble
from pgmc.ir.symbols import Binary, Categorical, Positive, Real, Spin

if TYPE_CHECKING:
    import networkx as nx

    from pgmc.analysis.blocks import Block
    from pgmc.analysis.structure import Structure


class DerivedLaws(Protocol):
    """What the search asks about the laws of a model; derivations answer it."""

    def ensemble(self, ensemble: Ensemble) -> Model:
        """The model whose law is that of the ensemble."""

    def law(self, target: str) -> ConditionalLaw:
        """The conditional of each unit of the target given all others."""

    def reduced(self, without: tuple[str, ...]) -> Model | Refusal:
        """The model with some real variables integrated out."""


@dataclass
class BlockSearch:
    """Finds the blocks of a model, or cuts them from those ``imposed``.

    Modules that import networkx are imported when they are first needed.
    """

    model: Model
    laws: DerivedLaws
    colored: ColoredUnits
    imposed: tuple[tuple[str, ...], ...] | None = None
    _plans: dict[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...] | Refusal] = field(default_factory=dict)
    _parallel_without: dict[tuple[tuple[str, ...], tuple[str, ...]], bool] = field(default_factory=dict)

    @cached_property
    def graph(self) -> nx.Graph:
        """The interaction graph with ``block`` and ``colours`` in its nodes."""
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
    def _undirected(self) -> nx.Graph:
        """The interaction graph of the energy alone, without directed factors."""
        from pgmc.analysis.interaction_graph import build_interaction_graph

        return build_interaction_graph(self.laws.ensemble(Ensemble.UNDIRECTED))

    @cached_property
    def structure(self) -> Structure:
        """The name of the structure and the reason for it."""
        from pgmc.analysis.structure import name_mixed_structure, name_structure

        if self.model.factors:
            return name_mixed_structure(self.model, self._undirected)
        return name_structure(self._interactions)

    def blocks(self, free: tuple[str, ...] | None = None, first: tuple[str, ...] = ()) -> tuple[Block, ...]:
        """The blocks with those of variables whose units have colours split, one block for each colour."""
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
        graph = self._undirected if ensemble is Ensemble.UNDIRECTED else self._interactions
        return self._find_blocks(graph, wanted, first)

    def _find_blocks(self, graph: nx.Graph, free: tuple[str, ...], first: tuple[str, ...]) -> tuple[Block, ...]:
        from pgmc.analysis.blocks import check_blocks, collapse_blocks, find_blocks, restrict_blocks

        if self.imposed is None:
            blocks = find_blocks(graph, free, first)
            if any(isinstance(v.domain, Real) for v in self.model.variables):
                blocks = collapse_blocks(graph, blocks, first, self._is_integrable, self._stays_parallel)
        else:
            blocks = restrict_blocks(check_blocks(graph, self.imposed), free, first)
        return tuple(replace(b, mode="joint") if b.mode == "sequential" and self._is_joint(b) else b for b in blocks)

    def _is_joint(self, block: Block) -> bool:
        """Whether units that interact are drawn from their joint law."""
        return any(v.name in block.variables and isinstance(v.domain, Real) for v in self.model.variables) and any(
            self.laws.law(name).family == "JointNormal" for name in block.variables
        )

    def _is_integrable(self, block: Block) -> bool:
        """Whether all units of a block are real and normal, each by itself."""
        real = {v.name for v in self.model.variables if isinstance(v.domain, Real)}
        return (
            block.mode == "parallel"
            and real.issuperset(block.variables)
            and all(self.laws.law(name).family == "Normal" for name in block.variables)
        )

    def _stays_parallel(self, block: Block, without: tuple[str, ...]) -> bool:
        """Whether units of a block do not interact after some variables are integrated out either.

        They have finitely many values each: those have a law whatever the integral makes of the energy.
        """
        from pgmc.analysis.elimination import is_independent
        from pgmc.analysis.interaction_graph import build_interaction_graph

        key = block.variables, without
        if key not in self._parallel_without:
            finite = all(
                isinstance(self.model.variable(n).domain, Binary | Spin | Categorical) for n in block.variables
            )
            model = self.laws.reduced(without) if finite else None
            self._parallel_without[key] = isinstance(model, Model) and is_independent(
                build_interaction_graph(model), block.variables
            )
        return self._parallel_without[key]

    def plan_moves(
        self,
        free: tuple[str, ...],
        masked: tuple[str, ...],
        free_energy: Callable[[tuple[str, ...]], object],
    ) -> tuple[tuple[str, ...], ...] | Refusal:
        """The free variables that Hamiltonian Monte Carlo moves, and those that are summed out of their energy.

        Discrete variables are summed out as far as that has a closed form and one sweep draws them exactly, then real
        and positive ones, as long as one is left to move.
        """
        if (free, masked) not in self._plans:
            self._plans[free, masked] = self._plan_moves(free, masked, free_energy)
        return self._plans[free, masked]

    def _plan_moves(
        self, free: tuple[str, ...], masked: tuple[str, ...], free_energy: Callable[[tuple[str, ...]], object]
    ) -> tuple[tuple[str, ...], ...] | Refusal:
        continuous = [n for n in free if isinstance(self.model.variable(n).domain, Real | Positive)]
        if not continuous:
            names = ", ".join(free) or "nothing"
            reason = f"it moves real and positive units, and of the free variables, {names}, none is."
            return Refusal("Hamiltonian Monte Carlo", reason, "Leave sampler= out: Gibbs sweeps draw the others.")
        every = tuple(v.name for v in self.model.variables)
        summed: tuple[str, ...] = ()
        discrete = [n for n in free if n not in continuous]
        for name in (*discrete, *reversed(continuous)):
            tried = tuple(n for n in every if n in summed or n == name)
            left = [n for n in continuous if n not in tried]
            if name in masked or not left or not self._drawn_at_once(tried):
                continue
            if not isinstance(free_energy(tuple(n for n in every if n not in tried)), Refusal):
                summed = tried
        return tuple(n for n in continuous if n not in summed), summed

    def _drawn_at_once(self, names: tuple[str, ...]) -> bool:
        """Whether one sweep over the variables is a draw from their joint law given all others."""
        first, *others = self.variable_blocks(names)
        if first.mode == "sequential":
            return False
        return not others or (len(others) == 1 and first.integrated_out == others[0].variables)

    def eliminable(self) -> tuple[str, ...]:
        """The variables to sum out analytically: those that leave the fewest joint states of the others."""
        from pgmc.analysis.elimination import find_eliminable

        return find_eliminable(
            self.model, self._interactions, lambda v: self.laws.law(v.name).family in ("Normal", "Gamma")
        )
