"""p(target | observed), by enumeration of the target with everything else summed out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.ir.symbols import Categorical, Variable
from pgmc.runtime.enumeration import StateSum, check_enumerable
from pgmc.runtime.joint_states import state_chunks

if TYPE_CHECKING:
    from pgmc.runtime.executable import Executable

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]

TARGET_STATES = 1 << 16
"""More joint states of the target than this are refused."""


def predict(
    executable: Executable,
    params: Arrays,
    target: Variable,
    observed: Arrays,
    *,
    rows: int,
    limit: int = TARGET_STATES,
    threads: int | None = None,
) -> Array:
    """The exact marginal law of every unit of the target given the observed variables, the others summed out.

    Returns
    -------
    ndarray
        P(1) or P(+1) of binary units and spins, ``(n, *shape)``; the probability of each state of categorical units,
        ``(n, *shape, states)``.

    Raises
    ------
    IntractableError
        If the target has more than ``limit`` joint states, or the free energy of target and observed variables has no
        tractable form.
    """
    check_enumerable(executable, (target,), limit)
    probabilities = StateSum(executable, (target,), observed, rows, threads).probabilities(params)
    states = np.concatenate([chunk[target.name] for chunk in state_chunks((target,), executable.dtype, limit)])
    return np.tensordot(probabilities, _indicators(target, states), axes=1)


def _indicators(target: Variable, states: Array) -> Array:
    """1 where a unit is on, or in each state, for every joint state."""
    if isinstance(target.domain, Categorical):
        return np.asarray(states[..., None] == np.arange(target.domain.states), dtype=np.float64)
    return np.asarray(states == 1, dtype=np.float64)
