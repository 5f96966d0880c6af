"""Checks of programs with real units: energies, laws of units, draws, free energies, gradients and log Z."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.errors import InternalError, IntractableError
from pgmc.evaluation.exact import log_partition_exact
from pgmc.ir.answers import Computation
from pgmc.ir.queries import Conditional, Energy, Ensemble, FreeEnergy, Gradient
from pgmc.program.verification.generic import check_densities
from pgmc.program.verification.instance import TOLERANCES
from pgmc.program.verification.mixed import MixedInstance, everywhere
from pgmc.program.verification.mixed_draws import annealed_law
from pgmc.program.verification.report import Case, Ledger
from pgmc.program.verification.values import directions

Array = npt.NDArray[Any]

STEP = 2.0**-17
MOST_SUBSETS, MOST_GRADIENTS = 8, 2


def check_energies(instance: MixedInstance, ledger: Ledger) -> None:
    """E of random states."""
    expected = instance.energy(instance.states)
    got = instance.executable.evaluate(Energy(), instance.params, instance.states)["energy"]
    _compare(instance, ledger, "energies", "E of random states", got, expected, "energy")


def check_conditionals(instance: MixedInstance, ledger: Ledger) -> None:
    """Log-odds of discrete units; means and precisions of real ones."""
    for name in instance.names:
        if instance.is_generic(name):
            check_densities(instance, ledger, name)
            continue
        found = instance.executable.evaluate(Conditional(name), instance.params, instance.states)
        wide = {key: np.asarray(value, dtype=np.float64) for key, value in found.items()}
        check = _check_real if instance.is_real(name) else _check_positive
        (_check_discrete if instance.is_discrete(name) else check)(instance, ledger, name, wide)


def check_marginals(instance: MixedInstance, ledger: Ledger) -> None:
    """Log-odds of units that are drawn with something integrated out, and that this follows at once."""
    updates = instance.compiler.blocks()
    for block, after in zip(updates, (*updates[1:], None), strict=True):
        if not block.integrated_out:
            continue
        if after is None or after.variables != block.integrated_out:
            raise InternalError(f"{block} is not followed by what was integrated out. Please report this.")
        for name in block.variables:
            query = Conditional(name, without=block.integrated_out)
            found = instance.executable.evaluate(query, instance.params, instance.states)
            wide = {key: np.asarray(value, dtype=np.float64) for key, value in found.items()}
            _check_discrete(instance, ledger, name, wide, block.integrated_out)


def _check_discrete(
    instance: MixedInstance, ledger: Ledger, name: str, found: dict[str, Array], without: tuple[str, ...] = ()
) -> None:
    units, count = instance.units_of((name,)), len(instance.values(name))
    expected = np.stack([instance.log_weights(instance.states, u, without=without) for u in units], axis=1)
    logits = found["logits"].reshape(len(expected), len(units), -1)
    got = logits if logits.shape[-1] == count else np.concatenate([np.zeros_like(logits), logits], axis=-1)
    odds = [values - values[..., :1] for values in (got, expected)]
    what = f"log-odds of the values of {name}, given all others" + (
        f", {', '.join(without)} integrated out" * bool(without)
    )
    _compare(instance, ledger, "conditionals", what, odds[0], odds[1], "energy")


def _check_positive(instance: MixedInstance, ledger: Ledger, name: str, found: dict[str, Array]) -> None:
    units = instance.units_of((name,))
    _, rate, precision, less = np.stack([instance.positive_form(instance.states, unit) for unit in units], axis=2)
    expected = {"rate": rate, "shape": less + 1.0}
    if "rate" not in found:
        expected = {"precision": precision, "mean": -rate / precision}
    for key, values in expected.items():
        got = found[key].reshape(values.shape)
        _compare(instance, ledger, "conditionals", f"{key} of {name}, given all others", got, values, "mean")


def _check_real(instance: MixedInstance, ledger: Ledger, name: str, found: dict[str, Array]) -> None:
    units = instance.units_of((name,))
    if "field" in found:
        _, gradient, matrix = instance.quadratic_form(instance.states, units)
        for key, expected in (("field", -gradient), ("precision", matrix)):
            got = found[key].reshape(expected.shape)
            _compare(instance, ledger, "conditionals", f"{key} of {name}, given the others", got, expected, "energy")
        return
    forms = [instance.quadratic_form(instance.states, [unit]) for unit in units]
    precision = np.stack([matrix[:, 0, 0] for _, _, matrix in forms], axis=1)
    mean = -np.stack([gradient[:, 0] for _, gradient, _ in forms], axis=1) / precision
    for key, expected in (("precision", precision), ("mean", mean)):
        got = found[key].reshape(expected.shape)
        _compare(instance, ledger, "conditionals", f"{key} of {name}, given all others", got, expected, "energy")


# ---- free energies -----------------------------------------------------------------------------------------


def check_free_energies(instance: MixedInstance, ledger: Ledger) -> None:
    """F of every set of variables for which it is offered."""
    for observed in _offered(instance, ledger)[:MOST_SUBSETS]:
        hidden = [name for name in instance.names if name not in observed]
        expected = instance.free_energy(instance.states, hidden)
        got = _free_energy(instance, observed, Ensemble.PLAIN, {}, {})
        _compare(instance, ledger, "free energies", f"F({', '.join(observed)})", got, expected, "free energy")
    summed = instance.compiler.eliminable()
    observed = tuple(name for name in instance.names if name not in summed)
    law = annealed_law(instance, len(next(iter(instance.states.values()))))
    if summed:
        expected = instance.free_energy(instance.states, list(summed), law=law)
        beta = {"inverse_temperature": law.betas.astype(instance.dtype)}
        got = _free_energy(instance, observed, Ensemble.ANNEALED, law.base, beta)
        _compare(instance, ledger, "free energies", f"F({', '.join(observed)}), annealed", got, expected, "free energy")


def _free_energy(
    instance: MixedInstance,
    observed: tuple[str, ...],
    ensemble: Ensemble,
    params: dict[str, Array],
    more: dict[str, Array],
) -> Array:
    given = {name: values for name, values in instance.states.items() if name in observed or name not in instance.names}
    query = FreeEnergy(observed, ensemble)
    found = instance.executable.evaluate(query, instance.params | params, given | more)["free_energy"]
    return np.broadcast_to(found, len(next(iter(instance.states.values()))))


def _offered(instance: MixedInstance, ledger: Ledger | None = None) -> list[tuple[str, ...]]:
    """The observed variables of the free energies that are offered, the usual one first."""
    names = instance.names
    sizes = range(1, len(names) + 1) if len(names) <= 4 else (1,)
    hidden = dict.fromkeys([instance.compiler.eliminable(), *(s for size in sizes for s in combinations(names, size))])
    offered: list[tuple[str, ...]] = []
    refused: list[tuple[str, ...]] = []
    for summed in (subset for subset in hidden if subset):
        observed = tuple(name for name in names if name not in summed)
        answer = instance.compiler.derive(FreeEnergy(observed))
        (offered if isinstance(answer, Computation) else refused).append(observed)
    if refused and ledger is not None:
        named = ", ".join(f"F({', '.join(observed)})" for observed in refused)
        ledger.skip("free energies", f"{named}: refused")
    return offered


# ---- gradients ---------------------------------------------------------------------------------------------


def check_gradients(instance: MixedInstance, ledger: Ledger) -> None:
    """Derivatives of the weighted means of E and F in every parameter, against central differences."""
    wrt = tuple(p.name for p in instance.model.parameters)
    if not wrt:
        ledger.skip("gradients", "there are no parameters")
        return
    generator = instance.stream.child("gradients").generator()
    rows = len(next(iter(instance.states.values())))
    weights = generator.dirichlet(np.ones(rows))
    for observed in [None, *_offered(instance)[:MOST_GRADIENTS]]:
        names = set(instance.names if observed is None else observed) | {i.name for i in instance.model.inputs}
        of = Energy() if observed is None else FreeEnergy(observed)
        state = {name: values for name, values in instance.states.items() if name in names}
        share = weights.astype(instance.dtype) if state else np.ones(1, dtype=instance.dtype)
        found = instance.executable.evaluate(Gradient(of, wrt), instance.params, state, weights=share)
        what = "E" if observed is None else f"F({', '.join(observed)})"
        for parameter in instance.model.parameters:
            places, along = directions(parameter, generator)
            got = np.array([float(np.sum(np.asarray(found[parameter.name], np.float64) * d)) for d in along])
            expected = np.array([_difference(instance, observed, parameter.name, d, weights) for d in along])
            ledger.compare(
                "gradients",
                f"∂{what}/∂{parameter.name}, weighted over random states",
                got,
                expected,
                TOLERANCES[instance.dtype]["gradient"],
                scale=1.0 + np.abs(expected),
                case=partial(_direction_case, places),
                note="central differences",
            )


def _direction_case(places: list[str], place: tuple[int, ...]) -> Case:
    return Case((("direction", places[place[0]]),))


def _difference(
    instance: MixedInstance, observed: tuple[str, ...] | None, name: str, direction: Array, weights: Array
) -> float:
    values = []
    for sign in (1.0, -1.0):
        params = {**instance.wide, name: instance.wide[name] + sign * STEP * direction}
        if observed is None:
            values.append(instance.energy(instance.states, params=params))
        else:
            hidden = [v for v in instance.names if v not in observed]
            values.append(instance.free_energy(instance.states, hidden, params))
    return float(weights @ (values[0] - values[1])) / (2.0 * STEP)


# ---- log Z -------------------------------------------------------------------------------------------------


def check_log_partition(instance: MixedInstance, ledger: Ledger) -> None:
    """log Z, where it has an exact form, against the sum over discrete states of Gaussian integrals."""
    if any(map(instance.is_generic, instance.names)):
        ledger.skip("log partition", "units of no family have no integral in closed form")
        return
    first = {name: values[:1] for name, values in instance.states.items()}
    inputs = {i.name: first[i.name] for i in instance.model.inputs} or None
    try:
        got = np.atleast_1d(log_partition_exact(instance.executable, instance.params, inputs).value)
    except IntractableError as error:
        ledger.skip("log partition", str(error))
        return
    expected = _log_partition(instance, first)
    if expected is None:
        ledger.skip("log partition", "positive units interact with real ones, so it has no finite form to compare with")
        return
    ledger.compare(
        "log partition",
        "log Z, real units integrated and discrete ones summed out",
        got,
        expected,
        TOLERANCES[instance.dtype]["free energy"],
        scale=1.0 + np.abs(expected),
        case=lambda _: instance.case(0),
    )


def _log_partition(instance: MixedInstance, first: dict[str, Array]) -> Array | None:
    """Of a finite form, or of one integral along a line where positive units interact with the only real one."""
    names = [name for name in instance.names if instance.is_real(name)]
    real, zero = instance.units_of(names), instance.states | {name: 0.0 * instance.states[name] for name in names}
    positive = instance.units_of([name for name in instance.names if instance.is_positive(name)])
    forms = [[instance.positive_form(states, unit)[1:] for states in (instance.states, zero)] for unit in positive]
    if all(np.allclose(here, there, atol=1e-9) for here, there in forms):
        return -instance.free_energy(first, instance.names)
    if len(real) > 1:
        return None
    ((name, place),) = real
    points = np.linspace(-40.0, 40.0, 16_001)
    line = {n: np.repeat(values, len(points), axis=0).astype(np.float64) for n, values in first.items()}
    line[name][everywhere(place)] = points
    free = instance.free_energy(line, [other for other in instance.names if other != name])
    return np.array([np.logaddexp.reduce(-free) + np.log(points[1] - points[0])])


def check_quadrature(instance: MixedInstance, ledger: Ledger) -> None:
    """The integrals themselves: a fine grid over one unit, and over two."""
    units = instance.units_of([name for name in instance.names if _is_quadratic(instance, name)])[:2]
    if not units:
        ledger.skip("quadrature", "there are no real units with a quadratic energy")
        return
    row = {name: values[:1].astype(np.float64) for name, values in instance.states.items()}
    start, gradient, matrix = instance.quadratic_form(row, units)
    centre = -np.linalg.solve(matrix[0], gradient[0])
    width = 10.0 / np.sqrt(np.linalg.eigvalsh(matrix[0]).min())
    axes = [np.linspace(c - width, c + width, 161) for c in centre]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(units))
    moved = {name: np.repeat(values, len(grid), axis=0) for name, values in row.items()}
    for k, (name, place) in enumerate(units):
        moved[name][everywhere(place)] = grid[:, k]
    cell = np.prod([axis[1] - axis[0] for axis in axes])
    expected = float(np.logaddexp.reduce(-instance.energy(moved)) + np.log(cell))
    got = -start[0] + (gradient[0] @ np.linalg.solve(matrix[0], gradient[0]) - np.linalg.slogdet(matrix[0])[1]) / 2.0
    got += len(units) * np.log(2.0 * np.pi) / 2.0
    ledger.compare(
        "quadrature",
        f"the integral over {len(units)} real units has the Gaussian form",
        np.array([got]),
        np.array([expected]),
        1e-8,
        scale=1.0 + abs(expected),
        case=lambda _: instance.case(0),
        note="161 points along each axis",
    )


def _is_quadratic(instance: MixedInstance, name: str) -> bool:
    return instance.is_real(name) and not instance.is_generic(name)


def _compare(
    instance: MixedInstance, ledger: Ledger, name: str, what: str, got: Array, expected: Array, kind: str
) -> None:
    scale = 1.0 + np.abs(expected) + np.abs(instance.energy(instance.states)).max()
    ledger.compare(
        name,
        what,
        got,
        expected,
        TOLERANCES[instance.dtype][kind],
        scale=scale,
        case=lambda place: instance.case(place[0], *([("place", str(place[1:]))] if len(place) > 1 else [])),
    )
