"""The coordinates that optimisers step in: parameters themselves, the softplus inverse of positive ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.ir.constraints import (
    constrained,
    project,
    project_gradient,
    unconstrained,
    unconstrained_gradient,
)
from pgmc.ir.symbols import Parameter

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]


@dataclass(frozen=True)
class Coordinates:
    """Goes from parameters to coordinates and back, keeping every declared constraint."""

    parameters: tuple[Parameter, ...]

    @property
    def decayed(self) -> frozenset[str]:
        """The parameters that weight decay acts on: at least two axes, neither positive nor fixed."""
        return frozenset(
            p.name for p in self.parameters if len(p.axes) >= 2 and not (p.constraint.positive or p.constraint.fixed)
        )

    def of_params(self, params: Mapping[str, Array]) -> Arrays:
        """Copies that may be changed in place."""
        return {
            p.name: unconstrained(params[p.name]) if p.constraint.positive else np.array(params[p.name], order="C")
            for p in self.parameters
        }

    def to_params(self, values: Mapping[str, Array]) -> Arrays:
        """The parameters at the coordinates; the same arrays where coordinates are the parameters themselves."""
        return {
            p.name: project(p, constrained(values[p.name])) if p.constraint.positive else values[p.name]
            for p in self.parameters
        }

    def keep(self, values: Arrays) -> None:
        """Put coordinates that a step has moved back onto the linear constraints."""
        for parameter in self.parameters:
            if not parameter.constraint.positive:
                values[parameter.name] = np.asarray(project(parameter, values[parameter.name]), order="C")

    def gradients(self, params: Mapping[str, Array], gradients: Mapping[str, Array]) -> Arrays:
        """Gradients by the parameters, projected and turned into gradients by the coordinates.

        A parameter that the objective has no gradient for, such as those of a guide it does not train, stays.
        """
        turned: Arrays = {}
        for p in self.parameters:
            if p.name not in gradients:
                turned[p.name] = np.zeros_like(params[p.name])
                continue
            gradient = project_gradient(p, np.asarray(gradients[p.name], dtype=params[p.name].dtype))
            turned[p.name] = unconstrained_gradient(params[p.name], gradient) if p.constraint.positive else gradient
        return turned
