"""Hamiltonian moves: the slope, the leapfrog steps, the emitted move, and whether it leaves the law as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.errors import DerivationError
from pgmc.ir.answers import Quantity, Refusal, SweepSchedule, Trajectory
from pgmc.ir.interpret import interpret_quantity
from pgmc.ir.queries import Sweep
from pgmc.ir.trajectory_symbols import ACCEPTANCE, DIVERGENCES, JITTER, LEAPS, STEP_SIZE
from pgmc.program.verification.generic import Quadrature
from pgmc.program.verification.instance import TOLERANCES
from pgmc.program.verification.mixed import MixedInstance, Place, everywhere
from pgmc.program.verification.mixed_draws import SWEEP, record_normality
from pgmc.program.verification.report import Check, Ledger
from pgmc.runtime.kernels import first_sites
from pgmc.runtime.streams import Stream, row_keys
from pgmc.runtime.trajectories import Moved, kinetic, leapfrog, move

Array = npt.NDArray[Any]
Arrays = dict[str, Array]

LEAPS_TAKEN, JITTERED = 5, 0.1
SIZE, SMALL = 0.3, 0.02
STEP = 2.0**-17
STARTS = 1 << 15
MOST_UNITS = 8
"""Volumes are computed of as many units and as many momenta."""


@dataclass(frozen=True)
class Motion:
    """What moves in an instance, with the derived potential and slope, interpreted in float64."""

    instance: MixedInstance
    trajectory: Trajectory

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that move."""
        return tuple(target.name for target in self.trajectory.targets)

    @property
    def units(self) -> list[Place]:
        """Their units."""
        return self.instance.units_of(self.names)

    def moved(self, masks: Arrays) -> tuple[Moved, ...]:
        """The variables as the reference takes them."""
        sites, positive = first_sites(self.instance.model), self.instance.is_positive
        return tuple(Moved(name, sites[name], positive(name), masks.get(name)) for name in self.names)

    def start(self, states: Mapping[str, Array]) -> Arrays:
        """The part of states that moves, in float64."""
        return {name: states[name].astype(np.float64) for name in self.names}

    def slopes(self, states: Mapping[str, Array]) -> Callable[[Arrays], Arrays]:
        """The slopes as a function of what moves."""
        return lambda moved: {slope.name: self._value(slope, states, moved) for slope in self.trajectory.slopes}

    def potential(self, states: Mapping[str, Array]) -> Callable[[Arrays], Array]:
        """The potential as a function of what moves."""
        return lambda moved: self._value(self.trajectory.potential, states, moved)

    def free_energy(self, states: Mapping[str, Array]) -> Array:
        """The potential without what logarithmic scales add to it."""
        moved = self.start(states)
        scales = [np.log(moved[name]).reshape(len(moved[name]), -1) for name in self.names if self._positive(name)]
        return np.asarray(self.potential(states)(moved) + sum(scale.sum(axis=1) for scale in scales))

    def _positive(self, name: str) -> bool:
        return self.instance.is_positive(name)

    def _value(self, quantity: Quantity, states: Mapping[str, Array], moved: Arrays) -> Array:
        arrays = {**self.instance.wide, **states, **moved}
        rows = len(next(iter(moved.values())))
        return interpret_quantity(quantity, arrays, symbols=self.instance.model.symbols, examples=rows)


def check_moves(instance: MixedInstance, ledger: Ledger) -> None:
    """Everything about the moves that ``sampler=pgmc.HMC()`` makes."""
    plan = instance.compiler.plan_moves(instance.names)
    if isinstance(plan, Refusal):
        ledger.skip("moves", str(plan))
        return
    query = Sweep(instance.names, moved=plan[0], summed=plan[1])
    try:
        schedule = instance.compiler.answer(query)
    except DerivationError as error:
        ledger.skip("moves", str(error))
        return
    assert isinstance(schedule, SweepSchedule)
    (trajectory,) = (update for update in schedule.updates if isinstance(update, Trajectory))
    motion = Motion(instance, trajectory)
    _check_slopes(motion, ledger)
    _check_leapfrog(motion, ledger)
    _check_replay(motion, ledger, query)
    _check_invariance(motion, ledger, query)


