"""log Z by enumeration of every joint state that the structure does not let us sum out analytically.

Of real units that cannot be integrated out analytically one may be left: the integral over it is done numerically.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.evaluation.estimates import LogPartition
from pgmc.evaluation.quadrature import integrate_line
from pgmc.ir.symbols import Real, Variable, shape_of
from pgmc.runtime.enumeration import MAX_STATES, StateSum, check_enumerable, enumerated_variables
from pgmc.runtime.joint_integrals import JointSum, joint_block

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
    """log Z = log Σ_x exp(-E(x)), by enumeration, and by quadrature along one real unit if one is left.

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
        ``value`` in nats: a number, or ``(n,)`` with inputs; ``std_error`` 0, or the last change of the quadrature.

    Raises
    ------
    IntractableError
        If there are more than ``limit`` states, or real units that cannot be integrated out.
    NumericsError
        If the energy of a state is NaN or -inf.
    """
    line, free = check_exact(executable, limit)
    rows, given = input_rows(inputs), dict(inputs or {})
    if (block := joint_block(executable)) is not None:
        sums = JointSum(executable, block, free, given, rows, threads).log_sums(params)
        errors = np.zeros_like(sums)
    elif line is None:
        sums = StateSum(executable, free, given, rows, threads).log_sums(params)
        errors = np.zeros_like(sums)
    else:
        parts = [_line_integral(executable, params, line, free, _row(given, k), threads) for k in range(rows)]
        sums, errors = (np.array(values) for values in zip(*parts, strict=True))
    if inputs:
        return LogPartition(sums, errors, "exact")
    return LogPartition(float(sums[0]), float(errors[0]), "exact")


def check_exact(executable: Executable, limit: int = MAX_STATES) -> tuple[Variable | None, tuple[Variable, ...]]:
    """The real unit to integrate over by quadrature, if one is left, and the variables to enumerate.

    Raises
    ------
    IntractableError
        If there are more than ``limit`` joint states, or more real units are left than one.
    """
    block = joint_block(executable)
    if block is not None:
        rest = tuple(v for v in executable.model.variables if v is not block)
        check_enumerable(executable, rest, limit)
        return None, rest
    free = enumerated_variables(executable)
    real = [v for v in free if isinstance(v.domain, Real) and math.prod(shape_of(v)) == 1]
    line = real[0] if len(real) == 1 else None
    rest = tuple(v for v in free if v is not line)
    check_enumerable(executable, rest, limit)
    return line, rest


def _row(given: Arrays, k: int) -> dict[str, Array]:
    return {name: values[k : k + 1] for name, values in given.items()}


def _line_integral(
    executable: Executable,
    params: Arrays,
    line: Variable,
    free: tuple[Variable, ...],
    given: Arrays,
    threads: int | None,
) -> tuple[float, float]:
    """log Z of one row of inputs: every value of the real unit has its sum over the states of the others."""

    def log_density(points: Array) -> Array:
        unit = points.reshape(-1, *shape_of(line)).astype(executable.dtype)
        rows = {name: np.repeat(values, len(points), axis=0) for name, values in given.items()}
        return StateSum(executable, free, rows | {line.name: unit}, len(points), threads).log_sums(params)

    return integrate_line(log_density)
