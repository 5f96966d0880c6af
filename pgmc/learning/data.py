"""Data of a fit, checked and in the types that the run time wants; some are drawn anew in every epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy.typing as npt

from pgmc.errors import DataError
from pgmc.learning.binarization import Resampled
from pgmc.learning.resume import describe_arrays
from pgmc.runtime.state import encode_state

if TYPE_CHECKING:
    from pgmc.runtime.executable import Executable

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a fit is trained on.

    Attributes
    ----------
    first
        The data of the first epoch, encoded.
    redrawn
        Those of them that every epoch draws anew.
    """

    executable: Executable
    first: Arrays
    redrawn: Mapping[str, Resampled]

    @classmethod
    def encode(cls, executable: Executable, data: Mapping[str, Any]) -> TrainingData:
        """The checked data.

        Raises
        ------
        DataError
            As ``encode_data``.
        """
        if not isinstance(data, Mapping):
            return cls(executable, encode_data(executable, data, "data"), {})  # which says what is wrong
        redrawn = {name: value for name, value in data.items() if isinstance(value, Resampled)}
        return cls(executable, encode_data(executable, _drawn(data, redrawn, 0), "data"), redrawn)

    def at(self, epoch: int) -> Arrays:
        """The data of an epoch, counted from 0."""
        if not self.redrawn or epoch == 0:
            return self.first
        names = tuple(self.redrawn)
        state = encode_state(self.executable.model, _drawn({}, self.redrawn, epoch), names, self.executable.dtype)
        return {**self.first, **state}

    def describe(self) -> str:
        """What another fit must have in common with this one."""
        rows = len(next(iter(self.first.values())))
        text = f"{rows} rows, {describe_arrays(self.first)}"
        if self.redrawn:
            digest = describe_arrays({name: own.intensities for name, own in self.redrawn.items()})
            seeds = ", ".join(f"{name} redrawn with seed {own.seed}" for name, own in self.redrawn.items())
            text = f"{text}; {seeds}, {digest}"
        return text


def _drawn(data: Mapping[str, Any], redrawn: Mapping[str, Resampled], epoch: int) -> dict[str, Any]:
    return {**data, **{name: own.draw(epoch) for name, own in redrawn.items()}}


def encode_data(
    executable: Executable, data: Mapping[str, Any], what: str, like: Mapping[str, Any] | None = None
) -> Arrays:
    """Arrays of the observed variables and the inputs, ``(n, *shape)`` each.

    Raises
    ------
    DataError
        If a name is unknown, an input or every variable is missing, the numbers of rows differ, or values are not in
        a variable's domain; with ``like``, if other names are given than those.
    """
    model = executable.model
    if not isinstance(data, Mapping):
        raise DataError(f"{what} must be a dict of arrays by name, got {type(data).__name__}.")
    variables, inputs = [v.name for v in model.variables], [v.name for v in model.inputs]
    for name, value in data.items():
        if isinstance(value, Resampled):
            raise DataError(
                f"{what}: {name!r} is redrawn in every epoch, and its metrics would change by that alone. Binarize it "
                "by the scheme 'sample'."
            )
    unknown = [name for name in data if name not in variables and name not in inputs]
    if unknown:
        known = f"variables {variables}" + (f" and inputs {inputs}" if inputs else "")
        raise DataError(f"{what}: the model has no variable or input {unknown[0]!r}; it has {known}.")
    if not any(name in data for name in variables):
        raise DataError(f"{what}: give at least one of the variables {variables}.")
    if like is not None and set(data) != set(like):
        raise DataError(f"{what}: give the same names as for training, {sorted(like)}, not {sorted(data)}.")
    names = [name for name in variables if name in data] + inputs
    return encode_state(model, data, names, executable.dtype)
