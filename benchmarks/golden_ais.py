"""log Z of a machine with 784 visible and 15 hidden units, trained on digits, whose exact value is published.

    python -m benchmarks.golden_ais golden_rbm.mat

The file is a MATLAB 5 file with ``vishid`` (784, 15), ``visbiases`` and ``hidbiases``: ``mnistvh.mat`` of pylearn2's
tests, trained by the code of Salakhutdinov and Murray (2008). It may also be named by the environment variable
``PGMC_GOLDEN_MACHINE``. The sum over the 2^15 states of the hidden units gives log Z = 215.13840552532; annealed
importance sampling must come within 0.1 of it from below, and its reverse from above.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.problems import Machine, declare, digits

if TYPE_CHECKING:
    from pgmc.evaluation.estimates import LogPartition
    from pgmc.program.program import Program

VARIABLE = "PGMC_GOLDEN_MACHINE"
EXACT = 215.13840552532
CHAINS, BETAS = 500, 20_000  # the standard error must lie well below the tolerance, whatever the seed


class MissingFileError(Exception):
    """There is no file to measure with."""


def read_machine(path: str | None) -> Machine:
    """The weights of the file, float64.

    Raises
    ------
    MissingFileError
        If no file is named, or there is none of that name.
    """
    path = path or os.environ.get(VARIABLE)
    if not path:
        raise MissingFileError(f"Name the file: python -m benchmarks.golden_ais FILE, or set {VARIABLE}.\n\n{__doc__}")
    if not Path(path).is_file():
        raise MissingFileError(f"There is no file {path}.\n\n{__doc__}")
    from scipy.io import loadmat

    file = loadmat(path)
    return Machine(*(np.ascontiguousarray(file[name]).squeeze() for name in ("vishid", "visbiases", "hidbiases")))


@dataclass(frozen=True)
class Estimate:
    """One way to log Z: its value, standard error and CPU time in seconds."""

    value: float
    error: float
    seconds: float

    @property
    def off(self) -> float:
        return self.value - EXACT


def measure(path: str | None = None, betas: int = BETAS) -> dict[str, Estimate]:
    """log Z by enumeration in float64, and by annealing in both directions in float32.

    The reverse direction starts from exact draws of the machine, so that it is an upper bound without reserve: a state
    of the hidden units from the enumeration, then the visible ones given it.
    """
    import pgmc

    machine = read_machine(path)
    params = {name: value.astype(np.float32) for name, value in machine.params.items()}
    double, single = (pgmc.compile(declare(*machine.W.shape), dtype=dtype) for dtype in ("float64", "float32"))
    start = exact_draws(double, single, machine)
    # The base of the path has the means of the digits.
    annealed = {"chains": CHAINS, "betas": betas, "data": {"v": digits().astype(np.int8)}, "seed": 0, "threads": 1}
    return {
        "exact": _timed(lambda: double.log_partition(machine.params, method="exact")),
        "ais": _timed(lambda: single.log_partition(params, method="ais", **annealed)),
        "reverse-ais": _timed(lambda: single.log_partition(params, method="reverse-ais", start=start, **annealed)),
    }


def exact_draws(double: Program, single: Program, machine: Machine) -> dict[str, np.ndarray]:
    """Independent states of the machine, name -> ``(chains, units)``."""
    rng, units = np.random.default_rng(0), len(machine.c)
    hidden = ((np.arange(2**units)[:, None] >> np.arange(units)) & 1).astype(np.int8)
    free_energy = double.free_energy(machine.params, {"h": hidden})
    p = np.exp(free_energy.min() - free_energy)
    h = hidden[rng.choice(len(p), size=CHAINS, p=p / p.sum())]
    on = double.conditional("v").evaluate(machine.params, {"h": h})["probs"]
    v = rng.random(on.shape) < on
    return {"v": v.astype(single.executable.dtype), "h": h.astype(single.executable.dtype)}


def _timed(estimate: Callable[[], LogPartition]) -> Estimate:
    begin = time.process_time()
    found = estimate()
    return Estimate(float(found.value), float(found.std_error), time.process_time() - begin)


def describe(estimates: dict[str, Estimate]) -> str:
    lines = [
        f"### log Z of a 784x15 machine, exactly {EXACT}; {CHAINS} chains, {BETAS} temperatures",
        "",
        "| | log Z | off by | standard error | CPU s |",
        "|---|---|---|---|---|",
    ]
    for method, e in estimates.items():
        lines.append(f"| {method} | {e.value:.8f} | {e.off:+.2g} | {e.error:.3f} | {e.seconds:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        print(describe(measure(sys.argv[1] if len(sys.argv) > 1 else None)))
    except MissingFileError as error:
        sys.exit(str(error))
