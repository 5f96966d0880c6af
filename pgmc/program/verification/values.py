"""Energies, conditionals, free energies, gradients and log Z against brute force, in every joint state."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.evaluation.base import base_name
from pgmc.evaluation.exact import log_partition_exact
from pgmc.ir.answers import Refusal
from pgmc.ir.constraints import project
from pgmc.ir.queries import Conditional, Energy, Ensemble, FreeEnergy, Gradient
from pgmc.ir.symbols import Parameter, access_axes, shape_of
from pgmc.program.verification.instance import Instance, probabilities
from pgmc.program.verification.report import Case, Ledger

Array = npt.NDArray[Any]

MOST_SUBSETS, MOST_GRADIENTS = 12, 3
"""Free energies, and gradients of free energies, that are checked: each is a kernel of its own."""

ENTRIES = 4
STEP = 2.0**-17
"""Entries of a parameter whose derivatives are checked one by one (all together are checked too), and the step."""


def check_energies(instance: Instance, ledger: Ledger) -> None:
    """E of every state."""
    table = instance.table
    got = instance.executable.evaluate(Energy(), instance.params, table.batch)["energy"]
    ledger.compare(
        "energies",
        f"E of all {table.size} joint states",
        got.reshape(table.rows, -1),
        instance.energies,
        instance.tolerance("energy"),
        scale=instance.scale,
        rank=instance.rank,
        case=instance.place_case,
    )


def check_conditionals(instance: Instance, ledger: Ledger) -> None:
    """p(each value | all other units) of every unit in every state."""
    for variable in instance.model.variables:
        got = compiled_conditional(instance, variable.name)
        units = instance.table.units_of((variable.name,))
        expected = np.stack([instance.table.conditional(instance.energies, k) for k in units], axis=2)

        def case(place: tuple[int, ...], units: list[int] = units) -> Case:
            row, state, unit, value = place
            who = instance.table.units[units[unit]]
            return instance.state_case(row, state, ("unit", f"{who}, p(its value number {value} | all others)"))

        ledger.compare(
            "conditionals",
            f"p({variable.name} | all others) in every state",
            got,
            np.exp(expected),
            instance.tolerance("probability"),
            scale=instance.scale[:, :, None, None],
            rank=instance.rank[:, :, None, None],
            case=case,
        )


def compiled_conditional(instance: Instance, name: str) -> Array:
    """The program's p(each value | all others), ``(rows, states, units, values)``."""
    logits = instance.executable.evaluate(Conditional(name), instance.params, instance.table.batch)["logits"]
    found = probabilities(instance, logits, name)
    return found.reshape(instance.table.rows, instance.table.size, *found.shape[1:])


# ---- free energies -----------------------------------------------------------------------------------------


def check_free_energies(instance: Instance, ledger: Ledger) -> None:
    """F of every set of variables for which it is offered."""
    offered = offered_subsets(instance, ledger)
    for observed in offered[:MOST_SUBSETS]:
        _check_free_energy(instance, ledger, observed, instance.energies, Ensemble.PLAIN)
    if len(offered) > MOST_SUBSETS:
        ledger.skip("free energies", f"{len(offered) - MOST_SUBSETS} further subsets, to bound the cost")
    _check_annealed(instance, ledger)


def offered_subsets(instance: Instance, ledger: Ledger | None = None) -> list[tuple[str, ...]]:
    """Sets of observed variables that leave something to sum out and for which F is offered, the usual one first."""
    names = instance.names
    usual = instance.compiler.eliminable()
    sizes = range(1, len(names) + 1) if len(names) <= 5 else (1,)
    hidden = dict.fromkeys([usual, *(subset for size in sizes for subset in combinations(names, size))])
    offered: list[tuple[str, ...]] = []
    refused: list[str] = []
    for summed in (subset for subset in hidden if subset):
        observed = tuple(name for name in names if name not in summed)
        answer = instance.compiler.derive(FreeEnergy(observed))
        if isinstance(answer, Refusal):
            refused.append(f"F({', '.join(observed)})")
        else:
            offered.append(observed)
    if refused and ledger is not None:
        ledger.skip("free energies", f"{', '.join(refused)}: units that would be summed out interact")
    return offered


def _check_free_energy(
    instance: Instance, ledger: Ledger, observed: tuple[str, ...], energies: Array, ensemble: Ensemble, **more: Array
) -> None:
    table = instance.table
    given = (*observed, *table.inputs)
    state = {name: table.batch[name] for name in given} | {
        name: value for name, value in more.items() if name == "inverse_temperature"
    }
    params = instance.params | {name: value for name, value in more.items() if name not in state}
    found = instance.executable.evaluate(FreeEnergy(observed, ensemble), params, state)["free_energy"]
    got = np.broadcast_to(found, table.rows * table.size).reshape(table.rows, table.size)
    expected = table.free_energy(energies, observed)
    label = "" if ensemble is Ensemble.PLAIN else f", {ensemble.value}"
    ledger.compare(
        "free energies",
        f"F({', '.join(observed)}){label}",
        got,
        expected,
        instance.tolerance("free energy"),
        scale=1.0 + np.abs(expected),
        rank=instance.rank,
        case=instance.place_case,
    )


