"""log p(data) by importance sampling of the latent variables from the guide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError
from pgmc.evaluation.estimates import LogPartition, Number, log_mean_error, log_mean_exp, weight_sample_size
from pgmc.evaluation.likelihood import estimate_log_partition
from pgmc.runtime.guided import check_guide, draw_ancestrally, joint_energies
from pgmc.runtime.joint_states import repeat_rows
from pgmc.runtime.streams import Stream

if TYPE_CHECKING:
    from pgmc.runtime.executable import Executable

Array: TypeAlias = npt.NDArray[Any]

ROWS_AT_ONCE = 1 << 16
"""Draws that are weighed together, which bounds the memory."""


@dataclass(frozen=True, eq=False)
class LogLikelihood:
    """Estimates of log p of each row; NumPy takes it as the array of its values.

    Attributes
    ----------
    value
        ``(n,)`` log of the mean importance weight, in nats: on average a lower bound on log p.
    std_error
        ``(n,)`` its standard error, from the spread of the weights.
    effective_sample_size
        ``(n,)`` how many independent draws from the posterior the weights are worth.
    bound
        ``(n,)`` the mean log weight: an estimate of the lower bound E_q[log p(v, h) - log q(h | v)] on log p.
    """

    value: Array
    std_error: Array
    effective_sample_size: Array
    bound: Array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.value, dtype=dtype)

    def __len__(self) -> int:
        return len(self.value)

    def __str__(self) -> str:
        worth = float(np.median(self.effective_sample_size))
        return f"{self.value.mean():.3f} nats on average over {len(self)} rows, weights worth {worth:.1f} draws each"


def log_likelihood_through_guide(
    executable: Executable,
    params: Mapping[str, Array],
    data: Mapping[str, Array],
    samples: int,
    log_z: Number | LogPartition | None = None,
    *,
    seed: int | None = 0,
    threads: int | None = None,
) -> LogLikelihood:
    """log 1/K Σ_k p(v, h_k) / q(h_k | v) with h_k drawn from the guide.

    Raises
    ------
    ArgumentError
        If ``samples`` is below 2, there is no guide, or it does not draw what is latent.

    References
    ----------
    Burda, Grosse and Salakhutdinov (2016), Importance weighted autoencoders, equation 8.
    """
    if isinstance(samples, bool) or not isinstance(samples, int | np.integer) or samples < 2:
        raise ArgumentError(f"samples must be a whole number of at least 2, got {samples!r}.")
    observed = tuple(v.name for v in executable.model.variables if v.name in data)
    guide = check_guide(executable, observed, "log_likelihood")
    if log_z is None:
        inputs = {i.name: data[i.name] for i in executable.model.inputs} or None
        log_z = estimate_log_partition(executable, params, inputs, threads=threads)
    total = log_z.value if isinstance(log_z, LogPartition) else log_z
    rows, at_once = len(next(iter(data.values()))), max(1, ROWS_AT_ONCE // samples)
    stream, parts = Stream(seed, "importance"), []
    for k, first in enumerate(range(0, rows, at_once)):
        piece = {name: values[first : first + at_once] for name, values in data.items()}
        repeated = repeat_rows(piece, int(samples))
        count = len(next(iter(repeated.values())))
        state = draw_ancestrally(guide, params, repeated, count, stream, k, threads)
        logs = joint_energies(guide, params, state, threads) - joint_energies(executable, params, state, threads)
        parts.append(logs.reshape(-1, int(samples)))
    logs = np.concatenate(parts)
    return LogLikelihood(
        log_mean_exp(logs) - total, log_mean_error(logs), weight_sample_size(logs), logs.mean(axis=1) - total
    )
