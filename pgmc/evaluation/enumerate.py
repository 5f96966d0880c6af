"""Brute force over a small model, through the interpreter: the oracle for everything that is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import DataError, IntractableError, NumericsError
from pgmc.ir.interpret import interpret_energy
from pgmc.ir.model import Model
from pgmc.ir.specification import Specification, finish
from pgmc.ir.symbols import Binary, Categorical, Spin
from pgmc.runtime.joint_states import count_states, repeat_rows, state_chunks

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]

MAX_STATES = 1 << 20
"""More joint states than this are refused."""


@dataclass(frozen=True, eq=False)
class Enumeration:
    """Every joint state of a model with its probability; ``states, probabilities = enumeration`` unpacks
    it.

    Attributes
    ----------
    states
        Name of each variable -> ``(S, *shape)``, the last unit fastest.
    probabilities
        ``(S,)``, sum 1.
    energies
        ``(S,)`` in nats.
    log_partition
        log Z in nats.
    """

    states: dict[str, Array]
    probabilities: Array
    energies: Array
    log_partition: float

    def __iter__(self) -> Iterator[Any]:
        return iter((self.states, self.probabilities))

    def __len__(self) -> int:
        return len(self.probabilities)

    def __repr__(self) -> str:
        names = ", ".join(self.states)
        return f"Enumeration({len(self)} joint states of {names}; log Z = {self.log_partition:.6f} nats)"

    def expectation(self, values: Array) -> Array:
        """E[f], from the values ``(S, ...)`` of f in every state."""
        return np.asarray(np.tensordot(self.probabilities, values, axes=1))


def enumerate_states(
    model: Model | Specification, params: Arrays, inputs: Arrays | None = None, *, limit: int = MAX_STATES
) -> Enumeration:
    """Every joint state of a small discrete model and its probability, by brute force.

    p(x) = exp(-E(x)) / Z, with the energy of each state read off the specification by the interpreter:
    nothing here is derived or compiled.

    Parameters
    ----------
    model
        The specification.
    params
        Parameter arrays of the declared shapes.
    inputs
        For a conditional model, name -> one row, ``shape`` or ``(1, *shape)``.
    limit
        The largest number of joint states that is enumerated.

    Returns
    -------
    Enumeration
        States, probabilities, energies and log Z; it unpacks into the first two.

    Raises
    ------
    IntractableError
        If there are more than ``limit`` states, or a variable that is not discrete.
    NumericsError
        If the energy of a state is NaN or -inf, or +inf in every state.
    """
    model = finish(model)
    states = count_states(model.variables)
    if states > limit:
        raise IntractableError(
            f"Model {model.name!r} has {states:.3g} joint states, more than the limit of {limit}. "
            "Declare it at a smaller size, or compile it and use log_partition, which sums out what it can."
        )
    given = _one_row(model, inputs or {})
    chunks: list[dict[str, Array]] = []
    energies: list[Array] = []
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in params.items()}
    for chunk in state_chunks(model.variables, "float64", 1 << 14):
        rows = len(next(iter(chunk.values())))
        energies.append(interpret_energy(model, arrays, chunk | repeat_rows(given, rows)))
        chunks.append(chunk)
    energy = np.concatenate(energies)
    if np.isnan(energy).any() or np.isneginf(energy).any() or not np.isfinite(energy).any():
        raise NumericsError(f"Model {model.name!r}: the energy of some state is NaN or -inf, or no state is possible.")
    log_partition = float(np.logaddexp.reduce(-energy))
    probabilities = np.exp(-energy - log_partition)
    merged = {v.name: _user_type(v.domain, np.concatenate([c[v.name] for c in chunks])) for v in model.variables}
    return Enumeration(merged, probabilities / probabilities.sum(), energy, log_partition)


def _one_row(model: Model, inputs: Arrays) -> dict[str, Array]:
    given: dict[str, Array] = {}
    for symbol in model.inputs:
        shape = tuple(axis.size for axis in symbol.axes)
        values = np.asarray(inputs[symbol.name]) if symbol.name in inputs else None
        if values is None or values.shape not in (shape, (1, *shape)):
            got = "nothing" if values is None else f"shape {values.shape}"
            raise DataError(f"inputs: {symbol.name} must be one row of shape {shape}, got {got}.")
        given[symbol.name] = values.reshape(1, *shape)
    return given


def _user_type(domain: object, values: Array) -> Array:
    match domain:
        case Binary() | Spin():
            return values.astype(np.int8)
        case Categorical(states):
            return values.astype(np.min_scalar_type(states - 1))
        case _:
            return values
