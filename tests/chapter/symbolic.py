"""Equations of the chapter as sympy expressions: the argument of σ, or the mean of a normal unit."""

from __future__ import annotations

from typing import Any

import sympy

i, j, k = sympy.symbols("i j k", integer=True)


def array(name: str) -> Any:
    return sympy.IndexedBase(name)


def over(index: Any, body: Any) -> Any:
    """The sum over an axis, whatever its length."""
    return sympy.Sum(body, (index, 0, sympy.Symbol("n") - 1))


v, h, h1, h2 = map(array, ("v", "h", "h1", "h2"))
W, W1, W2, beta = map(array, ("W", "W1", "W2", "beta"))
a, b, c, c1, c2 = map(array, ("a", "b", "c", "c1", "c2"))

SYMBOLIC = (
    ("20.14", "rbm", "h", c[j] + over(i, v[i] * W[i, j])),
    ("20.16", "rbm", "v", b[i] + over(j, W[i, j] * h[j])),
    ("20.19", "deep_belief_net", "v", b[i] + over(j, W1[i, j] * h1[j])),
    ("20.26", "deep_boltzmann_machine", "v", over(j, W1[i, j] * h1[j]) + b[i]),
    ("20.27", "deep_boltzmann_machine", "h1", over(i, v[i] * W1[i, j]) + over(k, W2[j, k] * h2[k]) + c1[j]),
    ("20.28", "deep_boltzmann_machine", "h2", over(j, h1[j] * W2[j, k]) + c2[k]),
    ("20.38", "gaussian_rbm", "v", over(j, W[i, j] * h[j]) + a[i] / beta[i]),
)
"""Number, specification, variable, and the expression, with the biases that the chapter leaves out."""
