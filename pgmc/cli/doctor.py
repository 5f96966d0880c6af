"""``pgmc doctor``: what there is to run on, and whether a small model comes out right."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from pgmc.cli.catalogue import find_spec
from pgmc.evaluation.enumerate import enumerate_states
from pgmc.program.program import compile
from pgmc.runtime.cache import default_cache

NEEDED = ("pgmc", "numpy", "numba", "llvmlite", "scipy", "sympy", "networkx")
EXTRAS = {"matplotlib": "plot", "scikit-learn": "data", "mlxtend": "data", "ziamath": "report"}


def examine(say: Callable[[str], None]) -> int:
    """Tell what there is; the exit status: 1 if a compiled model disagrees with brute force."""
    say(f"{'Python':<14}{platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    say(f"{'packages':<14}{', '.join(f'{name} {version(name)}' for name in NEEDED)}")
    for name, extra in EXTRAS.items():
        try:
            say(f"{name:<14}{version(name)}")
        except PackageNotFoundError:
            say(f'{name:<14}not installed; pip install "pgmc[{extra}]"')
    cache = default_cache()
    say(f"{'cache':<14}{cache.directory or 'off'}, {cache.size() / 2**20:.1f} MiB")
    began = time.perf_counter()
    error = _greatest_error()
    verdict = "agrees" if error < 1e-9 else "DISAGREES"
    seconds = time.perf_counter() - began
    say(f"{'check':<14}a small model {verdict} with brute force: log Z to {error:.1g} nats, in {seconds:.1f} s")
    sys.stdout.flush()
    return 0 if error < 1e-9 else 1


def _greatest_error() -> float:
    model = find_spec("rbm").model(visible=5, hidden=4)
    program = compile(model, dtype="float64")
    generator = np.random.default_rng(0)
    params = {name: generator.normal(size=value.shape) for name, value in program.init().items()}
    value = program.log_partition(params, method="exact").value
    return float(np.max(np.abs(value - enumerate_states(model.build(), params).log_partition)))
