"""Sums over discrete states of integrals over real units that interact: log-sums and their gradients, exactly.

Given the discrete units the energy is a quadratic form in the real ones. Its integral has a closed form, and the mean
of any quadratic function under its normal law is the mean over 2d points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import NumericsError
from pgmc.ir.queries import Conditional, Energy, Gradient
from pgmc.ir.symbols import Variable, shape_of
from pgmc.runtime.joint_states import repeat_rows, state_chunks, tile_rows

if TYPE_CHECKING:
    from pgmc.runtime.executable import Executable

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]

CHUNK = 1 << 22
"""A chunk of states has matrices of about this many numbers."""


def joint_block(executable: Executable) -> Variable | None:
    """The only real variable of a model, if its units interact and have a joint normal law."""
    if len(executable.real) != 1 or executable.continuous != executable.real:
        return None
    (variable,) = executable.real
    if not variable.axes or not executable.is_joint(variable.name):
        return None
    return variable


@dataclass(frozen=True)
class _Batch:
    """Some states of the discrete units for every row: log ∫ exp(-E), and the normal law of the real units."""

    state: dict[str, Array]
    log_terms: Array  # (rows, states)
    field: Array  # (rows · states, d)
    matrix: Array  # (rows · states, d, d)


@dataclass(frozen=True)
class JointSum:
    """Σ ∫ exp(-E) over every state of ``free`` and all values of the real units of ``block``, for each row of given.

    With exp(-E) ∝ exp(field · x - ½ x · Λ · x) the integral is exp(-E(0) + ½ field Λ⁻¹ field) (2π)^(d/2) |Λ|^(-1/2).

    Attributes
    ----------
    executable
        The compiled model.
    block
        The real variable, see ``joint_block``.
    free
        All other variables that are not given.
    given
        Inputs, ``(rows, *shape)`` each.
    rows
        The number of rows of ``given`` (1 if it is empty).
    """

    executable: Executable
    block: Variable
    free: tuple[Variable, ...]
    given: Arrays
    rows: int = 1
    threads: int | None = None

    def log_sums(self, params: Arrays) -> Array:
        """The logarithm of the sum, ``(rows,)``, in nats.

        Raises
        ------
        NumericsError
            If a matrix is not positive definite, or an energy is not a number.
        """
        total = np.full(self.rows, -np.inf)
        for batch in self._batches(params):
            total = np.logaddexp(total, np.logaddexp.reduce(batch.log_terms, axis=1))
        return total

    def mean_gradient(
        self, params: Arrays, wrt: tuple[str, ...], shares: Array | None = None
    ) -> tuple[Array, dict[str, Array]]:
        """The log-sums, and the mean over the rows of E[∂E/∂θ] under p ∝ exp(-E); as of ``StateSum``.

        ∂E/∂θ is a quadratic function of the real units too. Its mean under a normal law is that over the 2d points
        mean ± √d · (columns of a square root of the covariance), which have the same mean and covariance.
        """
        share = np.full(self.rows, 1.0 / self.rows) if shares is None else shares
        log_sums, gradient = self.log_sums(params), dict[str, Array]()
        for batch in self._batches(params):
            weights = (share[:, None] * np.exp(batch.log_terms - log_sums[:, None])).ravel()
            points = _sigma_points(batch.field, batch.matrix)
            count = points.shape[1]
            values = points.reshape(-1, *shape_of(self.block)).astype(self.executable.dtype)
            state = repeat_rows(batch.state, count) | {self.block.name: values}
            each = np.repeat(weights / count, count)
            part = self.executable.evaluate(Gradient(Energy(), wrt), params, state, weights=each, threads=self.threads)
            for name, value in part.items():
                gradient[name] = gradient.get(name, np.float64(0.0)) + value
        return log_sums, gradient

    def _batches(self, params: Arrays) -> Iterator[_Batch]:
        size = int(np.prod(shape_of(self.block)))
        length = max(1, CHUNK // size**2 // self.rows)
        for chunk in state_chunks(self.free, self.executable.dtype, length) if self.free else [{}]:
            yield self._batch(params, chunk, size)

    def _batch(self, params: Arrays, chunk: Arrays, size: int) -> _Batch:
        executable, shape = self.executable, shape_of(self.block)
        length = len(next(iter(chunk.values()))) if chunk else 1
        count = self.rows * length
        state = tile_rows(chunk, self.rows) | repeat_rows(self.given, length)
        asked = executable.evaluate(Conditional(self.block.name), params, state, threads=self.threads)
        field = np.broadcast_to(asked["field"], (count, *shape)).reshape(count, size).astype(np.float64)
        matrix = np.broadcast_to(asked["precision"], (count, *asked["precision"].shape[1:]))
        matrix = matrix.reshape(count, size, size).astype(np.float64)
        origin = {self.block.name: np.zeros((count, *shape), dtype=executable.dtype)}
        energy = executable.evaluate(Energy(), params, state | origin, threads=self.threads)["energy"]
        if np.isnan(energy).any() or np.isneginf(energy).any():
            raise NumericsError("The energy of some state is NaN or -inf, so log Z does not exist.")
        pulled = (field * np.linalg.solve(matrix, field[..., None])[..., 0]).sum(axis=1)
        log_terms = -energy + 0.5 * (pulled - np.linalg.slogdet(matrix)[1] + size * np.log(2.0 * np.pi))
        return _Batch(state, log_terms.reshape(self.rows, length), field, matrix)


def _sigma_points(field: Array, matrix: Array) -> Array:
    """The 2d points of each normal law, ``(n, 2d, d)``."""
    size = field.shape[1]
    mean = np.linalg.solve(matrix, field[..., None])[..., 0]
    # Λ = L Lᵀ, so that the columns of L⁻ᵀ, which are the rows of L⁻¹, make up the covariance.
    root = np.linalg.inv(np.linalg.cholesky(matrix)) * np.sqrt(size)
    return np.concatenate([mean[:, None] + root, mean[:, None] - root], axis=1)
