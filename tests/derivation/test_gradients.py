"""Gradients against fourth-order differences and, where the energy is linear, against the statistic itself."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.special import digamma

import pgmc
from energies import ENERGIES, build
from enumeration import Array, Arrays, random_params, random_states
from generated import subsets
from pgmc.derivation.differentiate import differentiate
from pgmc.derivation.energy import derive_energy
from pgmc.derivation.free_energy import derive_free_energy
from pgmc.derivation.gradients import derive_gradient
from pgmc.errors import DerivationError
from pgmc.ir.answers import Computation
from pgmc.ir.interpret import interpret_computation
from pgmc.ir.model import Model
from pgmc.ir.nodes import Access, BatchMean, Call, Pow, at, fresh_index
from pgmc.ir.symbols import Axis, Parameter
from random_energies import random_model

TOLERANCE = 1e-6
ROWS = 5
STEP = 1e-3


def value(model: Model, answer: Computation, params: Arrays, state: Arrays, weights: Array) -> float:
    """The weighted mean of a scalar quantity."""
    (name,) = (quantity.name for quantity in answer.quantities)
    arrays = {**params, **state}
    return float(weights @ interpret_computation(answer, arrays, symbols=model.symbols, examples=ROWS)[name])


def errors(model: Model, answer: Computation) -> dict[str, float]:
    """For every parameter, the error of the gradient along a random direction, relative to its length."""
    params, state = random_params(model), random_states(model, ROWS)
    rng = np.random.default_rng(0)
    weights = rng.random(ROWS)
    gradient = derive_gradient(answer.quantities[0], model.parameters)
    arrays = {**params, **state}
    got = interpret_computation(gradient, arrays, symbols=model.symbols, weights=weights, examples=ROWS)
    found = {}
    for name, array in params.items():
        assert got[name].shape == array.shape
        direction = rng.normal(size=array.shape)

        def along(step: float, name: str = name, direction: Array = direction) -> float:
            return value(model, answer, params | {name: params[name] + step * direction}, state, weights)

        wanted = (8 * (along(STEP) - along(-STEP)) - along(2 * STEP) + along(-2 * STEP)) / (12 * STEP)
        found[name] = abs(float((got[name] * direction).sum()) - wanted) / (1 + abs(wanted))
    return found


@pytest.mark.parametrize("name", ENERGIES)
def test_gradients_of_energies_agree_with_differences(name: str) -> None:
    model = build(name)
    assert {p: e for p, e in errors(model, derive_energy(model)).items() if not e <= TOLERANCE} == {}


@pytest.mark.parametrize("name", ENERGIES)
def test_gradients_of_free_energies_agree_with_differences(name: str) -> None:
    model = build(name)
    for observed in subsets(tuple(variable.name for variable in model.variables)):
        answer = derive_free_energy(model, observed)
        if isinstance(answer, Computation):
            assert {p: e for p, e in errors(model, answer).items() if not e <= TOLERANCE} == {}, observed


@pytest.mark.parametrize("seed", range(40))
def test_the_gradient_of_a_linear_term_is_its_statistic(seed: int) -> None:
    """Every parameter of these models multiplies one product of units, so ∂E/∂θ is minus the mean product."""
    model = random_model(seed)
    if model is None:
        return
    params, state = random_params(model), random_states(model, ROWS)
    weights = np.random.default_rng(1).random(ROWS)
    gradient = derive_gradient(derive_energy(model).quantities[0], model.parameters)
    arrays = {**params, **state}
    got = interpret_computation(gradient, arrays, symbols=model.symbols, weights=weights, examples=ROWS)
    for parameter in model.parameters:
        wanted = statistic(model, parameter, state, weights)
        np.testing.assert_allclose(got[parameter.name], wanted, rtol=0, atol=1e-12)


def statistic(model: Model, parameter: Parameter, state: Arrays, weights: Array) -> Array:
    """-Σ_n weight_n ∂E/∂θ of a linear term: the energy of every unit vector of θ."""
    zero = {p.name: np.zeros([axis.size for axis in p.axes]) for p in model.parameters}
    found = np.zeros([axis.size for axis in parameter.axes])
    for place in np.ndindex(*found.shape):
        one = zero | {parameter.name: np.zeros_like(found)}
        one[parameter.name][place] = 1.0
        found[place] = value(model, derive_energy(model), one, state, weights)
    return found


def test_elements_are_where_they_belong() -> None:
    """A random direction could hide a transposed gradient of a symmetric energy; the elements cannot."""
    model = build("transposed_weights")
    state = random_states(model, ROWS)
    gradient = derive_gradient(derive_energy(model).quantities[0], model.parameters)
    arrays = {**random_params(model), **state}
    got = interpret_computation(gradient, arrays, symbols=model.symbols, examples=ROWS)["W"]
    np.testing.assert_allclose(got, -np.einsum("ni,nj->ij", state["h"], state["v"]) / ROWS, atol=1e-15)


def test_a_parameter_in_no_term_has_the_gradient_zero() -> None:
    model = build("untouched_variable")
    gradient = derive_gradient(derive_energy(model).quantities[0], model.parameters)
    arrays = {**random_params(model), **random_states(model, ROWS)}
    got = interpret_computation(gradient, arrays, symbols=model.symbols, examples=ROWS)
    np.testing.assert_array_equal(got["unused"], np.zeros((2, 3)))


def test_gradients_read_as_in_a_book() -> None:
    model = build("two_layers")
    gradient = derive_gradient(derive_energy(model).quantities[0], model.parameters)
    assert str(gradient).splitlines() == ["W[i,j] = -⟨v[i]·h[j]⟩", "b[i] = -⟨v[i]⟩", "c[j] = -⟨h[j]⟩"]


def log_gamma(m: pgmc.Model) -> None:
    x, a = m.binary("x", 2), m.param("a", 2)
    m.energy(pgmc.lgamma(3 + a @ x))


@pytest.mark.parametrize(("dtype", "error"), [("float64", 1e-12), ("float32", 1e-5)])
def test_the_derivative_of_log_gamma(dtype: Any, error: float) -> None:
    """x ψ(3 + a x), where scipy knows ψ; generated code has a series of its own."""
    m = pgmc.Model("log_gamma")
    log_gamma(m)
    a, x = np.array([-2.9, 4.0]), np.array([[0, 1], [1, 0], [1, 1], [0, 0]])
    found = pgmc.compile(m, dtype=dtype).energy_gradient({"a": a}, {"x": x})["a"]
    np.testing.assert_allclose(found, (digamma(3 + x @ a)[:, None] * x).mean(axis=0), rtol=error)


def test_a_function_without_a_derivative_is_refused_with_the_reason() -> None:
    a = Parameter("a", (Axis(2),))
    with pytest.raises(DerivationError, match="digamma has no derivative among the functions of pgmc"):
        differentiate(Call("digamma", Access(a, (at(fresh_index("i")),))), a)


def test_a_mean_is_not_differentiated_again() -> None:
    a = Parameter("a", (Axis(2),))
    node = BatchMean(Pow(Access(a, (at(fresh_index("i")),)), Fraction(2)))
    with pytest.raises(DerivationError, match="batch mean"):
        differentiate(node, a)
