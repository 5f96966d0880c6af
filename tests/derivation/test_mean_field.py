"""Mean-field bounds and fixed points against enumeration of the latents under independent units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from energies import ENERGIES, build
from enumeration import Array, Arrays, States, random_params, values_of
from generated import subsets
from pgmc.derivation.mean_field import build_mean_model, derive_fixed_point, derive_mean_field_bound
from pgmc.ir.answers import Refusal
from pgmc.ir.interpret import interpret_computation
from pgmc.ir.model import Model
from pgmc.ir.symbols import Variable, is_one_hot, shape_of
from random_energies import random_model, random_nonlinear_model

TOLERANCE = 1e-10


def random_beliefs(model: Model, seed: int = 0) -> Arrays:
    """For every variable the probabilities of each value of each unit, ``(*shape, values)``."""
    rng = np.random.default_rng([seed, 17])
    return {v.name: rng.dirichlet(np.ones(len(values_of(v))), size=shape_of(v)) for v in model.variables}


def mean_of(variable: Variable, beliefs: Array) -> Array:
    """What a mean-field kernel holds: P(on), the mean of a spin, or the probability of every state."""
    return beliefs if is_one_hot(variable) else (beliefs * values_of(variable)).sum(axis=-1)


class Independent:
    """The latents of a model as independent units, for every joint state of what is observed."""

    def __init__(self, states: States, observed: tuple[str, ...], beliefs: Arrays) -> None:
        self.states, self.observed = states, observed
        self.axes = {k: beliefs[v.name][at] for k, (v, at) in enumerate(states.sites) if v.name not in observed}

    def expected_energy(self, but: int | None = None) -> Array:
        """E_q[E] with one axis for each unit, of length 1 for latents (all ``but`` one)."""
        energy = self.states.energies
        for axis, belief in self.axes.items():
            if axis != but:
                shape = [-1 if k == axis else 1 for k in range(energy.ndim)]
                energy = (energy * belief.reshape(shape)).sum(axis=axis, keepdims=True)
        return energy

    def bound(self) -> Array:
        """-E_q[E] + H(q) for every joint state."""
        entropy = sum(-float((q * np.log(q)).sum()) for q in self.axes.values())
        full = np.broadcast_to(entropy - self.expected_energy(), self.states.energies.shape)
        return full.reshape(-1)

    def best_means(self, variable: Variable) -> Array:
        """The mean that maximises the bound of each unit, the others fixed, ``(states, *shape[, values])``."""
        found = []
        for axis, (owner, _) in enumerate(self.states.sites):
            if owner == variable:
                field = np.moveaxis(-self.expected_energy(but=axis), axis, -1)
                belief = np.exp(field - field.max(axis=-1, keepdims=True))
                belief /= belief.sum(axis=-1, keepdims=True)
                mean = np.expand_dims(mean_of(variable, belief), axis)
                extra = mean.shape[len(self.states.cards) :]
                found.append(np.broadcast_to(mean, (*self.states.cards, *extra)).reshape(self.states.count, *extra))
        stacked = np.stack(found, axis=1)
        return stacked.reshape(self.states.count, *shape_of(variable), *stacked.shape[2:])


def errors(model: Model) -> dict[tuple[str, ...], float]:
    """The error of the bound and of the fixed point for every set of observed variables on offer."""
    params, beliefs = random_params(model), random_beliefs(model)
    states, found = States(model, params), {}
    for observed in subsets(tuple(v.name for v in model.variables)):
        means = build_mean_model(model, observed)
        if isinstance(means, Refusal):
            continue
        latents = [v for v in model.variables if v.name not in observed]
        arrays = {**params, **states.state, "damping": np.zeros(())}
        for v in latents:
            mean = mean_of(v, beliefs[v.name])
            arrays[v.name] = np.broadcast_to(mean, (states.count, *mean.shape)).copy()
        independent = Independent(states, observed, beliefs)
        bound = derive_mean_field_bound(model, means, observed)
        got = interpret_computation(bound, arrays, symbols=means.symbols, examples=states.count)["bound"]
        scale = 1 + np.abs(states.energies).max()
        error = float(np.abs(got - independent.bound()).max()) / scale
        assert np.all(independent.bound() <= -states.free_energy(observed) + 1e-9 * scale)
        point = derive_fixed_point(model, means, observed)
        best = interpret_computation(point, arrays, symbols=means.symbols, examples=states.count)
        for v in latents:
            error = max(error, float(np.abs(best[v.name] - independent.best_means(v)).max(initial=0)) / scale)
        found[observed] = error
    return found


@pytest.mark.parametrize("name", ENERGIES)
def test_bounds_and_fixed_points_agree_with_enumeration(name: str) -> None:
    assert {observed: e for observed, e in errors(build(name)).items() if not e <= TOLERANCE} == {}


@pytest.mark.parametrize("seed", range(30))
def test_bounds_of_random_models(seed: int) -> None:
    model = random_model(seed)
    if model is not None:
        found = errors(model)
        assert {observed: e for observed, e in found.items() if not e <= TOLERANCE} == {}
        assert len(found) == 2 ** len(model.variables), "a polynomial energy is never refused"


@pytest.mark.parametrize("seed", range(60))
def test_bounds_of_random_expressions(seed: int) -> None:
    assert {o: e for o, e in errors(random_nonlinear_model(seed)).items() if not e <= TOLERANCE} == {}


POLYNOMIAL = [
    "two_layers",
    "coupled_spins",
    "triple_of_one_variable",
    "potts",
    "label_with_itself",
    "square_of_a_sum",
    "square_of_a_sum_of_spins",
    "cube_of_a_sum",
    "powers_of_units",
    "products_of_sums",
    "products_of_brackets",
    "mixture_of_components",
    "one_state_of_a_label",
]


@pytest.mark.parametrize("name", POLYNOMIAL)
def test_polynomials_are_never_refused(name: str) -> None:
    model = build(name)
    for observed in subsets(tuple(v.name for v in model.variables)):
        assert not isinstance(build_mean_model(model, observed), Refusal)


def test_a_function_of_several_latents_is_refused_with_the_reason() -> None:
    refusal = build_mean_model(build("nested_functions"), ("x",))
    assert isinstance(refusal, Refusal)
    assert "several units of z stand in one function" in refusal.reason
    assert refusal.remedy == "Observe them, or sample."


@pytest.mark.parametrize(
    ("name", "equation"),
    [
        ("two_layers", "h[j] = σ(Σ_i W[i,j]·v[i] + c[j])"),
        ("two_layers_of_spins", "h[j] = tanh(Σ_i W[i,j]·v[i] + c[j])"),
        ("powers_of_units", "s[i] = tanh(-b[i])"),
    ],
)
def test_equations(name: str, equation: str) -> None:
    model = build(name)
    means = build_mean_model(model, ("v", "x"))
    assert not isinstance(means, Refusal)
    assert str(derive_fixed_point(model, means, ("v", "x"))) == equation


def test_the_states_of_a_label_under_a_function_are_taken_one_by_one() -> None:
    """E_q[softplus(Σ_k y_k a_k)] = Σ_k q_k softplus(a_k)."""
    model = build("function_of_one_label")
    assert not isinstance(build_mean_model(replace(model, terms=model.terms[1:]), ("x",)), Refusal)
