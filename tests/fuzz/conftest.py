"""Options: how many random models, and from which seed on."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds ``--fuzz`` and ``--fuzz-seed``."""
    group = parser.getgroup("fuzz", "random models; for example: pytest tests/fuzz --fuzz 5000 --fuzz-seed 1000")
    group.addoption("--fuzz", type=int, default=0, help="check this many more random models, with every check")
    group.addoption("--fuzz-seed", type=int, default=100_000, help="the seed of the first of them")
    group.addoption("--fuzz-tries", type=int, default=400, help="models to try when one that fails is shrunk")
