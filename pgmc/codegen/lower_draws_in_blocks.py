"""Draws in blocks: a matrix product for the fields of some units, then a unit at a time for all chains.

The chains are innermost, so that they fill vector registers: the fields, the units of the variable in a second copy,
and the random keys have the chains last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pgmc.analysis.axes import AxisName
from pgmc.codegen.array_program import EXAMPLES, DrawInBlocks, Operand, OwnField, make_buffer
from pgmc.codegen.draw_statements import DrawUnit, KeepRowKeys, MultiplyBlock, TakeRowKey
from pgmc.codegen.loop_kinds import Body, Loops
from pgmc.codegen.loop_program import (
    Allocate,
    BlockLoop,
    Comment,
    Increment,
    LoopInBlock,
    Store,
    UnlessMasked,
)
from pgmc.codegen.names import NameRegistry
from pgmc.ir.nodes import Access, Add, Mul, Scalar, at, number
from pgmc.ir.symbols import Symbol


@dataclass(frozen=True, slots=True)
class BlockArrays:
    """The arrays of one such draw.

    ``units`` is an aligned copy of the variable and ``turned`` one with the chains last; ``drawn`` holds the new values
    of one unit, ``keys`` the random keys.
    """

    units: Symbol
    turned: Symbol
    drawn: Symbol
    keys: tuple[Symbol, Symbol]


def claim_arrays(step: DrawInBlocks, names: NameRegistry) -> BlockArrays:
    """Names for the arrays that a draw needs."""
    name = step.law.target.name

    def claim(wish: str, rank: int) -> Symbol:
        return make_buffer(names.claim(f"{wish}_{name}"), rank, per_example=False)

    return BlockArrays(claim("units", 2), claim("turned", 2), claim("drawn", 1), (claim("key_0", 1), claim("key_1", 1)))


@dataclass(frozen=True, slots=True)
class BlockLowering:
    """Turns one draw in blocks into statements, with the tools of the lowering of the whole program."""

    step: DrawInBlocks
    arrays: BlockArrays
    extent: AxisName
    scalar: Callable[[Scalar], Scalar]
    loops: Loops

    def prepare(self) -> Body:
        """What is done once, before all sweeps."""
        chains, both = (None,), (self.extent, None)
        one, two = self.arrays.keys
        allocations = (
            *(Allocate(own.field.symbol, both, per_example=False) for own in self.step.own),
            Allocate(self.arrays.units, both[::-1], per_example=False, kind="aligned"),
            Allocate(self.arrays.turned, both, per_example=False),
            Allocate(self.arrays.drawn, chains, per_example=False),
            Allocate(one, chains, per_example=False, kind="keys"),
            Allocate(two, chains, per_example=False, kind="keys"),
        )
        unit, name = self.step.law.indices[0], self.step.law.target.name

        def copy_unit() -> Body:
            return (Store(self._unit, self._target), Store(self._turned, self._target))

        units, turned = Operand(self.arrays.units, (EXAMPLES, unit)), Operand(self.arrays.turned, (unit, EXAMPLES))
        title = f"{units} = {turned} = {name}[n, {unit.name}]"
        return (*allocations, Comment(title), *self.loops((EXAMPLES, unit), copy_unit))

    def draw(self) -> Body:
        """What is done in every sweep."""
        keys = self.loops((EXAMPLES,), lambda: (KeepRowKeys(self.arrays.keys),))
        fields = [
            Comment(f"{self.step.equation(own)}: a block at a time, then kept up to date") for own in self.step.own
        ]
        products = [MultiplyBlock(o.coupling.symbol, self.arrays.units, o.field.symbol) for o in self.step.own]
        unit = self.step.law.indices[0]

        def keep_unit() -> Body:
            return (Store(self._unit, self._turned), Store(self._target, self._turned))

        kept = self.loops((EXAMPLES, unit), keep_unit, special={unit: partial(LoopInBlock, unit)})
        block = (*products, *self._units(), *kept)
        return (*keys, *fields, BlockLoop(self.extent, block, self.step.update.backward))

    @property
    def _target(self) -> Access:
        return Operand(self.step.law.target, self.step.law.indices).access

    @property
    def _unit(self) -> Access:
        return Operand(self.arrays.units, (EXAMPLES, self.step.law.indices[0])).access

    @property
    def _turned(self) -> Access:
        return Operand(self.arrays.turned, (self.step.law.indices[0], EXAMPLES)).access

    @property
    def _drawn(self) -> Access:
        return Operand(self.arrays.drawn, (EXAMPLES,)).access

    def _units(self) -> Body:
        """Unit by unit: drawn for all chains, and what it changes in the fields of those that come after it."""
        unit, backward = self.step.law.indices[0], self.step.update.backward

        def update() -> Body:
            draw = self.loops((EXAMPLES,), self._draw_unit)
            corrections = tuple(s for own in self.step.own for s in self._correct(own))
            return (*draw, *corrections, *self.loops((EXAMPLES,), lambda: (Store(self._turned, self._drawn),)))

        return self.loops((unit,), update, special={unit: partial(LoopInBlock, unit, backward=backward)})

    def _draw_unit(self) -> Body:
        law = self.step.law
        parameters = tuple(map(self.scalar, law.expressions))
        draw = DrawUnit(law.family, self._target, parameters, (self.extent,), into=self._drawn)
        key = TakeRowKey(self.arrays.keys)
        if law.target.name not in self.step.update.masked:
            return (key, draw)
        return (key, Store(self._drawn, self._turned), UnlessMasked(self._target, (draw,)))

    def _correct(self, own: OwnField) -> Body:
        unit, later = own.coupling.indices
        weight = Access(own.coupling.symbol, (at(later), at(unit)))
        change = Add((self._drawn, Mul((number(-1), self._turned))))
        element = Access(own.field.symbol, (at(later), at(EXAMPLES)))
        kind = partial(LoopInBlock, later, after=unit, backward=self.step.update.backward)
        return self.loops(
            (later, EXAMPLES), lambda: (Increment(element, Mul((weight, change))),), special={later: kind}
        )
