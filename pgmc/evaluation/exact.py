"""log Z by enumeration of every joint state that the structure does not let us sum out analytically."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.evaluation.estimates import LogPartition
from pgmc.runtime.enumeration import MAX_STATES, StateSum, check_enumerable, enumerated_variables

if TYPE_CHECKING:
    from pgmc.runtime.executable import Executable

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]


def input_rows(inputs: Arrays | None) -> int:
    """The number of rows of the inputs, 1 without inputs."""
    return len(next(iter(inputs.values()))) if inputs else 1


def log_partition_exact(
    executable: Executable,
    params: Arrays,
    inputs: Arrays | None = None,
    *,
    limit: int = MAX_STATES,
    threads: int | None = None,
) -> LogPartition:
    """log Z = log Σ_x exp(-E(x)), by enumeration.

    Parameters
    ----------
    executable
        The compiled model.
    params
        Parameter arrays of the declared shapes.
    inputs
        For a conditional model, name -> ``(n, *shape)``: log Z is then computed for each of the n rows.
    limit
        The largest number of joint states that is enumerated, after the analytic sums.

    Returns
    -------
    LogPartition
        ``value`` in nats: a number, or ``(n,)`` with inputs; ``std_error`` 0.

    Raises
    ------
    IntractableError
        If there are more than ``limit`` states, or a variable that is not discrete.
    NumericsError
        If the energy of a state is NaN or -inf.
    """
    free = enumerated_variables(executable)
    check_enumerable(executable, free, limit)
    sums = StateSum(executable, free, inputs or {}, input_rows(inputs), threads).log_sums(params)
    value = sums if inputs else float(sums[0])
    return LogPartition(value, np.zeros_like(sums) if inputs else 0.0, "exact")
