"""The up-pass: means of the units of each level given those of the level below, from the data to the top."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError, IntractableError
from pgmc.ir.queries import Conditional
from pgmc.ir.symbols import Spin, is_one_hot, is_per_example, shape_of
from pgmc.learning.objective import are_independent
from pgmc.program.conditional import probabilities
from pgmc.runtime.state import encode_state

if TYPE_CHECKING:
    from pgmc.program.program import Program

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Step:
    """A program, its parameters, and the variables of it whose means are wanted given the others."""

    program: Program
    params: Mapping[str, Array]
    targets: tuple[str, ...]

    def __post_init__(self) -> None:
        if not are_independent(self.program.executable, self.targets):
            raise IntractableError(
                f"{self.program.model.name}: units of {', '.join(self.targets)} depend on one another given the level "
                "below, so one pass does not give their means. Sample them, or use mean_field."
            )

    def means(self, below: Mapping[str, Array]) -> dict[str, Array]:
        """The mean of every unit of the targets, given values or means of the other variables, ``(n, *shape)``."""
        given = {s.name: below[s.name] for s in self.program.model.symbols if s.name in below}
        params = self.program.compiler.encode_params(self.params)
        return {name: self._mean(name, params, given) for name in self.targets}

    def linear(self) -> tuple[Array, Array]:
        """The logits of all units of the targets as x·matrix + offset of all units below, each in C order.

        Raises
        ------
        ArgumentError
            If a target is not binary, or the logits are not linear in the units below.
        """
        model = self.program.model
        params = self.program.compiler.encode_params(self.params)
        below = [v for v in model.variables if v.name not in self.targets]
        for name in self.targets:
            if self.program.conditional(name).law.family != "Bernoulli" or model.inputs:
                raise ArgumentError(
                    f"{model.name}: {name} is not binary, or depends on inputs, so it is no layer of logistic units."
                )
        sizes = [math.prod(shape_of(v)) for v in below]
        trial = np.random.default_rng(0).random((3, sum(sizes)))
        rows = np.concatenate([np.zeros((1, sum(sizes))), np.eye(sum(sizes)), trial]).astype(np.float32)
        parts = np.split(rows.astype(self.program.compiler.dtype), np.cumsum(sizes)[:-1], axis=1)
        given = {v.name: part.reshape(-1, *shape_of(v)).copy() for v, part in zip(below, parts, strict=True)}
        executable = self.program.executable
        found = [executable.evaluate(Conditional(name), params, given)["logits"] for name in self.targets]
        logits = np.concatenate([value.reshape(len(rows), -1) for value in found], axis=1).astype(np.float64)
        matrix, offset = logits[1 : 1 + sum(sizes)] - logits[0], logits[0]
        if not np.allclose(rows[-3:] @ matrix + offset, logits[-3:], rtol=1e-3, atol=1e-3):
            raise ArgumentError(
                f"{model.name}: logits of {', '.join(self.targets)} are not linear in the level below, so it is no "
                "layer of logistic units. Use UpPassFeatures before a classifier."
            )
        return matrix, offset

    def _mean(self, name: str, params: Mapping[str, Array], given: Mapping[str, Array]) -> Array:
        variable = self.program.model.variable(name)
        law = self.program.conditional(name).law
        found = self.program.executable.evaluate(Conditional(name), params, given)
        if law.family in ("Bernoulli", "Spin"):
            on = probabilities(found["logits"], law.family)
            return 2 * on - 1 if isinstance(variable.domain, Spin) else on
        if law.family == "Normal":
            return found["mean"]
        if law.family == "Categorical":
            return probabilities(found["logits"], law.family)
        raise ArgumentError(f"up-pass: {name} has a {law.family} law, of which the up-pass has no means. Sample it.")


def pass_up(steps: Sequence[Step], data: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
    """Means of all levels by name, from the values of the lowest.

    Raises
    ------
    DataError
        If the data are missing, or of a wrong shape or range.
    ArgumentError
        If a level that another one is given has no mean in expressions, as one of categorical units.
    """
    first = steps[0].program
    names = tuple(s.name for s in first.model.symbols if is_per_example(s) and s.name not in steps[0].targets)
    given = {name: data[name] for name in data if name in names}
    below: dict[str, Array] = encode_state(first.model, given, names, first.compiler.dtype)
    found: dict[str, Array] = {}
    for step in steps:
        for symbol in step.program.model.symbols:
            if symbol.name in found and is_one_hot(symbol):
                raise ArgumentError(
                    f"up-pass: {symbol.name} has states, and the level above is given one of them, not their "
                    "probabilities. Sample it."
                )
        found |= step.means({**below, **found})
    return found
