"""Directed factors: that they are normalised, and that the ancestral pass draws from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.evaluation.likelihood import estimate_log_partition
from pgmc.ir.queries import Ancestral
from pgmc.program.verification.instance import Instance
from pgmc.program.verification.one_sweep import check_moves, exact_law
from pgmc.program.verification.report import Case, Ledger

Array = npt.NDArray[Any]


def check_factors(instance: Instance, ledger: Ledger) -> None:
    """The factors sum to one, so that log Z is that of the energy alone; and ancestral draws follow the law."""
    children = instance.model.children
    if not children:
        return
    table = instance.table
    inputs = dict(table.inputs) or None
    expected = -table.free_energy(instance.energies, ())
    got = np.atleast_1d(estimate_log_partition(instance.executable, instance.params, inputs, "exact").value)

    def case(place: tuple[int, ...]) -> Case:
        return instance.state_case(place[0], 0)

    ledger.compare(
        "directed factors",
        "the joint sums to the log Z of the energy without them",
        got,
        expected.reshape(len(got), -1)[:, 0],
        instance.tolerance("free energy"),
        case=case,
    )
    for row in range(table.rows):
        check_moves(
            instance, ledger, "ancestral pass, statistically", Ancestral(children), row, exact_pass(instance, row)
        )


def exact_pass(instance: Instance, row: int) -> Array:
    """The transition matrix of an ancestral pass: variables without a factor stay, the others are drawn given them."""
    table, law = instance.table, exact_law(instance, row)
    kept = [v.name for v in instance.model.variables if v.name not in instance.model.children]
    flat = [np.asarray(table.states[name]).reshape(table.size, -1) for name in kept]
    groups = np.zeros(table.size, dtype=np.int64)
    if flat:
        groups = np.unique(np.concatenate(flat, axis=1), axis=0, return_inverse=True)[1].ravel()
    weights = np.bincount(groups, weights=law)
    return np.where(groups[:, None] == groups[None, :], law[None, :] / weights[groups][:, None], 0.0)
