"""Saving a model with its parameters in one file, and loading it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import CheckpointError, DataError
from pgmc.ir.deserialise import model_from_data
from pgmc.ir.model import Model
from pgmc.ir.serialise import model_to_data
from pgmc.ir.specification import Specification, finish
from pgmc.ir.symbols import shape_of
from pgmc.learning.tensorfile import parse_json, read_tensors, write_tensors

Array: TypeAlias = npt.NDArray[Any]

KIND = "model"


def save(path: str | os.PathLike[str], model: Model | Specification, params: Mapping[str, Array]) -> None:
    """Save a model and its parameters in one safetensors file.

    The file holds the specification as JSON and every array as raw numbers: no pickle, no code. It is
    written beside its place and moved there when it is complete. Initialisers that are functions, and
    where the model was written, are not saved.

    Parameters
    ----------
    path
        The file, by convention with the ending ``.pgmc``.
    model
        The specification.
    params
        Name of each parameter -> array of the declared shape, float32 or float64.

    Raises
    ------
    DataError
        If a parameter is missing, unknown, of another shape or type, or not finite.
    CheckpointError
        If the description of the model exceeds 1 MiB.
    OSError
        If the file cannot be written; what was there before is then still there.
    """
    built = finish(model)
    data, arrays = model_to_data(built)
    tensors = {f"model.{name}": array for name, array in arrays.items()}
    tensors |= {f"param.{name}": array for name, array in _checked(built, params).items()}
    write_tensors(path, KIND, tensors, {"model": json.dumps(data, separators=(",", ":"))})


def load(path: str | os.PathLike[str]) -> tuple[Model, dict[str, Array]]:
    """Load what ``save`` wrote. Nothing is compiled or run.

    Parameters
    ----------
    path
        A regular file; links are not followed.

    Returns
    -------
    model, params
        The specification, and name -> array in the type in which it was saved.

    Raises
    ------
    CheckpointError
        If there is no such file, or it is damaged, truncated, of a later version or not a model: always
        this error.
    """
    tensors, text = read_tensors(path, KIND)
    try:
        if set(text) != {"model"}:
            raise CheckpointError("it has no model.")
        own = _with_head(tensors, "model.")
        params = _with_head(tensors, "param.")
        if len(own) + len(params) != len(tensors):
            raise CheckpointError("it holds arrays that belong to nothing.")
        model = model_from_data(parse_json(text["model"]), own)
        return model, _checked(model, params)
    except (CheckpointError, DataError) as error:
        raise CheckpointError(f"{os.fspath(path)}: {error}") from None


def _with_head(tensors: Mapping[str, Array], head: str) -> dict[str, Array]:
    return {name[len(head) :]: array for name, array in tensors.items() if name.startswith(head)}


def _checked(model: Model, params: Mapping[str, Any]) -> dict[str, Array]:
    """The parameters in declaration order, each of its shape, real, finite, and positive where it must be."""
    names = {parameter.name for parameter in model.trained}
    if names != set(params):
        raise DataError(
            f"params: expected {sorted(names)}, got {sorted(map(str, params))}. Give every parameter of the model."
        )
    checked: dict[str, Array] = {}
    for parameter in model.trained:
        name, shape = parameter.name, shape_of(parameter)
        array = np.asarray(params[name])
        if array.shape != shape or array.dtype.newbyteorder("=") not in (np.float32, np.float64):
            raise DataError(
                f"params: {name} must be float32 or float64 of shape {shape}, got {array.dtype} {array.shape}."
            )
        if not np.isfinite(array).all():
            raise DataError(f"params: {name} has values that are not finite.")
        if parameter.constraint.positive and not (array > 0).all():
            raise DataError(f"params: {name} is declared positive, and its smallest value is {array.min()}.")
        checked[name] = array
    return checked
