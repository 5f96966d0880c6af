"""What the methods of a program are given: their types, their names and their checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy.typing as npt

from pgmc.errors import ArgumentError
from pgmc.ir.model import Model
from pgmc.runtime.state import encode_state

if TYPE_CHECKING:
    from pgmc.program.program import Program

Array: TypeAlias = npt.NDArray[Any]
Params: TypeAlias = Mapping[str, npt.ArrayLike]
State: TypeAlias = Mapping[str, npt.ArrayLike]


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuses a word that is none of the choices."""
    if value not in choices:
        raise ArgumentError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}.")


def check_variables(model: Model, what: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in the order of the model, if all are variables; ``what`` is the method that was given them."""
    known = variable_names(model)
    for name in names:
        if name not in known:
            raise ArgumentError(f"{what}: {name!r} is not a variable of {model.name}; they are {known}.")
    return tuple(name for name in known if name in names)


def variable_names(model: Model) -> tuple[str, ...]:
    """The names of all variables, in order."""
    return tuple(v.name for v in model.variables)


def parameter_names(model: Model) -> tuple[str, ...]:
    """The names of all parameters, in order."""
    return tuple(p.name for p in model.parameters)


def observed_names(model: Model, state: State) -> tuple[str, ...]:
    """The names of the variables that a state holds."""
    return tuple(name for name in variable_names(model) if name in state)


def encode_given(program: Program, state: State, variables: tuple[str, ...]) -> dict[str, Array]:
    """The named variables and all inputs of a state, checked, as kernels take them."""
    inputs = tuple(symbol.name for symbol in program.model.inputs)
    return encode_state(program.model, state, (*variables, *inputs), program.compiler.dtype)
