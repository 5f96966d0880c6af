"""Ensembles: the tempered and annealed laws against brute force, and their ends against the laws they come from."""

from __future__ import annotations

import numpy as np
import pytest

from energies import ENERGIES, build
from enumeration import Array, States, base_params, log_probabilities, random_params
from pgmc.derivation.conditionals import derive_conditional
from pgmc.derivation.energy import derive_energy
from pgmc.derivation.ensembles import apply_ensemble
from pgmc.derivation.free_energy import derive_free_energy
from pgmc.ir.answers import Computation
from pgmc.ir.interpret import interpret_computation, interpret_energy, interpret_law
from pgmc.ir.model import Model
from pgmc.ir.queries import Ensemble
from pgmc.ir.symbols import is_one_hot

NAMES = [
    "two_layers",
    "coupled_spins",
    "labels",
    "scalar_variables",
    "triple_of_one_variable",
    "square_of_a_sum_of_spins",
    "function_of_labels_and_units",
    "real_inputs",
    "untouched_variable",
    "tensor_of_units",
]


def law_in(model: Model, ensemble: Ensemble, beta: float) -> tuple[Model, States]:
    changed = apply_ensemble(model, ensemble)
    params = random_params(model) | base_params(model)
    states = States(changed, params, extra={"inverse_temperature": np.array([beta])})
    return changed, states


def base_energy(model: Model, states: States) -> Array:
    """-Σ base · x, from its definition."""
    bases = base_params(model)
    total = np.zeros(states.count)
    for variable in model.variables:
        units, field = states.state[variable.name], bases[f"base_{variable.name}"]
        if is_one_hot(variable):
            units = np.eye(field.shape[-1])[units]
        total -= (units * field).reshape(states.count, -1).sum(axis=1)
    return total


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("ensemble", [Ensemble.TEMPERED, Ensemble.ANNEALED])
def test_conditionals_and_free_energies_of_an_ensemble(name: str, ensemble: Ensemble, beta: float) -> None:
    model = build(name)
    changed, states = law_in(model, ensemble, beta)
    params = random_params(model) | base_params(model)
    plain = interpret_energy(model, params, states.state)
    expected = beta * plain + (1 - beta) * base_energy(model, states) * (ensemble is Ensemble.ANNEALED)
    np.testing.assert_allclose(states.energy, expected, rtol=1e-12, atol=1e-12)
    arrays = {**params, **states.state}
    energy = interpret_computation(derive_energy(changed), arrays, symbols=changed.symbols)["energy"]
    np.testing.assert_allclose(energy, expected, rtol=1e-12, atol=1e-12)
    for variable in changed.variables:
        logits = interpret_law(derive_conditional(changed, variable), arrays, symbols=changed.symbols)["logits"]
        got, wanted = log_probabilities(variable, logits), states.conditional(variable)
        np.testing.assert_allclose(np.exp(got), np.exp(wanted), rtol=0, atol=1e-12)
    for observed in [(), *((v.name,) for v in changed.variables)]:
        answer = derive_free_energy(changed, observed)
        if isinstance(answer, Computation):
            got = interpret_computation(answer, arrays, symbols=changed.symbols, examples=states.count)["free_energy"]
            np.testing.assert_allclose(got, states.free_energy(observed), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["two_layers", "coupled_hidden_layer", "labels", "one_label"])
def test_an_ensemble_offers_the_free_energies_of_the_model(name: str) -> None:
    model = build(name)
    for ensemble in Ensemble:
        for variable in model.variables:
            plain = derive_free_energy(model, (variable.name,))
            assert type(derive_free_energy(apply_ensemble(model, ensemble), (variable.name,))) is type(plain)


@pytest.mark.parametrize("name", ENERGIES)
def test_the_plain_ensemble_is_the_model(name: str) -> None:
    model = build(name)
    assert apply_ensemble(model, Ensemble.PLAIN) is model
