"""Sweeps with real units: draw by draw from the same random numbers, and the draws of real units statistically."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.evaluation.base import base_name, precision_name
from pgmc.ir.answers import BlockUpdate, SweepSchedule
from pgmc.ir.queries import Ensemble, Sweep
from pgmc.ir.symbols import Categorical, access_axes, shape_of
from pgmc.program.verification.generic import Quadrature, replay_slice
from pgmc.program.verification.instance import TOLERANCES
from pgmc.program.verification.mixed import MixedInstance, Place, Tempering, everywhere
from pgmc.program.verification.report import Case, Check, Ledger
from pgmc.runtime.kernels import first_sites
from pgmc.runtime.streams import (
    Stream,
    draw_codes,
    draw_gamma,
    draw_joint_normal,
    draw_on,
    draw_truncated_normal,
    random_words,
    row_keys,
    uniforms,
    unit_normals,
)

Array = npt.NDArray[Any]

SWEEP = 5
CHAINS = {"numba": 1 << 14, "numpy": 1 << 9}
ALPHA = 1e-9
ROUNDING = 1e-9


@dataclass(frozen=True)
class Run:
    """One sweep: which variables, under which law, and which units stay."""

    label: str
    query: Sweep
    law: Tempering | None
    masks: dict[str, Array]


def annealed_law(instance: MixedInstance, rows: int) -> Tempering:
    """A random inverse temperature for each row, and a random base."""
    generator = instance.stream.child("annealing").generator()
    base: dict[str, Array] = {}
    for v in instance.model.variables:
        shape = [axis.size for axis in access_axes(v)]
        field = generator.normal(size=shape)
        if instance.is_positive(v.name):
            field = -np.exp(field)  # minus a rate
        base[base_name(v.name)] = np.asarray(field, dtype=instance.dtype, order="C")
        if instance.is_real(v.name):
            drawn = generator.uniform(0.5, 2.0, size=shape)
            base[precision_name(v.name)] = np.asarray(drawn, dtype=instance.dtype, order="C")
    betas = generator.uniform(0.1, 0.9, size=rows).astype(instance.dtype).astype(np.float64)
    return Tempering(Ensemble.ANNEALED, betas, base)


def check_replay(instance: MixedInstance, ledger: Ledger) -> None:
    """Every draw of one emitted sweep, from the same random numbers and laws that are read off the energy."""
    for run in _runs(instance):
        stream = instance.stream.child(f"replay {run.label}")
        got = run_kernel(instance, run, instance.states, stream)
        expected, doubtful = replay(instance, run, instance.states, stream)
        chains = len(doubtful)
        for name in instance.names:
            pair = [values[name].reshape(chains, -1).astype(np.float64) for values in (got, expected)]
            wanted = np.where(doubtful[:, None], pair[0], pair[1])
            real = not instance.is_discrete(name)
            ledger.compare(
                "sweep, draw by draw",
                f"{run.label}: {name} of {chains} chains is what the energy says",
                pair[0],
                wanted,
                10 * TOLERANCES[instance.dtype]["mean"] if real else 0.0,
                scale=1.0 + np.abs(wanted) + np.abs(instance.energy(instance.states)).max(),
                case=partial(_unit_case, instance, name),
                note=f"{int(doubtful.sum())} chains too close to call" if doubtful.any() else "",
            )


def _unit_case(instance: MixedInstance, name: str, place: tuple[int, ...]) -> Case:
    return instance.case(place[0], ("unit", f"{name}, number {place[1]}"))


def check_statistics(instance: MixedInstance, ledger: Ledger) -> None:
    """Draws of real units, standardised by their law: Kolmogorov and Smirnov's test of normality."""
    chains = CHAINS[instance.compiler.backend]
    rows = len(next(iter(instance.states.values())))
    chosen = instance.stream.child("starts").generator().integers(rows, size=chains)
    starts = {name: np.ascontiguousarray(values[chosen]) for name, values in instance.states.items()}
    for name in (name for name in instance.names if not instance.is_discrete(name)):
        if instance.is_generic(name):
            _check_invariance(instance, ledger, name, chosen)
            continue
        run = Run(name, Sweep((name,)), None, {})
        group = groups(instance, run.query)[0]
        units = group if instance.executable.is_joint(name) else group[:1]  # drawn first, so given the starts
        got = run_kernel(instance, run, starts, instance.stream.child(f"statistics {name}"))[name]
        if instance.is_positive(name):
            z = _standardised(instance, starts, units[0], got[everywhere(units[0][1])])
            record_normality(instance, ledger, name, units, z)
            continue
        _, gradient, matrix = instance.quadratic_form(starts, units)
        mean = -np.linalg.solve(matrix, gradient[..., None])[..., 0]
        values = np.stack([got[everywhere(place)] for _, place in units], axis=1)
        z = np.einsum("nji,nj->ni", np.linalg.cholesky(matrix), values - mean).ravel()
        record_normality(instance, ledger, name, units, z)


