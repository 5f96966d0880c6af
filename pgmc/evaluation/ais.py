"""Annealed importance sampling of log Z, forward and reverse.

The path is p_β ∝ exp(-(1-β) E₀ - β E) from independent units (β = 0) to the model (β = 1). Weights are
taken on the units s that cannot be summed out analytically, with the free energy F_β(s) over the others
(Rao-Blackwellised), which lowers their variance and never raises it. A transition draws the summed-out
units given s and then s: it leaves p_β(s) as it is, and its time reversal draws them given s and then
updates s in the reversed order.

References
----------
Neal (2001), Annealed importance sampling. Salakhutdinov and Murray (2008), On the quantitative analysis
of deep belief networks. Grosse, Ghahramani and Adams (2015), Sandwiching the marginal likelihood using
bidirectional Monte Carlo.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError, NumericsError
from pgmc.evaluation.base import base_fields, base_log_partition, check_base, draw_continuous_base
from pgmc.evaluation.estimates import (
    LogPartition,
    bootstrap_interval,
    log_mean_error,
    log_mean_exp,
    normalised_weights,
    weight_sample_size,
)
from pgmc.evaluation.exact import input_rows
from pgmc.ir.queries import Energy, Ensemble, FreeEnergy, Sweep, TemperatureStep
from pgmc.runtime.joint_states import first_states, repeat_rows
from pgmc.runtime.state import encode_state
from pgmc.runtime.streams import Stream

if TYPE_CHECKING:
    from pgmc.runtime.executable import Executable

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]
Direction: TypeAlias = Literal["ais", "reverse-ais"]

STEEPNESS = 4.0
"""The default schedule is a sigmoid from -4 to 4: short steps at both ends, where F changes fastest."""


def sigmoid_betas(count: int) -> Array:
    """``count + 1`` inverse temperatures from 0 to 1, spaced as a sigmoid."""
    curve = 1.0 / (1.0 + np.exp(-np.linspace(-STEEPNESS, STEEPNESS, count + 1)))
    betas = (curve - curve[0]) / (curve[-1] - curve[0])
    betas[0], betas[-1] = 0.0, 1.0
    return np.asarray(betas)


@dataclass(frozen=True)
class _Path:
    """The annealed laws of one model and how to move under each."""

    executable: Executable
    params: dict[str, Array]
    betas: Array
    summed: tuple[str, ...]
    rest: tuple[str, ...]
    stream: Stream
    threads: int | None

    def move(self, state: dict[str, Array], step: int, *, backward: bool = False) -> None:
        """One transition that leaves p_β of ``step`` as it is, in place.

        The two halves are asked for one after the other: the units that are summed out must all be new
        before the first of the rest is drawn, or the weights would not belong to the chain. They share a
        sweep number, since random numbers are told apart by unit.
        """
        state["inverse_temperature"] = np.full(_rows(state), self.betas[step], dtype=self.executable.dtype)
        halves = [Sweep(self.summed, ensemble=Ensemble.ANNEALED)] if self.summed else []
        halves += [Sweep(self.rest, backward=backward, ensemble=Ensemble.ANNEALED)] if self.rest else []
        for half in halves:
            self.executable.sweep(half, self.params, state, stream=self.stream, first_sweep=step, threads=self.threads)

    def log_ratio(self, state: dict[str, Array], step: int) -> Array:
        """log p_β(step) / p_β(step-1) of s, unnormalised: F_β(s) at the one minus F_β(s) at the other, in nats."""
        model = self.executable.model
        potential = FreeEnergy(self.rest, Ensemble.ANNEALED) if self.summed else Energy(Ensemble.ANNEALED)
        names = {
            *(self.rest if self.summed else (v.name for v in model.variables)),
            *(i.name for i in model.inputs),
        }
        asked = {name: state[name] for name in state if name in names}
        for name, beta in (("", self.betas[step - 1]), ("next_", self.betas[step])):
            asked[f"{name}inverse_temperature"] = np.full(_rows(state), beta, dtype=self.executable.dtype)
        answer = self.executable.evaluate(TemperatureStep(potential), self.params, asked, threads=self.threads)
        return next(iter(answer.values()))


def _rows(state: Arrays) -> int:
    return len(next(iter(state.values())))


def estimate_log_partition_ais(
    executable: Executable,
    params: Arrays,
    inputs: Arrays | None = None,
    *,
    method: Direction = "ais",
    chains: int = 100,
    betas: int | Sequence[float] | Array = 1000,
    data: Arrays | None = None,
    base: Arrays | None = None,
    start: Arrays | None = None,
    burn_in: int = 100,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LogPartition:
    """log Z by annealed importance sampling.

    Forward, each chain starts from an exact draw of the base and log w += F_{β_{k-1}}(s) - F_{β_k}(s)
    before it moves under β_k; log Z is estimated by log Z_base + log mean w. In reverse, chains start
    from the model and anneal down with time-reversed transitions; the mean of 1/w estimates Z_base / Z.

    Parameters
    ----------
    executable
        The compiled model.
    params
        Parameter arrays of the declared shapes.
    inputs
        For a conditional model, name -> ``(n, *shape)``; each row is annealed by ``chains`` chains of its
        own.
    method
        ``"ais"``, a stochastic lower bound of log Z, or ``"reverse-ais"``, a stochastic upper bound as
        far as the chains start from the model. Together they are a sandwich.
    chains
        Number of independent chains.
    betas
        The number of steps (a sigmoid schedule is then used), or the inverse temperatures from 0 to 1
        themselves.
    data
        Name of some variables -> ``(m, *shape)``: the base is matched to the means of these data. Without it the base
        is uniform, which takes many more steps where the model is far from uniform.
    base
        Name of some variables -> fields of the base, in the place of ``data``.
    start
        For ``"reverse-ais"``: states of the model, name of every variable -> ``(chains, *shape)``. Without it they
        are approximated: chains anneal up, are drawn with replacement by their weights, and do ``burn_in`` sweeps.
        The bound is then as good as these.
    seed
        Same seed, same numbers, whatever ``threads``.
    progress
        Called as ``progress(done, steps)`` after each step.

    Returns
    -------
    LogPartition
        In nats, with standard error, bootstrap interval and the effective sample size of the weights.

    Warns
    -----
    RuntimeWarning
        If the effective sample size is below a tenth of the chains.

    Raises
    ------
    ArgumentError
        If ``chains`` < 1, or ``betas`` does not rise from 0 to 1.
    DataError
        If ``data``, ``base`` or ``start`` have unknown names, or values of a wrong shape or range.
    NumericsError
        If a weight is not finite.
    """
    _check_counts(chains, burn_in, method)
    model, dtype, rows = executable.model, executable.dtype, input_rows(inputs)
    if base is not None:
        fields = check_base(model, base, dtype)
    else:
        fields = base_fields(model, dtype, None if data is None else encode_state(model, data, list(data), dtype))
    stream = Stream(seed, "annealed importance sampling")
    path = _build_path(executable, params, fields, _check_betas(betas, dtype), stream, threads)
    state = repeat_rows(inputs or {}, chains) | first_states(model.variables, rows * chains, dtype)
    report = progress or (lambda done, steps: None)
    if method == "ais":
        log_weights = _anneal_up(path, state, report)
    else:
        _start_from_model(path, state, start, burn_in, rows)
        log_weights = _anneal_down(path, state, report)
    base_value = base_log_partition(model, path.params, inputs)
    weights = np.repeat(base_value, chains) + log_weights if np.ndim(base_value) else base_value + log_weights
    if inputs:
        weights = weights.reshape(rows, chains)
    return _summarise(weights, base_value, method, path.stream.child("bootstrap").generator())


def _build_path(
    executable: Executable, params: Arrays, fields: Arrays, betas: Array, stream: Stream, threads: int | None
) -> _Path:
    summed = tuple(executable.eliminable())
    rest = tuple(v.name for v in executable.model.variables if v.name not in summed)
    return _Path(executable, {**params, **fields}, betas, summed, rest, stream, threads)


def _check_counts(chains: int, burn_in: int, method: str) -> None:
    if chains < 1:
        raise ArgumentError(f"chains must be at least 1, got {chains}.")
    if burn_in < 0:
        raise ArgumentError(f"burn_in must be at least 0, got {burn_in}.")
    if method not in ("ais", "reverse-ais"):
        raise ArgumentError(f"method must be 'ais' or 'reverse-ais', got {method!r}.")


def _check_betas(betas: int | Sequence[float] | Array, dtype: str) -> Array:
    """The schedule, rounded to the program's type: so that the weights telescope exactly."""
    if isinstance(betas, int | np.integer):
        if betas < 1:
            raise ArgumentError(f"betas: the number of steps must be at least 1, got {betas}.")
        return sigmoid_betas(int(betas)).astype(dtype).astype(np.float64)
    values = np.asarray(betas, dtype=np.float64)
    rising = values.ndim == 1 and len(values) >= 2 and bool(np.all(np.diff(values) >= 0))
    if not rising or values[0] != 0.0 or values[-1] != 1.0:
        raise ArgumentError("betas must be a number of steps, or inverse temperatures that rise from 0 to 1.")
    return values.astype(dtype).astype(np.float64)


