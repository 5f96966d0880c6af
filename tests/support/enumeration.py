"""Every joint state of a small model, and conditionals, free energies and gradients by brute force from its energy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.derivation.ensembles import base_parameter
from pgmc.ir.constraints import project
from pgmc.ir.interpret import interpret_energy
from pgmc.ir.model import Model
from pgmc.ir.symbols import Categorical, Spin, Variable, is_one_hot, shape_of

Array = npt.NDArray[Any]
Arrays = dict[str, Array]


def values_of(variable: Variable) -> Array:
    """The values a unit takes, in data."""
    match variable.domain:
        case Categorical(states):
            return np.arange(states)
        case Spin():
            return np.array([-1.0, 1.0])
        case _:
            return np.array([0.0, 1.0])


def random_params(model: Model, seed: int = 0, scale: float = 1.0) -> Arrays:
    """Normal values of every parameter that fulfil its constraints; constants have their own."""
    rng = np.random.default_rng([seed, 1])
    return {p.name: project(p, rng.normal(scale=scale, size=shape_of(p)).astype(np.float64)) for p in model.parameters}


def base_params(model: Model, seed: int = 0) -> Arrays:
    """Fields of the base of an annealing path."""
    rng = np.random.default_rng([seed, 2])
    bases = map(base_parameter, model.variables)
    return {base.name: rng.normal(size=shape_of(base)) for base in bases}


def random_inputs(model: Model, rows: int, seed: int = 0) -> Arrays:
    """Values of every input, different in each row."""
    rng = np.random.default_rng([seed, 3])
    return {
        u.name: rng.integers(u.domain.states, size=(rows, *shape_of(u)))
        if isinstance(u.domain, Categorical)
        else rng.normal(size=(rows, *shape_of(u)))
        for u in model.inputs
    }


def random_states(model: Model, rows: int, seed: int = 0) -> Arrays:
    """Random states of every variable, with inputs that differ from row to row."""
    rng = np.random.default_rng([seed, 4])
    drawn = {v.name: rng.choice(values_of(v), size=(rows, *shape_of(v))) for v in model.variables}
    return drawn | random_inputs(model, rows, seed)


class States:
    """Every joint state of a model under one value of its inputs, and the energy of each.

    ``sites`` are the units as (variable, position); ``energies[codes of all units]`` is an array with one axis for
    each unit.
    """

    def __init__(
        self, model: Model, params: Mapping[str, Array], seed: int = 0, extra: Mapping[str, Array] = {}
    ) -> None:
        self.model = model
        self.sites = [(v, place) for v in model.variables for place in np.ndindex(*shape_of(v))]
        self.cards = [len(values_of(v)) for v, _ in self.sites]
        self.count = math.prod(self.cards)
        codes = np.array(list(itertools.product(*map(range, self.cards)))).reshape(self.count, len(self.cards))
        self.state: Arrays = {}
        for v in model.variables:
            columns = [k for k, (owner, _) in enumerate(self.sites) if owner == v]
            self.state[v.name] = values_of(v)[codes[:, columns]].reshape(self.count, *shape_of(v))
        inputs = random_inputs(model, 1, seed) | dict(extra or {})
        self.state |= {name: np.repeat(value, self.count, axis=0) for name, value in inputs.items()}
        energy = interpret_energy(model, params, self.state)
        self.energies = energy.reshape(self.cards)

    @property
    def energy(self) -> Array:
        """The energy of each state, in the order of ``state``."""
        return self.energies.reshape(-1)

    def conditional(self, variable: Variable) -> Array:
        """log p(each value of each unit | all others), ``(states, *shape, values)``."""
        tables = []
        for k, (owner, _) in enumerate(self.sites):
            if owner == variable:
                moved = np.moveaxis(self.energies, k, -1)
                log_p = -moved - _log_sum_exp(-moved)[..., None]
                full = np.broadcast_to(np.expand_dims(log_p, k), (*self.cards, self.cards[k]))
                tables.append(full.reshape(self.count, -1))
        stacked = np.stack(tables, axis=1) if tables else np.zeros((self.count, 0, 2))
        return stacked.reshape(self.count, *shape_of(variable), -1)

    def free_energy(self, observed: tuple[str, ...]) -> Array:
        """-log Σ exp(-E) over every other unit, for each state."""
        hidden = tuple(k for k, (owner, _) in enumerate(self.sites) if owner.name not in observed)
        kept = tuple(k for k in range(len(self.sites)) if k not in hidden)
        moved = np.moveaxis(self.energies, hidden, range(-len(hidden), 0)) if hidden else self.energies[..., None]
        flat = moved.reshape(*(self.cards[k] for k in kept), -1)
        free = -_log_sum_exp(-flat)
        full = np.expand_dims(free, hidden)
        return np.broadcast_to(full, self.cards).reshape(-1)


def _log_sum_exp(x: Array) -> Array:
    top = x.max(axis=-1)
    return np.asarray(top + np.log(np.exp(x - top[..., None]).sum(axis=-1)))


def log_probabilities(variable: Variable, logits: Array) -> Array:
    """log p of each value of a unit, from the logits of a conditional law."""
    if is_one_hot(variable):
        return np.asarray(logits - _log_sum_exp(logits)[..., None])
    return np.stack([-np.logaddexp(0, logits), -np.logaddexp(0, -logits)], axis=-1)


def differences(function: Callable[[Arrays], Array], params: Arrays, name: str, step: float = 1e-3) -> Array:
    """Fourth-order central differences of a function of the parameters, ``(*parameter, *value)``."""

    def shifted(place: tuple[int, ...], by: float) -> Array:
        moved = {key: np.array(value, dtype=np.float64) for key, value in params.items()}
        moved[name][place] += by
        return np.asarray(function(moved))

    rows = [
        (8 * (shifted(at, step) - shifted(at, -step)) - shifted(at, 2 * step) + shifted(at, -2 * step)) / (12 * step)
        for at in np.ndindex(*params[name].shape)
    ]
    value = np.asarray(function(params))
    return np.array(rows).reshape(params[name].shape + value.shape)
