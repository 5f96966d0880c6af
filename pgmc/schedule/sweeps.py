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
    law: Callable[[str, tuple[str, ...]], ConditionalLaw],
    coloring: Callable[[str], Coloring | UnitOrder | None],
) -> SweepSchedule:
    """The block updates that carry out a sweep.

    A backward sweep is the time reversal of the forward one under the target: blocks in the opposite order, and units
    in the opposite order within sequential blocks. Within a parallel block the order does not matter. A block that is
    drawn with something integrated out is followed by that at once, backward as well: both are one draw.

    Parameters
    ----------
    query : Sweep
        What is to be updated.
    blocks : tuple of Block
        The blocks of whole variables in forward order.
    law : callable
        Name of a variable, names of variables that are integrated out -> the conditional of its units.
    coloring : callable
        Name of a variable -> the colours of its units, if they interact with some of their own only.
    """
    draws: list[list[BlockUpdate]] = []
    for block in blocks:
        update = _block_update(block, query, law, coloring)
        follows = bool(draws) and set(draws[-1][-1].integrated_out) == set(block.variables)
        draws[-1:] = [[*draws[-1], update]] if follows else [*draws[-1:], [update]]
    ordered = tuple(update for draw in (draws[::-1] if query.backward else draws) for update in draw)
    return check_sweep_schedule(SweepSchedule(ordered), query)


def _block_update(
    block: Block,
    query: Sweep,
    law: Callable[[str, tuple[str, ...]], ConditionalLaw],
    coloring: Callable[[str], Coloring | UnitOrder | None],
) -> BlockUpdate:
    masked = tuple(name for name in block.variables if name in query.masked)
    kept = {*block.variables, *block.integrated_out} & set(query.masked)
    without = () if kept else block.integrated_out
    laws = tuple(law(name, without) for name in block.variables)
    one_by_one = block.mode == "joint" and laws[0].family == "Normal"  # some units keep their values
    mode: Mode = "sequential" if one_by_one else block.mode
    colors = coloring(block.variables[0]) if mode == "sequential" else None
    return BlockUpdate(laws, mode, masked, query.backward, colors, without)


def check_sweep_schedule(schedule: SweepSchedule, query: Sweep) -> SweepSchedule:
    """The schedule, if it updates every free variable exactly once and nothing else."""
    updated = [target.name for update in schedule.updates for target in update.targets]
    if sorted(updated) != sorted(query.free):
        raise InternalError(f"a sweep over {query.free} updates {updated}. Please report it.")
    return schedule