def _anneal_up(path: _Path, state: dict[str, Array], report: Callable[[int, int], None]) -> Array:
    """log weights (chains,) from the base to the model; ``state`` ends near p at the last β but one."""
    _draw_from_base(path, state)
    total = np.zeros(_rows(state))
    steps = len(path.betas) - 1
    for step in range(1, steps + 1):
        total += path.log_ratio(state, step)
        if step < steps:
            path.move(state, step)
        report(step, steps)
    return total


def _draw_from_base(path: _Path, state: dict[str, Array]) -> None:
    """An exact draw: units of the base are independent, so a sweep at β = 0 draws those that have values to list.

    Real and positive ones are drawn here, as the law that a sweep draws them from need not have a form at β = 0.
    """
    drawn = draw_continuous_base(path.executable.continuous, path.params, _rows(state), path.stream.child("base"))
    state.update({name: values.astype(path.executable.dtype) for name, values in drawn.items()})
    halves = [tuple(name for name in half if name not in drawn) for half in (path.summed, path.rest)]
    replace(path, summed=halves[0], rest=halves[1]).move(state, 0)


def _anneal_down(path: _Path, state: dict[str, Array], report: Callable[[int, int], None]) -> Array:
    """The same sum along a chain that starts at the model and ends at the base."""
    total = np.zeros(_rows(state))
    steps = len(path.betas) - 1
    for step in range(steps, 0, -1):
        total += path.log_ratio(state, step)
        if step > 1:
            path.move(state, step - 1, backward=True)
        report(steps - step + 1, steps)
    return total


