"""Runs things side by side and prints one table.

Times on a shared machine are noisy, so a figure is a ratio measured in one run. Repetitions of all contestants are
interleaved, and the CPU time of the process is taken, not the time on the wall: with one thread everywhere that is
what an idle core would need. The median of the repetitions counts.

A contestant is a function ``problem -> Runner``; one that raises ``ImportError`` is left out with a note. *Floors* are
the work that no way of doing the task can avoid, here the bare products of matrices.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import THREADS


@dataclass
class Runner:
    """One contestant, ready to run.

    ``run`` does ``steps`` steps and blocks until they are done; ``check`` gives observables that must agree between
    contestants; ``floor`` marks work that nobody can avoid.
    """

    run: Callable[[], Any]
    steps: int = 1
    check: Callable[[], dict[str, float]] | None = None
    floor: bool = False
    note: str = ""


@dataclass
class Row:
    """What was measured of one contestant, in milliseconds of CPU time a step."""

    name: str
    times: list[float]
    floor: bool
    observed: dict[str, float]
    note: str

    @property
    def ms(self) -> float:
        return statistics.median(self.times)


@dataclass
class Table:
    """The contestants of one task, fastest first."""

    title: str
    step: str
    rows: list[Row]
    missing: list[str]

    def row(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)

    @property
    def floor(self) -> Row:
        return min((row for row in self.rows if row.floor), key=lambda row: row.ms)

    def ratio(self, name: str, other: str | None = None) -> float:
        """The median, over the repetitions, of how many times as long one takes as another (the floor)."""
        below = (self.floor if other is None else self.row(other)).times
        return statistics.median(a / b for a, b in zip(self.row(name).times, below, strict=True))

    def __str__(self) -> str:
        floors = any(row.floor for row in self.rows)
        lines = [
            f"### {self.title}",
            "",
            f"| | ms a {self.step} | min-max | x floor | check |",
            "|---|---|---|---|---|",
        ]
        for row in self.rows:
            times = f"{row.ms:.4g} | {min(row.times):.4g}-{max(row.times):.4g}"
            observed = " ".join(f"{key}={value:.4g}" for key, value in row.observed.items())
            ratio = f"{self.ratio(row.name):.3f}" if floors else ""
            lines.append(f"| {row.name}{' (floor)' * row.floor} | {times} | {ratio} | {observed} |")
        lines += ["", *(f"- {row.name}: {row.note}" for row in self.rows if row.note)]
        lines += [f"- not installed: {', '.join(self.missing)}"] if self.missing else []
        return "\n".join(lines)


def compare(
    title: str,
    problem: Any,
    contestants: Sequence[Callable[[Any], Runner]],
    *,
    step: str,
    repetitions: int | None = None,
) -> Table:
    """Measure all contestants, repetition by repetition."""
    repetitions = repetitions or int(os.environ.get("BENCHMARK_REPETITIONS", "7"))
    runners: dict[str, Runner] = {}
    missing: list[str] = []
    for contestant in contestants:
        name = contestant.__name__.removeprefix("peer_").strip("_").replace("_", " ")
        try:
            runners[name] = contestant(problem)
        except ImportError as error:
            missing.append(error.name or str(error))
            continue
        runners[name].run()  # compiles, fills caches
    times: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(repetitions):
        for name, runner in runners.items():
            gc.collect()
            begin = time.process_time()
            runner.run()
            times[name].append((time.process_time() - begin) / runner.steps * 1e3)
    rows = [
        Row(name, times[name], runner.floor, runner.check() if runner.check else {}, runner.note)
        for name, runner in runners.items()
    ]
    return Table(title, step, sorted(rows, key=lambda row: row.ms), list(dict.fromkeys(missing)))


def one_torch_thread() -> Any:
    """torch, told to use as many threads as everyone else."""
    import torch

    torch.set_num_threads(THREADS)
    return torch


def aligned(array: np.ndarray) -> np.ndarray:
    """A copy that begins on a cache line: vector loads that straddle lines cost up to twice as much."""
    array = np.ascontiguousarray(array)
    buffer = np.empty(array.nbytes + 64, np.uint8)
    offset = -buffer.ctypes.data % 64
    copy = buffer[offset : offset + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def describe_machine() -> str:
    """The processor, and the versions of what does the work."""
    from importlib.metadata import version

    model = "unknown processor"
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "scipy"))
    cores = os.cpu_count()
    return f"{model}, {cores} cores; {sys.platform}, Python {sys.version.split()[0]}, {packages}"
