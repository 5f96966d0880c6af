"""How far each index of an array program runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pgmc.analysis.axes import AxisName, index_axes
from pgmc.codegen.array_program import ArrayProgram, Draw, DrawInBlocks, Leapfrog, flat_steps, read_expressions
from pgmc.errors import InternalError
from pgmc.ir.nodes import Index


@dataclass(frozen=True, slots=True)
class Extents:
    """The axis that each index runs over. ``axes`` maps every axis to the representative of those of its length."""

    axes: Mapping[AxisName, AxisName]
    indices: Mapping[Index, AxisName]

    def axis(self, index: Index) -> AxisName:
        """The axis of an index: what the index says, else what the accesses say that carry it."""
        if index.extent is not None and index.extent in self.axes:
            return self.axes[index.extent]
        if index in self.indices:
            return self.indices[index]
        raise InternalError(f"nothing says how far the index {index.name} runs. Please report it.")


def find_extents(program: ArrayProgram, axes: Mapping[AxisName, AxisName]) -> Extents:
    """The extents of the indices that stand on arrays of the model."""
    found: dict[Index, AxisName] = {}
    for step in flat_steps((*program.once, *program.steps)):
        written = () if isinstance(step, Draw | DrawInBlocks | Leapfrog) else (step.target.access,)
        for expression in (*read_expressions(step), *written):
            for index, name in index_axes(expression):
                if name in axes:
                    found.setdefault(index, axes[name])
    return Extents(axes, found)
