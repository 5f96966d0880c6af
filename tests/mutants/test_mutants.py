"""The list of faults keeps up with the source; ``tests/mutants/run.py`` shows that the tests notice them."""

from __future__ import annotations

import ast

import pytest

from mutants import MUTANTS, Mutant
from run import ROOT, occurrences


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.fault)
def test_a_fault_can_be_planted(mutant: Mutant) -> None:
    """Its text stands in the file exactly once. If the code has changed, change the fault with it."""
    assert occurrences(mutant) == 1
    source = (ROOT / "pgmc" / mutant.file).read_text()
    ast.parse(source.replace(mutant.old, mutant.new))
    assert all((ROOT / test).exists() for test in mutant.tests if test.startswith("tests/"))


def test_there_are_many_and_none_twice() -> None:
    assert len(MUTANTS) >= 40
    assert len({mutant.fault for mutant in MUTANTS}) == len({(m.file, m.old) for m in MUTANTS}) == len(MUTANTS)
