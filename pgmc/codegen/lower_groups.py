"""Draws of groups of units that restrict one another: the logits of a group in a row, a draw from their joint law."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pgmc.analysis.axes import AxisName
from pgmc.codegen.array_program import Draw
from pgmc.codegen.draw_statements import DrawGroup, Fill, Member, Place
from pgmc.codegen.loop_kinds import Body, LoopKinds, Loops
from pgmc.codegen.loop_program import GroupLoop, MemberLoop, Statement, UnlessMasked
from pgmc.ir.nodes import Access, Compare, Index, Position, Quotient, Scalar, at
from pgmc.ir.rewrite import position_indices
from pgmc.ir.symbols import Symbol


def lower_group_draw(
    step: Draw, row: Symbol, extent: Callable[[Index], AxisName], scalar: Callable[[Scalar], Scalar], loops: Loops
) -> Body:
    """Group by group: the logits of its units, the draw from their joint law, and the values in their places."""
    law, target = step.law, step.law.target
    members = _members(step, extent)
    starts = {member.index: member.start for member in members if member.start is not None}
    unit = Access(target, tuple(map(at, law.indices)))
    within = tuple(member.index for member in members)
    whole = {index for index in within if index not in starts}
    places = [Position() if index in whole else at(starts.get(index, index)) for index in law.indices]
    first, extents = Access(target, tuple(places)), tuple(map(extent, law.indices))
    masked = target.name in step.update.masked
    inside: LoopKinds = {member.index: partial(_member_loop, member) for member in members if member.index in starts}

    def draw_group() -> Body:
        fill = loops(
            within, lambda: (Fill(row, members, unit, scalar(law.logits), masked, law.family),), special=inside
        )
        total = scalar(law.parameter("total")) if law.family == "Multinomial" else None
        keeps = masked and total is not None  # an exclusive unit that is kept draws its own value
        place: Body = (Place(unit, row, members),)
        if keeps:
            place = (UnlessMasked(unit, place),)
        values = loops(within, lambda: place, special=inside)
        return (*fill, DrawGroup(law.family, row, first, extents, total, masked), *values)

    groups = {m.start: partial(_group_loop, m, step.update.backward) for m in members if m.start is not None}
    outer = tuple(starts.get(index, index) for index in law.indices if index not in whole)
    return loops(outer, draw_group, step.update.backward, special=groups)


def _members(step: Draw, extent: Callable[[Index], AxisName]) -> tuple[Member, ...]:
    """The axes along which a group has several units: the last one of counts, those of an exclusive block."""
    law = step.law
    if law.family == "Multinomial":
        return (Member(law.indices[-1], extent(law.indices[-1])),)
    lengths = zip(law.indices, law.target.exclusive, strict=True)
    return tuple(Member(i, extent(i), Index(-i.key, f"{i.name}_0"), n) for i, n in lengths if n > 1)


def _group_loop(member: Member, backward: bool, body: Body) -> Statement:
    assert member.start is not None
    return GroupLoop(member.start, member.extent, member.length, body, backward)


def _member_loop(member: Member, body: Body) -> Statement:
    assert member.start is not None
    return MemberLoop(member.index, at(member.start), member.length, body)


# ---- sums over the units of a block --------------------------------------------------------------------------------


def bound_by_blocks(
    over: tuple[Index, ...], relations: tuple[Compare, ...]
) -> tuple[tuple[Index, ...], LoopKinds, tuple[Compare, ...]]:
    """Indices in an order in which those that one block confines come after what says which, with their loops.

    Of Σ_i [⌊i/2⌋ = b] f(i) only two values of i are left. Relations that no loop fulfils are returned.
    """
    loops: dict[Index, Callable[[Body], Statement]] = {}
    rest: list[Compare] = []
    needed: set[Index] = set()
    for relation in relations:
        found = _confined(relation, set(over) - needed, set(loops))
        if found is None:
            rest.append(relation)
            continue
        index, block, length = found
        loops[index] = partial(_block_loop, index, _scaled(block, length), length)
        needed |= set(position_indices(block))
    return (*(i for i in over if i not in loops), *(i for i in over if i in loops)), loops, tuple(rest)


def _confined(relation: Compare, free: set[Index], confined: set[Index]) -> tuple[Index, Position, int] | None:
    """An index that the relation confines to a block, the number of the block, and its length."""
    if relation.operator != "==":
        return None
    for side, block in ((relation.left, relation.right), (relation.right, relation.left)):
        atom = side.terms[0][0] if side.is_plain and side.terms else None
        index = atom.position.index if isinstance(atom, Quotient) else None
        if (
            isinstance(atom, Quotient)
            and index in free - confined
            and not set(position_indices(block)) & (confined | {index})
        ):
            assert index is not None
            return index, block, atom.divisor
    return None


def _scaled(position: Position, factor: int) -> Position:
    return Position(tuple((atom, c * factor) for atom, c in position.terms), position.offset * factor)


def _block_loop(index: Index, start: Position, length: int, body: Body) -> Statement:
    return MemberLoop(index, start, length, body)
