"""What a sweep updates, and in which order."""

from __future__ import annotations

import pytest

from cases import build_case, one_layer_with_a_diagonal, three_layers
from pgmc.errors import InternalError
from pgmc.ir.answers import SweepSchedule
from pgmc.ir.queries import Sweep
from pgmc.schedule.sweeps import check_sweep_schedule


def order(schedule: SweepSchedule) -> list[tuple[str, ...]]:
    return [tuple(law.target.name for law in update.laws) for update in schedule.updates]


def schedule_of(query: Sweep) -> SweepSchedule:
    answer = build_case(three_layers).compiler.answer(query)
    assert isinstance(answer, SweepSchedule)
    return answer


def test_layers_alternate_and_share_a_block() -> None:
    assert order(schedule_of(Sweep(("v", "h", "g")))) == [("v", "g"), ("h",)]


def test_what_must_come_first_does() -> None:
    assert order(schedule_of(Sweep(("v", "h", "g"), first=("h",)))) == [("h",), ("v", "g")]
    assert order(schedule_of(Sweep(("v", "h", "g"), first=("g",)))) == [("g",), ("v",), ("h",)]


def test_variables_that_are_not_free_separate_nothing() -> None:
    assert order(schedule_of(Sweep(("v", "g")))) == [("v", "g")]
    assert order(schedule_of(Sweep(("h",)))) == [("h",)]


def test_backward_reverses_the_blocks() -> None:
    forward, backward = (schedule_of(Sweep(("v", "h", "g"), backward=b)) for b in (False, True))
    assert order(backward) == order(forward)[::-1]
    assert all(update.backward for update in backward.updates)


def test_masks_belong_to_the_blocks_of_their_variables() -> None:
    updates = schedule_of(Sweep(("v", "h", "g"), masked=("g",))).updates
    assert [update.masked for update in updates] == [("g",), ()]


def test_units_that_interact_are_updated_one_by_one() -> None:
    answer = build_case(one_layer_with_a_diagonal).compiler.answer(Sweep(("v", "h")))
    assert isinstance(answer, SweepSchedule)
    assert {law.target.name: u.mode for u in answer.updates for law in u.laws} == {"v": "sequential", "h": "parallel"}


def test_a_schedule_that_leaves_a_variable_out_is_an_internal_error() -> None:
    schedule = schedule_of(Sweep(("v", "g")))
    with pytest.raises(InternalError, match=r"updates \['v', 'g'\]"):
        check_sweep_schedule(schedule, Sweep(("v", "h", "g")))
    with pytest.raises(InternalError):
        check_sweep_schedule(SweepSchedule(schedule.updates * 2), Sweep(("v", "g")))
