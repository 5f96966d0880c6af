"""The benchmarks run; what they measure is not judged here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LATER = {"deep_belief_net", "fully_visible_belief_net", "gaussian_rbm", "sigmoid_belief_net"}
"""Specifications of rows that the table does not have yet."""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, since benchmarks keep theirs to one core."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)


def test_a_table_of_contestants() -> None:
    done = run("benchmarks.sampler", BENCHMARK_REPETITIONS="1")
    assert done.returncode == 0, done.stderr
    assert "| pgmc |" in done.stdout
    assert "ns an element" in done.stdout


def test_exactness_on_random_models() -> None:
    done = run("benchmarks.conformance", "--models", "3", "--compiled", "0")
    assert done.returncode == 0, done.stderr
    assert "emitted sweeps: 3 models, largest error" in done.stdout


def test_the_catalogue_has_a_row_for_every_model() -> None:
    done = run("benchmarks.catalogue", "--list")
    assert done.returncode == 0, done.stderr
    listed = set(re.findall(r"\w+", done.stdout))
    missing = {path.stem for path in (ROOT / "models").glob("[a-z]*.py")} - listed
    assert missing <= LATER
    assert run("benchmarks.catalogue", "A99").returncode == 2


def test_the_golden_machine_says_what_is_missing(tmp_path: Path) -> None:
    without = run("benchmarks.golden_ais", PGMC_GOLDEN_MACHINE="")
    assert without.returncode == 1
    assert "Name the file" in without.stderr
    missing = run("benchmarks.golden_ais", str(tmp_path / "none.mat"))
    assert missing.returncode == 1
    assert "There is no file" in missing.stderr
