"""The schedule of a sweep: one update per block, in order."""

from __future__ import annotations

from collections.abc import Callable

from pgmc.analysis.blocks import Block
from pgmc.errors import InternalError
from pgmc.ir.answers import BlockUpdate, Coloring, ConditionalLaw, Mode, SweepSchedule, UnitOrder
from pgmc.ir.queries import Sweep


def build_sweep_schedule(
    query: Sweep,
    blocks: tuple[Block, ...],
    law: Callable[[str], ConditionalLaw],
    coloring: Callable[[str], Coloring | UnitOrder | None],
) -> SweepSchedule:
    """The block updates that carry out a sweep.

    A backward sweep is the time reversal of the forward one under the target: blocks in the opposite order, and units
    in the opposite order within sequential blocks. Within a parallel block the order does not matter.

    Parameters
    ----------
    query : Sweep
        What is to be updated.
    blocks : tuple of Block
        The blocks of whole variables in forward order.
    law : callable
        Name of a variable -> the conditional of its units.
    coloring : callable
        Name of a variable -> the colours of its units, if they interact with some of their own only.
    """
    updates = tuple(_block_update(block, query, law, coloring) for block in blocks)
    return check_sweep_schedule(SweepSchedule(updates[::-1] if query.backward else updates), query)


def _block_update(
    block: Block,
    query: Sweep,
    law: Callable[[str], ConditionalLaw],
    coloring: Callable[[str], Coloring | UnitOrder | None],
) -> BlockUpdate:
    masked = tuple(name for name in block.variables if name in query.masked)
    laws = tuple(map(law, block.variables))
    one_by_one = block.mode == "joint" and laws[0].family == "Normal"  # some units keep their values
    mode: Mode = "sequential" if one_by_one else block.mode
    colors = coloring(block.variables[0]) if mode == "sequential" else None
    return BlockUpdate(laws, mode, masked, query.backward, colors)


def check_sweep_schedule(schedule: SweepSchedule, query: Sweep) -> SweepSchedule:
    """The schedule, if it updates every free variable exactly once and nothing else."""
    updated = [law.target.name for update in schedule.updates for law in update.laws]
    if sorted(updated) != sorted(query.free):
        raise InternalError(f"a sweep over {query.free} updates {updated}. Please report it.")
    return schedule
