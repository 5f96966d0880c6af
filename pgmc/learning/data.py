"""Data of a fit, checked and in the types that the run time wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy.typing as npt

from pgmc.errors import DataError
from pgmc.runtime.state import encode_state

if TYPE_CHECKING:
    from pgmc.runtime.executable import Executable

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]


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
