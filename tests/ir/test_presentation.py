"""Expressions arranged for people keep their values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pgmc
from energies import ENERGIES, build
from enumeration import States, random_params
from pgmc.analysis.periodic_axes import spread_periodicity
from pgmc.derivation.conditionals import derive_conditional
from pgmc.derivation.free_energy import derive_free_energy
from pgmc.derivation.gradients import derive_gradient
from pgmc.ir.answers import Computation, ConditionalLaw, Quantity
from pgmc.ir.fresh_indices import freshen_model
from pgmc.ir.interpret import interpret_law, interpret_quantity
from pgmc.ir.model import Model
from pgmc.ir.presentation import present
from pgmc.ir.printer import energy_expression, print_conditional
from random_energies import random_model
from specifications import SPECIFICATIONS, Specification


def check(model: Model, params: dict, state: dict) -> None:
    arrays, model = {**params, **state}, freshen_model(spread_periodicity(model))  # as every derivation takes it
    for variable in model.variables:
        law = derive_conditional(model, variable)
        arranged = law.map(present)
        for name, values in interpret_law(law, arrays, symbols=model.symbols).items():
            found = interpret_law(arranged, arrays, symbols=model.symbols)[name]
            np.testing.assert_allclose(found, values, rtol=1e-12, atol=1e-12)
    energy = Quantity("energy", (), energy_expression(model.terms))
    quantities = [energy, *derive_gradient(energy, model.parameters).quantities]
    for variable in model.variables:
        answer = derive_free_energy(model, tuple(v.name for v in model.variables if v != variable))
        quantities += answer.quantities if isinstance(answer, Computation) else ()
    for quantity in quantities:
        parameter = next((p for p in model.parameters if p.name == quantity.name), None)
        axes = () if parameter is None else parameter.axes
        sizes = dict(zip(quantity.indices, (axis.size for axis in axes), strict=True))
        pair = (quantity, replace(quantity, body=present(quantity.body)))
        one, other = (interpret_quantity(q, arrays, sizes, symbols=model.symbols) for q in pair)
        np.testing.assert_allclose(other, one, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ENERGIES)
def test_values_stay_on_every_kind_of_term(name: str) -> None:
    model = build(name)
    params = random_params(model)
    check(model, params, States(model, params).state)


@pytest.mark.parametrize("seed", range(60))
def test_values_stay_on_random_models(seed: int) -> None:
    model = random_model(seed)
    if model is not None:
        params = random_params(model)
        check(model, params, States(model, params).state)


@pytest.mark.parametrize("spec", SPECIFICATIONS, ids=lambda spec: spec.name)
def test_values_stay_in_the_catalogue(spec: Specification) -> None:
    declared = spec.model()
    state = spec.whole_states(declared)
    few = {name: values[:: max(1, len(values) // 50)] for name, values in state.items()}
    check(freshen_model(spread_periodicity(declared.build())), spec.params(declared), few)


def law(declare: object, name: str = "x") -> str:
    m = pgmc.Model("m")
    declare(m)  # type: ignore[operator]
    model = m.build()
    derived: ConditionalLaw = derive_conditional(model, model.variable(name))
    return print_conditional(derived)


def test_both_weights_of_a_pair_stand_together() -> None:
    def declare(m: pgmc.Model) -> None:
        x, U = m.binary("x", 4), m.param("U", (4, 4))
        m.energy(-(x @ U @ x))

    assert law(declare) == "P(x[i] = 1 | x[≠i]) = σ(Σ_{j≠i} (U[i,j] + U[j,i])·x[j] + U[i,i])"


def test_a_symmetric_matrix_without_a_diagonal_stands_once() -> None:
    def declare(m: pgmc.Model) -> None:
        x, U = m.binary("x", 4), m.param("U", (4, 4), symmetric=True, zero_diagonal=True)
        m.energy(-(x @ U @ x))

    assert law(declare) == "P(x[i] = 1 | x[≠i]) = σ(2·Σ_{j≠i} U[i,j]·x[j])"


def test_factors_stay_factors() -> None:
    def declare(m: pgmc.Model) -> None:
        i, j, k, f = pgmc.indices("i j k f")
        x, y, h = m.binary("x", 4), m.binary("y", 3), m.binary("h", 2)
        A, B, C = m.param("A", (4, 5)), m.param("B", (3, 5)), m.param("C", (2, 5))
        m.energy(-pgmc.Sum(x[i] * A[i, f], i) * pgmc.Sum(y[j] * B[j, f], j) * pgmc.Sum(h[k] * C[k, f], k))

    assert law(declare) == "P(x[i] = 1 | y, h) = σ(Σ_f A[i,f]·(Σ_j B[j,f]·y[j])·Σ_k C[k,f]·h[k])"


def test_a_matrix_product_is_left_as_it_is() -> None:
    def declare(m: pgmc.Model) -> None:
        x, h, W = m.binary("x", 4), m.binary("h", 2), m.param("W", (4, 2))
        m.energy(-(x @ W @ h))

    m = pgmc.Model("m")
    declare(m)
    assert "E(x, h) = -Σ_ij W[i,j]·x[i]·h[j]" in str(m)


def test_what_is_positive_comes_first() -> None:
    def declare(m: pgmc.Model) -> None:
        x, z, U = m.binary("x", 4), m.binary("z", 4), m.param("U", 4)
        m.energy(-(U * (1 - z) * x).sum())

    assert law(declare) == "P(x[i] = 1 | z) = σ(U[i]·(1 - z[i]))"


def test_what_people_write() -> None:
    m = pgmc.Model("idioms")
    x, h, J = m.real("x", 3), m.binary("h", 4), m.param("W", (3, 4))
    lam, a = m.param("lam", 3, positive=True), m.param("a", 3)
    m.energy((lam * x**2).sum() / 2 - x @ J @ h - a @ x)
    p = pgmc.compile(m, backend="numpy")
    assert "1/2·Σ_i (Σ_j W[i,j]·h[j] + a[i])²/lam[i]" in str(p.free_energy_equation(["h"]))
    m = pgmc.Model("pooled")
    v = m.binary("v", 4, exclusive=2)
    m.energy(-v @ m.param("b", 4))
    assert "log(1 + Σ" in str(pgmc.compile(m, backend="numpy").free_energy_equation([]))
    m = pgmc.Model("net")
    y, z, W = m.binary("y", 2), m.binary("z", 3), m.param("W", (2, 3))
    m.directed(z, pgmc.Bernoulli(logits=m.param("c", 3)))
    m.directed(y, pgmc.Bernoulli(logits=W @ z))
    assert "⟨(σ(Σ_j′ W[i,j′]·z[j′]) - y[i])·z[j]⟩" in str(pgmc.compile(m, backend="numpy").gradient_equations())
