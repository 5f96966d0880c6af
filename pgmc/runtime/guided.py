"""Draws of latent variables from the guide, and their importance weights."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.ir.queries import Ancestral, Energy
from pgmc.ir.symbols import shape_of
from pgmc.runtime.executable import Executable
from pgmc.runtime.joint_states import first_states
from pgmc.runtime.kernels import Array
from pgmc.runtime.streams import Stream, unit_normals

Arrays = dict[str, Array]


def check_guide(executable: Executable, observed: tuple[str, ...], asker: str) -> Executable:
    """The guide, if it draws every variable that is not observed, given what is.

    Raises
    ------
    ArgumentError
        Naming who asked for it and what does not fit.
    """
    model, guide = executable.model, executable.guide
    if guide is None:
        raise ArgumentError(f"{asker}: {model.name} has no guide. Declare one: q = m.guide().")
    latents = {v.name for v in model.variables} - set(observed)
    drawn, given = set(guide.model.children), {i.name for i in guide.model.inputs}
    if drawn != latents:
        raise ArgumentError(
            f"{asker}: the guide draws {_names(drawn)}, and the data leave {_names(latents)} latent. It must draw what "
            "is latent."
        )
    if missing := given - {*observed, *(i.name for i in model.inputs)}:
        raise ArgumentError(f"{asker}: the guide is given {_names(missing)}, which the data do not hold.")
    return guide


def draw_ancestrally(
    executable: Executable,
    params: Mapping[str, Array],
    given: Mapping[str, Array],
    rows: int,
    stream: Stream,
    step: int,
    threads: int | None = None,
) -> Arrays:
    """``given`` with all variables of a model of directed factors beside it, drawn by one pass for each row."""
    variables = executable.model.variables
    state = {i.name: given[i.name] for i in executable.model.inputs} | first_states(variables, rows, executable.dtype)
    names = tuple(v.name for v in variables)
    executable.sweep(Ancestral(names), params, state, stream=stream, first_sweep=step, threads=threads)
    return {**given, **{name: state[name] for name in names}}


def joint_energies(
    executable: Executable, params: Mapping[str, Array], state: Mapping[str, Array], threads: int | None = None
) -> Array:
    """E of each row, ``(n,)`` in nats: -log of the joint probability in a model of directed factors."""
    asked = state_of(executable, state)
    return np.asarray(executable.evaluate(Energy(), params, asked, threads=threads)["energy"])


def state_of(executable: Executable, state: Mapping[str, Array]) -> Arrays:
    """The variables and inputs of a model among the arrays."""
    names = (*(v.name for v in executable.model.variables), *(i.name for i in executable.model.inputs))
    return {name: state[name] for name in names}


def _names(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def with_noise(bound: Executable, given: Mapping[str, Array], stream: Stream, step: int) -> Arrays:
    """The arrays with standard normal numbers for the inputs of a bound that are not among them, ``(n, *shape)``."""
    found, rows, first = dict(given), len(next(iter(given.values()))), 0
    for symbol in (symbol for symbol in bound.model.inputs if symbol.name not in given):
        shape = shape_of(symbol)
        sites = first + np.arange(math.prod(shape))
        normals = unit_normals(stream.key, np.arange(rows), step, sites, bound.dtype)
        found[symbol.name] = np.ascontiguousarray(normals, dtype=bound.dtype).reshape(rows, *shape)
        first += len(sites)
    return found