def _start_from_model(path: _Path, state: dict[str, Array], start: Arrays | None, burn_in: int, rows: int) -> None:
    """Put states of the model into ``state``: those given, or those that annealing up and mixing reach."""
    if start is not None:
        model, chains = path.executable.model, _rows(state)
        kept = {name: start[name] for name in path.rest if name in start}
        given = encode_state(model, kept, path.rest, path.executable.dtype, copy=True)
        if given and _rows(given) != chains:
            raise ArgumentError(f"start must have one state for each of the {chains} chains, got {_rows(given)}.")
        state.update(given)
        return
    _draw_from_model(replace(path, stream=path.stream.child("start")), state, rows)
    mixing = replace(path, stream=path.stream.child("burn-in"), betas=np.ones(burn_in))
    for sweep in range(burn_in):
        mixing.move(state, sweep)


def _draw_from_model(path: _Path, state: dict[str, Array], rows: int) -> None:
    """Anneal up, then draw chains with replacement by their weights (within each row of inputs): nearly the model."""
    log_weights = _anneal_up(path, state, lambda done, steps: None).reshape(rows, -1)
    chains = log_weights.shape[1]
    running = np.cumsum(normalised_weights(log_weights), axis=1)
    # Systematic resampling: one uniform number for each row, the chain at each of `chains` equal steps.
    begin = path.stream.child("resampling").generator().random((rows, 1))
    marks = (begin + np.arange(chains)) / chains * running[:, -1:]
    chosen = np.stack([np.searchsorted(r, m, side="right") for r, m in zip(running, marks, strict=True)])
    place = (np.arange(rows)[:, None] * chains + np.minimum(chosen, chains - 1)).ravel()
    for variable in path.executable.model.variables:
        state[variable.name] = np.ascontiguousarray(state[variable.name][place])


def _summarise(log_weights: Array, base: float, method: Direction, generator: np.random.Generator) -> LogPartition:
    if np.isnan(log_weights).any() or not np.isfinite(log_weights.max()):
        raise NumericsError("An importance weight is not finite. Look for parameters that are not finite.")
    sign = 1.0 if method == "ais" else -1.0  # in reverse it is 1/w that is averaged
    value, error = sign * log_mean_exp(sign * log_weights), log_mean_error(sign * log_weights)
    ends = bootstrap_interval(sign * log_weights, generator)
    low, high = ends if sign > 0 else (-ends[1], -ends[0])
    size, chains = weight_sample_size(sign * log_weights), log_weights.shape[-1]
    if chains > 1 and np.min(size) < 0.1 * chains:
        warnings.warn(
            f"The effective sample size of the weights is {np.min(size):.1f} of {chains} chains: do not trust "
            "this estimate of log Z nor its error. "
            "Use more steps (betas=), or a base nearer to the model (data=).",
            RuntimeWarning,
            stacklevel=4,
        )
    return LogPartition(
        _number(value),
        _number(error),
        method,
        (_number(low), _number(high)),
        _number(size),
        log_weights,
        base,
    )


def _number(value: Array) -> float | Array:
    return float(value) if value.ndim == 0 else value
