"""The Ising model on periodic squares against its exact solution: energies by sampling, log Z by annealing.

    python -m benchmarks.ising

The exact numbers are Kaufman's solution of the finite torus. The error of an energy is that between independent chains,
each of which is an average of its own over time: however much states of one chain resemble each other, the averages
of different chains do not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import pgmc
from benchmarks.problems import declare_ising

CRITICAL = float(np.log1p(np.sqrt(2.0)) / 2.0)
LOG_Z = {8: 60.1417807891, 16: 238.64225664}
ENERGY = -1.10729166
SIDE, COUPLING = 32, 0.4


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error, what it should be, and how far off it may be."""

    what: str
    value: float
    error: float
    exact: float
    tolerance: float
    seconds: float

    @property
    def off(self) -> float:
        return self.value - self.exact

    @property
    def met(self) -> bool:
        return abs(self.off) <= self.tolerance

    def __str__(self) -> str:
        return f"{self.value:.6f} ± {self.error:.6f}, off by {self.off:+.6f} of {self.tolerance:.6f} allowed"


def log_partition(side: int, tolerance: float, *, chains: int, betas: int, seed: int = 0) -> Estimate:
    """log Z at the critical coupling by annealing from independent spins."""
    program, begin = pgmc.compile(declare_ising(side)), time.process_time()
    found = program.log_partition({"J": CRITICAL}, method="ais", chains=chains, betas=betas, seed=seed, threads=1)
    what = f"log Z of {side}x{side} spins at the critical point"
    seconds = time.process_time() - begin
    return Estimate(what, float(found.value), float(found.std_error), LOG_Z[side], tolerance, seconds)


def energy_per_site(*, chains: int = 64, sweeps: int = 12000, seed: int = 0) -> Estimate:
    """⟨-Σ s s'⟩ over the number of spins, each bond once."""
    program, begin = pgmc.compile(declare_ising(SIDE)), time.process_time()

    def bonds(state: dict[str, np.ndarray]) -> np.ndarray:
        s = state["s"].astype(np.int64)
        return -(s * (np.roll(s, -1, 1) + np.roll(s, -1, 2))).mean(axis=(1, 2))

    keep = sweeps // 12
    samples = program.sample(
        {"J": COUPLING}, chains, sweeps, observe={"energy": bonds}, keep=keep, thin=10, seed=seed, threads=1
    )
    means = samples["energy"].mean(axis=1)
    error = float(means.std(ddof=1) / np.sqrt(chains))
    what = f"energy per site of {SIDE}x{SIDE} spins at a coupling of {COUPLING}"
    return Estimate(what, float(means.mean()), error, ENERGY, 3 * error, time.process_time() - begin)


MEASUREMENTS: tuple[Callable[[], Estimate], ...] = (
    lambda: log_partition(8, 0.02, chains=2000, betas=2000),
    lambda: log_partition(16, 0.05, chains=2000, betas=4000),
    energy_per_site,
)


def measure() -> list[Estimate]:
    """All of them."""
    return [one() for one in MEASUREMENTS]


if __name__ == "__main__":
    for estimate in measure():
        print(f"{estimate.what}: {estimate} ({estimate.seconds:.1f} CPU s, {'met' if estimate.met else 'MISSED'})")
