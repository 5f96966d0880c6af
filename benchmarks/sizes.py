"""What compiling costs for a hundred, ten thousand and a million units of one specification.

    python -m benchmarks.sizes                  the ratios of the sizes
    python -m benchmarks.sizes --ten-million    a lattice of 10^7 units: one sweep, and the memory it takes

Each is a process of its own with an empty cache, and CPU time is counted: of the declaration, of deriving and
generating the usual kernels, and of compiling those of the sweep and the energy. Nothing is run: the weights of layers
of a million units have no place in memory, but their kernels are made all the same. Where colours of units are no
formula of their places, finding them takes time for every unit: that is needed before the first sweep, and reported
apart.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SIZES = (100, 10_000, 1_000_000)
KINDS = ("layered", "lattice", "odd lattice", "edges")


@dataclass(frozen=True)
class Costs:
    """CPU seconds of one process, and a digest of every source it made."""

    declare: float
    generate: float
    compile: float
    colour: float
    digest: str

    @property
    def total(self) -> float:
        """Without the colours."""
        return self.declare + self.generate + self.compile


@dataclass(frozen=True)
class Sizes:
    """The medians of one kind of model, by size."""

    kind: str
    costs: dict[int, Costs]

    @property
    def ratio(self) -> float:
        """The slowest of the sizes over the fastest."""
        totals = [costs.total for costs in self.costs.values()]
        return max(totals) / min(totals)

    @property
    def identical(self) -> bool:
        """Whether all sizes made the same text."""
        return len({costs.digest for costs in self.costs.values()}) == 1

    def __str__(self) -> str:
        lines = [
            f"### {self.kind}",
            "",
            "| units | declare | derive, generate | compile | CPU s | colours apart |",
            "|---|---|---|---|---|---|",
        ]
        for units, c in self.costs.items():
            lines.append(
                f"| {units} | {c.declare:.3f} | {c.generate:.3f} | {c.compile:.3f} | {c.total:.3f} | {c.colour:.3f} |"
            )
        same = "the same source" if self.identical else "DIFFERENT sources"
        return "\n".join([*lines, "", f"slowest over fastest {self.ratio:.2f}, {same}"])


def run_child(kind: str, units: int) -> None:
    """In a process of its own: prints what it measured."""
    import hashlib
    import time

    import pgmc
    from benchmarks.problems import declare_edges, declare_ising, declare_layers, random_edges
    from pgmc.ir.queries import Energy, Sweep

    pgmc.Model("first").binary("v")  # imports are no part of it
    pairs = random_edges(units if kind == "edges" else 2)  # nor is the graph itself
    declared: dict[str, Callable[[], pgmc.Model]] = {
        "layered": lambda: declare_layers(units),
        "lattice": lambda: declare_ising(round(units**0.5)),
        "odd lattice": lambda: declare_ising(round(units**0.5) + 1),
        "edges": lambda: declare_edges(units, pairs),
    }
    times = [time.process_time()]
    model = declared[kind]()
    times.append(time.process_time())
    program = pgmc.compile(model)
    source = program.source()
    times.append(time.process_time())
    len(program.blocks)  # one block for each colour
    times.append(time.process_time())
    for query in (Sweep(tuple(v.name for v in program.model.variables)), Energy()):
        program.executable.kernel(query)
    times.append(time.process_time())
    declare, generate, colour, build = (after - before for before, after in itertools.pairwise(times))
    print(json.dumps([declare, generate, build, colour, hashlib.sha256(source.encode()).hexdigest()]))


def start(kind: str, units: int) -> Costs:
    """A child with an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.sizes", "--child", kind, str(units)]
        done = subprocess.run(
            command,
            env=os.environ | {"PGMC_CACHE_DIR": str(Path(folder) / "cache")},
            cwd=Path(__file__).resolve().parent.parent,
            capture_output=True,
            text=True,
            check=True,
        )
    return Costs(*json.loads(done.stdout))


def measure(repetitions: int = 3) -> list[Sizes]:
    """Interleaved; of each size the repetition with the median total."""
    runs: dict[tuple[str, int], list[Costs]] = {}
    for _ in range(repetitions):
        for kind in KINDS:
            for units in SIZES:
                runs.setdefault((kind, units), []).append(start(kind, units))
    return [Sizes(kind, {units: _median(runs[kind, units]) for units in SIZES}) for kind in KINDS]


def _median(costs: list[Costs]) -> Costs:
    middle = statistics.median_high(c.total for c in costs)
    return next(c for c in costs if c.total == middle)


def ten_million() -> str:
    """A lattice of 10^7 units: compiled, and one chain swept once."""
    import resource
    import time

    import numpy as np

    import pgmc
    from benchmarks.problems import declare_ising

    begin = time.process_time()
    program = pgmc.compile(declare_ising(3162))
    found = program.sample({"J": np.float32(0.4)}, chains=1, sweeps=1, seed=0, threads=1)
    seconds, memory = time.process_time() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return f"{found['s'].size} units: {seconds:.1f} CPU s with compilation, {memory:.2f} GiB at most"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        run_child(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1:] == ["--ten-million"]:
        print(ten_million())
    else:
        print(*measure(), sep="\n\n")
