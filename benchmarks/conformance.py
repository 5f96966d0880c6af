"""How far pgmc is from brute force on random models: the largest errors, not only whether they pass.

    python -m benchmarks.conformance [--models 40] [--compiled 5]

Random models have binary, spin and categorical units, weak and strong, dense and sparse couplings up to third order.
Through the reference backend, which interprets what was derived, and compiled, energies, log Z, conditionals in every
state, free energies and gradients are compared with enumeration; of the emitted sweeps the whole transition matrix is.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import pgmc

for _folder in ("oracle", "acceptance", "support"):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / _folder))

MAX_STATES = 128


@dataclass(frozen=True)
class Errors:
    """How many random models, and the largest deviation from enumeration."""

    models: int
    largest: float
    where: str

    def __str__(self) -> str:
        return f"{self.models} models, largest error {self.largest:.1e} ({self.where})"


def measure_answers(models: int, backend: str) -> Errors:
    """Energies, log Z, conditionals, free energies and gradients."""
    import conformance

    whole = pgmc.compile
    conformance.pgmc.compile = partial(whole, backend=backend)  # type: ignore[assignment]
    try:
        found = [(error, what) for seed in range(models) for what, error in _check(conformance, seed).items()]
    finally:
        conformance.pgmc.compile = whole
    largest, where = max(found, default=(0.0, "nothing"))
    return Errors(models, largest, where)


def _check(conformance: object, seed: int) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pgmc.ModelWarning)
        return {k: float(v) for k, v in conformance.check(seed, MAX_STATES, False).items()}  # type: ignore[attr-defined]


def measure_sweeps(models: int) -> Errors:
    """The transition matrix of the emitted sweep, path by path."""
    from cases import random_case
    from pgmc.ir.queries import Sweep
    from transitions import transitions, units_of_blocks

    largest, where = 0.0, "nothing"
    for seed in range(models):
        case = random_case(seed, max_states=32)
        query = Sweep(case.free)
        found = transitions(case.compiler, query, case.exact, case.params).matrix
        wanted = case.exact.sweep(units_of_blocks(case.compiler, query, case.exact), parallel=False)
        errors = {"P": np.abs(found - wanted).max(), "πP - π": case.exact.check(found)["invariance"]}
        for what, error in errors.items():
            if error > largest:
                largest, where = float(error), what
    return Errors(models, largest, where)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=40)
    parser.add_argument("--compiled", type=int, default=5)
    arguments = parser.parse_args()
    print("derived and interpreted:", measure_answers(arguments.models, "numpy"))
    print("compiled:", measure_answers(arguments.compiled, "numba"))
    print("emitted sweeps:", measure_sweeps(arguments.models))


if __name__ == "__main__":
    main()
