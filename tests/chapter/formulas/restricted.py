"""Section 20.2, restricted Boltzmann machines."""

from __future__ import annotations

import numpy as np

from formulas.common import Array, binary_states, sigmoid


def energy(v: Array, h: Array, W: Array, b: Array, c: Array) -> float:
    """(20.5)"""
    return -b @ v - c @ h - v @ W @ h


def partition(W: Array, b: Array, c: Array) -> float:
    """(20.6)"""
    return sum(np.exp(-energy(v, h, W, b, c)) for v in binary_states(len(b)) for h in binary_states(len(c)))


def probability(v: Array, h: Array, W: Array, b: Array, c: Array) -> float:
    """(20.4)"""
    return np.exp(-energy(v, h, W, b, c)) / partition(W, b, c)


def posterior(v: Array, h: Array, W: Array, b: Array, c: Array) -> float:
    """(20.7)"""
    return probability(v, h, W, b, c) / sum(probability(v, other, W, b, c) for other in binary_states(len(c)))


def posterior_by_factors(v: Array, h: Array, W: Array, c: Array) -> float:
    """(20.11), where the constant makes the sum over h one"""

    def factors(h: Array) -> float:
        return np.prod([np.exp(c[j] * h[j] + v @ W[:, j] * h[j]) for j in range(len(c))])

    return factors(h) / sum(factors(other) for other in binary_states(len(c)))


def hidden_on_as_ratio(v: Array, W: Array, c: Array) -> Array:
    """(20.13)"""
    return np.array([np.exp(c[j] + v @ W[:, j]) / (np.exp(0) + np.exp(c[j] + v @ W[:, j])) for j in range(len(c))])


def hidden_on(v: Array, W: Array, c: Array) -> Array:
    """(20.14)"""
    return np.array([sigmoid(c[j] + v @ W[:, j]) for j in range(len(c))])


def hidden_given_visible(v: Array, h: Array, W: Array, c: Array) -> float:
    """(20.15)"""
    return np.prod(sigmoid((2 * h - 1) * (c + W.T @ v)))


def visible_given_hidden(v: Array, h: Array, W: Array, b: Array) -> float:
    """(20.16)"""
    return np.prod(sigmoid((2 * v - 1) * (b + W @ h)))


def visible_on(h: Array, W: Array, b: Array) -> Array:
    """(20.16), of v = 1"""
    return sigmoid(b + W @ h)


def hidden_on_given_past(v: Array, u: Array, W: Array, B: Array, c: Array) -> Array:
    """In words, section 20.7: an RBM whose biases are a linear function of what came before"""
    return hidden_on(v, W, c + B @ u)


def visible_on_given_past(h: Array, u: Array, W: Array, A: Array, b: Array) -> Array:
    """In words, section 20.7: an RBM whose biases are a linear function of what came before"""
    return visible_on(h, W, b + A @ u)
