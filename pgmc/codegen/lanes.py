"""Chains in the lanes of vector registers, for units that are drawn in an order that is data.

Such a unit reads the units it is joined to wherever they stand, so a row of one chain has nothing to load as a vector.
All chains read the same places, though: with the chains innermost, a place is a row of them. The state of the variable
is copied for that, one byte a unit, the loop over the chains moves into the loop over the units, and local numbers
become arrays with one for each chain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pgmc.analysis.axes import AxisName
from pgmc.codegen.array_program import EXAMPLES, make_buffer
from pgmc.codegen.draw_statements import DrawUnit, KeepRowKeys, RowKey, TakeRowKey
from pgmc.codegen.loop_program import (
    Allocate,
    Comment,
    ExampleLoop,
    Guard,
    Increment,
    Let,
    LetPlace,
    ListedLoop,
    Loop,
    OrderLoop,
    Statement,
    Store,
    UnlessMasked,
)
from pgmc.codegen.names import NameRegistry
from pgmc.ir.nodes import Access, Bracket, Mul, Position, Scalar, at, fresh_index
from pgmc.ir.rewrite import accesses, depends_on_example, map_children
from pgmc.ir.symbols import Axis, Constant, Input, Symbol, Variable

_LANES = "lanes"

Body: TypeAlias = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Lanes:
    """A nest with the chains innermost, what it allocates, and the copies of the state before and after."""

    allocated: Body
    load: Body
    nest: Body
    store: Body


def is_lanes(symbol: Symbol) -> bool:
    """Whether the symbol is a copy of a state, with the chains last and one byte for each unit."""
    return isinstance(symbol, Constant) and symbol.shown == _LANES


def fit_lanes(nest: Body) -> bool:
    """Whether the loops of a draw may be turned: numbers and products only, and two values a unit."""
    match nest:
        case (ExampleLoop((*before, RowKey(), OrderLoop(_, Variable(), body, _))),):
            return not before and all(map(_fits, body))
        case _:
            return False


def _fits(statement: Statement) -> bool:
    match statement:
        case Guard() | Loop() | ListedLoop():
            return all(map(_fits, statement.body))
        case DrawUnit(family):
            return family in ("Bernoulli", "Spin")
        case UnlessMasked(_, body):
            return all(isinstance(inner, DrawUnit) and _fits(inner) for inner in body)
        case _:
            return isinstance(statement, Let | Increment | Comment)


def turn_into_lanes(nest: Body, extents: tuple[AxisName, ...], names: NameRegistry) -> Lanes:
    """The nest of a draw with the loop over the chains inside.

    Parameters
    ----------
    nest : tuple of Statement
        One for which ``fit_lanes`` holds.
    extents : tuple
        The axes of the variable.
    names : NameRegistry
        Gives names that are free.
    """
    (example_loop,) = nest
    assert isinstance(example_loop, ExampleLoop)
    order = example_loop.body[-1]
    assert isinstance(order, OrderLoop) and isinstance(order.symbol, Variable)
    variable = order.symbol
    copy = Constant(names.claim(f"lanes_{variable.name}"), (*variable.axes, Axis(0)), shown=_LANES)
    keys = make_buffer(names.claim("key_0"), 1, False), make_buffer(names.claim("key_1"), 1, False)
    turning = _Turning(variable, copy, keys, names)
    body = turning.turned(order.body)
    allocated = (
        *(Allocate(key, (None,), per_example=False, kind="keys") for key in keys),
        Allocate(copy, (*extents, None), per_example=False, kind="bytes"),
        *(Allocate(symbol, (), per_example=True) for symbol in turning.arrays.values()),
    )
    whole = Access(variable, tuple(map(at, order.indices)))
    lanes = Access(copy, (*whole.positions, at(EXAMPLES)))

    def copied(target: Access, source: Access) -> Body:
        nested: Body = (Store(target, source),)
        for index, extent in zip(reversed(order.indices), reversed(extents), strict=True):
            nested = (Loop(index, extent, nested),)
        return (ExampleLoop(nested),)

    keyed: Body = (ExampleLoop((KeepRowKeys(keys),)), replace(order, body=body))
    return Lanes(allocated, copied(lanes, whole), keyed, copied(whole, lanes))


@dataclass(slots=True)
class _Turning:
    variable: Variable
    copy: Constant
    keys: tuple[Symbol, Symbol]
    names: NameRegistry
    arrays: dict[str, Input] = field(default_factory=dict)
    ahead: list[Statement] = field(default_factory=list)  # what all chains share, computed before the loop over them

    def turned(self, body: Iterable[Statement]) -> Body:
        """What happens to each chain in a loop over the chains, in as few loops as possible."""
        found: list[Statement] = []
        together: list[Statement] = []

        def close() -> None:
            found.extend(self.ahead)
            found.extend([ExampleLoop(tuple(together))] if together else [])
            self.ahead.clear()
            together.clear()

        for statement in body:
            if isinstance(statement, Guard | Loop | ListedLoop):
                close()
                found.append(replace(statement, body=self.turned(statement.body)))
            elif not isinstance(statement, Comment):
                together += self._by_lane(statement)
        close()
        return tuple(found)

    def _by_lane(self, statement: Statement) -> Body:
        match statement:
            case Let(local, value, _):
                return (Store(self._local(local), self._scalar(value)),)
            case Increment(target, value):
                return (Increment(self._local(target), self._scalar(value)),)
            case UnlessMasked(target, body):
                return (UnlessMasked(target, tuple(s for inner in body for s in self._by_lane(inner))),)
            case DrawUnit(_, target, parameters):
                into = Access(self.copy, (*target.positions, at(EXAMPLES)))
                drawn = replace(statement, parameters=tuple(map(self._scalar, parameters)), into=into)
                return (TakeRowKey(self.keys), drawn)
            case _:
                return (statement,)

    def _local(self, local: Access) -> Access:
        if local.symbol.name not in self.arrays:
            self.arrays[local.symbol.name] = Input(self.names.claim(f"{local.symbol.name}_lanes"), ())
        return Access(self.arrays[local.symbol.name], ())

    def _scalar(self, node: Scalar) -> Scalar:
        """The expression for one chain; what all chains share, and places that are looked up, are computed ahead."""
        if self._is_shared(node):
            return self._shared(node)
        match node:
            case Access(symbol, positions) if symbol == self.variable:
                places = (self._place(symbol, k, position) for k, position in enumerate(positions))
                return Access(self.copy, (*places, at(EXAMPLES)))
            case Access(symbol, ()) if symbol.name in self.arrays:
                return self._local(node)
            case Access(symbol, positions):
                return Access(symbol, tuple(self._place(symbol, k, p) for k, p in enumerate(positions)))
            case Mul(factors):
                return self._product(factors)
            case _:
                return map_children(node, self._scalar)

    def _product(self, factors: tuple[Scalar, ...]) -> Scalar:
        """The product, with what all chains share computed ahead. Conditions stay: they guard the places of units."""
        conditions = tuple(f for f in factors if isinstance(f, Bracket))
        shared = tuple(f for f in factors if f not in conditions and self._is_shared(f))
        own = tuple(self._scalar(f) for f in factors if f not in conditions and f not in shared)
        if not shared:
            return Mul((*own, *conditions))
        guarded = (*shared, *conditions)
        return Mul((self._shared(Mul(guarded) if len(guarded) > 1 else guarded[0]), *own, *conditions))

    def _is_shared(self, node: Scalar) -> bool:
        return not depends_on_example(node) and not any(a.symbol.name in self.arrays for a in accesses(node))

    def _shared(self, node: Scalar) -> Scalar:
        """A number that all chains share, read from memory once."""
        if not accesses(node):
            return node
        local = Access(Constant(self.names.claim_local("weight"), ()), ())
        self.ahead.append(Let(local, node, "program"))
        return local

    def _place(self, symbol: Symbol, axis: int, position: Position) -> Position:
        """A place that is looked up or computed, once for all chains."""
        if position.index is not None or not position.terms:
            return position
        index = fresh_index("place")
        self.ahead.append(LetPlace(index, symbol, axis, position))
        return at(index)
