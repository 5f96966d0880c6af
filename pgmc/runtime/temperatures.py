"""Inverse temperatures of plain sampling: a number, one per chain, or a schedule."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.ir.model import Model
from pgmc.ir.symbols import Binary, Categorical, Count, Spin
from pgmc.runtime.kernels import Array, Dtype
from pgmc.runtime.state import label

TEMPERATURE = "inverse_temperature"


def check_proper(model: Model, free: Collection[str], least: float) -> None:
    """Refuse β = 0 where it leaves no law: exp(-0) over unbounded values adds up to infinity.

    Raises
    ------
    ArgumentError
        If the least β is 0 and a free variable takes values without bound.
    """
    for variable in model.variables:
        bounded = isinstance(variable.domain, Binary | Spin | Categorical)
        bounded |= isinstance(variable.domain, Count) and variable.domain.total is not None
        if least == 0 and variable.name in free and not bounded:
            raise ArgumentError(
                f"{label(variable)}: at an inverse temperature of 0 it has no law, as exp(-0) over all its values has "
                "no finite sum. Use positive ones, such as pgmc.Tempering((0.1, 0.3, 1)); log Z by method='ais' starts "
                "from a law of its own."
            )


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
