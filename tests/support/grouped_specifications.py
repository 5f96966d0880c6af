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


GROUPED_SPECIFICATIONS = (
    GroupedSpecification(
        "replicated_softmax", {"words": 3, "topics": 2}, documents, replicated_softmax, (("v",), ("h",))
    ),
)
