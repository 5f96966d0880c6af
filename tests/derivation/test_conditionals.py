"""Conditional laws against enumeration: every unit, in every joint state."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import pgmc
from energies import ENERGIES, build, built
from enumeration import States, log_probabilities, random_params
from expressions import ROUND
from pgmc.derivation.conditionals import conditional_computation, derive_conditional
from pgmc.errors import DerivationError
from pgmc.ir.interpret import interpret_computation, interpret_law
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import Access, Pow, at, fresh_index
from pgmc.ir.symbols import Axis, Count, Variable
from random_energies import random_model, random_nonlinear_model

TOLERANCE = 1e-12


def largest_error(model: Model) -> dict[str, float]:
    """For each variable, the largest error of a probability."""
    params = random_params(model)
    states = States(model, params)
    arrays = {**params, **states.state}
    errors = {}
    for variable in model.variables:
        logits = interpret_law(derive_conditional(model, variable), arrays, symbols=model.symbols)["logits"]
        got = np.exp(log_probabilities(variable, logits))
        errors[variable.name] = float(np.abs(got - np.exp(states.conditional(variable))).max())
    return errors


@pytest.mark.parametrize("name", ENERGIES)
def test_conditionals_agree_with_enumeration(name: str) -> None:
    assert {v: e for v, e in largest_error(build(name)).items() if not e <= TOLERANCE} == {}


@pytest.mark.parametrize("seed", range(40))
def test_conditionals_of_random_models_agree_with_enumeration(seed: int) -> None:
    model = random_model(seed)
    if model is not None:
        assert {v: e for v, e in largest_error(model).items() if not e <= TOLERANCE} == {}


@pytest.mark.parametrize("seed", range(60))
def test_conditionals_of_random_expressions_agree_with_enumeration(seed: int) -> None:
    found = largest_error(random_nonlinear_model(seed))
    assert {v: e for v, e in found.items() if not e <= TOLERANCE} == {}


@pytest.mark.parametrize("seed", range(40))
def test_conditionals_of_random_expressions_on_a_ring(seed: int) -> None:
    found = largest_error(random_nonlinear_model(seed, alphabet=ROUND))
    assert {v: e for v, e in found.items() if not e <= TOLERANCE} == {}


@pytest.mark.parametrize("name", ["labels", "scalar_variables", "coupled_binary"])
def test_the_computation_of_a_law_is_its_logits(name: str) -> None:
    model = build(name)
    params = random_params(model)
    arrays = {**params, **States(model, params).state}
    for variable in model.variables:
        law = derive_conditional(model, variable)
        sizes = dict(zip(law.indices, (axis.size for axis in variable.axes), strict=True))
        got = interpret_computation(conditional_computation(law), arrays, sizes, symbols=model.symbols)["logits"]
        np.testing.assert_array_equal(got, interpret_law(law, arrays, symbols=model.symbols)["logits"])


EQUATIONS = {
    ("two_layers", "h"): "P(h[j] = 1 | v) = σ(Σ_i W[i,j]·v[i] + c[j])",
    ("two_layers_of_spins", "v"): "P(v[i] = +1 | h) = σ(2·Σ_j W[i,j]·h[j] + 2·b[i])",
    ("coupled_binary", "v"): "P(v[i] = 1 | v[≠i]) = σ(Σ_{j≠i} (U[i,j] + U[j,i])·v[j] + U[i,i])",
    ("labels", "y"): "P(y[i] = k | s) ∝ exp(Σ_j R[i,k,j]·s[j] + b[i,k])",
    ("labels", "s"): "P(s[j] = +1 | y) = σ(2·Σ_ik R[i,k,j]·y[i,k])",
    ("gated_by_inputs", "v"): "P(v[j] = 1 | u, h) = σ(Σ_ik W[i,j,k]·u[i]·h[k])",
    ("untouched_variable", "loose"): "P(loose = 1) = σ(0)",
    ("function_of_one_label", "x"): "P(x[j] = 1 | y) = σ(tanh(Σ_ki W[k,j]·y[i,k]))",
}


@pytest.mark.parametrize(("name", "variable"), EQUATIONS)
def test_equations_read_as_in_a_book(name: str, variable: str) -> None:
    model = build(name)
    assert str(derive_conditional(model, model.variable(variable))) == EQUATIONS[name, variable]


def test_only_the_instance_with_the_unit_is_left_of_a_sum_over_functions() -> None:
    """Σ_i softplus(f(y[i])) depends on y[t] through its own summand alone."""
    model = build("function_of_one_label")
    law = str(derive_conditional(model, model.variable("y")))
    assert "softplus(a[k])" in law
    assert "Σ_i softplus" not in law


@pytest.mark.parametrize(
    ("name", "variable", "family"),
    [("labels", "y", "Categorical"), ("labels", "s", "Spin"), ("two_layers", "v", "Bernoulli")],
)
def test_the_family_follows_the_domain_and_gives_its_reason(name: str, variable: str, family: str) -> None:
    model = build(name)
    law = derive_conditional(model, model.variable(variable))
    assert law.family == family
    assert law.reasons and all(law.reasons)


UNDEFINED = {
    "log(x)": lambda x: pgmc.log(x),
    "1/x": lambda x: 1 / x,
    "√(x - 1)": lambda x: pgmc.sqrt(x - 1),
    "log(1/2·x - 1/2)": lambda x: pgmc.log((x - 1) / 2),
}


@pytest.mark.parametrize("text", UNDEFINED)
def test_an_energy_that_is_not_finite_is_refused_with_the_term_and_the_values(text: str) -> None:
    def declare(m: pgmc.Model) -> None:
        m.energy(UNDEFINED[text](m.binary("v", 2)).sum())

    model = built(declare)
    with pytest.raises(DerivationError, match="no finite number at one of the values 0 and 1") as caught:
        derive_conditional(model, model.variables[0])
    assert str(caught.value).startswith(text)
    assert len(caught.value.refusals) == 1


def test_a_domain_without_a_family_is_refused_by_each() -> None:
    x, i = Variable("x", (Axis(3),), Count()), fresh_index("i", ("x", 0))
    model = Model("squares", (x,), (), (), (), (EnergyTerm(Pow(Access(x, (at(i),)), Fraction(2)), (i,)),))
    with pytest.raises(DerivationError, match="x: no family fits its conditional") as caught:
        derive_conditional(model, x)
    *others, counts = (refusal for refusal in caught.value.refusals if refusal.fits_domain)
    assert not others and "x" in counts.wanted
    assert all(f"x is {x.domain}, not" in str(r) for r in caught.value.refusals if not r.fits_domain)
