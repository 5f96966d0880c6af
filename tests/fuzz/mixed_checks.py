"""What must hold of every model with real or positive units: each check compares the program with finite forms."""

from __future__ import annotations

import numpy as np

import checks
import pgmc
from checks import STEP, Findings, differences, encode, shifted_energies, smooth_entries
from language import CONTINUOUS, DISCRETE
from meaning import Values
from mixed import MixedCase
from pgmc.ir.answers import Refusal
from pgmc.ir.queries import Energy, FreeEnergy, Gradient
from trial import Finding

MIXED_CHECKS: checks.Checks = {"spellings": checks.spellings, "verification": checks.verification}


def energy(case: MixedCase) -> Findings:
    """E of random states, and log Z."""
    yield case.finding("E", case.program.energy(case.params, case.states), case.energy(case.states))
    inputs = case.values[1] or None
    try:
        log_z = np.ravel(case.program.log_partition(case.params, inputs, method="exact").value)[0]
    except pgmc.IntractableError:
        return
    first = {name: x[:1] for name, x in case.states.items()}
    if case.spec.factors and {factor.target.name for factor in case.spec.factors} == set(case.names):
        yield case.finding("log Z of factors alone", log_z, 0.0)
    elif not case.has_mixed_products:
        yield case.finding("log Z", log_z, -case.free_energy(case.names, first), 1e3 * case.tolerance)
    elif len(case.places(case.of_kind("real"))) == 1:
        yield case.finding("log Z", log_z, case.log_z_by_quadrature(first), 1e3 * case.tolerance)


def conditionals(case: MixedCase) -> Findings:
    """Log-odds of discrete units; means and precisions of real ones, each alone or together; forms of positive ones."""
    for array in case.spec.units:
        name, places = array.name, case.places([array.name])
        law = case.program.conditional(name).evaluate(case.params, case.states)
        if array.kind in DISCRETE:
            weights = np.stack([case.log_weights(unit, case.states) for unit in places], axis=1)
            wanted = np.exp(weights - np.logaddexp.reduce(weights, axis=2)[..., None])
            found = law["probs"].reshape(wanted.shape if array.states else wanted.shape[:2])
            yield case.finding(f"p({name} | all others)", found, wanted if array.states else wanted[..., 1])
        elif array.kind == "positive":
            _, rate, precision, less = np.stack([case.positive(unit, case.states) for unit in places], axis=2)
            normal = "mean" in law
            wanted_parts = (
                {"mean": -rate / precision, "precision": precision} if normal else {"rate": rate, "shape": less + 1}
            )
            for part, wanted in wanted_parts.items():
                yield case.finding(f"{part} of {name}", law[part].reshape(wanted.shape), wanted, 100 * case.tolerance)
        elif "covariance" in law:
            _, slope, matrix = case.quadratic(places, case.states)
            mean = -np.linalg.solve(matrix, slope[..., None])[..., 0]
            yield case.finding(f"precision of {name}", law["precision"], matrix, 100 * case.tolerance)
            yield case.finding(f"mean of {name}", law["mean"].reshape(mean.shape), mean, 100 * case.tolerance)
        else:
            forms = [case.quadratic([unit], case.states) for unit in places]
            precision = np.stack([matrix[:, 0, 0] for _, _, matrix in forms], axis=1)
            mean = -np.stack([slope[:, 0] for _, slope, _ in forms], axis=1) / precision
            for part, wanted in (("precision", precision), ("mean", mean)):
                yield case.finding(f"{part} of {name}", law[part].reshape(wanted.shape), wanted, 100 * case.tolerance)


def free_energies(case: MixedCase) -> Findings:
    """F of every set of variables for which it is offered."""
    for observed in checks.offered(case):
        given = {n: x for n, x in case.states.items() if n in observed or n in case.values[1]}
        found = case.program.free_energy(case.params, given)
        wanted = case.free_energy(set(case.names) - set(observed), case.states)
        wanted = wanted if given else wanted[:1]
        yield case.finding(f"F({', '.join(observed)})", found, wanted, 1e3 * case.tolerance)


def gradients(case: MixedCase) -> Findings:
    """∂E/∂θ and ∂F/∂θ, weighted over the states, against differences."""
    names = tuple(case.params)
    if not names:
        return
    table = shifted_energies(case)
    smooth = smooth_entries(case, table)
    weights = np.random.default_rng(case.seed).dirichlet(np.ones(table.shape[1]))
    params, state = encode(case)
    coarse = 1e-6 if case.dtype == "float64" else 1e-4
    observed = next(iter(checks.offered(case)), None)
    for of in (Energy(), *([] if observed is None else [FreeEnergy(observed)])):
        given = {n: x for n, x in state.items() if isinstance(of, Energy) or n in (*of.observed, *case.values[1])}
        share = weights if given else np.ones(1)
        if isinstance(case.program.compiler.answer(Gradient(of, names)), Refusal):
            continue
        parts = case.program.executable.evaluate(Gradient(of, names), params, given, weights=share.astype(case.dtype))
        found = np.concatenate([parts[name].ravel() for name in names])
        slope = (
            differences(table) @ weights
            if isinstance(of, Energy)
            else slope_of_free_energy(case, of.observed) @ weights
        )
        what = "∂E/∂θ" if isinstance(of, Energy) else f"∂F({', '.join(of.observed)})/∂θ"
        yield case.finding(what, np.where(smooth, found, 0.0), np.where(smooth, slope, 0.0), coarse)


def slope_of_free_energy(case: MixedCase, observed: tuple[str, ...]) -> Values:
    """∂F/∂θ of every row by central differences, ``(entries, rows)``."""
    hidden, found = set(case.names) - set(observed), []
    for name, value in case.params.items():
        for place in np.ndindex(*value.shape):
            ends = []
            for sign in (1, -1):
                step = np.zeros(value.shape)
                step[place] = sign * STEP / 16
                ends.append(case.at({**case.params, name: value + step}).free_energy(hidden, case.states))
            found.append((ends[0] - ends[1]) / (STEP / 8))
    return np.array(found)


def samples(case: MixedCase) -> Findings:
    """Clamps stay; the reference draws the same states up to rounding."""
    rng, chains = np.random.default_rng([case.seed, 4]), 5
    chosen = rng.integers(len(next(iter(case.states.values()))), size=chains)
    start = {name: case.states[name][chosen] for name in case.names}
    clamp = {n: np.ma.masked_array(x, rng.random(x.shape) < 0.5) for n, x in start.items() if rng.random() < 0.6}
    inputs = {name: value[0] for name, value in case.values[1].items()} or None
    run = {"chains": chains, "sweeps": 2, "inputs": inputs, "init": start, "seed": case.seed}
    for clamped in ({}, clamp):
        drawn, wanted = (
            checks.last(program.sample(case.params, clamp=clamped or None, **run))
            for program in (case.program, case.reference)
        )
        wrong = any(
            np.any((drawn[n] != x.data.astype(drawn[n].dtype)) & ~np.ma.getmaskarray(x)) for n, x in clamped.items()
        )
        yield Finding("a clamped unit changed", float(wrong), 0.0)
        for name in drawn:
            real = case.spec.array(name).kind in CONTINUOUS
            error = np.abs(drawn[name].astype(float) - wanted[name]) / (1 + np.abs(wanted[name]))
            tolerance = (1e-9 if case.dtype == "float64" else 1e-3) if real else 0.0
            yield Finding(f"other {name} than the reference", float(error.max(initial=0.0)), tolerance)


MIXED_CHECKS |= {f.__name__: f for f in (energy, conditionals, free_energies, gradients, samples)}
