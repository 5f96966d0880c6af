"""Mean field: relax the means of the latent variables, and bound log Σ exp(-E) from below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError
from pgmc.ir.queries import MeanField, MeanFieldBound, MeanFieldUpdate
from pgmc.ir.symbols import Binary, Categorical, Spin, Variable, access_axes
from pgmc.runtime.groups import group_size

if TYPE_CHECKING:
    from pgmc.runtime.executable import Executable

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class MeanFieldResult:
    """What mean field found.

    Attributes
    ----------
    means
        Name of each latent variable -> ``(n, *shape)``: P(1) of a binary unit, the mean in (-1, 1) of a spin;
        ``(n, *shape, states)``: the probabilities of a categorical unit.
    bound
        ``(n,)`` lower bounds on log Σ_latent exp(-E), in nats.
    converged
        Whether the largest change of a mean in the last pass was below the tolerance.
    passes
        Passes made.
    change
        The largest change of a mean in the last pass.
    monotone
        Whether the bound cannot have fallen from pass to pass: updates one block after the other, not in parallel.
    cycle
        Whether parallel updates were found to swing between two sets of means, which ended the passes.
    """

    means: dict[str, Array]
    bound: Array
    converged: bool
    passes: int
    change: float
    monotone: bool = True
    cycle: bool = False

    def __repr__(self) -> str:
        state = "converged" if self.converged else "not converged"
        if self.cycle:
            state = "swinging between two sets of means, which damping prevents,"
        if not self.monotone:
            state = f"parallel updates, not monotone: {state}"
        bound = f"mean bound {self.bound.mean():.6g} nats"
        return f"MeanField of {', '.join(self.means)}: {state} after {self.passes} passes, {bound}"


def relax_mean_field(
    executable: Executable,
    params: Arrays,
    observed: Arrays,
    *,
    rows: int,
    iterations: int = 50,
    tol: float = 1e-6,
    damping: float = 0.0,
    parallel: bool = False,
    threads: int | None = None,
) -> MeanFieldResult:
    """Ascent on the mean-field bound from uniform means, coordinate-wise or in parallel.

    Coordinate-wise, blocks of units that do not interact are set together, interacting units one by one: the bound is
    concave in each of them, so it never falls, however damped. In parallel every mean is set from the old means
    of all the others: the bound may fall, and means may swing between two sets for ever.

    Raises
    ------
    IntractableError
        If the energy is not a polynomial in the latent units.
    ArgumentError
        If an option is out of its range.
    """
    _check_options(iterations, tol, damping)
    names = tuple(v.name for v in executable.model.variables if v.name in observed)
    latents = [v for v in executable.model.variables if v.name not in observed]
    means = {v.name: _uniform_means(v, rows, executable.dtype) for v in latents}
    state = {**observed, **means}
    damped = {**params, "damping": np.asarray(damping, executable.dtype)}
    change, passes, cycle = 0.0 if not latents else np.inf, 0, False
    before: dict[str, Array] = {}
    while passes < iterations and change >= tol and not cycle:
        earlier, before = before, {name: mean.copy() for name, mean in means.items()}
        if parallel:
            best = executable.evaluate(MeanFieldUpdate(names), damped, state, threads=threads)
            for name, mean in means.items():
                mean[...] = (1 - damping) * best[name] + damping * mean
        else:
            executable.relax(MeanField(names), damped, state, threads=threads)
        change = _largest_change(means, before)
        cycle = parallel and bool(earlier) and change >= tol and _largest_change(means, earlier) < tol
        passes += 1
    bound = executable.evaluate(MeanFieldBound(names), damped, state, threads=threads)["bound"]
    return MeanFieldResult(means, bound, change < tol, passes, change, not parallel, cycle)


def _largest_change(means: Arrays, before: Arrays) -> float:
    return max(float(np.abs(means[name] - before[name]).max()) for name in means)


def _check_options(iterations: int, tol: float, damping: float) -> None:
    if isinstance(iterations, bool) or not isinstance(iterations, int) or iterations < 1:
        raise ArgumentError(f"iterations={iterations!r}: expected an integer, at least 1.")
    if not tol >= 0:
        raise ArgumentError(f"tol={tol!r}: expected a number, at least 0.")
    if not 0 <= damping < 1:
        raise ArgumentError(f"damping={damping!r}: expected a number from 0 to below 1.")


def _uniform_means(variable: Variable, rows: int, dtype: str) -> Array:
    shape = (rows, *(axis.size for axis in access_axes(variable)))
    match variable.domain:
        case Binary() if variable.exclusive:
            return np.full(shape, 1.0 / (1 + group_size(variable)), dtype)
        case Spin():
            return np.zeros(shape, dtype)
        case Categorical(states):
            return np.full(shape, 1.0 / states, dtype)
        case _:
            return np.full(shape, 0.5, dtype)
