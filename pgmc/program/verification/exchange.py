"""Replica exchange: the probabilities of swaps, the law they keep, and tempered chains draw by draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.ir.queries import Energy
from pgmc.program.verification.instance import Instance, show
from pgmc.program.verification.replay import FIRST_SWEEP, Run, replay_sweep, state_numbers
from pgmc.program.verification.report import Case, Ledger
from pgmc.runtime.replicas import Places, Replicas, SwapCounts, tempered
from pgmc.runtime.streams import Stream, random_words, uniforms
from pgmc.runtime.tempering import swap_neighbours

Array = npt.NDArray[Any]

BETAS = (0.25, 0.6, 1.0)
CHAINS, SWEEPS = 64, 4
MOST_STATES = 256
"""Of the pairs of joint states, those among the first so many of a random order are checked."""


def check_exchange(instance: Instance, ledger: Ledger) -> None:
    """Swaps by the compiled energy, and a run of replicas, against the table of energies."""
    _check_swaps(instance, ledger)
    _check_replicas(instance, ledger)


def _check_swaps(instance: Instance, ledger: Ledger) -> None:
    """min(1, exp((β_a - β_b)(E_a - E_b))) for pairs of states, and the balance of the law of both rungs."""
    table, (hot, cold) = instance.table, _ladder(instance)[[0, -1]]
    chosen = instance.stream.child("pairs of states").generator().permutation(table.size)[:MOST_STATES]
    compiled = instance.executable.evaluate(Energy(), instance.params, table.batch)["energy"].reshape(table.rows, -1)
    got, expected = (
        _probabilities(energies[:, chosen], hot, cold) for energies in (compiled - table.measure, instance.tempered)
    )
    scale = instance.scale[:, chosen, None] + instance.scale[:, None, chosen]
    by_hand = np.exp(
        np.minimum(0.0, (hot - cold) * (instance.tempered[:, chosen, None] - instance.tempered[:, None, chosen]))
    )

    def case(place: tuple[int, ...]) -> Case:
        row, first, second = place
        other = ("state at the colder rung", show(table.states, int(chosen[second])))
        return instance.state_case(row, int(chosen[first]), other, ("inverse temperatures", f"{hot:g} and {cold:g}"))

    name, tolerance = "replica exchange", instance.tolerance("probability")
    what = f"p(swap) of {len(chosen)}² pairs of states at β = {hot:g} and {cold:g}"
    ledger.compare(name, what, got, by_hand, tolerance, scale=scale, case=case)
    law = np.exp(-hot * instance.tempered[:, chosen, None] - cold * instance.tempered[:, None, chosen])
    law *= np.exp(-table.measure[chosen, None] - table.measure[chosen])
    flow = law / law.sum(axis=(1, 2), keepdims=True) * expected
    what = "swaps keep the law of both replicas"
    ledger.compare(name, what, flow, np.swapaxes(flow, 1, 2), tolerance, case=case)


def _probabilities(energies: Array, hot: float, cold: float) -> Array:
    """p(swap) of every state on the hot rung with every one on the cold, by the code that samples."""
    rows, count = energies.shape
    pair = np.stack([np.repeat(energies, count, axis=1).ravel(), np.tile(energies, (1, count)).ravel()], axis=1)
    order, betas = np.tile([0, 1], (len(pair), 1)), np.tile([hot, cold], (len(pair), 1))
    found = swap_neighbours(pair, betas, order, np.array([0]), np.full((len(pair), 1), 0.5))[1]
    return found.reshape(rows, count, count)


def _ladder(instance: Instance) -> Array:
    """The rungs, as kernels see them."""
    return np.array(BETAS).astype(instance.compiler.dtype).astype(np.float64)


def _check_replicas(instance: Instance, ledger: Ledger) -> None:
    """Sweeps and swaps of tempered chains from the same random numbers."""
    table, rungs = instance.table, len(BETAS)
    starts = instance.stream.child("starts of replicas").generator().integers(table.size, size=CHAINS * rungs)
    rows = np.repeat(np.arange(CHAINS) % table.rows, rungs)
    stream, swaps = instance.stream.child("replicas"), instance.stream.child("swaps")
    got, got_rungs = _run(instance, starts, rows, stream, swaps)
    expected, expected_rungs, doubtful = _replay(instance, starts, rows, stream, swaps)
    wrong = ((got != expected).reshape(CHAINS, rungs) | (got_rungs != expected_rungs)).any(axis=1) & ~doubtful

    def case(place: tuple[int, ...]) -> Case:
        first = place[0] * rungs
        facts = [("rungs expected and got", f"{expected_rungs[place]} and {got_rungs[place]}")]
        for label, states in (("start", starts), ("expected", expected), ("got", got)):
            facts += [(f"replica {k}, {label}", show(table.states, int(states[first + k]))) for k in range(rungs)]
        return instance.state_case(int(rows[first]), int(starts[first]), *facts)

    ledger.compare(
        "replica exchange",
        f"{CHAINS} chains of {rungs} replicas, {SWEEPS} sweeps and swaps, do what brute force does",
        wrong,
        np.zeros(CHAINS),
        0.0,
        case=case,
        note=f"{int(doubtful.sum())} chains too close to call" if doubtful.any() else "",
    )


def _run(instance: Instance, starts: Array, rows: Array, stream: Stream, swaps: Stream) -> tuple[Array, Array]:
    """The states of all replicas at the end, and where they are on the ladder."""
    table, rungs = instance.table, len(BETAS)
    state = {name: np.ascontiguousarray(values[starts]) for name, values in table.states.items()}
    state |= {name: np.ascontiguousarray(values[rows]) for name, values in table.inputs.items()}
    replicas = Replicas(
        instance.executable,
        instance.params,
        state,
        tempered(instance.names),
        {},
        np.array(BETAS),
        1,
        Places.start(CHAINS, rungs),
        SwapCounts(CHAINS, rungs),
        stream,
        swaps,
    )
    replicas.sweep(FIRST_SWEEP, SWEEPS)
    return state_numbers(instance, state), replicas.places.rungs


def _replay(
    instance: Instance, starts: Array, rows: Array, stream: Stream, swaps: Stream
) -> tuple[Array, Array, Array]:
    """The same by brute force, and the chains in which a draw or a swap was too close to call."""
    ladder, rungs = _ladder(instance), len(BETAS)
    states, places = starts, np.tile(np.arange(rungs), (CHAINS, 1))
    doubtful = np.zeros(CHAINS, dtype=bool)
    for sweep in range(FIRST_SWEEP, FIRST_SWEEP + SWEEPS):
        run = Run("replicas", tempered(instance.names), starts, rows, ladder[places].ravel())
        states, close = replay_sweep(instance, run, stream, sweep, states)
        doubtful |= close.reshape(CHAINS, rungs).any(axis=1)
        for low in range(sweep % 2, rungs - 1, 2):
            number = uniforms(random_words(swaps.key, np.arange(CHAINS), sweep, np.array([low])))[:, 0]
            for chain in range(CHAINS):
                doubtful[chain] |= _swap(instance, rows, states, places, ladder, chain, low, number[chain])
    return states, places, doubtful


def _swap(
    instance: Instance,
    rows: Array,
    states: Array,
    places: Array,
    ladder: Array,
    chain: int,
    low: int,
    number: float,
) -> bool:
    """One swap, in place on ``places``; whether it was too close to call."""
    rungs = len(ladder)
    pair = [int(np.flatnonzero(places[chain] == rung)[0]) for rung in (low, low + 1)]
    row = rows[chain * rungs]
    first, second = (instance.tempered[row, states[chain * rungs + replica]] for replica in pair)
    probability = min(1.0, float(np.exp((ladder[low] - ladder[low + 1]) * (first - second))))
    if number < probability:
        places[chain, pair] = low + 1, low
    margin = 4 * instance.tolerance("probability") * instance.scale.max()
    return bool(abs(number - probability) < margin)
