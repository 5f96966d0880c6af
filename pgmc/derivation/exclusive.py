"""Exclusive blocks: of the units of a block at most one is on.

Products of two units of one block vanish on every state, so that with E₀ the energy with a block off and l_a minus the
slope in unit a, the others of its block off, E = E₀ - Σ_a l_a x_a. Given the other blocks, unit a is on with
probability exp(l_a) / (1 + Σ_b exp(l_b)).
"""

from __future__ import annotations

from dataclasses import replace

from pgmc.derivation.local_energy import LocalEnergy
from pgmc.derivation.tidy import add, multiply, negate
from pgmc.ir.answers import ConditionalLaw
from pgmc.ir.nodes import (
    ONE,
    Access,
    Add,
    Bracket,
    Call,
    Compare,
    Index,
    LogSumExp,
    Mul,
    Position,
    Quotient,
    Scalar,
    Sum,
    at,
    fresh_index,
)
from pgmc.ir.rewrite import freshen, substitute
from pgmc.ir.rewrite import replace as replace_nodes
from pgmc.ir.symbols import Variable, block_axis


def block_of(place: Position, length: int) -> Position:
    """The number of the block that a place lies in."""
    return place if length == 1 else Position(((Quotient(place, length), 1),))


def blocks_of(variable: Variable, unit: tuple[Position, ...]) -> tuple[Position, ...]:
    """The numbers of the block that a unit lies in, one for each axis."""
    return tuple(block_of(place, length) for place, length in zip(unit, variable.exclusive, strict=True))


def in_other_blocks(variable: Variable, first: tuple[Position, ...], second: tuple[Position, ...]) -> Scalar:
    """1 where two units lie in different blocks, else 0."""
    pairs = zip(blocks_of(variable, first), blocks_of(variable, second), strict=True)
    same = tuple(Compare(a, "==", b) for a, b in pairs if a != b)
    return add(ONE, negate(Bracket(same))) if same else add(ONE, negate(ONE))


def without_block(local: LocalEnergy) -> LocalEnergy:
    """The local energy with all other units of the unit's block off."""
    unit = tuple(map(at, local.indices))

    def switch_off(node: Scalar) -> Scalar | None:
        if isinstance(node, Access) and node.symbol == local.target:
            return Mul((node, in_other_blocks(local.target, node.positions, unit)))
        return None

    return replace(local, terms=tuple(replace_nodes(term, switch_off) for term in local.terms))


def block_indices(variable: Variable, indices: tuple[Index, ...]) -> tuple[Index, ...]:
    """An index over the blocks along each axis."""
    return tuple(
        fresh_index(index.name, (variable.name, block_axis(k) if length > 1 else k))
        for k, (index, length) in enumerate(zip(indices, variable.exclusive, strict=True))
    )


def log_normaliser(law: ConditionalLaw, blocks: tuple[Position, ...]) -> Scalar:
    """log(1 + Σ exp(l)) over the units of a block, at the numbers of the block."""
    units, conditions, over = _within(law.target, law.indices, blocks)
    logits = substitute(freshen(law.logits), units)
    return Call("softplus", LogSumExp(Add((logits, Call("log", Bracket(conditions)))), over))


def block_sum(variable: Variable, value: Scalar, indices: tuple[Index, ...], blocks: tuple[Position, ...]) -> Scalar:
    """The sum over the units of a block of a value that each has at its indices."""
    units, conditions, over = _within(variable, indices, blocks)
    return Sum(multiply(substitute(freshen(value), units), Bracket(conditions)), over)


def _within(
    variable: Variable, indices: tuple[Index, ...], blocks: tuple[Position, ...]
) -> tuple[dict[Index, Position], tuple[Compare, ...], tuple[Index, ...]]:
    """What the indices are for the units of a block: fresh ones, which run over all units in the block."""
    places: dict[Index, Position] = {}
    conditions: list[Compare] = []
    over: list[Index] = []
    for k, (index, length, block) in enumerate(zip(indices, variable.exclusive, blocks, strict=True)):
        if length == 1:
            places[index] = block
            continue
        own = fresh_index(index.name, (variable.name, k))
        places[index] = at(own)
        over.append(own)
        conditions.append(Compare(block_of(at(own), length), "==", block))
    return places, tuple(conditions), tuple(over)
