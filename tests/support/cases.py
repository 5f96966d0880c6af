"""Small discrete models with their parameters, and their energies written down a second time for the oracle."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import conformance
import oracle
import pgmc
from oracle import Exact
from pgmc.compiler import Compiler

Arrays = Mapping[str, Any]
Energy = Callable[[Arrays, Arrays], Any]

BINARY, SPIN, THREE = (0, 1), (-1, 1), (0, 1, 2)


@dataclass(frozen=True)
class Case:
    """A compiled model, the oracle's view of it, and the parameters of both."""

    compiler: Compiler
    exact: Exact
    params: Arrays
    energy: Callable[[Arrays], Any]

    @property
    def free(self) -> tuple[str, ...]:
        return tuple(self.exact.spec)

    def law(self, energy: Callable[[Arrays], Any]) -> Exact:
        """The oracle for another energy of the same variables."""
        return Exact(self.exact.spec, energy)


def _declare(m: pgmc.Model, spec: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]) -> list[Any]:
    make = {BINARY: m.binary, SPIN: m.spin}
    return [
        make[values](name, shape) if values in make else m.categorical(name, shape, states=len(values))
        for name, (shape, values) in spec.items()
    ]


def one_hot(codes: Any, states: int = 3) -> Any:
    return np.asarray(codes)[..., None] == np.arange(states)


def two_layers(m: pgmc.Model) -> tuple[Any, Energy]:
    spec = {"v": ((3,), BINARY), "h": ((2,), BINARY)}
    v, h = _declare(m, spec)
    W, b, c = m.param("W", (3, 2)), m.param("b", 3), m.param("c", 2)
    m.energy(-(v @ W @ h) - b @ v - c @ h)
    return spec, lambda x, t: -np.einsum("ni,ij,nj->n", x["v"], t["W"], x["h"]) - x["v"] @ t["b"] - x["h"] @ t["c"]


def spins_and_binary(m: pgmc.Model) -> tuple[Any, Energy]:
    spec = {"s": ((3,), SPIN), "h": ((2,), BINARY)}
    s, h = _declare(m, spec)
    W, b = m.param("W", (3, 2)), m.param("b", 3)
    m.energy(-(s @ W @ h) - b @ s)
    return spec, lambda x, t: -np.einsum("ni,ij,nj->n", x["s"], t["W"], x["h"]) - x["s"] @ t["b"]


def three_layers(m: pgmc.Model) -> tuple[Any, Energy]:
    spec = {"v": ((2,), BINARY), "h": ((2,), SPIN), "g": ((2,), BINARY)}
    v, h, g = _declare(m, spec)
    W, U, b = m.param("W", (2, 2)), m.param("U", (2, 2)), m.param("b", 2)
    m.energy(-(v @ W @ h) - h @ U @ g - b @ h)
    return (
        spec,
        lambda x, t: (
            -np.einsum("ni,ij,nj->n", x["v"], t["W"], x["h"])
            - np.einsum("ni,ij,nj->n", x["h"], t["U"], x["g"])
            - x["h"] @ t["b"]
        ),
    )


def one_layer_of_spins(m: pgmc.Model) -> tuple[Any, Energy]:
    spec = {"s": ((5,), SPIN)}
    (s,) = _declare(m, spec)
    J, b = m.param("J", (5, 5)), m.param("b", 5)
    m.energy(-(s @ J @ s) - b @ s)
    return spec, lambda x, t: -np.einsum("ni,ij,nj->n", x["s"], t["J"], x["s"]) - x["s"] @ t["b"]


def one_layer_with_a_diagonal(m: pgmc.Model) -> tuple[Any, Energy]:
    spec = {"v": ((3,), BINARY), "h": ((2,), BINARY)}
    v, h = _declare(m, spec)
    U, W = m.param("U", (3, 3)), m.param("W", (3, 2))
    m.energy(-(v @ U @ v) - v @ W @ h)
    return (
        spec,
        lambda x, t: (
            -np.einsum("ni,ij,nj->n", x["v"], t["U"], x["v"]) - np.einsum("ni,ij,nj->n", x["v"], t["W"], x["h"])
        ),
    )


