"""The specifications at a size that can be enumerated, and their energies written down a second time."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any

import numpy as np

import pgmc

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Specification:
    """A small instance of a file of models/.

    ``values`` holds the values of each variable's units in expressions: (0, 1), (-1, 1), or the number of states of a
    one-hot unit. ``latent`` are the variables that the free energy sums out, ``inputs`` the sizes of real inputs.
    """

    name: str
    sizes: Mapping[str, int]
    values: Mapping[str, tuple[int, ...] | int]
    latent: tuple[str, ...]
    energy: Callable[[Arrays, Arrays], Any]
    inputs: Mapping[str, int] = field(default_factory=dict)

    def model(self) -> pgmc.Model:
        return importlib.import_module(f"pgmc_models.{self.name}").model(**self.sizes)

    def params(self, model: pgmc.Model) -> dict[str, Any]:
        """Parameters far from their small initial values, that keep the constraints."""
        generator = np.random.default_rng(7)
        params = {}
        for parameter in model.build().parameters:
            value = generator.normal(size=[axis.size for axis in parameter.axes])
            if parameter.constraint.symmetric:
                value = (value + value.T) / 2
            if parameter.constraint.zero_diagonal:
                value = value - np.diag(np.diag(value))
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

    def given(self) -> dict[str, Any]:
        """A value of every input, ``(1, size)``."""
        generator = np.random.default_rng(8)
        return {name: generator.normal(size=(1, size)) for name, size in self.inputs.items()}

    def whole_states(self, model: pgmc.Model) -> dict[str, Any]:
        """Every joint state, as data, with the inputs beside it."""
        states = self.states(model)
        rows = len(next(iter(states.values())))
        return states | {name: np.repeat(value, rows, axis=0) for name, value in self.given().items()}

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
        return self.energy({**hot, **{name: states[name] for name in self.inputs}}, params)


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
    return -layers([x["v"], x["h1"], x["h2"], x["h3"]], t)


def centred_deep_boltzmann_machine(x: Arrays, t: Arrays) -> Any:
    return -layers([x["v"] - t["mu"], *(x[f"h{k}"] - t[f"mu{k}"] for k in (1, 2, 3))], t)


def layers(values: list[Any], t: Arrays) -> Any:
    total = values[0] @ t["b"] + sum(value @ t[f"c{k}"] for k, value in enumerate(values[1:], 1))
    for k, (below, above) in enumerate(pairwise(values), 1):
        total = total + (below @ t[f"W{k}"] * above).sum(axis=1)
    return total


def lattice(x: Arrays, t: Arrays) -> Any:
    right, below = np.roll(x["s"], -1, axis=2), np.roll(x["s"], -1, axis=1)
    return -(x["s"] * (t["R"] * right + t["D"] * below + t["f"])).sum(axis=(1, 2))


def boltzmann_machine(x: Arrays, t: Arrays) -> Any:
    within = np.einsum("ni,ij,nj->n", x["v"], t["R"], x["v"]) + np.einsum("ni,ij,nj->n", x["h"], t["S"], x["h"])
    return rbm(x, t) - within


def visible_boltzmann_machine(x: Arrays, t: Arrays) -> Any:
    return -(x["x"] @ t["U"] * x["x"]).sum(axis=1) - x["x"] @ t["b"]


def centred_boltzmann_machine(x: Arrays, t: Arrays) -> Any:
    return visible_boltzmann_machine({"x": x["x"] - t["mu"]}, t)


def cubic_lattice(x: Arrays, t: Arrays) -> Any:
    s = x["s"]
    bonds = (s[:, 1:] * s[:, :-1]).sum(axis=(1, 2, 3)) + (s[:, :, 1:] * s[:, :, :-1]).sum(axis=(1, 2, 3))
    bonds = bonds + (s[..., 1:] * s[..., :-1]).sum(axis=(1, 2, 3))
    return -t["J"] * bonds - t["f"] * s.sum(axis=(1, 2, 3))


def spin_glass(x: Arrays, t: Arrays) -> Any:
    """The edges of seven spins with one partner each, as the specification draws them."""
    hop = np.random.default_rng(0).integers(1, 7, size=7)
    pairs = sorted({tuple(sorted((i, (i + h) % 7))) for i, h in enumerate(hop)})
    bonds = sum(t["J"][e] * x["s"][:, i] * x["s"][:, j] for e, (i, j) in enumerate(pairs))
    return -bonds - x["s"] @ t["f"]


def potts(x: Arrays, t: Arrays) -> Any:
    s = x["s"]
    bonds = sum((s * np.roll(s, -1, axis=axis)).sum(axis=(1, 2, 3)) for axis in (1, 2))
    return -t["J"] * bonds - s.sum(axis=(1, 2)) @ t["f"]


def three_way(x: Arrays, t: Arrays) -> Any:
    triples = np.einsum("ni,nj,nk,ijk->n", x["x"], x["y"], x["h"], t["W"])
    return -triples - x["x"] @ t["b"] - x["y"] @ t["d"] - x["h"] @ t["c"]


def factored_three_way(x: Arrays, t: Arrays) -> Any:
    return three_way(x, {**t, "W": np.einsum("if,jf,kf->ijk", t["A"], t["B"], t["C"])})


def class_gated_rbm(x: Arrays, t: Arrays) -> Any:
    triples = np.einsum("ni,nk,nj,ikj->n", x["v"], x["y"], x["h"], t["W"])
    return -triples - x["v"] @ t["b"] - x["y"] @ t["d"] - x["h"] @ t["c"]


def two_group_class_rbm(x: Arrays, t: Arrays) -> Any:
    of_h = x["v"] @ t["W"] + x["y"] @ t["V"] + t["c"]
    of_g = x["v"] @ t["U"] + t["e"]
    return -(of_h * x["h"]).sum(axis=1) - (of_g * x["g"]).sum(axis=1) - x["v"] @ t["b"] - x["y"] @ t["d"]


def point_wise_gated_rbm(x: Arrays, t: Arrays) -> Any:
    first, second = x["z"] * x["v"] @ t["W"], (1 - x["z"]) * x["v"] @ t["U"]
    pairs = (first * x["h"]).sum(axis=1) + (second * x["g"]).sum(axis=1)
    return -pairs - x["z"] @ t["a"] - x["v"] @ t["b"] - x["h"] @ t["c"] - x["g"] @ t["d"]


def conditional_rbm(x: Arrays, t: Arrays) -> Any:
    return rbm(x, t) - (x["u"] @ t["A"].T * x["v"]).sum(axis=1) - (x["u"] @ t["B"].T * x["h"]).sum(axis=1)


def conditional_boltzmann_machine(x: Arrays, t: Arrays) -> Any:
    fields = x["y"] @ t["L"] + x["h"] @ t["W"].T + x["x"] @ t["A"] + t["b"]
    return -(x["y"] * fields).sum(axis=1) - (x["h"] * (x["x"] @ t["V"] + t["c"])).sum(axis=1)


def minus_log_bernoulli(x: Any, logits: Any) -> Any:
    """-Σ log p(x) of binary units, (n,)."""
    return np.logaddexp(0.0, (1 - 2 * x) * logits).sum(axis=1)


def sigmoid_belief_net(x: Arrays, t: Arrays) -> Any:
    below = minus_log_bernoulli(x["v"], x["h"] @ t["W"].T + t["b"])
    return below + minus_log_bernoulli(x["h"], np.broadcast_to(t["c"], x["h"].shape))


def fully_visible_belief_net(x: Arrays, t: Arrays) -> Any:
    return minus_log_bernoulli(x["x"], x["x"] @ np.tril(t["W"], -1).T + t["b"])


def deep_belief_net(x: Arrays, t: Arrays) -> Any:
    top = (x["h1"] @ t["W2"] * x["h2"]).sum(axis=1) + x["h1"] @ t["c1"] + x["h2"] @ t["c2"]
    return minus_log_bernoulli(x["v"], x["h1"] @ t["W1"].T + t["b"]) - top


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
        {"visible": 3, "hidden": 2, "top": 3, "depth": 3},
        {"v": BINARY, "h1": BINARY, "h2": BINARY, "h3": BINARY},
        ("h1", "h3"),
        deep_boltzmann_machine,
    ),
    Specification(
        "centred_deep_boltzmann_machine",
        {"visible": 2, "hidden": 2, "top": 3, "depth": 3},
        {"v": BINARY, "h1": BINARY, "h2": BINARY, "h3": BINARY},
        ("v", "h2"),
        centred_deep_boltzmann_machine,
    ),
    Specification("visible_boltzmann_machine", {"visible": 6}, {"x": BINARY}, (), visible_boltzmann_machine),
    Specification("centred_boltzmann_machine", {"visible": 6}, {"x": BINARY}, (), centred_boltzmann_machine),
    Specification("potts", {"rows": 3, "columns": 3, "states": 2}, {"s": 2}, (), potts),
    Specification("cubic_lattice", {"rows": 3, "columns": 2, "layers": 2}, {"s": SPIN}, (), cubic_lattice),
    Specification("spin_glass", {"visible": 7, "partners": 1}, {"s": SPIN}, (), spin_glass),
    Specification(
        "three_way",
        {"visible": 3, "gates": 2, "hidden": 3},
        {"x": BINARY, "y": BINARY, "h": BINARY},
        ("h",),
        three_way,
    ),
    Specification(
        "factored_three_way",
        {"visible": 3, "gates": 2, "hidden": 3, "factors": 2},
        {"x": BINARY, "y": BINARY, "h": BINARY},
        ("x",),
        factored_three_way,
    ),
    Specification(
        "class_gated_rbm",
        {"visible": 3, "classes": 3, "hidden": 3},
        {"v": BINARY, "y": 3, "h": BINARY},
        ("h",),
        class_gated_rbm,
    ),
    Specification(
        "two_group_class_rbm",
        {"visible": 2, "classes": 3, "hidden": 2, "others": 3},
        {"v": BINARY, "y": 3, "h": BINARY, "g": BINARY},
        ("h", "g"),
        two_group_class_rbm,
    ),
    Specification(
        "point_wise_gated_rbm",
        {"visible": 2, "hidden": 2, "others": 3},
        {"v": BINARY, "z": BINARY, "h": BINARY, "g": BINARY},
        ("h", "g"),
        point_wise_gated_rbm,
    ),
    Specification(
        "conditional_rbm",
        {"visible": 3, "hidden": 3, "inputs": 2},
        {"v": BINARY, "h": BINARY},
        ("h",),
        conditional_rbm,
        {"u": 2},
    ),
    Specification(
        "conditional_boltzmann_machine",
        {"inputs": 2, "outputs": 4, "hidden": 3},
        {"y": BINARY, "h": BINARY},
        ("h",),
        conditional_boltzmann_machine,
        {"x": 2},
    ),
    Specification("boltzmann_machine", {"visible": 4, "hidden": 3}, {"v": BINARY, "h": BINARY}, (), boltzmann_machine),
    Specification("lattice", {"rows": 3, "columns": 3}, {"s": SPIN}, (), lattice),
    Specification(
        "sigmoid_belief_net", {"visible": 4, "hidden": 3}, {"v": BINARY, "h": BINARY}, ("v",), sigmoid_belief_net
    ),
    Specification(
        "helmholtz_machine", {"visible": 4, "hidden": 3}, {"v": BINARY, "h": BINARY}, ("v",), sigmoid_belief_net
    ),
    Specification("fully_visible_belief_net", {"visible": 5}, {"x": BINARY}, (), fully_visible_belief_net),
    Specification(
        "deep_belief_net",
        {"visible": 3, "hidden": 3, "top": 2},
        {"v": BINARY, "h1": BINARY, "h2": BINARY},
        ("v", "h2"),
        deep_belief_net,
    ),
)
