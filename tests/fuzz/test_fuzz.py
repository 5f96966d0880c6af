"""Random models over the whole language, against enumeration.

The seeds are fixed. More models, with every check on each: ``pytest tests/fuzz --fuzz 5000 --fuzz-seed 1000``. A model
that fails is shrunk, and printed as code that declares it.
"""

from __future__ import annotations

import math

import pytest

from checks import CHECKS
from fuzzing import failure, random_case, shrunk
from language import extents
from trial import Backend, Case

INTERPRETED, COMPILED = 300, 40

ALWAYS = ("spellings", "conditionals")
BY_TURNS = ("energy", "gradients", "free_energies", "samples", "sweeps", "mean_field", "factors")
"""Checks of every model, and those that take turns, for they take longer.

They take turns by seven and the kinds of models by five, so that every kind meets every check.
"""

COMPILED_TURNS = ("samples", "conditionals", "gradients", "mean_field", "free_energies", "energy")


@pytest.fixture
def tries(request: pytest.FixtureRequest) -> int:
    """How many models to try when one is shrunk."""
    count: int = request.config.getoption("--fuzz-tries")
    return count


def check(case: Case, checks: tuple[str, ...], tries: int) -> None:
    found = failure(case, checks)
    if found is not None:
        pytest.fail(f"\n{shrunk(found, tries)}", pytrace=False)


@pytest.mark.parametrize("seed", range(INTERPRETED))
def test_the_texts_of_kernels(seed: int, tries: int) -> None:
    """Generated kernels, run as plain Python."""
    case = random_case(seed)
    small = all(math.prod(extents(case.spec, term).values()) <= 24 for term in case.spec.terms)
    more = "verification" if seed % 49 == 0 and small else BY_TURNS[seed % len(BY_TURNS)]
    check(case, (*ALWAYS, more), tries)


@pytest.mark.parametrize("seed", range(1000, 1000 + COMPILED))
def test_compiled_kernels(seed: int, tries: int) -> None:
    """The same kernels, compiled: one kind by turns, in both precisions."""
    case = random_case(seed, "numba", "float32" if seed % 4 == 0 else "float64")
    check(case, (COMPILED_TURNS[seed % len(COMPILED_TURNS)],), tries)


def test_more_models(request: pytest.FixtureRequest, tries: int) -> None:
    """As many more as were asked for, with every check; all that fail are shown."""
    first, count = (request.config.getoption(option) for option in ("--fuzz-seed", "--fuzz"))
    if not count:
        pytest.skip("asked for with --fuzz")
    failures = []
    for seed in range(first, first + count):
        backend: Backend = "numba" if seed % 20 == 0 else "text"
        checks = [name for name in CHECKS if name != "verification" or seed % 10 == 0]
        found = failure(random_case(seed, backend), checks)
        failures += [] if found is None else [str(shrunk(found, tries))]
    assert not failures, "\n" + "\n".join(failures)
