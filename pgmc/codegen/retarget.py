"""Steps that fill an array of their own when they might fill the one that is asked for."""

from __future__ import annotations

from dataclasses import replace

from pgmc.codegen.array_program import Contract, Map, Operand, Reduce, Step
from pgmc.ir.nodes import Access, Scalar
from pgmc.ir.symbols import is_per_example


def retargeted(step: Step, body: Scalar, target: Operand) -> tuple[Operand, Step] | None:
    """The array that the step fills, and the step filling the target, if the body is that array and nothing else."""
    if not isinstance(body, Access) or not isinstance(step, Map | Contract | Reduce):
        return None
    owned, same_order = step.target.symbol == body.symbol, body.positions == target.access.positions
    if not owned or not same_order or is_per_example(body.symbol) != is_per_example(target.symbol):
        return None
    # Its target carries the same indices, so its body need not change.
    return step.target, replace(step, target=replace(target, indices=step.target.indices))
