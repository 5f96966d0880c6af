"""The schedule of a sweep in which some variables are moved together by Hamiltonian Monte Carlo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pgmc.ir.answers import SweepSchedule, Trajectory
from pgmc.ir.queries import Sweep
from pgmc.schedule.sweeps import check_sweep_schedule


def build_move_schedule(query: Sweep, trajectory: Trajectory, sweep: Callable[[Sweep], SweepSchedule]) -> SweepSchedule:
    """The trajectory, what is summed out of its potential, and a sweep over all others; backward the others first.

    A draw of what is summed out belongs to the trajectory: together they leave the joint law as it is, and are a
    reversible move of the units moved, followed by an exact draw.

    Parameters
    ----------
    query : Sweep
        What is to be updated.
    trajectory : Trajectory
        The move of ``query.moved``.
    sweep : callable
        A sweep without moves -> its schedule.
    """
    taken = {*query.moved, *query.summed}
    others = tuple(name for name in query.free if name not in taken)
    plain = replace(query, moved=(), summed=())

    def updates(free: tuple[str, ...]) -> SweepSchedule:
        if not free:
            return SweepSchedule(())
        parts = {"first": query.first, "masked": query.masked}
        kept = {key: tuple(name for name in names if name in free) for key, names in parts.items()}
        return sweep(replace(plain, free=free, first=kept["first"], masked=kept["masked"]))

    own = (trajectory, *updates(query.summed).updates)
    rest = updates(others).updates
    return check_sweep_schedule(SweepSchedule((*rest, *own) if query.backward else (*own, *rest)), query)