def _check_slopes(motion: Motion, ledger: Ledger) -> None:
    """Against differences of free energies by brute force; positive units by their logarithms."""
    instance, summed = motion.instance, motion.trajectory.integrated_out
    states = dict(instance.states)
    slopes = motion.slopes(states)(motion.start(states))
    for unit in motion.units:
        name, here = unit[0], everywhere(unit[1])
        values = []
        for step in (STEP, -STEP):
            there = states[name].astype(np.float64)
            there[here] = there[here] * np.exp(step) if instance.is_positive(name) else there[here] + step
            values.append(instance.free_energy({**states, name: there}, summed) if summed else
                          instance.energy({**states, name: there}))  # fmt: skip
        expected = (values[0] - values[1]) / (2.0 * STEP) - (1.0 if instance.is_positive(name) else 0.0)
        ledger.compare(
            "moves",
            f"slope of the potential in {name}{list(unit[1]) or ''}",
            slopes[name][here],
            expected,
            1e-6,
            scale=1.0 + np.abs(expected),
            case=lambda place: instance.case(place[0]),
            note="central differences",
        )


def _check_leapfrog(motion: Motion, ledger: Ledger) -> None:
    """There and back again; a volume stays what it is; the error of the energy falls as the square of the step."""
    instance, moved = motion.instance, motion.moved({})
    states = dict(instance.states)
    start, generator = motion.start(states), instance.stream.child("momenta").generator()
    momenta = {name: generator.normal(size=values.shape) for name, values in start.items()}
    rows = len(next(iter(start.values())))

    def run(x: Arrays, p: Arrays, size: float, leaps: int) -> tuple[Arrays, Arrays]:
        return leapfrog(x, p, np.full(len(next(iter(x.values()))), size), leaps, moved, motion.slopes(states))

    there, after = run(start, momenta, SMALL, LEAPS_TAKEN)
    back, _ = run(there, {name: -p for name, p in after.items()}, SMALL, LEAPS_TAKEN)
    gap = max(float(np.max(np.abs(back[n] - start[n]) / (1.0 + np.abs(start[n])))) for n in start)
    ledger.record(
        Check("moves", "leapfrog steps with the momenta turned round lead back", gap, 1e-9, gap < 1e-9),
        lambda: instance.case(0),
    )
    errors = []
    for halving in (1, 2):
        x, p = run(start, momenta, SMALL / halving, LEAPS_TAKEN * halving)
        potential = motion.potential(states)
        errors.append(np.abs(potential(x) + kinetic(p) - potential(start) - kinetic(momenta)))
    ratio = float(np.median(errors[0] / np.maximum(errors[1], 1e-300)))
    ledger.record(
        Check("moves", "halving the steps quarters the error of the energy: the ratio less 4", abs(ratio - 4.0), 0.5,
              abs(ratio - 4.0) < 0.5, f"median of {rows} random states"),
        lambda: instance.case(0),
    )  # fmt: skip
    if len(motion.units) <= MOST_UNITS:
        _check_volume(motion, ledger, start, momenta)


def _check_volume(motion: Motion, ledger: Ledger, start: Arrays, momenta: Arrays) -> None:
    """The determinant of the derivative of some leapfrog steps in one state, by differences."""
    instance, moved = motion.instance, motion.moved({})
    row = {name: values[:1] for name, values in instance.states.items()}
    count, units = 2 * len(motion.units), motion.units
    states = {name: np.repeat(values, 2 * count, axis=0) for name, values in row.items()}
    x, p = ({name: np.repeat(part[name][:1], 2 * count, axis=0) for name in motion.names} for part in (start, momenta))

    def coordinates(x: Arrays, p: Arrays) -> Array:
        seen = [np.log(x[n][everywhere(k)]) if instance.is_positive(n) else x[n][everywhere(k)] for n, k in units]
        return np.stack([*seen, *(p[n][everywhere(k)] for n, k in units)], axis=1)

    for number, (name, place) in enumerate([*units, *units]):
        for row_of, step in ((2 * number, STEP), (2 * number + 1, -STEP)):
            moving = p if number >= len(units) else x
            here = (row_of, *place)
            grows = moving is x and instance.is_positive(name)
            moving[name][here] = moving[name][here] * np.exp(step) if grows else moving[name][here] + step
    there, after = leapfrog(x, p, np.full(2 * count, SMALL), LEAPS_TAKEN, moved, motion.slopes(states))
    found = coordinates(there, after)
    volume = float(abs(np.linalg.det((found[::2] - found[1::2]) / (2.0 * STEP))))
    ledger.record(
        Check("moves", "the volume after leapfrog steps less that before", abs(volume - 1.0), 1e-6,
              abs(volume - 1.0) < 1e-6, f"{count} coordinates"),
        lambda: instance.case(0),
    )  # fmt: skip


