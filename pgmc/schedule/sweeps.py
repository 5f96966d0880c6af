"""The schedule of a sweep: one update per block, in order."""

from __future__ import annotations

from collections.abc import Callable

from pgmc.analysis.blocks import Block
from pgmc.errors import InternalError
from pgmc.ir.answers import BlockUpdate, ConditionalLaw, SweepSchedule
from pgmc.ir.queries import Sweep
from pgmc.schedule.colorings import find_coloring


def build_sweep_schedule(
    query: Sweep, blocks: tuple[Block, ...], law: Callable[[str], ConditionalLaw]
) -> SweepSchedule:
    """The block updates that carry out a sweep.

    A backward sweep is the time reversal of the forward one under the target: blocks in the opposite order, and units
    in the opposite order within sequential blocks. Within a parallel block the order does not matter.

    Parameters
    ----------
    query : Sweep
        What is to be updated.
    blocks : tuple of Block
        The blocks in forward order.
    law : callable
        Name of a variable -> the conditional of its units.
    """
    updates = tuple(_block_update(block, query, law) for block in blocks)
    return check_sweep_schedule(SweepSchedule(updates[::-1] if query.backward else updates), query)


def _block_update(block: Block, query: Sweep, law: Callable[[str], ConditionalLaw]) -> BlockUpdate:
    masked = tuple(name for name in block.variables if name in query.masked)
    laws = tuple(map(law, block.variables))
    coloring = find_coloring(laws[0]) if block.mode == "sequential" else None
    return BlockUpdate(laws, block.mode, masked, query.backward, coloring)


def check_sweep_schedule(schedule: SweepSchedule, query: Sweep) -> SweepSchedule:
    """The schedule, if it updates every free variable exactly once and nothing else."""
    updated = [law.target.name for update in schedule.updates for law in update.laws]
    if sorted(updated) != sorted(query.free):
        raise InternalError(f"a sweep over {query.free} updates {updated}. Please report it.")
    return schedule
