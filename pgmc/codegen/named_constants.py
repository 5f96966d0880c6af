"""Constants under their names: values are run-time data, and must not show in source that is cached without them."""

from __future__ import annotations

from dataclasses import replace

from pgmc.ir.answers import (
    Answer,
    Assignment,
    BlockUpdate,
    Computation,
    PassSchedule,
    Quantity,
    SweepSchedule,
    Trajectory,
)
from pgmc.ir.nodes import Scalar
from pgmc.ir.rewrite import accesses, replace_symbols
from pgmc.ir.symbols import Constant


def name_constants(answer: Answer) -> Answer:
    """The answer with every constant printed by name."""
    if isinstance(answer, Computation):
        return Computation(_named_quantities(answer.quantities), _named_quantities(answer.definitions))
    if isinstance(answer, PassSchedule):
        return PassSchedule(tuple(_named_assignment(update) for update in answer.updates))
    updates = tuple(_named_update(update) for update in answer.updates)
    return SweepSchedule(updates, _named_quantities(answer.definitions))


def _named_quantities(quantities: tuple[Quantity, ...]) -> tuple[Quantity, ...]:
    return tuple(replace(q, body=_named(q.body)) for q in quantities)


def _named_assignment(update: Assignment) -> Assignment:
    return replace(update, body=_named(update.body))


def _named_update(update: BlockUpdate | Trajectory) -> BlockUpdate | Trajectory:
    if isinstance(update, Trajectory):
        slopes = tuple(replace(slope, body=_named(slope.body)) for slope in update.slopes)
        return replace(update, potential=replace(update.potential, body=_named(update.potential.body)), slopes=slopes)
    return replace(update, laws=tuple(law.map(_named) for law in update.laws))


def _named(body: Scalar) -> Scalar:
    constants = {a.symbol.name: a.symbol for a in accesses(body) if isinstance(a.symbol, Constant)}
    shown = {name: replace(symbol, shown=None) for name, symbol in constants.items() if symbol.shown is not None}
    return replace_symbols(body, shown) if shown else body