def _check_annealed(instance: Instance, ledger: Ledger) -> None:
    """What annealed importance sampling weighs its chains by: the energy, or F of what it does not sum out."""
    table, dtype = instance.table, instance.compiler.dtype
    summed = instance.compiler.eliminable()
    observed = tuple(name for name in instance.names if name not in summed)
    betas, fields = annealing(instance)
    beta = betas[: table.rows, None].astype(np.float64)
    energies = beta * instance.energies + (1.0 - beta) * table.base_energies(fields)
    temperature = np.repeat(betas[: table.rows], table.size)
    base = {base_name(name): np.asarray(field, dtype=dtype, order="C") for name, field in fields.items()}
    if summed:
        _check_free_energy(
            instance, ledger, observed, energies, Ensemble.ANNEALED, inverse_temperature=temperature, **base
        )
        return
    state = table.batch | {"inverse_temperature": temperature}
    got = instance.executable.evaluate(Energy(Ensemble.ANNEALED), instance.params | base, state)["energy"]
    ledger.compare(
        "energies",
        "E of all joint states, annealed",
        got.reshape(table.rows, -1),
        energies,
        instance.tolerance("energy"),
        scale=instance.scale,
        rank=instance.rank,
        case=instance.place_case,
    )


def annealing(instance: Instance, chains: int = 2) -> tuple[Array, dict[str, Array]]:
    """Random inverse temperatures in (0, 1), and random fields of the base, in the program's dtype."""
    generator = instance.stream.child("annealing").generator()
    dtype = instance.compiler.dtype
    shapes = {v.name: tuple(axis.size for axis in access_axes(v)) for v in instance.model.variables}
    fields = {name: np.asarray(generator.normal(size=shape), dtype=dtype) for name, shape in shapes.items()}
    return generator.uniform(0.1, 0.9, size=chains).astype(dtype), fields


# ---- gradients ---------------------------------------------------------------------------------------------


def check_gradients(instance: Instance, ledger: Ledger) -> None:
    """Derivatives of the weighted means of E and F in every parameter, against central differences."""
    wrt = tuple(p.name for p in instance.model.parameters)
    if not wrt:
        ledger.skip("gradients", "there are no parameters")
        return
    of = [None, *offered_subsets(instance)[:MOST_GRADIENTS]]
    generator = instance.stream.child("gradients").generator()
    weights = generator.dirichlet(np.ones(instance.energies.size))
    gradients = [_compiled_gradient(instance, observed, wrt, weights) for observed in of]
    for parameter in instance.model.parameters:
        places, along = directions(parameter, generator)
        expected = np.array([_differences(instance, of, parameter.name, d, weights) for d in along])
        for k, observed in enumerate(of):
            got = [float(np.sum(gradients[k][parameter.name] * direction)) for direction in along]
            name = "E" if observed is None else f"F({', '.join(observed)})"
            _compare_gradient(instance, ledger, f"∂{name}/∂{parameter.name}", np.array(got), expected[:, k], places)


def _compare_gradient(
    instance: Instance, ledger: Ledger, what: str, got: Array, expected: Array, places: list[str]
) -> None:
    ledger.compare(
        "gradients",
        f"{what}, weighted over all states",
        got,
        expected,
        instance.tolerance("gradient"),
        scale=1.0 + np.abs(expected),
        case=lambda place: Case((("direction", places[place[0]]),)),
        note="central differences",
    )


def _compiled_gradient(
    instance: Instance, observed: tuple[str, ...] | None, wrt: tuple[str, ...], weights: Array
) -> dict[str, Array]:
    of = Energy() if observed is None else FreeEnergy(observed)
    names = (*(instance.names if observed is None else observed), *instance.table.inputs)
    state = {name: instance.table.batch[name] for name in names}
    share = weights.astype(instance.compiler.dtype)
    found = instance.executable.evaluate(Gradient(of, wrt), instance.params, state, weights=share)
    return {name: np.asarray(value, dtype=np.float64) for name, value in found.items()}


def directions(parameter: Parameter, generator: np.random.Generator) -> tuple[list[str], list[Array]]:
    """Directions that keep the constraints of a parameter: some of its entries, and one that moves all of them."""
    shape = shape_of(parameter)
    size = int(np.prod(shape))
    flat = np.eye(size)[np.sort(generator.permutation(size)[:ENTRIES])]
    names = [f"{parameter.name}[{', '.join(map(str, np.unravel_index(int(np.argmax(e)), shape)))}]" for e in flat]
    entries = [project(parameter, e.reshape(shape)) for e in flat]
    whole = project(parameter, generator.normal(size=shape) if shape else np.asarray(1.0))
    kept = [(name, e) for name, e in zip(names, entries, strict=True) if np.any(e)]
    return [*(name for name, _ in kept), f"a random one in all entries of {parameter.name}"], [
        *(e for _, e in kept),
        np.asarray(whole),
    ]


def _differences(
    instance: Instance, of: list[tuple[str, ...] | None], name: str, direction: Array, weights: Array
) -> list[float]:
    """Central differences of the weighted means of E and of each F along a direction."""
    wide = {key: np.asarray(value, dtype=np.float64) for key, value in instance.params.items()}
    above, below = (
        instance.table.energies({**wide, name: wide[name] + sign * STEP * direction}) for sign in (1.0, -1.0)
    )
    found = []
    for observed in of:
        change = above - below
        if observed is not None:
            change = instance.table.free_energy(above, observed) - instance.table.free_energy(below, observed)
        found.append(float(weights @ change.ravel()) / (2.0 * STEP))
    return found


# ---- log Z -------------------------------------------------------------------------------------------------


def check_log_partition(instance: Instance, ledger: Ledger) -> None:
    """log Z by the program's own enumeration."""
    inputs = dict(instance.table.inputs) or None
    got = np.atleast_1d(log_partition_exact(instance.executable, instance.params, inputs).value)
    expected = -instance.table.free_energy(instance.energies, ())[:, 0]
    ledger.compare(
        "log partition",
        "log Z by enumeration of what is not summed out",
        got,
        expected,
        instance.tolerance("free energy"),
        scale=1.0 + np.abs(expected),
        case=lambda place: instance.state_case(place[0], 0),
    )
