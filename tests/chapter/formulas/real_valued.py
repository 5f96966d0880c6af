"""Section 20.5, Boltzmann machines for real-valued data."""

from __future__ import annotations

import numpy as np

from formulas.common import Array, log_normal, sigmoid


def gaussian_energy(v: Array, h: Array, W: Array, b: Array, beta: Array) -> float:
    """(20.42)"""
    return 0.5 * v @ (beta * v) - (v * beta) @ W @ h - b @ h


def gaussian_visible_mean(h: Array, W: Array) -> Array:
    """(20.38), the mean"""
    return W @ h


def gaussian_visible_precision(beta: Array) -> Array:
    """(20.38), the precision"""
    return beta


def gaussian_log_density(v: Array, h: Array, W: Array, beta: Array) -> float:
    """(20.39), with f(β) written out"""
    return -0.5 * (v - W @ h) @ np.diag(beta) @ (v - W @ h) + 0.5 * np.sum(np.log(beta / (2 * np.pi)))


def gaussian_hidden_on(v: Array, W: Array, b: Array, beta: Array) -> Array:
    """Not numbered, from (20.42)"""
    return sigmoid(b + (v * beta) @ W)


def mean_energy(x: Array, h_m: Array, W: Array, b_m: Array) -> float:
    """(20.44)"""
    return 0.5 * x @ x - sum(x @ W[:, j] * h_m[j] for j in range(len(h_m))) - b_m @ h_m


def covariance_energy(x: Array, h_c: Array, R: Array, b_c: Array) -> float:
    """(20.45), with r_j in the columns of R"""
    return 0.5 * sum(h_c[j] * (x @ R[:, j]) ** 2 for j in range(len(h_c))) - b_c @ h_c


def mc_energy(x: Array, h_m: Array, h_c: Array, W: Array, R: Array, b_m: Array, b_c: Array) -> float:
    """(20.43)"""
    return mean_energy(x, h_m, W, b_m) + covariance_energy(x, h_c, R, b_c)


def mc_covariance(h_c: Array, R: Array) -> Array:
    """(20.47), the covariance"""
    return np.linalg.inv(sum(h_c[j] * np.outer(R[:, j], R[:, j]) for j in range(len(h_c))) + np.eye(len(R)))


def mc_mean(h_m: Array, h_c: Array, W: Array, R: Array) -> Array:
    """(20.47), the mean"""
    return mc_covariance(h_c, R) @ sum(W[:, j] * h_m[j] for j in range(len(h_m)))


def student_energy(x: Array, h_m: Array, h_c: Array, W: Array, R: Array, b_m: Array, gamma: Array) -> float:
    """(20.48) and (20.49)"""
    terms = [h_c[j] * (1 + 0.5 * (R[:, j] @ x) ** 2) + (1 - gamma[j]) * np.log(h_c[j]) for j in range(len(h_c))]
    return mean_energy(x, h_m, W, b_m) + sum(terms)


def student_shape(gamma: Array) -> Array:
    """In words, section 20.5.2: independent gamma distributions; this is the shape"""
    return gamma


def student_rate(x: Array, R: Array) -> Array:
    """In words, section 20.5.2: independent gamma distributions; this is the rate"""
    return np.array([1 + 0.5 * (R[:, j] @ x) ** 2 for j in range(R.shape[1])])


def slab_energy(
    x: Array, s: Array, h: Array, W: Array, Lambda: Array, Phi: Array, alpha: Array, mu: Array, b: Array
) -> float:
    """(20.50) and (20.51), with the diagonals of the Φ_i in the columns of Phi"""
    units = range(len(h))
    return (
        -sum(x @ W[:, i] * s[i] * h[i] for i in units)
        + 0.5 * x @ (np.diag(Lambda) + sum(np.diag(Phi[:, i]) * h[i] for i in units)) @ x
        + 0.5 * sum(alpha[i] * s[i] ** 2 for i in units)
        - sum(alpha[i] * mu[i] * s[i] * h[i] for i in units)
        - sum(b[i] * h[i] for i in units)
        + sum(alpha[i] * mu[i] ** 2 * h[i] for i in units)
    )


def slab_log_marginal(
    x: Array, h: Array, W: Array, Lambda: Array, Phi: Array, alpha: Array, mu: Array, b: Array
) -> float:
    """(20.52): the logarithm of the integral over s, done one slab at a time on a fine grid"""
    s = np.linspace(-40, 40, 4001)
    grid = (s[1] - s[0]) * np.ones(len(s))
    total = -slab_energy(x, np.zeros(len(h)), h, W, Lambda, Phi, alpha, mu, b)
    for i in range(len(h)):
        exponent = x @ W[:, i] * s * h[i] - 0.5 * alpha[i] * s**2 + alpha[i] * mu[i] * s * h[i]
        total += np.log(np.exp(exponent) @ grid)
    return total


def slab_precision(h: Array, W: Array, Lambda: Array, Phi: Array, alpha: Array) -> Array:
    """(20.53), the inverse of the covariance"""
    units = range(len(h))
    return (
        np.diag(Lambda)
        + sum(np.diag(Phi[:, i]) * h[i] for i in units)
        - sum(h[i] / alpha[i] * np.outer(W[:, i], W[:, i]) for i in units)
    )


def slab_visible_unit_mean(x: Array, h: Array, W: Array, Lambda: Array, Phi: Array, alpha: Array, mu: Array) -> Array:
    """(20.53), the mean of each unit of x given the other ones"""
    precision = slab_precision(h, W, Lambda, Phi, alpha)
    mean = np.linalg.solve(precision, sum(W[:, i] * mu[i] * h[i] for i in range(len(h))))
    diagonal = np.diag(precision)
    return mean - ((precision - np.diag(diagonal)) @ (x - mean)) / diagonal


def slab_log_ratio(x: Array, h: Array, W: Array, Lambda: Array, Phi: Array, alpha: Array, mu: Array) -> float:
    """(20.53), the logarithm of its density at x over that at zero"""
    precision = slab_precision(h, W, Lambda, Phi, alpha)
    mean = np.linalg.solve(precision, sum(W[:, i] * mu[i] * h[i] for i in range(len(h))))
    return log_normal(x, mean, precision) - log_normal(0 * x, mean, precision)
