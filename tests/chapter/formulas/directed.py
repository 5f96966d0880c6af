"""Sections 20.9 and 20.10, back-propagation through random operations and directed generative nets."""

from __future__ import annotations

import numpy as np

from formulas.common import Array, binary_states, sigmoid


def cost(y: Array) -> float:
    """J of (20.59): a cost of the outcome that its law does not enter"""
    return float(np.sum(y * np.arange(1, len(y) + 1)) ** 2)


def gradient_of_expected_cost(v: Array, R: Array, d: Array) -> Array:
    """(20.60): Σ_y J(y) ∂p(y)/∂ω, for ω = R in p(y_j = 1) = σ(d_j + Σ_i R_ij v_i)"""
    on = sigmoid(d + v @ R)
    total = np.zeros(R.shape)
    for y in binary_states(len(d)):
        each = np.where(y == 1, on, 1 - on)
        for j in range(len(d)):
            slope = (2 * y[j] - 1) * on[j] * (1 - on[j])
            total[:, j] += cost(y) * slope * v * np.prod(np.delete(each, j))
    return total


def unit_on(x: Array, W: Array, b: Array) -> Array:
    """(20.70); the weights of the chapter are the transpose of those of the specification"""
    chapter_W = W.T
    return np.array([sigmoid(sum(chapter_W[j, i] * x[j] for j in range(i)) + b[i]) for i in range(len(x))])


def log_probability(x: Array, W: Array, b: Array) -> float:
    """The product of (20.70) over the units, as a logarithm"""
    on = unit_on(x, W, b)
    return float(np.sum(np.log(np.where(x == 1, on, 1 - on))))


def effects_on(h: Array, W: Array, b: Array) -> Array:
    """(20.70), of units whose ancestors are a layer"""
    return np.array([sigmoid(sum(W[i, j] * h[j] for j in range(len(h))) + b[i]) for i in range(len(b))])
