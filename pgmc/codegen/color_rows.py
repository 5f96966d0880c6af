"""Units of one colour along a row: drawn from the logits of the whole row before any of them is set.

Units of a colour do not meet, so within a row of a lattice their order makes no difference. The logits are computed for
the units of every colour, as loads without gaps fill vector registers. Logits and units are then dealt out like cards,
a hand for each colour of the row; one hand is drawn anew, and the row is collected again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from pgmc.codegen.draw_statements import ColorRow, DrawUnit
from pgmc.codegen.loop_program import Statement, StrideLoop
from pgmc.ir.nodes import Access, Index, Position, at, fresh_index, shifted_index
from pgmc.ir.rewrite import accesses, position_indices
from pgmc.ir.symbols import Symbol

if TYPE_CHECKING:
    from pgmc.codegen.numba_printer import NumbaPrinter

_INDENT = "    "


def makes_row(body: tuple[Statement, ...], index: Index) -> bool:
    """Whether the body of a loop draws one unit, and from nothing but what stands at fixed distances along the loop."""
    if len(body) != 1 or not isinstance(body[0], DrawUnit) or body[0].family not in ("Bernoulli", "Spin"):
        return False
    return all(shifted_index(position) == index for position in _along(body[0], index))


def color_row(loop: StrideLoop, logits: Symbol, dealt: Symbol, units: Symbol) -> ColorRow:
    """The statement in place of a loop over the units of one colour in a row, with the arrays that it works on."""
    (draw,) = loop.body
    assert isinstance(draw, DrawUnit)
    return ColorRow(loop, draw, logits, dealt, units)


def _along(draw: DrawUnit, index: Index) -> Iterator[Position]:
    """The positions along the row that a draw reads at."""
    for value in draw.parameters:
        for access in accesses(value):
            yield from (p for p in access.positions if index in position_indices(p))


def print_color_row(printer: NumbaPrinter, row: ColorRow, depth: int) -> Iterator[str]:
    """The lines of the statement."""
    pad, length, step = _INDENT * depth, printer.extent(row.loop.extent), row.loop.coloring.modulus
    first, number = Index(-1, "first"), fresh_index("k")
    printer.bind(first, "first")
    unit, y = printer.index(number), printer.index(row.loop.index)
    logits, dealt, units = (printer.array(symbol.name) for symbol in (row.logits, row.dealt, row.units))
    line = printer.row(row.draw.target.symbol, row.draw.target.positions[:-1])
    yield from (f"{pad}{text}" for text in _places(printer, row))
    yield from (f"{pad}{text}" for text in _logits(printer, row))
    yield f"{pad}{printer.helper('deal')}({logits}, {dealt})"
    printer.places.clear()
    yield f"{pad}deal({line}, {units})"
    yield f"{pad}first = {printer.first_of_color(row.loop)}"
    yield f"{pad}for {unit} in range(({length} - first + {step - 1}) // {step}):"
    yield f"{pad}{_INDENT}{y} = first + {step} * {unit}"
    place = (at(first), at(number))
    draw = replace(row.draw, parameters=(Access(row.dealt, place),), into=Access(row.units, place))
    yield from printer.statements((draw,), depth + 1)
    yield f"{pad}{printer.helper('collect')}({units}, {line})"


def _logits(printer: NumbaPrinter, row: ColorRow) -> Iterator[str]:
    """The logits of every unit of the row: near the ends places may go round, in between they do not."""
    index, length = printer.index(row.loop.index), printer.extent(row.loop.extent)
    offsets = [position.offset for position in _along(row.draw, row.loop.index)]
    low, high = max(0, -min(offsets, default=0)), max(0, max(offsets, default=0))
    target = f"{_INDENT}{printer.array(row.logits.name)}[{index}]"
    # An axis may be shorter than its neighbourhood; its ends are then listed twice.
    ends = [f"min({k}, {length} - 1)" if k else "0" for k in range(low)]
    ends += [f"max({length} - {k}, 0)" if k > 1 else f"{length} - 1" for k in range(high, 0, -1)]
    if ends:
        yield f"for {index} in ({', '.join(ends)}{',' * (len(ends) == 1)}):"
        yield f"{target} = {printer.scalar(row.draw.parameters[0])}"
    yield f"for {index} in range({f'{low}, ' * (low > 0)}{length}{f' - {high}' * (high > 0)}):"
    printer.inside.add(row.loop.index)
    yield f"{target} = {printer.scalar(row.draw.parameters[0])}"
    printer.inside.discard(row.loop.index)


def _places(printer: NumbaPrinter, row: ColorRow) -> Iterator[str]:
    """Places along other axes, which are the same for the whole row."""
    for access in accesses(row.draw.parameters[0]):
        for k, position in enumerate(access.positions):
            indices = position_indices(position)
            if position.is_plain or not indices or row.loop.index in indices:
                continue
            text = printer.place(access.symbol, k, position)
            if text.startswith("wrap("):
                word = f"plus_{position.offset}" if position.offset > 0 else f"minus_{-position.offset}"
                printer.places[text] = printer.names.claim(f"{indices[0].name}_{word}")
                yield f"{printer.places[text]} = {text}"
