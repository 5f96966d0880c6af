"""Projections are orthogonal, initial values fulfil the constraints, coordinates invert each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pgmc.errors import DataError
from pgmc.ir.constraints import (
    constrained,
    initial_value,
    project,
    project_gradient,
    unconstrained,
    unconstrained_gradient,
)
from pgmc.ir.symbols import Axis, Constraint, Parameter

MASK = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=bool)
FREE = Constraint()
CONSTRAINTS = [
    FREE,
    Constraint(symmetric=True),
    Constraint(zero_diagonal=True),
    Constraint(masked=True, mask=MASK),
    Constraint(symmetric=True, zero_diagonal=True),
    Constraint(symmetric=True, zero_diagonal=True, masked=True, mask=MASK),
]
SQUARES = hnp.arrays(np.float64, (3, 3), elements=st.floats(-1e3, 1e3))
CONSTRAINED = pytest.mark.parametrize("constraint", CONSTRAINTS, ids=range(len(CONSTRAINTS)))


def parameter(constraint: Constraint = FREE, shape: tuple[int, ...] = (3, 3), init: Any = None) -> Parameter:
    return Parameter("W", tuple(map(Axis, shape)), constraint, init)


@CONSTRAINED
@given(values=SQUARES, gradient=SQUARES)
def test_the_projection_is_orthogonal(constraint: Constraint, values: Any, gradient: Any) -> None:
    W = parameter(constraint)
    before = values.copy()
    kept = project(W, values)
    np.testing.assert_array_equal(values, before)
    np.testing.assert_allclose(project(W, kept), kept, rtol=0, atol=1e-300)
    # What is removed has no component along anything that is kept.
    removed = gradient - project_gradient(W, gradient)
    np.testing.assert_allclose((removed * kept).sum(), 0, atol=1e-6)


@CONSTRAINED
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_projected_values_fulfil_the_constraints(constraint: Constraint, dtype: Any) -> None:
    values = np.random.default_rng(0).normal(size=(3, 3)).astype(dtype)
    kept = project(parameter(constraint), values)
    assert kept.dtype == dtype
    assert not constraint.symmetric or (kept == kept.T).all()
    assert not constraint.zero_diagonal or not kept.diagonal().any()
    assert not constraint.masked or not kept[~MASK].any()
    if constraint == FREE:
        assert kept is values


def test_the_projection_is_the_formula() -> None:
    values = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(project(parameter(Constraint(symmetric=True)), values), (values + values.T) / 2)
    huge = np.full((3, 3), np.finfo(np.float64).max)
    assert np.isfinite(project(parameter(Constraint(symmetric=True)), huge)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_coordinates_of_positive_values(dtype: Any) -> None:
    value = np.array([1e-6, 0.01, 0.5, 1.0, 20.0, 1e4], dtype)
    theta = unconstrained(value)
    assert theta.dtype == dtype and np.isfinite(theta).all()
    back = constrained(theta)
    assert back.dtype == dtype
    np.testing.assert_allclose(back, value, rtol=1e-4 if dtype == np.float32 else 1e-12)
    extreme = constrained(np.array([-1e4, -200.0, 1e4], dtype))
    assert (extreme > 0).all() and np.isfinite(extreme).all() and extreme[2] == 1e4


def test_gradient_in_the_coordinate() -> None:
    theta = np.linspace(-3, 3, 7)
    step = 1e-6
    slope = (constrained(theta + step) - constrained(theta - step)) / (2 * step)
    gradient = np.arange(7.0)
    np.testing.assert_allclose(unconstrained_gradient(constrained(theta), gradient), slope * gradient, rtol=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_defaults(dtype: str) -> None:
    def start(shape: tuple[int, ...], constraint: Constraint = FREE) -> Any:
        value = initial_value(parameter(constraint, shape), np.random.default_rng(1), dtype)
        assert value.shape == shape and value.dtype == dtype
        return value

    assert start(()) == 0 and not start((5,)).any()
    assert 0.0095 < start((100, 100)).std() < 0.0105
    assert (start((2, 2), Constraint(positive=True)) == 1).all()
    assert (start((), Constraint(positive=True)) == 1).all()


@CONSTRAINED
@pytest.mark.parametrize("init", [None, 2, 0.5, np.float32(3), lambda shape, rng: rng.normal(size=shape)])
def test_initial_values_fulfil_the_constraints(constraint: Constraint, init: Any) -> None:
    W = parameter(constraint, init=init)
    value = initial_value(W, np.random.default_rng(2), "float64")
    np.testing.assert_array_equal(project(W, value), value)
    assert value.any()


def test_arrays_are_copied() -> None:
    given_array = np.ones((3, 3))
    value = initial_value(parameter(init=given_array), np.random.default_rng(0), "float64")
    value[0, 0] = 5
    assert given_array[0, 0] == 1


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (np.ones((2, 3)), r"the shape \(2, 3\) instead of \(3, 3\)"),
        (np.ones(()), r"the shape \(\)"),
        (np.full((3, 3), "x"), "dtype <U1"),
        (np.full((3, 3), 1j), "dtype complex128"),
        (np.full((3, 3), np.nan), "NaN or infinity"),
        (np.full((3, 3), 1e300), "NaN or infinity"),
    ],
)
def test_what_initialisers_return_is_checked(returned: Any, message: str) -> None:
    W = parameter(init=lambda shape, rng: returned)
    with pytest.raises(DataError, match=f"parameter 'W'.*{message}"):
        initial_value(W, np.random.default_rng(0), "float32")


def test_initialisers_of_positive_parameters_return_positive_values() -> None:
    W = parameter(Constraint(positive=True), init=lambda shape, rng: np.zeros(shape))
    with pytest.raises(DataError, match="for a positive parameter"):
        initial_value(W, np.random.default_rng(0), "float64")


def test_numbers_that_do_not_fit_the_dtype() -> None:
    with pytest.raises(DataError, match="too large for float32"):
        initial_value(parameter(init=1e300), np.random.default_rng(0), "float32")