def labels(m: pgmc.Model) -> tuple[Any, Energy]:
    spec = {"y": ((), THREE), "h": ((3,), BINARY)}
    y, h = _declare(m, spec)
    U, d = m.param("U", (3, 3)), m.param("d", 3)
    m.energy(-(h @ U @ y) - d @ y)
    return spec, lambda x, t: -np.einsum("ni,ij,nj->n", x["h"], t["U"], one_hot(x["y"])) - one_hot(x["y"]) @ t["d"]


def coupled_labels(m: pgmc.Model) -> tuple[Any, Energy]:
    spec = {"x": ((2,), THREE), "s": ((2,), SPIN)}
    x, s = _declare(m, spec)
    J, W = m.param("J", (2, 3, 2, 3)), m.param("W", (2, 2, 3))
    i, k, j, q, a = pgmc.indices("i k j q a")
    m.energy(-x[i, k] * J[i, k, j, q] * x[j, q])
    m.energy(-s[a] * W[a, i, k] * x[i, k])
    return (
        spec,
        lambda z, t: (
            -np.einsum("nik,ikjq,njq->n", one_hot(z["x"]), t["J"], one_hot(z["x"]))
            - np.einsum("na,aik,nik->n", z["s"], t["W"], one_hot(z["x"]))
        ),
    )


def third_order(m: pgmc.Model) -> tuple[Any, Energy]:
    spec = {"x": ((2,), BINARY), "y": ((2,), SPIN), "h": ((2,), BINARY)}
    x, y, h = _declare(m, spec)
    W, b = m.param("W", (2, 2, 2)), m.param("b", 2)
    m.energy(-pgmc.einsum("i,j,k,ijk->", x, y, h, W) - b @ y)
    return spec, lambda z, t: -np.einsum("ni,nj,nk,ijk->n", z["x"], z["y"], z["h"], t["W"]) - z["y"] @ t["b"]


def third_order_in_one_layer(m: pgmc.Model) -> tuple[Any, Energy]:
    spec = {"x": ((4,), BINARY)}
    (x,) = _declare(m, spec)
    W, b = m.param("W", (4, 4, 4)), m.param("b", 4)
    i, j, k = pgmc.indices("i j k")
    m.energy(-x[i] * x[j] * x[k] * W[i, j, k])
    m.energy(-b[i] * x[i])
    return spec, lambda z, t: -np.einsum("ni,nj,nk,ijk->n", z["x"], z["x"], z["x"], t["W"]) - z["x"] @ t["b"]


HAND_WRITTEN = (
    two_layers,
    spins_and_binary,
    three_layers,
    one_layer_of_spins,
    one_layer_with_a_diagonal,
    labels,
    coupled_labels,
    third_order,
    third_order_in_one_layer,
)


def build_case(declare: Callable[[pgmc.Model], tuple[Any, Energy]], seed: int = 0) -> Case:
    """A hand-written model with random parameters."""
    m = pgmc.Model(declare.__name__)
    spec, energy = declare(m)
    model = m.build()
    rng = np.random.default_rng(seed)
    params = {p.name: rng.normal(size=tuple(a.size for a in p.axes)) for p in model.parameters}

    def at_params(x: Arrays) -> Any:
        return energy(x, params)

    return Case(Compiler(model, "float64"), Exact(spec, at_params), params, at_params)


def random_case(seed: int, max_states: int = 64) -> Case:
    """The oracle's random model of a seed, the first draw that has a term."""
    rng = np.random.default_rng(seed)
    spec, terms, theta = oracle.random_model(rng, max_states)
    while not terms:
        spec, terms, theta = oracle.random_model(rng, max_states)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pgmc.ModelWarning)  # some units of random models are alone
        model = conformance.declare(spec, terms, index_spelling=seed % 2 == 1).build()
    energy = oracle.energy_of(spec, terms)

    def at_params(x: Arrays) -> Any:
        return energy(x, theta)

    params = conformance.params_of(spec, terms, theta)
    return Case(Compiler(model, "float64"), Exact(spec, at_params), params, at_params)
