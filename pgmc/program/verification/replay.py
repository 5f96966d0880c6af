"""Emitted sweeps draw by draw: the same random numbers put through brute-force conditionals give the same states.

Random numbers are counted, not drawn from a state, so what a kernel must draw for each unit of each chain is known. A
wrong probability shows as soon as one number falls between the right and the wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.evaluation.base import base_name
from pgmc.ir.queries import Ancestral, Ensemble, Sweep
from pgmc.ir.symbols import Categorical, Count, is_grouped
from pgmc.program.verification.instance import Instance, show
from pgmc.program.verification.report import Case, Ledger
from pgmc.program.verification.transitions import promised_units
from pgmc.program.verification.values import annealing
from pgmc.runtime.groups import first_units, group_units
from pgmc.runtime.joint_states import group_codes, group_codes_of, group_values
from pgmc.runtime.kernels import first_sites
from pgmc.runtime.streams import Stream, draw_codes, draw_multinomial, draw_on, random_words, uniforms

Array = npt.NDArray[Any]

REPLAYED, SWEEPS, FIRST_SWEEP = 512, 2, 5


@dataclass(frozen=True)
class Run:
    """Chains of one emitted sweep: where they start, at which temperatures, and which units stay."""

    label: str
    query: Sweep
    starts: Array
    rows: Array
    betas: Array
    base: dict[str, Array] = field(default_factory=dict)
    masks: dict[str, Array] = field(default_factory=dict)


def check_replay(instance: Instance, ledger: Ledger) -> None:
    """Every draw of the emitted sweeps, from the same random numbers and brute-force conditionals."""
    for run in _runs(instance):
        stream = instance.stream.child(f"replay {run.label}")
        got = run_kernel(instance, run, stream, FIRST_SWEEP, SWEEPS)
        expected, doubtful = _replay(instance, run, stream)
        compared = np.where(doubtful, got, expected)

        def case(place: tuple[int, ...], run: Run = run, got: Array = got, wanted: Array = compared) -> Case:
            (chain,) = place
            facts = [("inverse temperature", f"{run.betas[chain]:.6g}")] if run.query.ensemble != Ensemble.PLAIN else []
            facts += [("kept units", show(run.masks, chain))] if run.masks else []
            facts += [
                ("state expected", show(instance.table.states, int(wanted[chain]))),
                ("state got", show(instance.table.states, int(got[chain]))),
            ]
            return instance.state_case(int(run.rows[chain]), int(run.starts[chain]), *facts)

        ledger.compare(
            "sweep, draw by draw",
            f"{run.label}: {len(got)} chains of {SWEEPS} sweeps draw what brute force draws",
            got != compared,
            np.zeros(len(got)),
            0.0,
            case=case,
            rank=instance.table.rank[run.starts],
            note=f"{int(doubtful.sum())} chains too close to call" if doubtful.any() else "",
        )


def _runs(instance: Instance) -> list[Run]:
    """The sweeps that training, sampling and annealing run."""
    names, table = instance.names, instance.table
    generator = instance.stream.child("starts").generator()
    starts = generator.integers(table.size, size=REPLAYED)
    rows = np.arange(REPLAYED) % table.rows
    ones = np.ones(REPLAYED)
    hot = generator.uniform(0.0, 2.0, size=REPLAYED).astype(instance.compiler.dtype).astype(np.float64)
    betas, fields = annealing(instance, REPLAYED)
    masks = {n: generator.random((REPLAYED, *table.states[n].shape[1:])) < 0.4 for n in names}
    return [
        Run("forward", Sweep(names), starts, rows, ones),
        Run("backward", Sweep(names, backward=True), starts, rows, ones),
        Run("with kept units", Sweep(names, masked=names), starts, rows, ones, masks=masks),
        Run("tempered", Sweep(names, ensemble=Ensemble.TEMPERED), starts, rows, hot),
        Run("annealed", Sweep(names, ensemble=Ensemble.ANNEALED), starts, rows, betas.astype(np.float64), fields),
    ]


def run_kernel(
    instance: Instance, run: Run, stream: Stream, first_sweep: int, sweeps: int, query: Ancestral | None = None
) -> Array:
    """The states at which the chains end, after the emitted kernel of the run's sweep, or of an ancestral pass."""
    table, dtype = instance.table, instance.compiler.dtype
    state = {name: np.ascontiguousarray(values[run.starts]) for name, values in table.states.items()}
    state |= {name: np.ascontiguousarray(values[run.rows]) for name, values in table.inputs.items()}
    if run.query.ensemble is not Ensemble.PLAIN:
        state["inverse_temperature"] = run.betas.astype(dtype)
    base = {base_name(name): np.asarray(values, dtype=dtype, order="C") for name, values in run.base.items()}
    instance.executable.sweep(
        query or run.query,
        instance.params | base,
        state,
        stream=stream,
        first_sweep=first_sweep,
        sweeps=sweeps,
        masks=run.masks,
    )
    return state_numbers(instance, state)


