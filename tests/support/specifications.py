"""The specifications at a size that can be enumerated, and their energies written down a second time."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

import pgmc

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Specification:
    """A small instance of a file of models/.

    ``values`` holds the values of each variable's units in expressions: (0, 1), (-1, 1), or the number of states of a
    one-hot unit. ``latent`` are the variables that the free energy sums out.
    """

    name: str
    sizes: Mapping[str, int]
    values: Mapping[str, tuple[int, ...] | int]
    latent: tuple[str, ...]
    energy: Callable[[Arrays, Arrays], Any]

    def model(self) -> pgmc.Model:
        return importlib.import_module(f"pgmc_models.{self.name}").model(**self.sizes)

    def params(self, model: pgmc.Model) -> dict[str, Any]:
        """Parameters far from their small initial values, that keep the constraints."""
        generator = np.random.default_rng(7)
        params = {}
        for parameter in model.build().parameters:
            value = generator.normal(size=[axis.size for axis in parameter.axes])
            if parameter.constraint.symmetric:
                value = (value + value.T) / 2 - np.diag(np.diag(value))
            params[parameter.name] = value
        return params

    def states(self, model: pgmc.Model) -> dict[str, Any]:
        """Every joint state, as data."""
        variables = model.build().variables
        shapes = [tuple(axis.size for axis in v.axes) for v in variables]
        sizes = [int(np.prod(shape)) for shape in shapes]
        choices = [self.choices(v.name) for v, size in zip(variables, sizes, strict=True) for _ in range(size)]
        table = np.array(list(product(*choices)))
        parts = np.split(table, np.cumsum(sizes)[:-1], axis=1)
        return {v.name: part.reshape(-1, *shape) for v, part, shape in zip(variables, parts, shapes, strict=True)}

    def choices(self, name: str) -> tuple[int, ...]:
        """The values of a unit of that variable in data."""
        values = self.values[name]
        return tuple(range(values)) if isinstance(values, int) else values

    def evaluate(self, states: Arrays, params: Arrays) -> Any:
        """The energy of each state, (n,)."""
        hot = {
            name: np.eye(values)[states[name]] if isinstance(values, int) else states[name].astype(float)
            for name, values in self.values.items()
        }
        return self.energy(hot, params)


BINARY, SPIN = (0, 1), (-1, 1)


def rbm(x: Arrays, t: Arrays) -> Any:
    return -np.einsum("ni,ij,nj->n", x["v"], t["W"], x["h"]) - x["v"] @ t["b"] - x["h"] @ t["c"]


def spin_rbm(x: Arrays, t: Arrays) -> Any:
    return -np.einsum("ni,ij,nj->n", x["s"], t["J"], x["t"]) - x["s"] @ t["a"] - x["t"] @ t["d"]


def softmax_rbm(x: Arrays, t: Arrays) -> Any:
    pairs = np.einsum("nik,ikj,nj->n", x["v"], t["W"], x["h"])
    return -pairs - np.einsum("nik,ik->n", x["v"], t["b"]) - x["h"] @ t["c"]


def class_rbm(x: Arrays, t: Arrays) -> Any:
    pairs = np.einsum("ni,ij,nj->n", x["v"], t["W"], x["h"]) + np.einsum("nk,kj,nj->n", x["y"], t["U"], x["h"])
    return -pairs - x["v"] @ t["b"] - x["y"] @ t["d"] - x["h"] @ t["c"]


def deep_boltzmann_machine(x: Arrays, t: Arrays) -> Any:
    pairs = np.einsum("ni,ij,nj->n", x["v"], t["W1"], x["h1"]) + np.einsum("nj,jk,nk->n", x["h1"], t["W2"], x["h2"])
    return -pairs - x["v"] @ t["b"] - x["h1"] @ t["c1"] - x["h2"] @ t["c2"]


def lattice(x: Arrays, t: Arrays) -> Any:
    right, below = np.roll(x["s"], -1, axis=2), np.roll(x["s"], -1, axis=1)
    return -(x["s"] * (t["R"] * right + t["D"] * below + t["f"])).sum(axis=(1, 2))


def boltzmann_machine(x: Arrays, t: Arrays) -> Any:
    within = np.einsum("ni,ij,nj->n", x["v"], t["R"], x["v"]) + np.einsum("ni,ij,nj->n", x["h"], t["S"], x["h"])
    return rbm(x, t) - within


SPECIFICATIONS = (
    Specification("rbm", {"visible": 4, "hidden": 3}, {"v": BINARY, "h": BINARY}, ("h",), rbm),
    Specification("spin_rbm", {"visible": 4, "hidden": 3}, {"s": SPIN, "t": SPIN}, ("t",), spin_rbm),
    Specification("softmax_rbm", {"visible": 3, "states": 3, "hidden": 2}, {"v": 3, "h": BINARY}, ("h",), softmax_rbm),
    Specification(
        "class_rbm",
        {"visible": 3, "classes": 3, "hidden": 3},
        {"v": BINARY, "y": 3, "h": BINARY},
        ("h",),
        class_rbm,
    ),
    Specification(
        "deep_boltzmann_machine",
        {"visible": 3, "hidden": 3, "top": 2},
        {"v": BINARY, "h1": BINARY, "h2": BINARY},
        ("h1",),
        deep_boltzmann_machine,
    ),
    Specification("boltzmann_machine", {"visible": 4, "hidden": 3}, {"v": BINARY, "h": BINARY}, (), boltzmann_machine),
    Specification("lattice", {"rows": 3, "columns": 3}, {"s": SPIN}, (), lattice),
)
