"""``compile`` and the program it hands to the user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from pgmc.compiler import Backend, Compiler
from pgmc.dsl.initial import initial_values
from pgmc.dsl.model import Model
from pgmc.errors import ArgumentError, ModelError
from pgmc.ir.answers import Computation, Quantity, Refusal
from pgmc.ir.constraints import project_gradient
from pgmc.ir.queries import Conditional as ConditionalQuery
from pgmc.ir.queries import Energy, FreeEnergy, Gradient, Query, Sweep
from pgmc.program.conditional import Conditional
from pgmc.runtime.kernels import Dtype
from pgmc.runtime.state import encode_state

if TYPE_CHECKING:
    import networkx as nx

    from pgmc.analysis.blocks import Block
    from pgmc.evaluation.estimates import LogPartition
    from pgmc.inspection.equations import Equation, Equations
    from pgmc.inspection.report import ProgramReport
    from pgmc.program.verification.report import Verification
    from pgmc.runtime.mean_field import MeanFieldResult
    from pgmc.runtime.samples import Samples
    from pgmc.runtime.tempering import Tempering

Array = npt.NDArray[Any]
Params = Mapping[str, npt.ArrayLike]
State = Mapping[str, npt.ArrayLike]


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
    _check_choice("dtype", dtype, get_args(Dtype))
    _check_choice("backend", backend, get_args(Backend))
    imposed = None if blocks is None else tuple(tuple(names) for names in blocks)
    return Program(Compiler(model.build(), dtype, backend, imposed))


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ArgumentError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}.")


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

    def conditional(self, name: str, without: Sequence[str] = ()) -> Conditional:
        """The law of each unit of a variable given all other units.

        Real variables named in ``without`` are integrated out.

        Raises
        ------
        ArgumentError
            If there is no variable of that name.
        """
        self._check_variables("conditional", (name, *without))
        return Conditional(self.compiler, self.executable, name, tuple(without))

    def free_energy_equation(self, observed: Sequence[str]) -> Equation | Refusal:
        """F(observed) as an equation, or the reason why it has no closed form."""
        from pgmc.inspection.equations import collect_equations

        names = self._check_variables("free_energy_equation", tuple(observed))
        answer = self.compiler.derive(FreeEnergy(names))
        if isinstance(answer, Refusal):
            return answer
        assert isinstance(answer, Computation)
        equations = collect_equations(self.model, free_energies={names: answer.quantities[0]})
        return equations[f"free_energy({', '.join(names)})"]

    def gradient_equations(self, observed: Sequence[str] | None = None) -> Equations:
        """∂E/∂θ for every parameter θ; with ``observed``, ∂F/∂θ of the free energy of those variables."""
        from pgmc.inspection.equations import collect_equations

        of = Energy() if observed is None else FreeEnergy(self._check_variables("gradient_equations", tuple(observed)))
        gradients = self._quantities(Gradient(of, self._parameter_names()))
        name = "energy" if observed is None else "free_energy"
        return collect_equations(self.model, gradients=gradients, gradient_of=name)

    def mean_field_equations(self, observed: Sequence[str]) -> Computation | Refusal:
        """The fixed point of mean field given the observed variables, or the reason why there is none."""
        return self.compiler.fixed_point(self._check_variables("mean_field_equations", tuple(observed)))

    def equations(self) -> Equations:
        """Everything derived: the energy, conditionals, free energies and gradients, and what was refused."""
        from pgmc.inspection.equations import collect_equations

        free_energies, refusals = self._free_energies()
        return collect_equations(
            self.model,
            laws=tuple(self.compiler.law(v.name) for v in self.model.variables),
            free_energies=free_energies,
            gradients=self._quantities(Gradient(Energy(), self._parameter_names())),
            refusals=refusals,
        )

    def source(self, query: Query | None = None, language: str = "numba") -> str:
        """The generated Python of the sweep, the energy, the conditionals, the free energy and its gradients.

        Parameters
        ----------
        query : optional
            One query of ``pgmc.ir.queries`` whose kernel is wanted.
        language : {"numba", "numpy"}
            ``"numpy"`` shows the array program that the loops were made from.
        """
        _check_choice("language", language, ("numba", "numpy"))
        queries = [query] if query is not None else self._usual_queries()
        if language == "numpy":
            return "\n\n".join(self.compiler.numpy_source(q) for q in queries)
        return "\n\n".join(self.compiler.stages(q).module.source for q in queries)

    def report(self) -> ProgramReport:
        """What was declared, found, derived and generated; printable, and HTML in a notebook."""
        from pgmc.inspection.report import KernelNote, ProgramReport, describe_query

        notes = tuple(KernelNote(m.name, describe_query(q), "compiled") for q, m in self.compiler.modules.items())
        return ProgramReport(
            self.model,
            self.compiler.dtype,
            self.compiler.backend,
            self.compiler.structure,
            self.blocks,
            self.equations(),
            notes,
            self.graph,
        )

    def diagram(self) -> str:
        """The interaction graph as SVG text."""
        from pgmc.inspection.diagrams import draw_graph

        return draw_graph(self.graph, self.model.name)

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

    def energy(self, params: Params, state: State, threads: int | None = None) -> Array:
        """E(state), in nats.

        Parameters
        ----------
        params : mapping of str to array
            Every parameter, of the declared shape.
        state : mapping of str to array
            Every variable and input, ``(n, *shape)``.

        Returns
        -------
        ndarray of shape (n,), float64

        Raises
        ------
        DataError
            If an array is missing, or of a wrong shape or range.
        """
        encoded = self._encode_state(state, self._variable_names())
        return self._evaluate(Energy(), params, encoded, threads)["energy"]

    def log_joint(self, params: Params, state: State, log_z: Any = None, threads: int | None = None) -> Array:
        """log p(state) = Σ log p(child | parents) - E(state) - log Z, normalised, in nats.

        Parameters
        ----------
        params : mapping of str to array
            Every parameter, of the declared shape.
        state : mapping of str to array
            Every variable and input, ``(n, *shape)``.
        log_z : float, ndarray of shape (n,) or LogPartition, optional
            log Z of the variables without a directed factor, if it is known; otherwise it is computed with
            ``method="auto"``. A model of directed factors alone has log Z = 0.

        Returns
        -------
        ndarray of shape (n,), float64

        Raises
        ------
        DataError
            If an array is missing, or of a wrong shape or range.
        """
        self._encode_state(state, self._variable_names())
        return np.asarray(self.log_likelihood(params, state, log_z, threads=threads))

    def free_energy(self, params: Params, observed: State, threads: int | None = None) -> Array:
        """F(observed) = -log Σ exp(-E), the sum over every variable not in ``observed``, in nats.

        Returns
        -------
        ndarray of shape (n,), float64

        Raises
        ------
        IntractableError
            If units of the other variables interact; the message names the term and the remedy.
        """
        names = self._observed_names(observed)
        query: Query = FreeEnergy(names) if len(names) < len(self.model.variables) else Energy()
        encoded = self._encode_state(observed, names)
        return next(iter(self._evaluate(query, params, encoded, threads).values()))

    def energy_gradient(self, params: Params, state: State, threads: int | None = None) -> dict[str, Array]:
        """∂E/∂θ averaged over the examples, for every parameter θ.

        Constraints of a parameter (symmetric, zero diagonal, mask) are applied as orthogonal projections.

        Returns
        -------
        dict of str to ndarray of the parameter's shape
        """
        encoded = self._encode_state(state, self._variable_names())
        gradient = self._evaluate(Gradient(Energy(), self._parameter_names()), params, encoded, threads)
        return {p.name: project_gradient(p, gradient[p.name]) for p in self.model.parameters}

    def sample(
        self,
        params: Params,
        chains: int = 100,
        sweeps: int = 1000,
        inputs: State | None = None,
        clamp: Mapping[str, Any] | None = None,
        init: Any = None,
        observe: Any = None,
        inverse_temperature: Any = 1.0,
        keep: int = 1,
        thin: int = 1,
        seed: int | None = None,
        threads: int | None = None,
        tempering: Tempering | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Samples:
        """Run chains of block Gibbs sampling, p(x) ∝ exp(-β E(x)) with β = 1 unless another is given.

        Parameters
        ----------
        params : mapping of str to array
            Every parameter, of the declared shape.
        chains, sweeps : int
            Number of chains, and of sweeps each of them makes.
        inputs : mapping of str to array, optional
            Inputs of a conditional model, ``shape`` or ``(chains, *shape)``.
        clamp : mapping of str to array, optional
            Values that are kept, ``shape`` or ``(chains, *shape)``; masked entries of a masked array stay free.
        init : mapping of str to array or ``Samples.last``, optional
            Where chains start; uniform states by default. ``Samples.last`` goes on where it stopped.
        observe : mapping of str to callable, optional
            Name -> function of the state, recorded in place of states.
        inverse_temperature : float or array
            β >= 0: a number, one per chain, or one per sweep, which anneals. Where chains and sweeps are as many, the
            shape ``(1, chains)`` or ``(sweeps, 1)`` tells which; ``(sweeps, chains)`` gives both.
        keep, thin : int
            Every ``thin``-th of the last ``keep * thin`` sweeps is recorded.
        seed : int, optional
            The same seed gives the same samples, whatever ``threads``.
        threads : int, optional
            One per core by default.
        tempering : Tempering, optional
            A ladder of replicas for each chain, which swap places (parallel tempering). Recorded is the replica at
            β = 1; the result has ``swap_rates`` and ``round_trips``.
        progress : callable, optional
            Called as ``progress(done, sweeps)`` from time to time.

        Returns
        -------
        Samples
            Name -> ``(chains, keep, *shape)``.

        Raises
        ------
        ArgumentError
            If a count, the seed, a temperature or the ladder is out of its range.
        DataError
            If an array has a wrong name, shape or value.
        """
        from pgmc.runtime.chains import run_chains

        return run_chains(
            self.executable,
            self.compiler.encode_params(params),
            chains=chains,
            sweeps=sweeps,
            inputs=inputs,
            clamp=clamp,
            init=init,
            observe=observe,
            inverse_temperature=inverse_temperature,
            tempering=tempering,
            keep=keep,
            thin=thin,
            seed=seed,
            threads=threads,
            progress=progress,
        )

    def predict(self, params: Params, target: str, observed: State, threads: int | None = None) -> Array:
        """p(target | observed) of every unit of the target, exactly; all other variables are summed out.

        Parameters
        ----------
        params : mapping of str to array
            Every parameter.
        target : str
            A variable with few joint states, such as a class label.
        observed : mapping of str to array
            Observed variables and all inputs, ``(n, *shape)``.

        Returns
        -------
        ndarray
            P(1) or P(+1), ``(n, *shape)``; the probability of each state of a categorical target,
            ``(n, *shape, states)``.

        Raises
        ------
        IntractableError
            If the target has too many states, or the rest cannot be summed out; the message says why.

        References
        ----------
        Larochelle and Bengio (2008), equation 2.
        """
        from pgmc.evaluation.prediction import predict

        (name,) = self._check_variables("predict", (target,))
        if name in observed:
            raise ArgumentError(f"predict: {name} is both the target and observed. Leave it out of the observed.")
        encoded = self._encode_state(observed, self._observed_names(observed))
        rows = len(next(iter(encoded.values()))) if encoded else 1
        checked = self.compiler.encode_params(params)
        variable = self.model.variable(name)
        return predict(self.executable, checked, variable, encoded, rows=rows, threads=threads)

    def mean_field(
        self,
        params: Params,
        observed: State,
        iterations: int = 50,
        tol: float = 1e-6,
        damping: float = 0.0,
        parallel: bool = False,
        threads: int | None = None,
    ) -> MeanFieldResult:
        """Mean field for every variable not in ``observed``, with its lower bound on log Σ exp(-E).

        Parameters
        ----------
        params : mapping of str to array
            Every parameter.
        observed : mapping of str to array
            Observed variables and all inputs, ``(n, *shape)``. With none, one row of means for all variables.
        iterations : int
            Most passes over the latent variables.
        tol : float
            Passes end when no mean changes by this much.
        damping : float
            Share of the old mean in the new one.
        parallel : bool
            Set all means at once from the old ones, instead of one block after the other. This is not monotone: one
            block after the other the bound never falls, in parallel it may, and without damping means may swing for
            ever between two sets, which is detected and ends the passes.

        Returns
        -------
        MeanFieldResult
            ``.means``, ``.bound`` (n,) in nats, ``.converged``, ``.monotone``, ``.cycle``.

        Raises
        ------
        IntractableError
            If the energy is not a polynomial in the latent units.

        References
        ----------
        Goodfellow, Bengio, Courville (2016), equations 20.33 to 20.35.
        """
        from pgmc.runtime.mean_field import relax_mean_field

        encoded = self._encode_state(observed, self._observed_names(observed))
        rows = len(next(iter(encoded.values()))) if encoded else 1
        return relax_mean_field(
            self.executable,
            self.compiler.encode_params(params),
            encoded,
            rows=rows,
            iterations=iterations,
            tol=tol,
            damping=damping,
            parallel=parallel,
            threads=threads,
        )

    def log_partition(
        self, params: Params, inputs: State | None = None, method: str = "auto", **options: Any
    ) -> LogPartition:
        """log Z = log Σ exp(-E), in nats: exactly, or by annealing or parallel tempering with an error bar.

        ``method`` is ``"exact"``, ``"ais"``, ``"reverse-ais"``, ``"tempering"`` or ``"auto"``; the options of each are
        those of ``pgmc.evaluation.likelihood.estimate_log_partition``.

        Raises
        ------
        IntractableError
            If ``"exact"`` would have to visit too many states.
        """
        from pgmc.evaluation.likelihood import estimate_log_partition

        given = None if inputs is None else self._encode_state(inputs, ())
        encoded = self.compiler.encode_params(params)
        return estimate_log_partition(self.executable, encoded, given, method, **options)

    def log_likelihood(
        self,
        params: Params,
        data: State,
        log_z: Any = None,
        samples: int | None = None,
        seed: int | None = 0,
        threads: int | None = None,
    ) -> Any:
        """log p(data) = -F(data) - log Z of each row, in nats; with ``samples``, an estimate through the guide.

        Parameters
        ----------
        params : mapping of str to array
            Every parameter.
        data : mapping of str to array
            Observed variables and all inputs, ``(n, *shape)``; other variables are summed out.
        log_z : float, ndarray of shape (n,) or LogPartition, optional
            log Z if it is known; otherwise it is computed with ``method="auto"``.
        samples : int, optional
            Latent variables are drawn from the guide, so many times for each row, instead of summed out.
        seed : int, optional
            Of these draws.

        Returns
        -------
        ndarray of shape (n,), float64, or LogLikelihood
            With ``samples``: ``.value``, ``.std_error`` and ``.effective_sample_size``, each ``(n,)``.
        """
        from pgmc.evaluation.importance import log_likelihood_through_guide
        from pgmc.evaluation.likelihood import log_likelihood

        encoded = self._encode_state(data, self._observed_names(data))
        if samples is not None:
            whole = self.compiler.encode_params(params, with_guide=True)
            return log_likelihood_through_guide(
                self.executable, whole, encoded, samples, log_z, seed=seed, threads=threads
            )
        checked = self.compiler.encode_params(params)
        return log_likelihood(self.executable, checked, encoded, log_z, threads=threads)

    # ---- helpers -----------------------------------------------------------------------------------------------

    def _evaluate(self, query: Query, params: Params, state: dict[str, Array], threads: int | None) -> dict[str, Array]:
        encoded = self.compiler.encode_params(params)
        return self.executable.evaluate(query, encoded, state, threads=threads)

    def _encode_state(self, state: State, variables: tuple[str, ...]) -> dict[str, Array]:
        inputs = tuple(symbol.name for symbol in self.model.inputs)
        return encode_state(self.model, state, (*variables, *inputs), self.compiler.dtype)

    def _variable_names(self) -> tuple[str, ...]:
        return tuple(v.name for v in self.model.variables)

    def _parameter_names(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.model.parameters)

    def _observed_names(self, state: State) -> tuple[str, ...]:
        return tuple(name for name in self._variable_names() if name in state)

    def _check_variables(self, what: str, names: tuple[str, ...]) -> tuple[str, ...]:
        known = self._variable_names()
        for name in names:
            if name not in known:
                raise ArgumentError(f"{what}: {name!r} is not a variable of {self.model.name}; they are {known}.")
        return tuple(name for name in known if name in names)

    def _quantities(self, query: Query) -> tuple[Quantity, ...]:
        answer = self.compiler.answer(query)
        return answer.quantities if isinstance(answer, Computation) else ()

    def _free_energies(self) -> tuple[dict[tuple[str, ...], Quantity], tuple[Refusal, ...]]:
        """The free energy with each variable summed out alone, and with the analytically best set summed out."""
        found: dict[tuple[str, ...], Quantity] = {}
        refusals: dict[Refusal, None] = {}
        names = self._variable_names()
        for hidden in dict.fromkeys([self.compiler.eliminable(), *((name,) for name in names)]):
            observed = tuple(name for name in names if name not in hidden)
            answer = self.compiler.derive(FreeEnergy(observed))
            if isinstance(answer, Computation):
                found[observed] = answer.quantities[0]
            elif isinstance(answer, Refusal):
                refusals[answer] = None
        return found, tuple(refusals)

    def _usual_queries(self) -> list[Query]:
        names = self._variable_names()
        hidden = self.compiler.eliminable()
        observed = tuple(name for name in names if name not in hidden)
        return [
            Sweep(names),
            Energy(),
            *(ConditionalQuery(name) for name in names),
            FreeEnergy(observed),
            Gradient(FreeEnergy(observed), self._parameter_names()),
        ]