def state_numbers(instance: Instance, state: dict[str, Array]) -> Array:
    """The number of the joint state of each chain."""
    codes = [group_codes(variable, state[variable.name]) for variable in instance.table.variables]
    return np.asarray(np.concatenate(codes, axis=1) @ np.array(instance.table.strides))


def _replay(instance: Instance, run: Run, stream: Stream) -> tuple[Array, Array]:
    """The states at which the chains must end, and the chains in which a draw was too close to call."""
    states, doubtful = run.starts, np.zeros(len(run.starts), dtype=bool)
    for sweep in range(FIRST_SWEEP, FIRST_SWEEP + SWEEPS):
        states, close = replay_sweep(instance, run, stream, sweep, states)
        doubtful |= close
    return states, doubtful


def replay_sweep(instance: Instance, run: Run, stream: Stream, sweep: int, states: Array) -> tuple[Array, Array]:
    """The states after one sweep, and the chains in which a draw was too close to call."""
    table, doubtful = instance.table, np.zeros(len(states), dtype=bool)
    base = table.base_energies(run.base) if run.base else table.measure
    for group in promised_units(instance, run.query):
        moves = np.zeros_like(states)
        for unit in group:
            near = table.neighbours(states, unit)
            beta = run.betas[:, None]
            logits = -beta * instance.energies[run.rows[:, None], near] - (1.0 - beta) * base[near]
            possible = _possible(instance, run, unit, states)
            if isinstance(table.units[unit].variable.domain, Count):
                drawn, close = _draw_counts(instance, run, unit, logits, states, stream, sweep)
            else:
                drawn, close = _draw(instance, unit, np.where(possible, logits, -np.inf), stream, sweep)
            moves += (drawn - table.codes[states, unit]) * table.strides[unit]
            doubtful |= close & (possible.sum(axis=1) > 1)
        states = states + moves
    return states, doubtful


def _possible(instance: Instance, run: Run, unit: int, states: Array) -> Array:
    """Which values of a unit, or of a group of units, leave the kept ones as they are, ``(chains, values)``."""
    variable = instance.table.units[unit].variable
    if variable.name not in run.masks:
        return np.ones((len(states), instance.table.counts[unit]), dtype=bool)
    number = unit - instance.table.units_of((variable.name,))[0]
    kept = group_units(run.masks[variable.name], variable)[:, None, number]
    values = group_values(variable)
    return np.asarray(((values == values[instance.table.codes[states, unit], None]) | ~kept).all(axis=-1))


def _draw_counts(
    instance: Instance, run: Run, unit: int, logits: Array, states: Array, stream: Stream, sweep: int
) -> tuple[Array, Array]:
    """The same for counts with a total, from the energies at which all of them are in one place."""
    variable = instance.table.units[unit].variable
    number = unit - instance.table.units_of((variable.name,))[0]
    values = group_values(variable)
    total = int(values[0].sum())
    alone = [int(np.argmax(values[:, k] == total)) for k in range(values.shape[1])]
    own, old = logits[:, alone] / total, values[instance.table.codes[states, unit]]
    kept = np.zeros(old.shape, dtype=bool)
    if variable.name in run.masks:
        kept = group_units(run.masks[variable.name], variable)[:, number]
    site = first_sites(instance.model)[variable.name] + first_units(variable)[number]
    words = random_words(stream.key, np.arange(len(own)), sweep, np.array([site]))[:, 0]
    own, left = np.where(kept, -np.inf, own), total - (old * kept).sum(axis=1)
    drawn = np.where(kept, old, draw_multinomial(own, left, words))
    margin = 4 * instance.tolerance("probability") * instance.scale.max()
    moved = draw_multinomial(own + margin * np.arange(own.shape[1]), left, words)
    turned = draw_multinomial(own - margin * np.arange(own.shape[1]), left, words)
    close = ((moved != turned) & ~kept).any(axis=1)
    codes = group_codes_of(variable, drawn)
    return codes, close


def _draw(instance: Instance, unit: int, logits: Array, stream: Stream, sweep: int) -> tuple[Array, Array]:
    """The code that a unit draws in each chain, by the documented law, and where rounding could change it."""
    dtype, who = instance.compiler.dtype, instance.table.units[unit]
    number = unit - instance.table.units_of((who.variable.name,))[0]
    site = first_sites(instance.model)[who.variable.name] + first_units(who.variable)[number]
    words = random_words(stream.key, np.arange(len(logits)), sweep, np.array([site]))[:, 0]
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    running = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    margin = 4 * instance.tolerance("probability") * instance.scale.max()
    if isinstance(who.variable.domain, Categorical) or is_grouped(who.variable):
        close = np.abs(running[:, :-1] - uniforms(words)[:, None]).min(axis=1) < margin
        return draw_codes(logits, words), close
    close = np.abs(1.0 - running[:, 0] - uniforms(words, dtype)) < margin
    return draw_on(logits[:, 1] - logits[:, 0], words, dtype).astype(np.int64), close
