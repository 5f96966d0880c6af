"""Sweeps as scheduled: blocks of units that do not interact, and the exact transition matrix."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.analysis.blocks import Block
from pgmc.errors import InternalError
from pgmc.ir.answers import SweepSchedule
from pgmc.ir.queries import Sweep
from pgmc.program.verification.instance import Instance, show
from pgmc.program.verification.report import Case, Check, Ledger
from pgmc.program.verification.values import compiled_conditional

Array = npt.NDArray[Any]

Groups = list[list[int]]


# ---- the schedule ------------------------------------------------------------------------------------------


def scheduled_units(instance: Instance, query: Sweep) -> Groups:
    """Units that the compiled sweep draws at once, in the order of its schedule."""
    groups: Groups = []
    for update in schedule_of(instance, query).draws:
        units = instance.table.units_of(tuple(target.name for target in update.targets))
        if update.coloring is not None:
            found = _by_colour(instance, update.targets[0].name)
        else:
            found = _grouped(units, update.mode == "sequential")
        groups += found[::-1] if update.backward else found
    return groups


def schedule_of(instance: Instance, query: Sweep) -> SweepSchedule:
    """The block updates of a sweep."""
    schedule = instance.compiler.answer(query)
    if not isinstance(schedule, SweepSchedule):
        raise InternalError(f"{instance.model.name}: a sweep has no schedule. Please report this.")
    return schedule


def promised_units(instance: Instance, query: Sweep) -> Groups:
    """Units that a sweep has to draw at once, in order, by the blocks that the program shows."""
    groups: Groups = []
    for block in instance.compiler.blocks(query.free, query.first):
        if block.part is not None:
            groups.append(_by_colour(instance, block.variables[0])[block.part.color])
        else:
            groups += _grouped(instance.table.units_of(block.variables), block.mode == "sequential")
    return groups[::-1] if query.backward else groups


def block_groups(instance: Instance, blocks: tuple[Block, ...]) -> Groups:
    """Units that are updated at once, in order, by some blocks of mean field, which knows no colours."""
    groups: Groups = []
    for block in blocks:
        groups += _grouped(instance.table.units_of(block.variables), block.mode == "sequential")
    return groups


def _by_colour(instance: Instance, name: str) -> Groups:
    """The units of each colour of a variable, in the order in which they are drawn."""
    units, colors = instance.table.units_of((name,)), instance.compiler.colored.colors(name)
    parts = np.split(colors.order, colors.starts[1:-1])
    return [[units[number] for number in part] for part in parts if len(part)]


def _grouped(units: list[int], sequential: bool) -> Groups:
    return [[unit] for unit in units] if sequential else [units]


def check_independence(instance: Instance, ledger: Ledger) -> None:
    """No two units that are drawn at once interact: second differences of the energies vanish."""
    table = instance.table
    pairs = [pair for group in scheduled_units(instance, Sweep(instance.names)) for pair in combinations(group, 2)]
    if not pairs:
        ledger.skip("independence", "units are drawn one by one")
        return
    found = np.stack([table.second_difference(instance.energies, *pair) for pair in pairs], axis=2)

    def case(place: tuple[int, ...]) -> Case:
        row, state, pair = place
        first, second = (table.units[k] for k in pairs[pair])
        return instance.state_case(
            row, state, ("units", f"{first} and {second}: E(a, b) - E(a, 0) - E(0, b) + E(0, 0)")
        )

    ledger.compare(
        "independence",
        f"{len(pairs)} pairs of units that are drawn at once do not interact",
        found,
        np.zeros_like(found),
        1e-12,
        scale=1.0 + np.abs(instance.energies).max(),
        rank=instance.rank[:, :, None],
        case=case,
    )


# ---- the exact transition matrix ---------------------------------------------------------------------------


def check_transitions(instance: Instance, ledger: Ledger) -> None:
    """The law of one sweep, from the compiled conditionals in the order of the schedule."""
    names = instance.names
    by_name = {name: compiled_conditional(instance, name) for name in names}
    by_unit = np.concatenate([_padded(by_name[name], max(instance.table.counts)) for name in names], axis=2)
    target = np.exp(-instance.energies + instance.table.free_energy(instance.energies, ()))
    tolerance = instance.tolerance("probability") * instance.scale.max()
    for row in range(instance.table.rows):
        forward, backward = (
            _matrix(instance, by_unit[row], scheduled_units(instance, Sweep(names, backward=b))) for b in (False, True)
        )
        _check_matrix(instance, ledger, row, forward, target[row], tolerance)
        _check_reversal(instance, ledger, row, forward, backward, target[row], tolerance)


def _padded(values: Array, count: int) -> Array:
    return np.pad(values, ((0, 0), (0, 0), (0, 0), (0, count - values.shape[-1])))


def _matrix(instance: Instance, by_unit: Array, groups: Groups) -> Array:
    """The matrix of updates of groups of units, each drawn from its conditional given the state before the group."""
    table = instance.table
    transposed = np.eye(table.size)
    for group in groups:
        moves, weights = np.zeros(1, dtype=np.int64), np.ones((table.size, 1))
        for unit in group:
            count = table.counts[unit]
            moves = (moves[:, None] + np.arange(count) * table.strides[unit]).ravel()
            weights = (weights[:, :, None] * by_unit[:, unit, None, :count]).reshape(table.size, -1)
        # Only units of the group move, so states that agree on the others are a matrix product of their own.
        others = np.flatnonzero(~table.codes[:, group].any(axis=1))
        together = others[:, None] + moves
        transposed[together] = np.swapaxes(weights[together], 1, 2) @ transposed[together]
    return transposed.T


def _check_matrix(instance: Instance, ledger: Ledger, row: int, matrix: Array, target: Array, tolerance: float) -> None:
    which = f" (inputs, row {row})" if instance.table.rows > 1 else ""
    rank = instance.table.rank

    def case(place: tuple[int, ...]) -> Case:
        return instance.state_case(row, place[0], ("value", "of the row sum or probability of this state"))

    ledger.compare(
        "transition matrix", f"rows sum to one{which}", matrix.sum(axis=1), np.ones(len(matrix)), tolerance, case=case
    )
    ledger.compare(
        "transition matrix",
        f"the model's law is invariant{which}",
        target @ matrix,
        target,
        tolerance,
        case=case,
        rank=rank,
    )
    parts = _strong_parts(matrix)
    check = Check("transition matrix", f"every state is reached{which}", float(parts.max()), 0.0, not parts.any())

    def unreached() -> Case:
        facts = ("expected", f"reached from {show(instance.table.states, 0)}, and the other way"), ("got", "not both")
        return instance.state_case(row, int(np.argmax(parts != parts[0])), *facts)

    ledger.record(check, unreached)


def _strong_parts(matrix: Array) -> Array:
    """The number of each state's strongly connected part; all 0 if every state reaches every other."""
    if np.all(matrix > 0):
        return np.zeros(len(matrix), dtype=np.int64)
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    return np.asarray(connected_components(csr_matrix(matrix > 0), connection="strong")[1])


def _check_reversal(
    instance: Instance, ledger: Ledger, row: int, forward: Array, backward: Array, target: Array, tolerance: float
) -> None:
    """p(s) P(s, t) = p(t) P'(t, s)."""

    def case(place: tuple[int, ...]) -> Case:
        return instance.state_case(row, place[0], ("next state", show(instance.table.states, place[1])))

    ledger.compare(
        "transition matrix",
        "the backward sweep is the time reversal" + (f" (inputs, row {row})" if instance.table.rows > 1 else ""),
        (target[:, None] * backward).T,
        target[:, None] * forward,
        tolerance,
        case=case,
    )


def exact_sweep(instance: Instance, row: int) -> Array:
    """The transition matrix of one sweep by brute force."""
    table = instance.table
    count = max(table.counts)
    logs = [np.exp(table.conditional(instance.energies[row : row + 1], k)) for k in range(len(table.units))]
    by_unit = np.stack([_padded(p[:, :, None], count)[0, :, 0] for p in logs], axis=1)
    return _matrix(instance, by_unit, promised_units(instance, Sweep(instance.names)))
