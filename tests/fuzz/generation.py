"""Random specifications and values: discrete energies, directed nets, and energies with real and positive units."""

from __future__ import annotations

import numpy as np

from directed_drawing import DirectedDraw
from drawing import MOST_STATES, Draw
from language import Array, Specification
from meaning import Values
from real_drawing import RealDraw

KINDS: tuple[type[Draw], ...] = (Draw, Draw, Draw, DirectedDraw, RealDraw)


def random_specification(seed: int, most_states: int = MOST_STATES) -> Specification:
    """The specification of a seed: of five, three are discrete energies, one is a directed net, one has real units."""
    return KINDS[seed % len(KINDS)](np.random.default_rng([seed, 1]), most_states).specification()


def random_values(spec: Specification, seed: int, size: float = 1.0) -> tuple[dict[str, Values], dict[str, Values]]:
    """Values of the parameters that fulfil their constraints, and one row of inputs."""
    rng = np.random.default_rng([seed, 2])
    scale = size * rng.choice([0.3, 1.0])
    params = {a.name: constrained(a, rng.normal(scale=scale, size=a.shape)) for a in spec.of_kind("param")}
    for array in spec.of_kind("param"):
        if "positive" in array.options:
            params[array.name] = np.exp(params[array.name])
    inputs = {array.name: _input(array, rng) for array in spec.of_kind("input")}
    return params, inputs


def _input(array: Array, rng: np.random.Generator) -> Values:
    if array.value:
        return np.reshape(array.value, (1, *array.shape))
    if array.states:
        return rng.integers(array.states, size=(1, *array.shape))
    return rng.normal(size=(1, *array.shape))


def constrained(array: Array, value: Values) -> Values:
    """The nearest value that is symmetric, has no diagonal, and is zero where it is masked."""
    if "symmetric" in array.options:
        value = (value + np.swapaxes(value, -1, -2)) / 2
    if "zero_diagonal" in array.options:
        value = value * (1 - np.eye(array.shape[0]))
    return value * np.reshape(array.mask, array.shape) if array.mask else value
