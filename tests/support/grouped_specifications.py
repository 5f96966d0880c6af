"""Specifications whose units restrict one another, at a size that can be enumerated: energies written down again."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import pgmc

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class GroupedSpecification:
    """A small instance of a file of models/, and states of it to compare energies in."""

    name: str
    sizes: Mapping[str, int]
    states: Callable[[np.random.Generator], dict[str, Any]]
    energy: Callable[[Arrays, Arrays], float]
    blocks: tuple[tuple[str, ...], ...]
    default: Mapping[str, int] = field(default_factory=dict)

    def model(self) -> pgmc.Model:
        return importlib.import_module(f"pgmc_models.{self.name}").model(**self.sizes)


def documents(generator: np.random.Generator) -> dict[str, Any]:
    """Counts of three words and two topics."""
    lengths = generator.integers(1, 6, size=8)
    counts = np.array([generator.multinomial(n, np.full(3, 1 / 3)) for n in lengths])
    return {"v": counts, "h": generator.integers(2, size=(8, 2)), "D": lengths.astype(float)}


def replicated_softmax(x: Arrays, t: Arrays) -> float:
    factorials = sum(np.log(float(np.prod(np.arange(1, k + 1)))) for k in x["v"])
    return float(factorials - x["v"] @ t["W"] @ x["h"] - t["b"] @ x["v"] - x["D"] * (t["c"] @ x["h"]))


def detectors(generator: np.random.Generator, maps: int, places: int) -> Any:
    """Maps with one unit on in some of their 2 × 2 blocks."""
    h = np.zeros((8, maps, places, places), dtype=int)
    for n, k, x, y in np.ndindex(8, maps, places // 2, places // 2):
        a, b, on = generator.integers(2, size=3)
        h[n, k, 2 * x + a, 2 * y + b] = on
    return h


def convolutional_rbm(x: Arrays, t: Arrays) -> float:
    width = t["K"].shape[-1]
    total = -t["d"] * x["v"].sum() - (t["c"][:, None, None] * x["h"]).sum()
    for k, i, j in np.argwhere(x["h"]):
        total -= (t["K"][k] * x["v"][i : i + width, j : j + width]).sum()
    return float(total)


def convolutional_dbm(x: Arrays, t: Arrays) -> float:
    maps, side = x["h"].shape[0], x["h"].shape[1] // 2
    pooled = x["h"].reshape(maps, side, 2, side, 2).max(axis=(2, 4))
    width = t["L"].shape[-1]
    total = convolutional_rbm(x, t) - (t["e"][:, None, None] * x["g"]).sum()
    for k, i, j in np.argwhere(x["g"]):
        total -= (t["L"][k] * pooled[:, i : i + width, j : j + width]).sum()
    return float(total)


GROUPED_SPECIFICATIONS = (
    GroupedSpecification(
        "replicated_softmax", {"words": 3, "topics": 2}, documents, replicated_softmax, (("v",), ("h",))
    ),
    GroupedSpecification(
        "convolutional_rbm",
        {"side": 5, "maps": 2, "width": 2},
        lambda rng: {"v": rng.integers(2, size=(8, 5, 5)), "h": detectors(rng, 2, 4)},
        convolutional_rbm,
        (("v",), ("h",)),
    ),
    GroupedSpecification(
        "convolutional_dbm",
        {"side": 7, "maps": 2, "width": 2, "top": 2, "top_width": 2},
        lambda rng: {"v": rng.integers(2, size=(8, 7, 7)), "h": detectors(rng, 2, 6), "g": detectors(rng, 2, 2)},
        convolutional_dbm,
        (("v", "g"), ("h",)),
    ),
)
