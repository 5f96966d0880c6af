"""pgmc against brute-force enumeration on random discrete models, through the public interface alone.

A few models, so that the script stays in order: ``tests/fuzz`` has many, of every form.
"""

from functools import partial

import pytest

import conformance
import pgmc

MAX_STATES = 128
TOLERANCE = 1e-10


def disagreements(seed: int) -> dict[str, float]:
    errors = conformance.check(seed, MAX_STATES, samples=True)
    return {what: float(error) for what, error in errors.items() if not error <= TOLERANCE}


@pytest.mark.parametrize("seed", range(6))
def test_compiled_program_agrees_with_enumeration(seed: int) -> None:
    assert disagreements(seed) == {}


@pytest.mark.parametrize("seed", range(40, 60))
def test_reference_backend_agrees_with_enumeration(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """More models, without the cost of compiling them: they exercise the derivations."""
    monkeypatch.setattr(pgmc, "compile", partial(pgmc.compile, backend="numpy"))
    assert disagreements(seed) == {}
