"""Sections 20.3 and 20.4, deep belief nets and deep Boltzmann machines."""

from __future__ import annotations

from itertools import product

import numpy as np

from formulas.common import Array, binary_states, sigmoid


def log_top_pair(h1: Array, h2: Array, W2: Array, c1: Array, c2: Array) -> float:
    """(20.17), the exponent"""
    return c2 @ h2 + c1 @ h1 + h1 @ W2 @ h2


def belief_net_visible_on(h1: Array, W1: Array, b: Array) -> Array:
    """(20.19); the weights of the chapter are the transpose of those of the specification"""
    chapter_W1 = W1.T
    return np.array([sigmoid(b[i] + chapter_W1[:, i] @ h1) for i in range(len(b))])


def first_up(v: Array, R1: Array, d1: Array) -> Array:
    """(20.22), with weights R1 and biases d1 of the recognition net"""
    return sigmoid(d1 + v @ R1)


def second_up(h1: Array, R2: Array, d2: Array) -> Array:
    """(20.23), with weights R2 and biases d2 of the recognition net"""
    return sigmoid(d2 + h1 @ R2)


def energy(v: Array, h1: Array, h2: Array, h3: Array, W1: Array, W2: Array, W3: Array) -> float:
    """(20.25)"""
    return -v @ W1 @ h1 - h1 @ W2 @ h2 - h2 @ W3 @ h3


def probability(v: Array, h1: Array, h2: Array, h3: Array, W1: Array, W2: Array, W3: Array) -> float:
    """(20.24), with Z summed over every state"""
    layers = product(*(binary_states(len(layer)) for layer in (v, h1, h2, h3)))
    return np.exp(-energy(v, h1, h2, h3, W1, W2, W3)) / sum(np.exp(-energy(*state, W1, W2, W3)) for state in layers)


def visible_on(h1: Array, W1: Array) -> Array:
    """(20.26)"""
    return np.array([sigmoid(W1[i, :] @ h1) for i in range(len(W1))])


def first_on(v: Array, h2: Array, W1: Array, W2: Array) -> Array:
    """(20.27)"""
    return np.array([sigmoid(v @ W1[:, i] + W2[i, :] @ h2) for i in range(len(W2))])


def second_on(h1: Array, W2: Array) -> Array:
    """(20.28)"""
    return np.array([sigmoid(h1 @ W2[:, k]) for k in range(W2.shape[1])])


def first_mean(v: Array, h2: Array, W1: Array, W2: Array) -> Array:
    """(20.33), with the means of the second layer as h2"""
    j = range(len(W2))
    return np.array(
        [
            sigmoid(sum(v[i] * W1[i, j] for i in range(len(v))) + sum(W2[j, k] * h2[k] for k in range(len(h2))))
            for j in j
        ]
    )


def second_mean(h1: Array, W2: Array) -> Array:
    """(20.34), with the means of the first layer as h1"""
    return np.array([sigmoid(sum(W2[j, k] * h1[j] for j in range(len(h1)))) for k in range(W2.shape[1])])


def bound(v: Array, h1: Array, h2: Array, W1: Array, W2: Array) -> float:
    """(20.35), with the means as h1 and h2, and the entropy of Q of (20.29) to (20.32)"""
    layers = product(*(binary_states(size) for size in (*W1.shape, W2.shape[1])))
    Z = sum(np.exp(a @ W1 @ b + b @ W2 @ c) for a, b, c in layers)
    entropy = sum(-q * np.log(q) - (1 - q) * np.log(1 - q) for q in (*h1, *h2))
    return v @ W1 @ h1 + h1 @ W2 @ h2 - np.log(Z) + entropy
