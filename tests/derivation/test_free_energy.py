"""Free energies against enumeration: every subset of the variables that is offered, and why others are refused."""

from __future__ import annotations

import numpy as np
import pytest

from energies import ENERGIES, build
from enumeration import States, random_params
from generated import subsets
from pgmc.derivation.free_energy import derive_free_energy
from pgmc.ir.answers import Computation, Refusal
from pgmc.ir.interpret import interpret_computation
from pgmc.ir.model import Model
from pgmc.ir.rewrite import accesses
from random_energies import random_model

TOLERANCE = 1e-10


def offered(model: Model) -> dict[tuple[str, ...], Computation]:
    """The free energies that are not refused, by the observed variables."""
    names = tuple(variable.name for variable in model.variables)
    answers = {observed: derive_free_energy(model, observed) for observed in subsets(names)}
    return {observed: answer for observed, answer in answers.items() if isinstance(answer, Computation)}


def errors(model: Model) -> dict[tuple[str, ...], float]:
    """The largest relative error of each free energy on offer."""
    params = random_params(model)
    states = States(model, params)
    found = {}
    for observed, answer in offered(model).items():
        state = {name: array for name, array in states.state.items() if name in observed or name in inputs_of(model)}
        arrays = {**params, **state}
        got = interpret_computation(answer, arrays, symbols=model.symbols, examples=states.count)["free_energy"]
        wanted = states.free_energy(observed)
        found[observed] = float((np.abs(got - wanted) / (1 + np.abs(wanted))).max())
    return found


def inputs_of(model: Model) -> set[str]:
    return {symbol.name for symbol in model.inputs}


@pytest.mark.parametrize("name", ENERGIES)
def test_free_energies_agree_with_enumeration(name: str) -> None:
    assert {observed: e for observed, e in errors(build(name)).items() if not e <= TOLERANCE} == {}


@pytest.mark.parametrize("seed", range(40))
def test_free_energies_of_random_models_agree_with_enumeration(seed: int) -> None:
    model = random_model(seed)
    if model is not None:
        assert {observed: e for observed, e in errors(model).items() if not e <= TOLERANCE} == {}


@pytest.mark.parametrize("seed", range(40, 80))
def test_a_free_energy_is_refused_only_where_hidden_units_share_a_term(seed: int) -> None:
    model = random_model(seed)
    if model is None:
        return
    names = tuple(variable.name for variable in model.variables)
    for observed in subsets(names):
        hidden = [sum(a.symbol.name in set(names) - set(observed) for a in accesses(t.body)) for t in model.terms]
        if max(hidden) < 2:
            assert isinstance(derive_free_energy(model, observed), Computation), observed


OFFERED = {
    "two_layers": {("v",), ("h",), ("v", "h")},
    "coupled_binary": {("v",)},
    "three_layers": {("h",), ("v", "h"), ("v", "g"), ("h", "g"), ("v", "h", "g")},
    "coupled_hidden_layer": {("h",), ("v", "h")},
    "one_label": {("h",), ("y", "x"), ("y", "h"), ("h", "x"), ("y", "h", "x")},
    "elementwise_product": {("x",), ("y",), ("x", "y")},
    "powers_of_units": {(), ("s",), ("x",), ("s", "x")},
    "hidden_in_closed_form": {("v",)},
    "function_of_one_label": {("y",), ("y", "x")},
    "label_with_itself": {(), ("y",)},
    "untouched_variable": None,
}


@pytest.mark.parametrize("name", OFFERED)
def test_what_is_offered(name: str) -> None:
    wanted = OFFERED[name]
    model = build(name)
    assert set(offered(model)) == (set(subsets(tuple(v.name for v in model.variables))) if wanted is None else wanted)


@pytest.mark.parametrize("name", ENERGIES)
def test_a_free_energy_mentions_nothing_that_is_summed_out(name: str) -> None:
    model = build(name)
    for observed, answer in offered(model).items():
        mentioned = {a.symbol.name for quantity in answer.quantities for a in accesses(quantity.body)}
        assert not mentioned & ({v.name for v in model.variables} - set(observed))


def test_a_refusal_names_who_interacts_through_which_term_and_what_to_do() -> None:
    refusal = derive_free_energy(build("three_layers"), ("v",))
    assert isinstance(refusal, Refusal)
    assert refusal.wanted == "free energy of v"
    assert "g and h interact through" in refusal.reason
    assert "U[" in refusal.reason
    assert "Observe g or h as well" in refusal.remedy


def test_a_refusal_about_one_variable_names_it() -> None:
    refusal = derive_free_energy(build("coupled_binary"), ())
    assert isinstance(refusal, Refusal)
    assert "units of v interact through" in str(refusal)
    assert "U[" in str(refusal)
    assert "Observe v as well" in str(refusal)


def test_the_equation_of_a_free_energy() -> None:
    answer = derive_free_energy(build("two_layers"), ("v",))
    assert str(answer) == "F(v) = -Σ_i b[i]·v[i] - Σ_j softplus(Σ_i W[i,j]·v[i] + c[j])"
