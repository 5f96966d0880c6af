"""One emitted sweep from exact starts, statistically: the frequencies of end states and of moves."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.ir.queries import Ancestral, Sweep
from pgmc.program.verification.instance import Instance, show
from pgmc.program.verification.replay import Run, run_kernel
from pgmc.program.verification.report import Case, Check, Ledger
from pgmc.program.verification.transitions import exact_sweep

Array = npt.NDArray[Any]

CHAINS = {"numba": 1 << 17, "numpy": 1 << 12}
ALPHA, MISS = 1e-9, 1e-6
"""The chance that the test rejects a right program, and that it misses the shift it reports."""


def check_one_sweep(instance: Instance, ledger: Ledger) -> None:
    """One emitted sweep from exact starts: the frequencies of (start, end) and of end, chi-square."""
    for row in range(instance.table.rows):
        check_moves(instance, ledger, "sweep, statistically", None, row, exact_sweep(instance, row))


def exact_law(instance: Instance, row: int) -> Array:
    """The probability of each joint state, for one row of inputs."""
    table = instance.table
    law = np.exp(-instance.energies[row] + table.free_energy(instance.energies[row : row + 1], ())[0])
    return np.asarray(law / law.sum())


def check_moves(
    instance: Instance, ledger: Ledger, title: str, query: Ancestral | None, row: int, exact: Array
) -> None:
    """One sweep, or one ancestral pass, from exact starts against its exact transition matrix."""
    from scipy.special import gammaincc

    table, chains = instance.table, CHAINS[instance.compiler.backend]
    target = exact_law(instance, row)
    starts = instance.stream.child("exact starts").generator().choice(table.size, size=chains, p=target)
    run = Run(title, Sweep(instance.names), starts, np.full(chains, row), np.ones(chains))
    ends = run_kernel(instance, run, instance.stream.child(f"{title} {row}"), 0, 1, query)
    for what, seen, law in (
        ("end states follow the model's law", np.bincount(ends, minlength=table.size), target),
        (
            "moves follow the transition matrix",
            np.bincount(starts * table.size + ends, minlength=table.size**2),
            (target[:, None] * exact).ravel(),
        ),
    ):
        statistic, cells = _likelihood_ratio(seen, law)
        p_value = float(gammaincc((cells - 1) / 2, statistic / 2)) if cells > 1 else 1.0
        _record(instance, ledger, title, row, what, p_value, seen, law)


def _likelihood_ratio(seen: Array, law: Array, least: float = 10.0) -> tuple[float, int]:
    """2 Σ O log(O/E), with rare cells pooled and Williams's correction, and the number of cells."""
    total = seen.sum()
    expected = law * total
    rare = expected < least
    if expected[rare].sum() < least:
        rare[np.argmin(np.where(rare, np.inf, expected))] = True
    counts = np.append(seen[~rare], seen[rare].sum()).astype(np.float64)
    expected = np.append(expected[~rare], expected[rare].sum())
    cells = len(expected)
    if cells < 2:
        return 0.0, cells
    terms = np.where(counts > 0, counts * np.log(np.maximum(counts, 1.0) / expected), 0.0)
    correction = 1.0 + (np.sum(total / expected) - 1.0) / (6.0 * total * (cells - 1))
    return 2.0 * float(terms.sum()) / correction, cells


def _record(
    instance: Instance, ledger: Ledger, title: str, row: int, what: str, p_value: float, seen: Array, law: Array
) -> None:
    """A check whose error is how small the p-value is, -log10 p."""
    chains, most = int(seen.sum()), float(law.max())
    normal = NormalDist()
    width = normal.inv_cdf(1.0 - ALPHA / 2) + normal.inv_cdf(1.0 - MISS)
    shift = width * np.sqrt(most * (1.0 - most) / chains)
    note = f"{chains} chains; false alarm {ALPHA:.0e}, detects a shift of {shift:.2g} of the likeliest cell"
    surprise = -float(np.log10(max(p_value, 1e-300)))
    check = Check(title, f"{what} (-log10 p)", surprise, -np.log10(ALPHA), p_value >= ALPHA, note)

    def case() -> Case:
        worst = int(np.argmax(np.abs(seen / chains - law)))
        facts = [("expected", f"frequency {law[worst]:.6g}"), ("got", f"frequency {seen[worst] / chains:.6g}")]
        if len(law) > instance.table.size:
            facts.insert(0, ("next state", show(instance.table.states, worst % instance.table.size)))
            worst //= instance.table.size
        return instance.state_case(row, worst, *facts)

    ledger.record(check, case)
