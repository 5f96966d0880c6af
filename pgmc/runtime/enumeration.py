"""Sums over every joint state: log-sums and their gradients, without sampling.

Whatever the structure lets us sum out analytically is summed out; only the states of the other variables
are visited, in chunks, with a streaming logsumexp in float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import IntractableError, NumericsError
from pgmc.ir.queries import Energy, FreeEnergy, Gradient
from pgmc.ir.symbols import Variable, shape_of
from pgmc.runtime.joint_states import cardinalities, count_states, repeat_rows, state_chunks, tile_rows

if TYPE_CHECKING:
    from pgmc.runtime.executable import Executable

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]

MAX_STATES = 1 << 24
"""More joint states than this are refused."""

CHUNK_ELEMENTS = 1 << 22
"""A chunk of states holds about this many unit values, those summed out included."""

CHUNK_ROWS = 1 << 16
"""Never more rows than this in a chunk."""


@dataclass(frozen=True)
class _Batch:
    """F of every state (or of a chunk of them) for each of some rows of ``given``."""

    rows: slice
    state: dict[str, Array]
    energies: Array  # (rows, states)


@dataclass(frozen=True)
class StateSum:
    """Σ exp(-F) over every joint state of ``free``, for each row of ``given``.

    F is the free energy of the free and the given variables: what is in neither is summed out
    analytically. Where nothing is left to sum out, it is the energy.

    Attributes
    ----------
    executable
        The compiled model.
    free
        The variables whose states are enumerated.
    given
        Values of other variables and of inputs, ``(rows, *shape)`` each.
    rows
        The number of rows of ``given`` (1 if it is empty).
    """

    executable: Executable
    free: tuple[Variable, ...]
    given: Arrays
    rows: int = 1
    threads: int | None = None

    @property
    def query(self) -> Energy | FreeEnergy:
        """What is asked of each state."""
        held = {*(v.name for v in self.free), *self.given}
        observed = tuple(v.name for v in self.executable.model.variables if v.name in held)
        return Energy() if len(observed) == len(self.executable.model.variables) else FreeEnergy(observed)

    def log_sums(self, params: Arrays) -> Array:
        """log Σ exp(-F), ``(rows,)``, in nats."""
        return self._log_sums(self._batches(params))

    def _log_sums(self, batches: Iterable[_Batch]) -> Array:
        total = np.full(self.rows, -np.inf)
        for batch in batches:
            total[batch.rows] = np.logaddexp(total[batch.rows], _log_sum_exp(-batch.energies))
        return total

    def probabilities(self, params: Arrays) -> Array:
        """p(state of free | given) of every joint state, ``(rows, states)``."""
        batches = list(self._batches(params))
        log_sums = self._log_sums(batches)
        parts = [np.exp(-b.energies - log_sums[b.rows, None]) for b in batches]
        by_rows: dict[int, list[Array]] = {}
        for batch, part in zip(batches, parts, strict=True):
            by_rows.setdefault(batch.rows.start, []).append(part)
        return np.concatenate([np.concatenate(chunks, axis=1) for chunks in by_rows.values()])

    def mean_gradient(
        self, params: Arrays, wrt: tuple[str, ...], shares: Array | None = None
    ) -> tuple[Array, dict[str, Array]]:
        """log Σ exp(-F) of each row, and the mean over the rows of E[∂F/∂θ] under p(state) ∝ exp(-F).

        The second is minus the gradient of the mean of the first. ``shares`` weights the rows, 1/rows by
        default.
        """
        share = np.full(self.rows, 1.0 / self.rows) if shares is None else shares
        # Energies are worked out once where all batches fit in memory, else a second time: never held by
        # the million.
        small = self.rows * count_states(self.free) <= CHUNK_ROWS
        held = list(self._batches(params)) if small else None
        log_sums = self._log_sums(held or self._batches(params))
        query, gradient = Gradient(self.query, wrt), dict[str, Array]()
        for batch in held or self._batches(params):
            probability = np.exp(-batch.energies - log_sums[batch.rows, None])
            weights = (share[batch.rows, None] * probability).ravel()
            part = self.executable.evaluate(query, params, batch.state, weights=weights, threads=self.threads)
            for name, value in part.items():
                gradient[name] = gradient.get(name, np.float64(0.0)) + value
        return log_sums, gradient

    def _batches(self, params: Arrays) -> Iterator[_Batch]:
        states, size = count_states(self.free), self._chunk_rows()
        group = max(1, size // states)
        for first in range(0, self.rows, group):
            rows = slice(first, min(first + group, self.rows))
            taken = {name: values[rows] for name, values in self.given.items()}
            for chunk in state_chunks(self.free, self.executable.dtype, size):
                length = len(next(iter(chunk.values()))) if chunk else 1
                state = tile_rows(chunk, rows.stop - rows.start) | repeat_rows(taken, length)
                yield _Batch(rows, state, self._energies(params, state).reshape(-1, length))

    def _chunk_rows(self) -> int:
        units = sum(math.prod(shape_of(v)) for v in self.executable.model.variables)
        return min(max(CHUNK_ELEMENTS // max(units, 1), 256), CHUNK_ROWS)

    def _energies(self, params: Arrays, state: dict[str, Array]) -> Array:
        name = "energy" if isinstance(self.query, Energy) else "free_energy"
        values = self.executable.evaluate(self.query, params, state, threads=self.threads)[name]
        if np.isnan(values).any() or np.isneginf(values).any():
            raise NumericsError(
                "The energy of some state is NaN or -inf, so log Z does not exist. "
                "Look for parameters that are not finite, or for a function outside its domain."
            )
        return np.asarray(values, dtype=np.float64)


def _log_sum_exp(values: Array) -> Array:
    """Over the last axis; -inf where every value is."""
    top = values.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(top[..., 0] + np.log(np.exp(values - top).sum(axis=-1)))


def enumerated_variables(executable: Executable) -> tuple[Variable, ...]:
    """The variables whose states are visited: those that cannot be summed out analytically together."""
    eliminated = set(executable.eliminable())
    return tuple(v for v in executable.model.variables if v.name not in eliminated)


def check_enumerable(executable: Executable, free: tuple[Variable, ...], limit: int = MAX_STATES) -> None:
    """Refuse an enumeration of more than ``limit`` joint states.

    Raises
    ------
    IntractableError
        With the number of states and what to do instead.
    """
    bits = sum(map(math.log2, cardinalities(free)))
    if bits <= math.log2(limit) and count_states(free) <= limit:
        return
    free_names = [v.name for v in free]
    summed = [v.name for v in executable.model.variables if v.name not in free_names]
    raise IntractableError(
        f"log Z of model {executable.model.name!r}: {', '.join(free_names)} have 2^{bits:.1f} joint states"
        + (f" (after {', '.join(summed)} are summed out analytically)" if summed else "")
        + f", more than the limit of {limit} (2^{math.log2(limit):.0f}). "
        "Use annealed importance sampling (method='ais'), or a smaller model."
    )
