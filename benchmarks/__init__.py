"""Side-by-side measurements of pgmc, of what it cannot be faster than, and of its peers.

Run them as modules, ``python -m benchmarks.NAME``: the number of threads is fixed here, before NumPy is loaded.
"""

from __future__ import annotations

import os

THREADS = int(os.environ.get("BENCHMARK_THREADS", "1"))
"""Threads of every library; one for all figures but those about two."""

for _name in ("OMP_NUM", "MKL_NUM", "OPENBLAS_NUM", "NUMBA_NUM", "RAYON_NUM", "VECLIB_MAXIMUM"):
    os.environ.setdefault(f"{_name}_THREADS", str(THREADS))
os.environ.setdefault("JAX_PLATFORMS", "cpu")
if THREADS == 1:
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
if hasattr(os, "sched_setaffinity"):  # one core for one thread; a child process takes back what its parent gave up
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))} if THREADS == 1 else range(os.cpu_count() or 1))
