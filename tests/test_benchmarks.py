"""The benchmarks run; what they measure is not judged here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


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


def test_the_rows_of_the_catalogue_name_specifications() -> None:
    done = run("benchmarks.catalogue", "--list")
    assert done.returncode == 0, done.stderr
    specs = [name for line in done.stdout.splitlines() for name in line.rpartition(": ")[2].split(", ")]
    assert len(specs) >= 18 and all((ROOT / "models" / f"{name}.py").exists() for name in specs)
    assert run("benchmarks.catalogue", "A99").returncode == 2


def test_the_golden_machine_says_what_is_missing(tmp_path: Path) -> None:
    without = run("benchmarks.golden_ais", PGMC_GOLDEN_MACHINE="")
    assert without.returncode == 1
    assert "Name the file" in without.stderr
    missing = run("benchmarks.golden_ais", str(tmp_path / "none.mat"))
    assert missing.returncode == 1
    assert "There is no file" in missing.stderr