def _check_invariance(instance: MixedInstance, ledger: Ledger, name: str, chosen: Array) -> None:
    """Starts drawn from the conditional of a unit by quadrature still follow it after an update of that unit."""
    from scipy.stats import norm

    stream, query = instance.stream.child(f"statistics {name}"), Sweep((name,))
    unit = groups(instance, query)[0][0]  # drawn first, so given the starts
    exact = Quadrature(instance, instance.states, unit, instance.energy)
    starts = {key: np.ascontiguousarray(values[chosen]) for key, values in instance.states.items()}
    uniform = stream.child("starts").generator().uniform(size=len(chosen))
    starts[name][everywhere(unit[1])] = exact.draw(chosen, uniform)
    got = run_kernel(instance, Run(name, query, None, {}), starts, stream)[name][everywhere(unit[1])]
    below = exact.below(chosen, got.astype(np.float64))
    record_normality(instance, ledger, name, [unit], norm.ppf(np.clip(below, 1e-300, 1.0 - 1e-16)))


def _standardised(instance: MixedInstance, starts: dict[str, Array], unit: Place, values: Array) -> Array:
    """Draws of a positive unit as numbers that are normal if its law is right."""
    from scipy.stats import gamma, norm, truncnorm

    _, rate, precision, less = instance.positive_form(starts, unit)
    if instance.compiler.law(unit[0]).family == "Gamma":
        below = gamma.cdf(values, less + 1.0, scale=1.0 / rate)
    else:
        mean, scale = -rate / precision, 1.0 / np.sqrt(precision)
        below = truncnorm.cdf(values, -mean / scale, np.inf, loc=mean, scale=scale)
    return np.asarray(norm.ppf(np.clip(below, 1e-300, 1.0 - 1e-16)))


def record_normality(
    instance: MixedInstance,
    ledger: Ledger,
    name: str,
    units: list[Place],
    z: Array,
    check: str = "sweep, statistically",
) -> None:
    """The test of Kolmogorov and Smirnov as a check."""
    from scipy.stats import kstest

    p_value = float(kstest(z, "norm").pvalue)
    shift = 2.0 * np.sqrt(-np.log(ALPHA / 2.0) / (2.0 * len(z))) * np.sqrt(2.0 * np.pi)
    note = f"{len(z)} numbers; false alarm {ALPHA:.0e}, detects a shift of {shift:.2g} deviations"
    surprise = -float(np.log10(max(p_value, 1e-300)))
    what = f"draws of {name} follow their law (-log10 p)"
    found = Check(check, what, surprise, -np.log10(ALPHA), p_value >= ALPHA, note)
    ledger.record(found, lambda: instance.case(0, ("units", str(units))))


def _runs(instance: MixedInstance) -> list[Run]:
    """The sweeps that training, sampling and annealing run."""
    names, rows = instance.names, len(next(iter(instance.states.values())))
    generator = instance.stream.child("runs").generator()
    hot = generator.uniform(0.2, 2.0, size=rows).astype(instance.dtype).astype(np.float64)
    masks = {n: generator.random(instance.states[n].shape) < 0.4 for n in names}
    annealed = annealed_law(instance, rows)
    return [
        Run("forward", Sweep(names), None, {}),
        Run("backward", Sweep(names, backward=True), None, {}),
        Run("with kept units", Sweep(names, masked=names), None, masks),
        Run("tempered", Sweep(names, ensemble=Ensemble.TEMPERED), Tempering(Ensemble.TEMPERED, hot, {}), {}),
        Run("annealed", Sweep(names, ensemble=Ensemble.ANNEALED), annealed, {}),
    ]


def run_kernel(instance: MixedInstance, run: Run, starts: dict[str, Array], stream: Stream) -> dict[str, Array]:
    """The states of all variables after the emitted kernel."""
    state = {name: values.copy() for name, values in starts.items()}
    base: dict[str, Array] = {}
    if run.law is not None:
        state["inverse_temperature"] = run.law.betas.astype(instance.dtype)
        base = run.law.base
    instance.executable.sweep(
        run.query, instance.params | base, state, stream=stream, first_sweep=SWEEP, masks=run.masks
    )
    return state


# ---- the same by hand --------------------------------------------------------------------------------------


def groups(instance: MixedInstance, query: Sweep) -> list[list[Place]]:
    """The units that are drawn at once, in order."""
    return [group for group, _ in _groups(instance, query)]


