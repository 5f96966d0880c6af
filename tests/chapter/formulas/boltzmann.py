"""Section 20.1, Boltzmann machines, and the centred ones of section 20.4.5."""

from __future__ import annotations

import numpy as np

from formulas.common import Array, binary_states, sigmoid


def energy(x: Array, U: Array, b: Array) -> float:
    """(20.2) and (20.36)"""
    return -x @ U @ x - b @ x


def probability(x: Array, U: Array, b: Array) -> float:
    """(20.1), with Z summed over every state"""
    Z = sum(np.exp(-energy(state, U, b)) for state in binary_states(len(x)))
    return np.exp(-energy(x, U, b)) / Z


def on(x: Array, U: Array, b: Array) -> Array:
    """In words, section 20.1: logistic regression on the other units"""
    found = np.zeros(len(x))
    for i in range(len(x)):
        without, with_it = np.where(np.arange(len(x)) == i, 0, x), np.where(np.arange(len(x)) == i, 1, x)
        found[i] = sigmoid(energy(without, U, b) - energy(with_it, U, b))
    return found


def energy_with_hidden(v: Array, h: Array, R: Array, W: Array, S: Array, b: Array, c: Array) -> float:
    """(20.3)"""
    return -v @ R @ v - v @ W @ h - h @ S @ h - b @ v - c @ h


def weight_statistic(v: Array, h: Array) -> Array:
    """In words, section 20.1: the update of a weight needs the statistics of its two units alone"""
    return -np.outer(v, h)


def centred_energy(x: Array, mu: Array, U: Array, b: Array) -> float:
    """(20.37)"""
    return -(x - mu) @ U @ (x - mu) - (x - mu) @ b
