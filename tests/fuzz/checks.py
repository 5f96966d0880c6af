"""What must hold of every model: each check compares the program with enumeration and yields what it found."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

import pgmc
from generation import constrained
from language import Array, Function, LogSumExp, Power, Sum, reads, walk
from meaning import Arrays, Values, energies, guide_logarithms
from pgmc.compiler import Compiler
from pgmc.ir.answers import Refusal
from pgmc.ir.canonical import canonical_text
from pgmc.ir.queries import Energy, Ensemble, FreeEnergy, Gradient, Sweep
from spelling import build
from transitions import faults, transitions, units_of_blocks
from trial import Case, Finding

STEP = 2e-3


Findings = Iterator[Finding]
Checks = dict[str, Callable[[Any], Findings]]
CHECKS: Checks = {}


def check(function: Callable[[Case], Findings]) -> Callable[[Case], Findings]:
    """Add a function to the checks."""
    CHECKS[function.__name__] = function
    return function


# ---- reliability, A: the compiler ----------------------------------------------------------------------------------


@check
def spellings(case: Case) -> Findings:
    """Array and index notation declare the same model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pgmc.ModelWarning)
        texts = [canonical_text(build(case.spec, spelling).build()) for spelling in ("array", "index")]
    yield Finding("array and index notation differ", float(texts[0] != texts[1]), 0.0)


@check
def energy(case: Case) -> Findings:
    """E of every state, and log Z."""
    yield case.finding("E", case.program.energy(case.params, case.states), case.exact.E[case.rows])
    inputs = case.values[1] or None
    log_z = np.ravel(case.program.log_partition(case.params, inputs, method="exact").value)[0]
    yield case.finding("log Z", log_z, case.exact.log_z)


@check
def conditionals(case: Case) -> Findings:
    """p(every value of every unit | all others) in every state."""
    for array in case.spec.units:
        name = array.name
        law = case.program.conditional(name).evaluate(case.params, case.states)
        if array.kind == "count":
            weights, reached = case.exact.conditional(case.sites(name))
            means = np.einsum("sk,sku->su", weights, case.exact.codes[reached][..., case.sites(name)])
            yield case.finding(f"E({name} | all others)", law["mean"].reshape(len(case.rows), -1), means[case.rows])
            continue
        found = law["probs"].reshape(len(case.rows), -1)
        wanted = np.stack([law_of_unit(case, array, site)[case.rows] for site in case.sites(name)], axis=1)
        wanted = wanted.reshape(found.shape) if array.states else wanted[..., 1]
        yield case.finding(f"p({name} | all others)", found, wanted)