def _groups(instance: MixedInstance, query: Sweep) -> list[tuple[list[Place], tuple[str, ...]]]:
    """The units that are drawn at once, in order, and the variables that are integrated out then."""
    schedule = instance.compiler.answer(query)
    assert isinstance(schedule, SweepSchedule)
    return [(g, update.integrated_out) for update in schedule.draws for g in _update_groups(instance, update)]


def _update_groups(instance: MixedInstance, update: BlockUpdate) -> list[list[Place]]:
    units = instance.units_of([target.name for target in update.targets])
    if update.mode != "sequential":
        return [units]
    if update.coloring is not None:
        units = [units[k] for k in instance.compiler.colored.colors(update.targets[0].name).order]
    return [[unit] for unit in (units[::-1] if update.backward else units)]


def replay(
    instance: MixedInstance, run: Run, starts: dict[str, Array], stream: Stream
) -> tuple[dict[str, Array], Array]:
    """The states after one sweep, and the chains in which a discrete draw was too close to call."""
    states = {name: values.astype(np.float64) for name, values in starts.items()}
    doubtful = np.zeros(len(next(iter(states.values()))), dtype=bool)
    for group, without in _groups(instance, run.query):
        before = {name: values.copy() for name, values in states.items()}
        name = group[0][0]
        if instance.is_real(name) and instance.executable.is_joint(name) and name not in run.masks:
            _draw_jointly(instance, states, group, run.law, stream)
            continue
        for unit in group:
            name, place = unit
            drawn, close = _draw(instance, before, unit, run.law, stream, without)
            here = everywhere(place)
            kept = run.masks[name][here] if name in run.masks else np.zeros(len(drawn), dtype=bool)
            states[name][here] = np.where(kept, states[name][here], drawn)
            doubtful |= close & ~kept
    return states, doubtful


def _draw_jointly(
    instance: MixedInstance, states: dict[str, Array], group: list[Place], law: Tempering | None, stream: Stream
) -> None:
    """All units of a real variable from their joint law, in place."""
    name = group[0][0]
    _, gradient, matrix = instance.quadratic_form(states, group, law)
    sites = first_sites(instance.model)[name] + np.arange(len(group))
    z = unit_normals(stream.key, np.arange(len(gradient)), SWEEP, sites, instance.dtype)
    states[name] = draw_joint_normal(-gradient, matrix, z).reshape(states[name].shape)


def _draw(
    instance: MixedInstance,
    states: dict[str, Array],
    unit: Place,
    law: Tempering | None,
    stream: Stream,
    without: tuple[str, ...],
) -> tuple[Array, Array]:
    """What a unit draws in each chain, by the documented law, and where rounding could change it."""
    name, place = unit
    variable, rows = instance.model.variable(name), len(states[name])
    number = int(np.ravel_multi_index(place, shape_of(variable))) if place else 0
    sites, chains = np.array([first_sites(instance.model)[name] + number]), np.arange(rows)
    if instance.is_generic(name):
        row = row_keys(stream.key, chains, SWEEP)
        return replay_slice(instance, states, unit, law, row, sites)
    if instance.is_real(name):
        _, gradient, matrix = instance.quadratic_form(states, [unit], law)
        z = unit_normals(stream.key, chains, SWEEP, sites, instance.dtype)[:, 0]
        return -gradient[:, 0] / matrix[:, 0, 0] + z / np.sqrt(matrix[:, 0, 0]), np.zeros(rows, dtype=bool)
    if instance.is_positive(name):
        row = row_keys(stream.key, chains, SWEEP)
        _, rate, precision, less = instance.positive_form(states, unit, law)
        less = np.where(np.abs(less) < ROUNDING, 0.0, less)  # below a shape of 1 gamma numbers are drawn in another way
        if instance.compiler.law(name).family == "Gamma":
            drawn = draw_gamma(row, sites, less[:, None] + 1.0, rate[:, None])
        else:
            drawn = draw_truncated_normal(row, sites, (-rate / precision)[:, None], precision[:, None])
        return drawn[:, 0], np.zeros(rows, dtype=bool)
    logits, values = instance.log_weights(states, unit, law, without), instance.values(name)
    words = random_words(stream.key, chains, SWEEP, sites)[:, 0]
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    running = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    margin = 20 * TOLERANCES[instance.dtype]["probability"] * (1.0 + np.abs(logits).max())
    if isinstance(variable.domain, Categorical):
        close = np.abs(running[:, :-1] - uniforms(words)[:, None]).min(axis=1) < margin
        return values[draw_codes(logits, words)], close
    close = np.abs(1.0 - running[:, 0] - uniforms(words, instance.dtype)) < margin
    return values[draw_on(logits[:, 1] - logits[:, 0], words, instance.dtype).astype(int)], close
