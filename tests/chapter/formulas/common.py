"""What the formulas share: the logistic function, and all states of binary units."""

from __future__ import annotations

from itertools import product
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any


def sigmoid(t: Array) -> Array:
    return 1 / (1 + np.exp(-t))


def binary_states(units: int) -> list[Array]:
    """Every vector of 0 and 1."""
    return [np.array(state) for state in product((0, 1), repeat=units)]


def log_normal(x: Array, mean: Array, precision: Array) -> float:
    """The logarithm of the density of a normal vector."""
    distance = x - mean
    _, log_determinant = np.linalg.slogdet(precision)
    return 0.5 * (log_determinant - len(x) * np.log(2 * np.pi) - distance @ precision @ distance)
