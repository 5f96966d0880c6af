"""``compile`` and the program it hands to the user."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, get_args

from pgmc.compiler import Backend, Compiler
from pgmc.dsl.initial import initial_values
from pgmc.dsl.model import Model
from pgmc.errors import ArgumentError, ModelError
from pgmc.program import evaluation, inference, inspection, sampling
from pgmc.program.arguments import Array, check_choice
from pgmc.runtime.kernels import Dtype

if TYPE_CHECKING:
    import networkx as nx

    from pgmc.analysis.blocks import Block
    from pgmc.program.verification.report import Verification


def compile(
    model: Model,
    *,
    dtype: Dtype = "float32",
    backend: Backend = "numba",
    blocks: Sequence[Sequence[str]] | None = None,
) -> Program:
    """Compile a model into a program.

    Nothing slow happens here: kernels are derived, generated and compiled when they are first needed, and kept in a
    cache on disk under the model's canonical form. Neither sizes nor values of parameters enter.

    Parameters
    ----------
    model : Model
        The specification; later changes to it do not reach the program.
    dtype : {"float32", "float64"}
        The dtype of parameters, states and fields. Energies and log weights are float64 in both.
    backend : {"numba", "numpy"}
        ``"numpy"`` interprets the derived expressions as they stand: slow, and the reference for the generated code.
    blocks : sequence of sequences of str, optional
        What one sweep updates, in order, in place of the blocks found. Checked: no two units of a block may interact.

    Raises
    ------
    ModelError
        If the model is empty or the blocks are not valid.
    ArgumentError
        If ``dtype`` or ``backend`` is none of the above.
    """
    if not isinstance(model, Model):
        raise ArgumentError(f"pgmc.compile: expected a pgmc.Model, got {type(model).__name__}.")
    check_choice("dtype", dtype, get_args(Dtype))
    check_choice("backend", backend, get_args(Backend))
    imposed = None if blocks is None else tuple(tuple(names) for names in blocks)
    return Program(Compiler(model.build(), dtype, backend, imposed))


class Program:
    """A compiled model: its derivations, and functions that evaluate, sample and estimate.

    A ``state`` is a mapping of name -> array ``(n, *shape)`` with a leading axis of examples or chains; ``params`` a
    mapping of name -> array of the declared shape, such as ``init`` returns.
    """

    def __init__(self, compiler: Compiler) -> None:
        self.compiler = compiler
        self.executable = compiler.executable()
        self.model = compiler.model

    # ---- what was found ----------------------------------------------------------------------------------------

    @property
    def structure(self) -> str:
        """The structure of the interactions, such as "bipartite", "lattice" or "dense"; ``report`` says why."""
        return self.compiler.structure.name

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What one sweep updates, in order."""
        return self.compiler.blocks()

    @property
    def graph(self) -> nx.Graph:
        """The interaction graph: variables with ``kind``, ``shape`` and ``block``; edges with ``terms``."""
        return self.compiler.graph

    @cached_property
    def guide(self) -> Program:
        """The inference net as a program of its own: its variables are the latents, the others are its inputs.

        Raises
        ------
        ModelError
            If the model has no guide.
        """
        if self.compiler.guide is None:
            raise ModelError(f"{self.model.name} has no guide. Declare one: q = m.guide(); q.directed(h, ...).")
        return Program(self.compiler.guide)

    # Methods with a story of their own are functions in pgmc/program/inspection, evaluation, inference and sampling.
    conditional = inspection.conditional
    free_energy_equation = inspection.free_energy_equation
    gradient_equations = inspection.gradient_equations
    mean_field_equations = inspection.mean_field_equations
    score_equations = inspection.score_equations
    equations = inspection.equations
    source = inspection.source
    trace = inspection.trace
    explain = inspection.explain
    report = inspection.report
    diagram = inspection.diagram

    def __str__(self) -> str:
        return str(self.report())

    def __repr__(self) -> str:
        return f"<Program {self.model.name}: {self.compiler.dtype}, {self.compiler.backend}>"

    def _repr_html_(self) -> str:
        return self.report()._repr_html_()

    def verify(self, seed: int = 0) -> Verification:
        """Prove the program on a small instance, where everything can be compared with brute force.

        All axes are shrunk, masks and constants cropped, until all joint states can be listed; the kernels are the
        same, as sizes enter none. Energies, conditionals, free energies, gradients, log Z, mean field, the exact
        transition matrix of the sweep and the draws of its kernels are compared with the interpreted energy. At the
        program's own sizes, conditionals of random units are compared with differences of energies.

        Parameters
        ----------
        seed : int
            Where parameters, inputs, states and random numbers come from.

        Returns
        -------
        Verification
            One row for each check; printable, and HTML in a notebook.

        Raises
        ------
        VerificationError
            Naming the check that fails, its object, the largest error and the smallest failing case.
        """
        from pgmc.program.verification.verify import verify

        return verify(self.compiler, self.executable, seed)

    # ---- running -----------------------------------------------------------------------------------------------

    def init(self, seed: int | None = 0) -> dict[str, Array]:
        """Initial values of every parameter; the same seed gives the same values."""
        return initial_values(self.model.trained, seed, self.compiler.dtype)

    energy = evaluation.energy
    log_joint = evaluation.log_joint
    free_energy = evaluation.free_energy
    energy_gradient = evaluation.energy_gradient
    log_partition = evaluation.log_partition
    log_likelihood = evaluation.log_likelihood
    predict = inference.predict
    mean_field = inference.mean_field
    sample = sampling.sample
