"""Methods of ``Program`` that infer other variables from observed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgmc.errors import ArgumentError
from pgmc.program.arguments import Array, Params, State, check_variables, encode_given, observed_names

if TYPE_CHECKING:
    from pgmc.program.program import Program
    from pgmc.runtime.mean_field import MeanFieldResult


def predict(self: Program, params: Params, target: str, observed: State, threads: int | None = None) -> Array:
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

    (name,) = check_variables(self.model, "predict", (target,))
    if name in observed:
        raise ArgumentError(f"predict: {name} is both the target and observed. Leave it out of the observed.")
    encoded = encode_given(self, observed, observed_names(self.model, observed))
    rows = len(next(iter(encoded.values()))) if encoded else 1
    checked = self.compiler.encode_params(params)
    variable = self.model.variable(name)
    return predict(self.executable, checked, variable, encoded, rows=rows, threads=threads)


def mean_field(
    self: Program,
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

    encoded = encode_given(self, observed, observed_names(self.model, observed))
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