def law_of_unit(case: Case, array: Array, site: int) -> Values:
    """p(each value of a unit) in every state: given all others, or all but those of its exclusive block."""
    if not array.exclusive:
        return np.asarray(case.exact.conditional(site)[0])

    def block(other: int) -> list[int]:
        return [p // length for p, length in zip(case.exact.sites[other][1], array.exclusive, strict=True)]

    law, reached = case.exact.conditional([s for s in case.sites(array.name) if block(s) == block(site)])
    on = (law * case.exact.codes[reached, site]).sum(axis=1)
    return np.stack([1 - on, on], axis=1)


@check
def free_energies(case: Case) -> Findings:
    """F of every set of variables for which it is offered; refusals need a reason."""
    sets = subsets(case.names)
    for observed in sets[-1:] if case.backend == "numba" else sets:  # each is a kernel to compile
        sites = case.sites(*observed)
        seen, first = np.unique(case.exact.index(case.codes[:, sites], sites), return_index=True)
        given = {n: x[first] for n, x in case.states.items() if n in observed or n in case.values[1]}
        try:
            found = case.program.free_energy(case.params, given)
        except pgmc.IntractableError:
            yield Finding(f"F({', '.join(observed)}) is refused without reason", float(separable(case, observed)), 0.0)
            continue
        wanted = np.asarray(case.exact.free_energy(sites))[seen]
        yield case.finding(f"F({', '.join(observed)})", found, wanted, 10 * case.tolerance)


def subsets(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Every set of variables that leaves one out, in order of declaration."""
    return [chosen for size in range(len(names)) for chosen in combinations(names, size)]


def separable(case: Case, observed: tuple[str, ...]) -> bool:
    """Whether each term is a plain product with one unit, at most, of the variables that are not observed."""
    hidden = set(case.names) - set(observed)
    if case.spec.factors:
        return False
    for term in case.spec.terms:
        plain = not any(isinstance(part, Function | LogSumExp | Power | Sum) for part in walk(term))
        if not plain or sum(read.name in hidden for read in reads(term)) > 1:
            return False
    return True


@check
def gradients(case: Case) -> Findings:
    """∂E/∂θ and ∂F/∂θ against differences, and the mean of ∂E/∂θ under the model against those of log Z."""
    names = tuple(case.params)
    if not names:
        return
    table = shifted_energies(case)
    slope, executable = differences(table), case.program.executable
    smooth = smooth_entries(case, table)
    weights, encoded = np.random.default_rng(case.seed).dirichlet(np.ones(len(case.rows))), encode(case)
    state = {name: values for name, values in encoded[1].items()}

    def wrong(what: str, found: Values, wanted: Values) -> Finding:
        return case.finding(what, np.where(smooth, found, 0.0), np.where(smooth, wanted, 0.0), coarse)

    def gradient(of: Energy | FreeEnergy, weights: Values) -> Values:
        given = {n: x for n, x in state.items() if isinstance(of, Energy) or n in (*of.observed, *case.values[1])}
        found = executable.evaluate(Gradient(of, names), encoded[0], given, weights=weights.astype(case.dtype))
        return np.concatenate([found[name].ravel() for name in names])

    coarse = 1e-6 if case.dtype == "float64" else 1e-4
    yield wrong("∂E/∂θ", gradient(Energy(), weights), slope @ weights)
    if np.abs(slope).max(initial=0.0) * STEP < 0.01:  # so that differences of log Z are exact enough
        log_z = np.log(np.exp(case.exact.E.min() - table).sum(axis=1))
        yield wrong("E[∂E/∂θ]", gradient(Energy(), case.exact.p[case.rows]), -differences(log_z))
    for observed in offered(case)[:1]:
        wanted = slope @ posterior(case, case.sites(*observed), weights)
        yield wrong(f"∂F({', '.join(observed)})/∂θ", gradient(FreeEnergy(observed), weights), wanted)
    projected = case.program.energy_gradient(case.params, case.states)
    ends = np.cumsum([value.size for value in case.params.values()])[:-1]
    for name, part, known in zip(names, *(np.split(x, ends) for x in (slope.mean(axis=1), smooth)), strict=True):
        array = case.spec.array(name)
        if known.all():
            wanted = constrained(array, part.reshape(array.shape))
            yield case.finding(f"∂E/∂{name}, constrained", projected[name], wanted, coarse)


def encode(case: Case) -> tuple[dict[str, Values], dict[str, Values]]:
    """Parameters and states as kernels take them."""
    params = {name: np.asarray(value, dtype=case.dtype, order="C") for name, value in case.params.items()}
    codes = {array.name for array in case.spec.arrays if array.states}
    return params, {n: np.ascontiguousarray(x, np.int64 if n in codes else case.dtype) for n, x in case.states.items()}


def offered(case: Case) -> list[tuple[str, ...]]:
    """Sets of variables whose free energy is offered."""
    answers = {names: case.program.compiler.derive(FreeEnergy(names)) for names in subsets(case.names)}
    return [names for names, answer in answers.items() if not isinstance(answer, Refusal)]


def shifted_energies(case: Case) -> Values:
    """E of every state with each entry of each parameter moved by -2, -1, 1 and 2 steps, ``(entries * 4, states)``."""
    count = sum(value.size for value in case.params.values())
    moves = (np.eye(count)[:, None, :] * np.array([-2, -1, 1, 2])[:, None] * STEP).reshape(4 * count, count)
    ends = np.cumsum([value.size for value in case.params.values()])[:-1]
    shifts = np.split(moves, ends, axis=1)
    params = {
        name: value + shift.reshape(-1, *value.shape)
        for (name, value), shift in zip(case.params.items(), shifts, strict=True)
    }
    return energies(case.spec, params, case.states)


def differences(table: Values) -> Values:
    """Fourth-order central differences of functions of the shifted parameters, ``(entries, ...)``."""
    far_below, below, above, far_above = np.moveaxis(table.reshape(-1, 4, *table.shape[1:]), 1, 0)
    return (8 * (above - below) - (far_above - far_below)) / (12 * STEP)


def smooth_entries(case: Case, table: Values) -> Values:
    """Entries for which differences tell the derivative: those of no constraint, and where the energy bends little.

    A weight that a mask or a diagonal keeps at 0 may stand at the kink of a function.
    """
    free = [np.broadcast_to(constrained(case.spec.array(n), np.ones(v.shape)), v.shape) for n, v in case.params.items()]
    far_below, below, above, far_above = np.moveaxis(table.reshape(-1, 4, *table.shape[1:]), 1, 0)
    bent = np.abs((far_above - far_below) / 2 - (above - below)).max(axis=1) / STEP
    return (np.concatenate([part.ravel() for part in free]) > 0) & (bent < 1e-4 * case.scale)


def posterior(case: Case, sites: list[int], weights: Values) -> Values:
    """The weight of each state if the units that are not observed are drawn anew: ∂F is the mean of ∂E under it."""
    seen = case.exact.index(case.codes[:, sites], sites)
    free = np.asarray(case.exact.free_energy(sites))
    return np.asarray(np.bincount(seen, weights, len(free))[seen] * np.exp(free[seen] - case.exact.E[case.rows]))


# ---- reliability, B: the sampler -----------------------------------------------------------------------------------


@check
def sweeps(case: Case) -> Findings:
    """The exact transition matrix of one sweep of the emitted text: plain, backward, masked, or tempered by turns."""
    if any(array.linked for array in case.spec.units):
        return  # drawn from joint laws of blocks, which tests/groups follows
    if (16, 16, 32)[case.seed // 30 % 3] < case.exact.S:
        return
    rng = np.random.default_rng([case.seed, 3])
    query, beta, masks = Sweep(case.names), 1.0, None
    match case.seed // 6 % 5:
        case 1:
            query = replace(query, backward=True)
        case 2:
            masks = {name: rng.random(shape) < 0.4 for name, (shape, _) in case.exact.spec.items()}
            query = replace(query, masked=case.names)
        case 3 | 4:
            query = replace(query, ensemble=Ensemble.TEMPERED)
            beta = 0.0 if case.seed // 6 % 5 == 3 else float(rng.random())
    given: dict[str, Any] = {name: value[0] for name, value in case.values[1].items()}
    if query.ensemble is Ensemble.TEMPERED:
        given["inverse_temperature"] = beta
    compiler, law = Compiler(case.program.model, "float64"), case.law(beta)
    found = transitions(compiler, query, law, case.params, given=given, masks=masks)
    wrong = faults(found, law, units_of_blocks(compiler, query, law, masks))
    yield Finding(f"the sweep is wrong: {', '.join(sorted(wrong))}", float(bool(wrong)), 0.0)
    if beta == 0.0:
        yield Finding("β = 0 is not uniform", float(np.abs(found.matrix - 1 / law.S).max()), 1e-12)


@check
def samples(case: Case) -> Findings:
    """Clamps stay; the reference draws the same bits, and so does the tempered kernel at β = 1."""
    rng, chains = np.random.default_rng([case.seed, 4]), 5
    chosen = rng.integers(len(case.rows), size=chains)
    start = {name: case.states[name][chosen] for name in case.names}
    clamp = {n: np.ma.masked_array(x, rng.random(x.shape) < 0.5) for n, x in start.items() if rng.random() < 0.6}
    inputs = {name: value[0] for name, value in case.values[1].items()} or None
    run = {"chains": chains, "sweeps": 2, "inputs": inputs, "init": start, "seed": case.seed}
    for clamped in ({}, clamp) if case.backend != "numba" else (clamp,):
        drawn = last(case.program.sample(case.params, clamp=clamped or None, **run))
        wrong = any(np.any((drawn[n] != x.data) & ~np.ma.getmaskarray(x)) for n, x in clamped.items())
        yield Finding("a clamped unit changed", float(wrong), 0.0)
        yield unequal("the reference", drawn, last(case.reference.sample(case.params, clamp=clamped or None, **run)))
    if case.backend == "numba":
        return
    tempered = case.program.sample(case.params, inverse_temperature=np.ones(chains), clamp=clamped or None, **run)
    yield unequal("the tempered kernel at β = 1", drawn, last(tempered))


def last(samples: Any) -> dict[str, Values]:
    """The last state of every chain."""
    return {name: np.asarray(samples[name])[:, -1] for name in samples}


def unequal(what: str, drawn: Arrays, wanted: Arrays) -> Finding:
    """How many numbers differ, in bits."""
    return Finding(f"other states than {what}", sum(float(np.sum(drawn[n] != wanted[n])) for n in drawn), 0.0)


# ---- reliability, D: mean field ------------------------------------------------------------------------------------


@check
def mean_field(case: Case) -> Findings:
    """The bound never falls, is below log Σ exp(-E), and is the enumerated bound of its means."""
    rng = np.random.default_rng([case.seed, 5])
    names = case.names[: rng.integers(len(case.names))]
    row = int(rng.integers(len(case.rows)))
    given = {n: x[row : row + 1] for n, x in case.states.items() if n in names or n in case.values[1]}
    law = case.exact.clamp({site: int(case.codes[row, site]) for site in case.sites(*names)})
    before = -np.inf
    for passes in (1, 3):
        try:
            found = case.program.mean_field(case.params, given, iterations=passes, tol=0.0)
        except pgmc.IntractableError as refusal:
            nodes = [part for term in case.spec.terms for part in walk(term)]
            plain = not any(isinstance(part, Function | LogSumExp) for part in nodes) and not case.spec.factors
            counted = any(array.kind == "count" for array in case.spec.units)
            excused = "too many summands" in str(refusal) or counted
            yield Finding("mean field of a polynomial is refused", float(plain and not excused), 0.0)
            return
        bound = float(found.bound[0])
        fallen = max(before - bound, 0.0)
        yield case.finding("the bound falls", fallen, 0.0)
        yield case.finding("the bound is above log Σ exp(-E)", max(bound - law.log_z, 0.0), 0.0)
        if not any(case.spec.array(name).linked for name in found.means):  # their blocks are no products
            yield case.finding(
                "the bound is not that of its means", bound, law.elbo(means_as_laws(case, found.means, row))
            )
        before = bound


def means_as_laws(case: Case, means: Arrays, row: int) -> list[Values]:
    """q of every unit: of its means, or all on its value."""
    found = []
    for site, (name, place) in enumerate(case.exact.sites):
        if name not in means:
            found.append(np.eye(case.exact.card[site])[case.codes[row, site]])
        elif case.spec.array(name).states:
            found.append(np.asarray(means[name][0][place]))
        else:
            mean = float(means[name][0][place])
            on = (1 + mean) / 2 if case.spec.array(name).kind == "spin" else mean
            found.append(np.array([1 - on, on]))
    return found


# ---- reliability, F: directed factors ------------------------------------------------------------------------------


@check
def factors(case: Case) -> Findings:
    """log Z is that of the energy alone, and 0 if there is none; the inference net has the law that was declared."""
    if case.spec.factors:
        inputs = case.values[1] or None
        log_z = np.ravel(case.program.log_partition(case.params, inputs, method="auto").value)[0]
        yield case.finding("log Z of the energy alone", log_z, log_z_without_factors(case))
        yield case.finding("log p", case.program.log_joint(case.params, case.states), -case.exact.E[case.rows] - log_z)
    if case.spec.guide:
        whole = {name: case.values[0][name] for name in case.values[0]}
        net = case.program.guide
        params = {name: value for name, value in whole.items() if name in net.init()}
        given = {name: case.states[name] for name in (s.name for s in (*net.model.variables, *net.model.inputs))}
        wanted = -guide_logarithms(case.spec, whole, case.states)
        yield case.finding("-log q", net.energy(params, given), wanted)


def log_z_without_factors(case: Case) -> float:
    """log Σ exp(-E) over the variables that have no factor."""
    params = {name: value[None] for name, value in case.params.items()}
    table = energies(replace(case.spec, factors=()), params, case.states)[0]
    children = {factor.target.name for factor in case.spec.factors}
    causes = case.sites(*(name for name in case.names if name not in children))
    first = np.unique(case.exact.index(case.codes[:, causes], causes), return_index=True)[1]
    return float(np.logaddexp.reduce(-table[first]))


@check
def verification(case: Case) -> Findings:
    """The program proves itself, and agrees that it is right."""
    case.reference.verify(seed=case.seed)
    yield Finding("verified", 0.0, 0.0)
