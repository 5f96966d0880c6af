"""Methods of ``Program`` that evaluate energies and probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pgmc.ir.constraints import project_gradient
from pgmc.ir.queries import Energy, FreeEnergy, Gradient, Query
from pgmc.program.arguments import Array, Params, State, encode_given, observed_names, parameter_names, variable_names

if TYPE_CHECKING:
    from pgmc.evaluation.estimates import LogPartition
    from pgmc.program.program import Program


def energy(self: Program, params: Params, state: State, threads: int | None = None) -> Array:
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
    encoded = encode_given(self, state, variable_names(self.model))
    return _evaluate(self, Energy(), params, encoded, threads)["energy"]


def log_joint(self: Program, params: Params, state: State, log_z: Any = None, threads: int | None = None) -> Array:
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
    encode_given(self, state, variable_names(self.model))
    return np.asarray(self.log_likelihood(params, state, log_z, threads=threads))


def free_energy(self: Program, params: Params, observed: State, threads: int | None = None) -> Array:
    """F(observed) = -log Σ exp(-E), the sum over every variable not in ``observed``, in nats.

    Returns
    -------
    ndarray of shape (n,), float64

    Raises
    ------
    IntractableError
        If units of the other variables interact; the message names the term and the remedy.
    """
    names = observed_names(self.model, observed)
    query: Query = FreeEnergy(names) if len(names) < len(self.model.variables) else Energy()
    encoded = encode_given(self, observed, names)
    return next(iter(_evaluate(self, query, params, encoded, threads).values()))


def energy_gradient(self: Program, params: Params, state: State, threads: int | None = None) -> dict[str, Array]:
    """∂E/∂θ averaged over the examples, for every parameter θ.

    Constraints of a parameter (symmetric, zero diagonal, mask) are applied as orthogonal projections.

    Returns
    -------
    dict of str to ndarray of the parameter's shape
    """
    encoded = encode_given(self, state, variable_names(self.model))
    gradient = _evaluate(self, Gradient(Energy(), parameter_names(self.model)), params, encoded, threads)
    return {p.name: project_gradient(p, gradient[p.name]) for p in self.model.parameters}


def log_partition(
    self: Program, params: Params, inputs: State | None = None, method: str = "auto", **options: Any
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

    given = None if inputs is None else encode_given(self, inputs, ())
    encoded = self.compiler.encode_params(params)
    return estimate_log_partition(self.executable, encoded, given, method, **options)


def log_likelihood(
    self: Program,
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
        With ``samples``: ``.value``, ``.std_error``, ``.effective_sample_size`` and ``.bound``, each ``(n,)``.
    """
    from pgmc.evaluation.importance import log_likelihood_through_guide
    from pgmc.evaluation.likelihood import log_likelihood

    encoded = encode_given(self, data, observed_names(self.model, data))
    if samples is not None:
        whole = self.compiler.encode_params(params, with_guide=True)
        return log_likelihood_through_guide(self.executable, whole, encoded, samples, log_z, seed=seed, threads=threads)
    checked = self.compiler.encode_params(params)
    return log_likelihood(self.executable, checked, encoded, log_z, threads=threads)


def _evaluate(
    self: Program, query: Query, params: Params, state: dict[str, Array], threads: int | None
) -> dict[str, Array]:
    encoded = self.compiler.encode_params(params)
    return self.executable.evaluate(query, encoded, state, threads=threads)
