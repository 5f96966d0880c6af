"""Moves by Hamiltonian Monte Carlo in a kernel: momenta, leapfrog steps, and whether a move is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgmc.analysis.axes import AxisName
from pgmc.ir.symbols import Symbol, Variable
from pgmc.ir.trajectory_symbols import ACCEPTANCE, DIVERGENCES, JITTER, LEAPS, STEP_SIZE

if TYPE_CHECKING:
    from pgmc.codegen.loop_program import Statement
    from pgmc.codegen.numba_printer import NumbaPrinter

_INDENT = "    "


@dataclass(frozen=True, slots=True)
class MovedVariable:
    """A variable that is moved, with the arrays for its slope, its momenta and where it started."""

    target: Variable
    slope: Symbol
    momentum: Symbol
    start: Symbol
    extents: tuple[AxisName, ...]
    logarithmic: bool
    masked: bool


@dataclass(frozen=True, slots=True)
class MoveUnits:
    """One trajectory of every chain. ``body`` fills the slopes, ``energy`` the potential.

    ``before`` holds the total energies at the start, ``steps`` the sizes of the steps of this move.
    """

    moved: tuple[MovedVariable, ...]
    potential: Symbol
    before: Symbol
    steps: Symbol
    body: tuple[Statement, ...]
    energy: tuple[Statement, ...]


def print_move(printer: NumbaPrinter, move: MoveUnits, depth: int) -> Iterator[str]:
    """The lines of the statement: the arrays are seen as matrices with a row for each chain."""
    pad, inner, deep = (_INDENT * (depth + k) for k in range(3))
    size, told, diverged, leaps, jitter = (
        printer.array(symbol.name) for symbol in (STEP_SIZE, ACCEPTANCE, DIVERGENCES, LEAPS, JITTER)
    )
    steps, before, potential = (printer.array(s.name) for s in (move.steps, move.before, move.potential))
    keys = "key_0, key_1, first_chain, sweep"
    rows = [_matrices(printer, moved) for moved in move.moved]
    site = printer.first_site(move.moved[0].target.name)
    yield f"{pad}{printer.helper('draw_steps')}({steps}, {size}, {jitter}, {keys}, {site})"
    for moved, (units, momentum, start, _) in zip(move.moved, rows, strict=True):
        yield f"{pad}{start}[...] = {units}"
        yield f"{pad}{printer.helper('draw_momenta')}({momentum}, {keys}, {printer.first_site(moved.target.name)})"
        yield from (f"{pad}{line}" for line in _held(printer, moved, momentum))
    yield f"{pad}for leap in range(np.int64({leaps}) + 1):"
    yield f"{inner}if leap > 0:"
    for moved, (units, momentum, _, slope) in zip(move.moved, rows, strict=True):
        drift = printer.helper("drift_logarithms" if moved.logarithmic else "drift")
        yield f"{deep}{printer.helper('kick')}({momentum}, {slope}, {steps})"
        yield f"{deep}{drift}({units}, {momentum}, {steps})"
    yield from printer.statements(move.body, depth + 1)
    for moved, (_, _, _, slope) in zip(move.moved, rows, strict=True):
        yield from (f"{inner}{line}" for line in _held(printer, moved, slope))
    yield f"{inner}if leap > 0:"
    yield from (f"{deep}kick({momentum}, {slope}, {steps})" for _, momentum, _, slope in rows)
    yield f"{inner}if leap == 0 or leap == np.int64({leaps}):"
    yield from printer.statements(move.energy, depth + 2)
    for _, momentum, _, _ in rows:
        yield f"{deep}{printer.helper('add_kinetic')}({potential}, {momentum})"
    yield f"{deep}if leap == 0:"
    yield f"{deep}{_INDENT}{before}[...] = {potential}"
    yield f"{pad}{printer.helper('judge')}({before}, {potential}, {told}, {diverged}, {keys}, {site})"
    for units, _, start, _ in rows:
        yield f"{pad}{printer.helper('put_back')}({units}, {start}, {before})"


def _matrices(printer: NumbaPrinter, moved: MovedVariable) -> tuple[str, str, str, str]:
    """The units, their momenta, where they started, and their slopes, with a row for each chain."""
    names = [printer.array(s.name) for s in (moved.target, moved.momentum, moved.start, moved.slope)]
    if len(moved.extents) != 1:
        size = " * ".join(map(printer.extent, moved.extents)) or "1"
        names = [f"{name}.reshape(({printer.examples}, {size}))" for name in names]
    units, momentum, start, slope = names
    return units, momentum, start, slope


def _held(printer: NumbaPrinter, moved: MovedVariable, array: str) -> Iterator[str]:
    """Units that keep their values have no momentum and no slope."""
    if moved.masked:
        mask = printer.mask_of(moved.target.name)
        if len(moved.extents) != 1:
            size = " * ".join(map(printer.extent, moved.extents)) or "1"
            mask = f"{mask}.reshape(({printer.examples}, {size}))"
        yield f"{printer.helper('hold')}({array}, {mask})"
