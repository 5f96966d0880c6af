"""The energies of what was sampled, computed when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from pgmc.ir.queries import Energy
from pgmc.runtime.executable import Executable
from pgmc.runtime.kernels import Array
from pgmc.runtime.samples import Origin
from pgmc.runtime.state import encode_state


def describe_origin(
    executable: Executable, params: Mapping[str, Array], inputs: Mapping[str, Array], threads: int | None
) -> Origin:
    """What samples remember: the model, and its energy with these parameters and inputs ``(chains, *shape)``."""
    return Origin(executable.model, partial(_energies, executable, dict(params), dict(inputs), threads))


def _energies(
    executable: Executable,
    params: dict[str, Array],
    inputs: dict[str, Array],
    threads: int | None,
    states: Mapping[str, Array],
) -> Array:
    """E of states ``(chains, keep, *shape)``."""
    chains, keep = next(iter(states.values())).shape[:2]
    names = [variable.name for variable in executable.model.variables]
    rows = {name: states[name].reshape(chains * keep, *states[name].shape[2:]) for name in names}
    rows |= {name: np.repeat(values, keep, axis=0) for name, values in inputs.items()}
    encoded = encode_state(executable.model, rows, (*names, *inputs), executable.dtype)
    return executable.evaluate(Energy(), params, encoded, threads=threads)["energy"].reshape(chains, keep)
