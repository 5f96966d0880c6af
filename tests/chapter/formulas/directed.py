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


def encoded(x: Array, R: Array, r: Array, M: Array, mu: Array, S: Array, s: Array) -> tuple[Array, Array]:
    """Section 20.10.3: mean and deviation of q(z | x), from a network"""
    g = np.tanh(R @ x + r)
    return M @ g + mu, np.exp(S @ g + s)


def log_decoder(x: Array, z: Array, V: Array, c: Array, U: Array, b: Array) -> float:
    """Section 20.10.3: log p(x | z), with the means of (20.74) from a network"""
    on = sigmoid(U @ np.tanh(V @ z + c) + b)
    return float(np.sum(np.log(np.where(x == 1, on, 1 - on))))


def log_normal_draw(z: Array, mean: Array, deviation: Array) -> float:
    """The log-density of independent normal numbers"""
    return float(np.sum(-0.5 * ((z - mean) / deviation) ** 2 - np.log(deviation) - 0.5 * np.log(2 * np.pi)))


def grid_of(mean: Array, deviation: Array) -> list[tuple[Array, float]]:
    """Values of a single normal number, and the probability of each, close enough to integrate over it"""
    steps = np.linspace(-9, 9, 801)
    shares = np.exp(-0.5 * steps**2)
    return [(mean + deviation * t, share) for t, share in zip(steps, shares / shares.sum(), strict=True)]


def bound_with_entropy(
    x: Array, V: Array, c: Array, U: Array, b: Array, R: Array, r: Array, M: Array, mu: Array, S: Array, s: Array
) -> float:
    """(20.76): E_q log p(z, x) + H(q)"""
    mean, deviation = encoded(x, R, r, M, mu, S, s)
    prior = np.zeros(len(mean)), np.ones(len(mean))
    joint = sum(
        share * (log_decoder(x, z, V, c, U, b) + log_normal_draw(z, *prior)) for z, share in grid_of(mean, deviation)
    )
    return joint + float(np.sum(0.5 * np.log(2 * np.pi * np.e * deviation**2)))


def bound_with_divergence(
    x: Array, V: Array, c: Array, U: Array, b: Array, R: Array, r: Array, M: Array, mu: Array, S: Array, s: Array
) -> float:
    """(20.77): E_q log p(x | z) - KL(q || p(z))"""
    mean, deviation = encoded(x, R, r, M, mu, S, s)
    divergence = 0.5 * np.sum(mean**2 + deviation**2 - 1 - 2 * np.log(deviation))
    return sum(share * log_decoder(x, z, V, c, U, b) for z, share in grid_of(mean, deviation)) - float(divergence)


def weighted_bound(
    x: Array, noise: Array, V: Array, c: Array, U: Array, b: Array, R: Array, r: Array, M: Array, mu: Array, S: Array,
    s: Array,
) -> float:  # fmt: skip
    """(20.79), inside the mean: the draws are those of (20.55), mean + deviation * noise"""
    mean, deviation = encoded(x, R, r, M, mu, S, s)
    weights = []
    for each in noise:
        z = mean + deviation * each
        joint = log_decoder(x, z, V, c, U, b) + log_normal_draw(z, np.zeros(len(z)), np.ones(len(z)))
        weights.append(np.exp(joint - log_normal_draw(z, mean, deviation)))
    return float(np.log(np.mean(weights)))
