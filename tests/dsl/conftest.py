"""Shared fixtures: arrays with values, and the value of an expression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import pgmc
from pgmc.dsl.expression import Expression
from pgmc.ir.interpret import interpret

Evaluate = Callable[[Expression], npt.NDArray[Any]]


@dataclass
class World:
    """A model with parameters that have values, so that an expression can be compared with NumPy."""

    model: pgmc.Model = field(default_factory=lambda: pgmc.Model("world"))
    arrays: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    def param(self, name: str, shape: tuple[int, ...]) -> tuple[Any, npt.NDArray[Any]]:
        """A parameter and its value, which is positive."""
        rng = np.random.default_rng(len(self.arrays))
        self.arrays[name] = rng.uniform(0.5, 1.5, shape)
        return self.model.param(name, shape), self.arrays[name]

    def value(self, expression: Expression) -> npt.NDArray[Any]:
        """What the expression is worth, over its positional axes."""
        result = interpret(expression.node, self.arrays, expression.axes)[0]
        assert np.shape(result) == expression.shape
        return np.asarray(result)


@pytest.fixture
def world() -> World:
    return World()
