"""Blocks of exclusive units as units of their own: on where any unit of the block is."""

from __future__ import annotations

from pgmc.dsl.location import complaint
from pgmc.dsl.operand import Operand
from pgmc.errors import NotationError
from pgmc.ir.nodes import Access, Bracket, Compare, Index, Mul, Position, Quotient, Sum, at, fresh_index
from pgmc.ir.symbols import Symbol, Variable, block_axis


def pooled_blocks(symbol: Symbol) -> Operand:
    """Σ of the units of each block: as at most one is on, 1 where any is.

    Raises
    ------
    NotationError
        If the symbol has no exclusive blocks.
    """
    text = f"{symbol.name}.pooled()"
    if not isinstance(symbol, Variable) or not symbol.exclusive:
        reason = f"{symbol.name} has no blocks of units that exclude one another"
        raise complaint(NotationError, text, reason, "Declare it with exclusive=, or sum over axes.")
    axes: list[Index] = []
    units: list[Index] = []
    over: list[Index] = []
    conditions: list[Compare] = []
    for k, length in enumerate(symbol.exclusive):
        block = fresh_index("", (symbol.name, block_axis(k) if length > 1 else k))
        axes.append(block)
        if length == 1:
            units.append(block)
            continue
        unit = fresh_index("", (symbol.name, k))
        units.append(unit)
        over.append(unit)
        conditions.append(Compare(Position(((Quotient(at(unit), length), 1),)), "==", at(block)))
    node = Sum(Mul((Access(symbol, tuple(map(at, units))), Bracket(tuple(conditions)))), tuple(over))
    shape = tuple(axis.size // length for axis, length in zip(symbol.axes, symbol.exclusive, strict=True))
    return Operand(node, tuple(axes), shape, text=text)
