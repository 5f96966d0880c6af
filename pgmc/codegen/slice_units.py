"""Steps of slice sampling in a kernel: the density is computed at one place, for whatever the step asks it for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from pgmc.analysis.axes import AxisName
from pgmc.ir.answers import ConditionalLaw
from pgmc.ir.nodes import Access, Scalar
from pgmc.ir.rewrite import replace
from pgmc.ir.symbols import Positive

if TYPE_CHECKING:
    from pgmc.codegen.loop_program import Statement
    from pgmc.codegen.numba_printer import NumbaPrinter

_INDENT = "    "


@dataclass(frozen=True, slots=True)
class SliceLocals:
    """The local numbers of a step of slice sampling, in the order in which the helper returns those after ``start``."""

    start: Access
    point: Access
    low: Access
    high: Access
    level: Access
    turn: Access
    left: Access
    right: Access


@dataclass(frozen=True, slots=True)
class SliceUnit:
    """target by one step of slice sampling: ``body`` and ``log_density`` are its density at the value ``unit``.

    The step is one of the unit itself, or of its logarithm.
    """

    target: Access
    unit: Access
    log_density: Scalar
    body: tuple[Statement, ...]
    extents: tuple[AxisName, ...]
    locals: SliceLocals
    logarithmic: bool


def is_logarithmic(law: ConditionalLaw) -> bool:
    """Whether the step is one of the logarithm of the unit."""
    return isinstance(law.target.domain, Positive)


def at_point(law: ConditionalLaw, unit: Access) -> Scalar:
    """The logarithm of the density with a local number for the unit."""
    return replace(law.parameter("log_density"), lambda node: unit if node == law.unit else None)


def claim_locals(claim: Callable[[str], Access]) -> SliceLocals:
    """Names for the numbers of one step."""
    return SliceLocals(*(claim(field.name) for field in fields(SliceLocals)))


def print_slice(printer: NumbaPrinter, step: SliceUnit, depth: int) -> Iterator[str]:
    """The lines of the statement."""
    pad, target = _INDENT * depth, printer.scalar(step.target)
    start, point, low, high, level, turn, left, right = (
        getattr(step.locals, field.name).symbol.name for field in fields(SliceLocals)
    )
    unit, density = step.unit.symbol.name, printer.scalar(step.log_density)
    interval = f"{point}, {low}, {high}, {level}, {turn}, {left}, {right}"
    yield f"{pad}{start} = {f'np.log(np.float64({target}))' if step.logarithmic else f'np.float64({target})'}"
    yield f"{pad}{interval} = {start}, {start}, {start}, 0.0, 0, 0, 0"
    yield f"{pad}while {turn} >= 0:"
    value = f"{printer.helper('positive')}({point})" if step.logarithmic else f"np.{printer.dtype}({point})"
    yield f"{pad}{_INDENT}{unit} = {value}"
    yield from printer.statements(step.body, depth + 1)
    if step.logarithmic:
        density = f"np.float64({density}) + {point}"
    yield f"{pad}{_INDENT}{interval} = {printer.helper('step_slice')}("
    yield f"{pad}{_INDENT * 2}{density},"
    yield f"{pad}{_INDENT * 2}{start}, {interval}, r0, r1, {printer.site(step.target, step.extents)},"
    yield f"{pad}{_INDENT})"
    yield f"{pad}{target} = {value}"
