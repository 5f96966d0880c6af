"""What starting up costs: importing, compiling, and compiling again.

    python -m benchmarks.compilation

Whole processes are timed, with a cache directory of their own: declare the machine, compile it, and run the first
sweep, free energy and gradient. *Cold* finds no compiled kernel, *warm* finds them all. Sizes must not matter: the
same source serves all of them, so a second size compiles nothing.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SMALL, USUAL, LARGE = (64, 64), (784, 500), (4096, 4096)
HEAVY = ("sympy", "networkx", "numba", "scipy")

FIRST_RUN = """
import json, sys, time
import numpy as np
visible, hidden = int(sys.argv[1]), int(sys.argv[2])
begin = time.process_time()
import pgmc
from benchmarks.problems import declare
m = declare(visible, hidden)
p = pgmc.compile(m)
params = {name: np.zeros(shape, np.float32) for name, shape in
          (("W", (visible, hidden)), ("b", visible), ("c", hidden))}
state = {"v": np.zeros((16, visible), np.int8), "h": np.zeros((16, hidden), np.int8)}
started = time.process_time()
p.sample(params, chains=16, sweeps=1, seed=0)
p.free_energy(params, {"v": state["v"]})
p.energy_gradient(params, state)
ended = time.process_time()
print(json.dumps({"modules": [m for m in ("sympy", "networkx") if m in sys.modules], "first": ended - started}))
"""


@dataclass(frozen=True)
class Start:
    """One process: its whole CPU and wall time in seconds, the first use alone, and what it imported."""

    cpu: float
    wall: float
    first: float
    modules: tuple[str, ...]
    entries: int


def start(size: tuple[int, int], cache: Path) -> Start:
    """Run a process that compiles and uses a machine of that size, with that cache directory."""
    command = [sys.executable, "-c", FIRST_RUN, *map(str, size)]
    cpu, wall, output = _run(command, {"PGMC_CACHE_DIR": str(cache)})
    answer = json.loads(output)
    return Start(cpu, wall, answer["first"], tuple(answer["modules"]), count_entries(cache))


def count_entries(cache: Path) -> int:
    """Kernels in a cache directory."""
    return sum(1 for path in cache.iterdir() if (path / "kernel.py").exists()) if cache.exists() else 0


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> tuple[float, float, str]:
    """CPU time, wall time and output of a child process."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, env=os.environ | (environment or {}), cwd=_root(), capture_output=True, text=True, check=True
    )
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, done.stdout


def _root() -> Path:
    return Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Compilation:
    """Cold and warm starts, and what another size costs."""

    cold: Start
    warm: Start
    small: Start
    large: Start
    second: Start

    @property
    def flat(self) -> float:
        """Cold start of the largest size over that of the smallest."""
        return self.large.cpu / self.small.cpu

    def __str__(self) -> str:
        return "\n".join(
            [
                "### Compiling and the first use of a 784x500 machine, whole process, CPU s (wall s)",
                "",
                f"- cold: {self.cold.cpu:.2f} ({self.cold.wall:.2f}), {self.cold.entries} kernels",
                f"- warm: {self.warm.cpu:.2f} ({self.warm.wall:.2f}); imports of {self.warm.modules or 'neither'}"
                " of sympy and networkx",
                f"- cold, 64x64: {self.small.cpu:.2f}; 4096x4096: {self.large.cpu:.2f}; ratio {self.flat:.2f}",
                f"- 4096x4096 after 64x64: {self.second.cpu:.2f},"
                f" {self.second.entries - self.small.entries} kernels compiled",
            ]
        )


def measure(repetitions: int = 3) -> Compilation:
    """Every kind of start, the median of several."""

    def median(starts: list[Start]) -> Start:
        return sorted(starts, key=lambda s: s.cpu)[len(starts) // 2]

    runs: dict[str, list[Start]] = {}
    for _ in range(repetitions):
        with tempfile.TemporaryDirectory() as folder:
            caches = {name: Path(folder) / name for name in ("usual", "small", "large")}
            for name, size, cache in (
                ("cold", USUAL, "usual"),
                ("warm", USUAL, "usual"),
                ("small", SMALL, "small"),
                ("large", LARGE, "large"),
                ("second", LARGE, "small"),
            ):
                runs.setdefault(name, []).append(start(size, caches[cache]))
    return Compilation(**{name: median(starts) for name, starts in runs.items()})


@dataclass(frozen=True)
class Imports:
    """CPU seconds of ``python -c import ...``, and which heavy packages ``import pgmc`` brings."""

    bare: float
    numpy: float
    pgmc: float
    heavy: tuple[str, ...]

    @property
    def ratio(self) -> float:
        return self.pgmc / self.numpy

    def __str__(self) -> str:
        return (
            f"### Importing, whole process, CPU s\n\n- nothing {self.bare:.3f}, numpy {self.numpy:.3f}, "
            f"pgmc {self.pgmc:.3f}; pgmc over numpy {self.ratio:.2f}; heavy imports: {self.heavy or 'none'}"
        )


def measure_imports(repetitions: int = 9) -> Imports:
    """Interleaved, the median of several."""
    statements = {"bare": "pass", "numpy": "import numpy", "pgmc": "import pgmc"}
    times: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(repetitions):
        for name, statement in statements.items():
            times[name].append(_run([sys.executable, "-c", statement])[0])
    look = f"import pgmc, sys; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    heavy = tuple(_run([sys.executable, "-c", look])[2].split())
    return Imports(**{name: statistics.median(values) for name, values in times.items()}, heavy=heavy)


if __name__ == "__main__":
    print(measure_imports(), measure(), sep="\n\n")
