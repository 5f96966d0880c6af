"""Values of parameters: projections onto constraints, initial values, coordinates of positive ones.

``symmetric``, ``zero_diagonal`` and ``mask`` are linear, so one orthogonal projection serves values and
gradients. ``positive`` is kept by a change of coordinates, value = softplus(theta), in which optimisers step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.errors import DataError
from pgmc.ir.symbols import Parameter, shape_of

Floats = npt.NDArray[np.floating[Any]]

INITIAL_DEVIATION = 0.01


def project(parameter: Parameter, values: Floats) -> Floats:
    """The nearest array that fulfils the linear constraints (symmetric, zero diagonal, mask).

    Parameters
    ----------
    parameter
        The declared parameter.
    values
        An array of its shape; it is not changed.

    Returns
    -------
    ndarray
        ``(G + Gᵀ)/2`` if symmetric, with zeros on the diagonal and where the mask is zero. The same array
        where nothing is to be done.
    """
    constraint = parameter.constraint
    if constraint.symmetric:
        # Halved first: the sum of two large numbers must not overflow.
        values = values * values.dtype.type(0.5)
        values = values + values.T
    if constraint.masked:
        values = np.where(constraint.mask, values, values.dtype.type(0))
    if constraint.zero_diagonal:
        values = values.copy()
        np.fill_diagonal(values, 0)
    return values


def project_gradient(parameter: Parameter, gradient: Floats) -> Floats:
    """The orthogonal projection of a gradient onto the directions that keep the linear constraints.

    A fixed parameter has none of these.
    """
    return np.zeros_like(gradient) if parameter.constraint.fixed else project(parameter, gradient)


def constrained(theta: Floats) -> Floats:
    """softplus(theta) = log(1 + exp(theta)): the positive value at a coordinate, never zero."""
    tiny = np.finfo(theta.dtype).tiny
    return np.asarray(np.maximum(np.logaddexp(theta, theta.dtype.type(0)), tiny), theta.dtype)


def unconstrained(value: Floats) -> Floats:
    """The inverse of :func:`constrained`, log(exp(value) - 1) for a positive value."""
    return np.asarray(value + np.log(-np.expm1(-value)), value.dtype)


def unconstrained_gradient(value: Floats, gradient: Floats) -> Floats:
    """The gradient in the coordinate theta of a positive value: d value/d theta = 1 - exp(-value)."""
    return np.asarray(gradient * -np.expm1(-value), gradient.dtype)


def initial_value(parameter: Parameter, generator: np.random.Generator, dtype: npt.DTypeLike) -> Floats:
    """The value a parameter starts from.

    Parameters
    ----------
    parameter
        Its ``init`` is a number, an array, an initialiser ``init(shape, generator)``, or None for the
        default: 1 if positive, 0 up to rank 1, N(0, 0.01²) above.
    generator
        Drawn from only if the initial value is random.
    dtype
        float32 or float64.

    Returns
    -------
    ndarray
        A new array of the declared shape that fulfils the constraints.

    Raises
    ------
    DataError
        If an initialiser returns another shape, numbers that are not real and finite, or not positive where
        they must be.
    """
    shape, kind = shape_of(parameter), np.dtype(dtype)
    init = parameter.init
    if init is None:
        values = _default(parameter, shape, generator, kind)
    elif callable(init):
        values = _returned(parameter, init(shape, generator), shape, kind)
    else:
        values = _given(parameter, init, shape, kind)
    return project(parameter, values)


def _given(parameter: Parameter, init: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Floats:
    """A declared number or array, as an array of the dtype."""
    with np.errstate(over="ignore"):
        values = np.array(np.broadcast_to(np.asarray(init, np.float64), shape), dtype)
    if not np.isfinite(values).all():
        where = f"{parameter.origin}  parameter '{parameter.name}'"
        raise DataError(f"{where}: its initial value is too large for {dtype}. Use smaller numbers.")
    return values


def _default(
    parameter: Parameter, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype[Any]
) -> Floats:
    if parameter.constraint.positive:
        return np.ones(shape, dtype)
    if len(shape) < 2:
        return np.zeros(shape, dtype)
    values = generator.standard_normal(shape, dtype="float32" if dtype.itemsize == 4 else "float64")
    values *= values.dtype.type(INITIAL_DEVIATION)
    return values.astype(dtype, copy=False)


def _returned(parameter: Parameter, value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Floats:
    """What an initialiser returned, checked."""
    where = f"{parameter.origin}  parameter '{parameter.name}': its initialiser returned"
    raw = np.asarray(value)
    if raw.dtype.kind not in "biuf":
        raise DataError(f"{where} an array of dtype {raw.dtype}. Return real numbers.")
    if raw.shape != shape:
        raise DataError(f"{where} the shape {raw.shape} instead of {shape}. Return an array of the given shape.")
    with np.errstate(over="ignore"):
        values = np.array(raw, dtype)
    if not np.isfinite(values).all():
        raise DataError(f"{where} NaN or infinity. Return finite numbers.")
    if parameter.constraint.positive and not (values > 0).all():
        raise DataError(f"{where} {values.min()} for a positive parameter. Return positive numbers.")
    return values
