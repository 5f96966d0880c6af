"""Sections 20.9 and 20.10, back-propagation through random operations and directed generative nets."""

from __future__ import annotations

import numpy as np

from formulas.common import Array, sigmoid


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
