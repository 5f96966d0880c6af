"""The whole pipeline: from a model and a query to a kernel, one line per stage, every result kept for inspection.

Derivation and analysis import sympy and networkx, which takes longer than running a cached kernel; so stages are
imported when they are first needed, and a query found in the cache needs none of them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pgmc.analysis.block_search import BlockSearch
from pgmc.analysis.colored_units import ColoredUnits
from pgmc.analysis.periodic_axes import spread_periodicity
from pgmc.answers import Answers
from pgmc.derivation.laws import Laws
from pgmc.errors import IntractableError
from pgmc.ir.answers import Answer, Computation, ConditionalLaw, Refusal
from pgmc.ir.canonical import canonical_text
from pgmc.ir.check import check_model
from pgmc.ir.definitions import expand_model
from pgmc.ir.factors import undirected_part
from pgmc.ir.fresh_indices import freshen_model
from pgmc.ir.model import Model
from pgmc.ir.queries import (
    Ensemble,
    Query,
    kernel_name,
)
from pgmc.ir.query_text import describe_query
from pgmc.ir.signatures import KernelModule
from pgmc.ir.symbols import Positive, Real
from pgmc.runtime.debugging import is_on, tell
from pgmc.runtime.executable import Executable
from pgmc.runtime.kernels import Array, CompiledKernel, Dtype, Kernel
from pgmc.runtime.state import encode_params

if TYPE_CHECKING:
    import networkx as nx

    from pgmc.analysis.blocks import Block
    from pgmc.analysis.structure import Structure
    from pgmc.codegen.kernel_module import Stages

Backend = Literal["numba", "numpy"]
KernelOrigin = Literal["compiled", "cached", "interpreted"]


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
        self._declared = freshen_model(spread_periodicity(model))
        self._fresh = expand_model(self._declared)
        self.colored = ColoredUnits(self._fresh, frozenset(ordered))
        if any(isinstance(variable.domain, Real | Positive) for variable in model.variables):
            from pgmc.derivation.normalisability import check_normalisable

            check_normalisable(self._fresh)
        self.dtype: Dtype = dtype
        self.backend: Backend = backend
        self._imposed = blocks
        self._ignored = ignored
        self._laws = Laws(self._fresh, self.colored)
        self._search = BlockSearch(self._fresh if model.definitions else model, self._laws, self.colored, blocks)
        self._answers = Answers(self._declared, self._laws, self._search)
        self._stages: dict[Query, Stages] = {}
        self._bounds: dict[bool, Compiler | Refusal] = {}
        self.modules: dict[Query, KernelModule] = {}
        self.origins: dict[Query, tuple[KernelOrigin, float]] = {}
        if blocks is not None:
            self.variable_blocks()

    @cached_property
    def _text(self) -> str:
        return canonical_text(self.model)

    # ---- analysis ----------------------------------------------------------------------------------------------

    @property
    def graph(self) -> nx.Graph:
        """The interaction graph.

        Nodes carry ``kind``, ``shape`` and ``block``, the number of their first block, and if their units have colours
        ``colours``, how many units each colour has.
        """
        return self._search.graph

    @property
    def structure(self) -> Structure:
        """The name of the structure and the reason for it."""
        return self._search.structure

    def blocks(self, free: tuple[str, ...] | None = None, first: tuple[str, ...] = ()) -> tuple[Block, ...]:
        """What one sweep over the free variables (default: all) updates, in order; ``first`` come first.

        A variable whose units have colours has one block for each of them.
        """
        return self._search.blocks(free, first)

    def variable_blocks(self, free: tuple[str, ...] | None = None, first: tuple[str, ...] = ()) -> tuple[Block, ...]:
        """The blocks of whole variables; those of variables whose units have colours are sequential."""
        return self._search.variable_blocks(free, first)

    def eliminable(self) -> tuple[str, ...]:
        """The variables to sum out analytically: those that leave the fewest joint states of the others."""
        return self._search.eliminable()

    # ---- derivation --------------------------------------------------------------------------------------------

    def ensemble(self, ensemble: Ensemble) -> Model:
        """The model whose law is that of the ensemble."""
        return self._laws.ensemble(ensemble)

    def shared(self, ensemble: Ensemble = Ensemble.PLAIN) -> Model:
        """The model of the ensemble with named intermediate values, each computed once."""
        return self._answers.shared(ensemble)

    def law(self, target: str, ensemble: Ensemble = Ensemble.PLAIN) -> ConditionalLaw:
        """The conditional of each unit of the target given all others."""
        return self._laws.law(target, ensemble)

    def marginal_law(
        self, target: str, without: tuple[str, ...], ensemble: Ensemble = Ensemble.PLAIN
    ) -> ConditionalLaw | Refusal:
        """The conditional of each unit of the target, some real variables integrated out."""
        return self._laws.marginal_law(target, without, ensemble)

    def describe_scale(self, target: str) -> str:
        """What the precision of the units of a real variable is made of, in words."""
        from pgmc.derivation.normalisability import describe_precision

        return describe_precision(self.law(target))

    def derive(self, query: Query) -> Answer | Refusal:
        """The answer to a query as indexed expressions, or the reason why there is none."""
        return self._answers.derive(query)

    def mean_model(self, observed: tuple[str, ...], ensemble: Ensemble = Ensemble.PLAIN) -> Model | Refusal:
        """The model of the means of every variable not observed."""
        return self._laws.mean_model(observed, ensemble)

    def fixed_point(self, observed: tuple[str, ...]) -> Computation | Refusal:
        """The mean-field equations of every variable not observed."""
        return self._laws.fixed_point(observed)

    def plan_moves(self, free: tuple[str, ...], masked: tuple[str, ...] = ()) -> tuple[tuple[str, ...], ...] | Refusal:
        """Which of the free variables Hamiltonian Monte Carlo moves, and which are summed out for that."""
        return self._answers.plan_moves(free, masked)

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
            self._stages[query] = build_kernel_module(self.model_of(query), kernel_name(query), answer, self.dtype)
        return self._stages[query]

    def numpy_source(self, query: Query) -> str:
        """The array program of a query as NumPy text."""
        from pgmc.codegen.numpy_printer import print_numpy

        return print_numpy(self.model_of(query), kernel_name(query), self.answer(query))

    def model_of(self, query: Query) -> Model:
        """The model whose symbols the answer of a query speaks of."""
        return self._answers.model_of(query)

    def make_kernel(self, query: Query) -> Kernel:
        """The kernel that the run time calls for a query: interpreted, from the cache, or compiled now."""
        began = time.perf_counter()
        model = self.model_of(query)
        if self.backend == "numpy":
            from pgmc.runtime.interpreted import InterpretedKernel

            interpreted = InterpretedKernel(self.answer(query), model, self.dtype, self.colored.positions)
            self._note(query, "interpreted", began)
            return interpreted
        from pgmc.runtime.keys import kernel_key
        from pgmc.runtime.loader import load_or_build

        built: list[KernelModule] = []

        def build() -> KernelModule:
            built.append(self.stages(query).module)
            return built[0]

        key = kernel_key(self._text, repr(self._imposed), repr(self.colored.ordered()), repr(query), self.dtype)
        self.modules[query], function = load_or_build(key, build)
        self._note(query, "compiled" if built else "cached", began)
        return CompiledKernel(self.modules[query], function, model, self.colored.positions)

    def _note(self, query: Query, origin: KernelOrigin, began: float) -> None:
        """Remember where a kernel came from and how long that took; told where ``PGMC_DEBUG`` asks for it."""
        self.origins[query] = origin, time.perf_counter() - began
        if is_on("kernels"):
            tell(f"{self.model.name}: {describe_query(query)}, {origin} in {self.origins[query][1]:.2f} s")
        if is_on("stages") and origin != "interpreted":
            tell(str(self.stages(query)))

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

    def reparametrised(self, analytic: bool = True) -> Compiler | Refusal:
        """The compiler of minus the bound through the guide, as a function of noise; see ``reparametrise``."""
        from pgmc.derivation.reparametrise import reparametrise

        if analytic not in self._bounds:
            bound = reparametrise(self.model, analytic)
            whole = bound if isinstance(bound, Refusal) else Compiler(bound, self.dtype, self.backend)
            self._bounds[analytic] = whole
        return self._bounds[analytic]

    def _run_time_of_bound(self, analytic: bool) -> Executable:
        bound = self.reparametrised(analytic)
        if isinstance(bound, Refusal):
            raise IntractableError(f"{self.model.name}: {bound}")
        return bound.executable()

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
            plan_moves=self.plan_moves,
            describe_scale=self.describe_scale,
            is_joint=lambda name: self.law(name).family == "JointNormal",
            make_undirected=lambda: self.undirected,
            make_guide=lambda: None if self.guide is None else self.guide.executable(),
            make_bound=self._run_time_of_bound,
        )
