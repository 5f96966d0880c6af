"""log Z of real units that interact with one another, integrated out together for every state of the other units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import NumericsError
from pgmc.ir.queries import Conditional, Energy
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


def joint_log_sums(
    executable: Executable,
    params: Arrays,
    block: Variable,
    free: tuple[Variable, ...],
    given: Arrays,
    rows: int,
    threads: int | None = None,
) -> Array:
    """log Σ ∫ exp(-E) over the states of ``free`` and the real units of ``block``, for each row of inputs, in nats.

    With exp(-E) ∝ exp(field · x - ½ x · Λ · x) the integral is exp(-E(0) + ½ field Λ⁻¹ field) (2π)^(d/2) |Λ|^(-1/2).

    Raises
    ------
    NumericsError
        If a matrix is not positive definite, or an energy is not a number.
    """
    size = int(np.prod(shape_of(block)))
    total = np.full(rows, -np.inf)
    for chunk in state_chunks(free, executable.dtype, max(1, CHUNK // size**2)) if free else [{}]:
        length = len(next(iter(chunk.values()))) if chunk else 1
        state = tile_rows(chunk, rows) | repeat_rows(given, length)
        asked = executable.evaluate(Conditional(block.name), params, state, threads=threads)
        count = rows * length
        field = np.broadcast_to(asked["field"], (count, *shape_of(block))).reshape(count, size).astype(np.float64)
        matrix = np.broadcast_to(asked["precision"], (count, *asked["precision"].shape[1:]))
        matrix = matrix.reshape(count, size, size).astype(np.float64)
        origin = {block.name: np.zeros((count, *shape_of(block)), dtype=executable.dtype)}
        energy = executable.evaluate(Energy(), params, state | origin, threads=threads)["energy"]
        if np.isnan(energy).any() or np.isneginf(energy).any():
            raise NumericsError("The energy of some state is NaN or -inf, so log Z does not exist.")
        pulled = (field * np.linalg.solve(matrix, field[..., None])[..., 0]).sum(axis=1)
        log_terms = -energy + 0.5 * (pulled - np.linalg.slogdet(matrix)[1] + size * np.log(2.0 * np.pi))
        total = np.logaddexp(total, np.logaddexp.reduce(log_terms.reshape(rows, length), axis=1))
    return total
