"""Sections of a report of a program."""

from __future__ import annotations

from pgmc.inspection import equations, program_sections


def test_every_group_of_equations_has_a_heading() -> None:
    assert set(program_sections.GROUPS) == set(equations.GROUPS)