def _check_replay(motion: Motion, ledger: Ledger, query: Sweep) -> None:
    """One emitted move from the same random numbers, and the probability with which it was accepted."""
    instance, stream = motion.instance, motion.instance.stream.child("moves")
    rows = len(next(iter(instance.states.values())))
    got = _run(motion, query, dict(instance.states), stream, np.full(rows, SIZE / 3.0))
    outcome = move(
        motion.start(dict(instance.states)),
        motion.moved({}),
        row_keys(stream.key, np.arange(rows), SWEEP),
        step_size=np.full(rows, SIZE / 3.0),
        jitter=JITTERED,
        leaps=LEAPS_TAKEN,
        dtype=instance.dtype,
        slopes=motion.slopes(dict(instance.states)),
        potential=motion.potential(dict(instance.states)),
    )
    tolerance = 100 * TOLERANCES[instance.dtype]["mean"]
    probability = got[ACCEPTANCE.name].astype(np.float64)
    scale = 1.0 + np.abs(motion.potential(dict(instance.states))(motion.start(dict(instance.states))))
    ledger.compare(
        "moves", f"probabilities with which {rows} chains accept", probability, outcome.probability, tolerance,
        scale=scale, case=lambda place: instance.case(place[0]),
    )  # fmt: skip
    sure = outcome.probability > 1.0 - 1e-3
    for name in motion.names:
        wanted = outcome.states[name]
        same = np.abs(got[name] - wanted) / (1.0 + np.abs(wanted))
        decided = (same.reshape(rows, -1).max(axis=1) < tolerance) | sure
        wanted = np.where(decided.reshape(-1, *(1 for _ in wanted.shape[1:])), wanted, got[name])
        ledger.compare(
            "moves", f"{name} of {rows} chains after one move", got[name], wanted, tolerance,
            scale=1.0 + np.abs(wanted), case=lambda place: instance.case(place[0]),
            note=f"{int((~decided).sum())} chains too close to call" if not decided.all() else "",
        )  # fmt: skip


def _run(
    motion: Motion, query: Sweep, states: Arrays, stream: Stream, sizes: Array, masks: Arrays | None = None
) -> Arrays:
    """The states after one emitted sweep with a move, and what it tells."""
    instance = motion.instance
    state = {name: np.ascontiguousarray(values).copy() for name, values in states.items()}
    state |= {name: np.zeros(len(sizes), dtype=instance.dtype) for name in (ACCEPTANCE.name, DIVERGENCES.name)}
    state[STEP_SIZE.name] = sizes.astype(instance.dtype)
    given = {LEAPS.name: LEAPS_TAKEN, JITTER.name: JITTERED}
    params = instance.params | {name: np.asarray(value, dtype=instance.dtype) for name, value in given.items()}
    instance.executable.sweep(query, params, state, stream=stream, first_sweep=SWEEP, masks=masks or {})
    return state


def _check_invariance(motion: Motion, ledger: Ledger, query: Sweep) -> None:
    """One unit moves and all others stay: starts from its law by quadrature still follow that law after a move."""
    from scipy.stats import norm

    instance, unit = motion.instance, motion.units[0]
    generator = instance.stream.child("move starts").generator()
    chosen = generator.integers(len(next(iter(instance.states.values()))), size=STARTS)
    states = dict(instance.states)
    exact = Quadrature(instance, states, unit, motion.free_energy)
    starts = {name: np.ascontiguousarray(values[chosen]) for name, values in states.items()}
    starts[unit[0]][everywhere(unit[1])] = exact.draw(chosen, generator.uniform(size=STARTS))
    masks = {name: np.ones(starts[name].shape, dtype=bool) for name in motion.names}
    masks[unit[0]][everywhere(unit[1])] = False
    masked = Sweep(query.free, masked=motion.names, moved=query.moved, summed=query.summed)
    sizes = generator.uniform(0.2, 1.0, size=STARTS)
    got = _run(motion, masked, starts, instance.stream.child("one move"), sizes, masks)
    below = exact.below(chosen, got[unit[0]][everywhere(unit[1])].astype(np.float64))
    share = float(np.mean(got[ACCEPTANCE.name]))
    z = norm.ppf(np.clip(below, 1e-300, 1.0 - 1e-16))
    record_normality(instance, ledger, f"{unit[0]} after a move, {share:.0%} accepted,", [unit], z, check="moves")
