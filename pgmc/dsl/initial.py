"""Initial values of all parameters, from one seed."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.dsl.location import complaint
from pgmc.errors import ArgumentError, ModelError
from pgmc.ir.constraints import initial_value
from pgmc.ir.memory import machine_memory
from pgmc.ir.symbols import Parameter, shape_of

_SEEDS = 2**64


def initial_values(
    parameters: tuple[Parameter, ...], seed: int | None, dtype: npt.DTypeLike
) -> dict[str, npt.NDArray[Any]]:
    """Name to initial value of each parameter."""
    kind = _checked_dtype(dtype)
    number = secrets.randbits(64) if seed is None else _checked_seed(seed)
    _check_memory(parameters, kind)
    return {p.name: initial_value(p, _generator(number, p.name), kind) for p in parameters}


def _generator(seed: int, name: str) -> np.random.Generator:
    """A stream of its own for each parameter, apart from every other use of the same seed."""
    key = hashlib.blake2b(f"pgmc initial value\n{seed}\n{name}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))


def _checked_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    try:
        kind = np.dtype(dtype)
    except TypeError:
        kind = np.dtype(object)
    if kind not in (np.dtype("float32"), np.dtype("float64")):
        raise complaint(ArgumentError, f"dtype={ascii(dtype)[:40]}", "it is not supported", "Use float32 or float64.")
    return kind


def _checked_seed(seed: object) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < _SEEDS:
        reason = "a seed is an integer from 0 to 2**64 - 1"
        raise complaint(ArgumentError, f"seed={ascii(seed)[:40]}", reason, "Give such an integer, or None.")
    return int(seed)


def _check_memory(parameters: tuple[Parameter, ...], dtype: np.dtype[Any]) -> None:
    """Refuse before allocating what the machine cannot hold."""
    memory, total = machine_memory(), 0
    for parameter in parameters:
        size = dtype.itemsize
        for axis in shape_of(parameter):
            size *= axis
        total += size
        if memory is not None and total > memory:
            reason = f"the parameters need {total} bytes so far, and this machine has {memory}"
            raise complaint(ModelError, f"parameter '{parameter.name}'", reason, "Use smaller arrays.")
