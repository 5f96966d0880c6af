"""Draws of groups of units that restrict one another: the logits of a group in a row, a draw from their joint law."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pgmc.analysis.axes import AxisName
from pgmc.codegen.array_program import Draw
from pgmc.codegen.loop_kinds import Body, LoopKinds, Loops
from pgmc.codegen.loop_program import DrawGroup, Fill, GroupLoop, Member, MemberLoop, Place, Statement
from pgmc.ir.nodes import Access, Index, Scalar, at
from pgmc.ir.symbols import Symbol


def lower_group_draw(
    step: Draw, row: Symbol, extent: Callable[[Index], AxisName], scalar: Callable[[Scalar], Scalar], loops: Loops
) -> Body:
    """Group by group: the logits of its units, the draw from their joint law, and the values in their places."""
    law, target = step.law, step.law.target
    members = tuple(
        Member(index, extent(index), Index(-index.key, f"{index.name}_0"), length)
        for index, length in zip(law.indices, target.exclusive, strict=True)
        if length > 1
    )
    starts = {member.index: member.start for member in members}
    unit = Access(target, tuple(map(at, law.indices)))
    first = Access(target, tuple(at(starts.get(index, index)) for index in law.indices))
    extents = tuple(map(extent, law.indices))
    masked = target.name in step.update.masked
    within = tuple(member.index for member in members)
    inside: LoopKinds = {member.index: partial(_member_loop, member) for member in members}

    def draw_group() -> Body:
        fill = loops(within, lambda: (Fill(row, members, unit, scalar(law.logits), masked),), special=inside)
        place = loops(within, lambda: (Place(unit, row, members),), special=inside)
        return (*fill, DrawGroup("Exclusive", row, first, extents), *place)

    groups = {member.start: partial(_group_loop, member, step.update.backward) for member in members}
    outer = tuple(starts.get(index, index) for index in law.indices)
    return loops(outer, draw_group, step.update.backward, special=groups)


def _group_loop(member: Member, backward: bool, body: Body) -> Statement:
    return GroupLoop(member.start, member.extent, member.length, body, backward)


def _member_loop(member: Member, body: Body) -> Statement:
    return MemberLoop(member.index, member.start, member.length, body)
