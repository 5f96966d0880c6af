"""Inverse temperatures of plain sampling: a number, one per chain, or a schedule."""

from __future__ import annotations

from typing import Any

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.runtime.kernels import Array, Dtype

TEMPERATURE = "inverse_temperature"


def encode_temperatures(value: Any, chains: int, sweeps: int, dtype: Dtype) -> Array | None:
    """Inverse temperatures as rows of ``(chains,)``: one row, or one for each sweep; None if all are 1.

    Raises
    ------
    ArgumentError
        If they are not finite numbers from 0 on, or their shape says neither chains nor sweeps, or both.
    """
    try:
        beta = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{TEMPERATURE}: expected numbers, got {value!r}.") from error
    if not (np.isfinite(beta).all() and (beta >= 0).all()):
        raise ArgumentError(f"{TEMPERATURE}: expected finite numbers, at least 0, got {value!r}.")
    if beta.ndim == 1 and chains == sweeps == len(beta) > 1:
        raise ArgumentError(
            f"{TEMPERATURE}: {chains} numbers for {chains} chains and as many sweeps. "
            f"Give the shape (1, {chains}) for one per chain, or ({sweeps}, 1) for one per sweep."
        )
    if beta.shape == (sweeps,):
        beta = beta[:, None]
    elif beta.ndim <= 1:
        beta = beta.reshape(1, -1)
    if beta.ndim != 2 or beta.shape[0] not in (1, sweeps) or beta.shape[1] not in (1, chains):
        raise ArgumentError(
            f"{TEMPERATURE}: got the shape {np.shape(value)}. Expected a number, one per chain ({chains},), "
            f"or one per sweep ({sweeps},)."
        )
    if (beta == 1).all():
        return None
    return np.array(np.broadcast_to(beta, (len(beta), chains)), dtype=dtype, order="C")
