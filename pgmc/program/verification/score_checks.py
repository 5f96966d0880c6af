"""Checks of scores: the loss of score matching and its gradient, against differences of the interpreted energy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.ir.answers import Computation
from pgmc.ir.queries import Energy, FreeEnergy, Gradient, ScoreLoss
from pgmc.ir.rewrite import walk
from pgmc.program.verification.mixed import MixedInstance, Place, everywhere
from pgmc.program.verification.report import Case, Ledger
from pgmc.program.verification.values import directions

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

STEP, PARAMETER_STEP = 2.0**-7, 2.0**-10
"""Of units and of parameters: the error of a difference of five points is their fourth power."""

LOSS, GRADIENT = {"float64": 1e-7, "float32": 1e-4}, {"float64": 1e-5, "float32": 1e-3}
"""Tolerances: the expected values are differences of differences."""

MOST_NODES = 2000
"""The gradient of a loss of more nodes than that has tens of thousands, and takes a minute to derive and compile."""


def check_scores(instance: MixedInstance, ledger: Ledger) -> None:
    """The loss of score matching of the variables that have derivatives, all discrete ones summed out."""
    observed = tuple(name for name in instance.names if not instance.is_discrete(name))
    of = Energy() if len(observed) == len(instance.names) else FreeEnergy(observed)
    query = ScoreLoss(of, observed)
    answer = instance.compiler.derive(query)
    if not isinstance(answer, Computation):
        ledger.skip("scores", str(answer))
        return
    states = _inside(instance, observed)
    got = instance.executable.evaluate(query, instance.params, _given(instance, states, observed))["score_loss"]
    expected = _loss(instance, states, observed, instance.wide)
    ledger.compare(
        "scores",
        f"loss of score matching of {', '.join(observed)}",
        np.broadcast_to(got, expected.shape),
        expected,
        LOSS[instance.dtype],
        scale=1.0 + np.abs(expected),
        case=lambda place: instance.case(place[0]),
        note="differences of five points",
    )
    if sum(1 for _ in walk(answer.quantities[0].body)) > MOST_NODES:
        ledger.skip("scores", "the gradient of the loss is long; the loss is checked, its gradient is not")
        return
    _check_gradient(instance, ledger, query, states)


def _check_gradient(instance: MixedInstance, ledger: Ledger, query: ScoreLoss, states: Arrays) -> None:
    wrt = tuple(p.name for p in instance.model.parameters)
    if not wrt:
        return
    given = _given(instance, states, query.wrt)
    found = instance.executable.evaluate(Gradient(query, wrt), instance.params, given)
    generator = instance.stream.child("gradients of scores").generator()
    for parameter in instance.model.parameters:
        places, along = directions(parameter, generator)

        def mean_loss(step: float, name: str = parameter.name, along: Array = along[-1]) -> Array:
            params = {**instance.wide, name: instance.wide[name] + step * along}
            return np.array(_loss(instance, states, query.wrt, params).mean())

        got = np.array([float(np.sum(np.asarray(found[parameter.name], dtype=np.float64) * along[-1]))])
        expected = np.array([float(_slopes(mean_loss, PARAMETER_STEP)[0])])
        ledger.compare(
            "scores",
            f"∂⟨J⟩/∂{parameter.name}",
            got,
            expected,
            GRADIENT[instance.dtype],
            scale=1.0 + np.abs(expected),
            case=lambda _, places=places: Case((("direction", places[-1]),)),  # type: ignore[misc]
            note="differences of five points",
        )


def _inside(instance: MixedInstance, observed: tuple[str, ...]) -> dict[str, Array]:
    """The random states, positive units away from 0, where logarithms are steep."""
    positive = [name for name in observed if instance.is_positive(name)]
    return {**instance.states, **{name: instance.states[name] + 0.5 for name in positive}}


def _given(instance: MixedInstance, states: Arrays, observed: tuple[str, ...]) -> dict[str, Array]:
    inputs = {symbol.name for symbol in instance.model.inputs}
    return {name: values for name, values in states.items() if name in observed or name in inputs}


def _loss(instance: MixedInstance, states: Arrays, observed: tuple[str, ...], params: Arrays) -> Array:
    """Σ over the units of ½ s² - s′, weighted for positive ones, with s and s′ from differences of F."""
    hidden = [name for name in instance.names if name not in observed]
    total = np.zeros(len(next(iter(states.values()))))
    for unit in instance.units_of(observed):
        slope, bend = _slopes(lambda step, unit=unit: _moved(instance, states, unit, step, hidden, params), STEP)  # type: ignore[misc]
        if instance.is_positive(unit[0]):
            x = states[unit[0]][everywhere(unit[1])].astype(np.float64)
            total += 0.5 * x**2 * slope**2 - 2.0 * x * slope - x**2 * bend
        else:
            total += 0.5 * slope**2 - bend
    return total


def _moved(
    instance: MixedInstance, states: Arrays, unit: Place, step: float, hidden: list[str], params: Arrays
) -> Array:
    """F with one unit moved."""
    name, place = unit
    moved = states[name].astype(np.float64)
    moved[everywhere(place)] += step
    return instance.free_energy({**states, name: moved}, hidden, dict(params))


def _slopes(function: Callable[[float], Array], step: float) -> tuple[Array, Array]:
    """The first and the second derivative at 0, from five points."""
    ahead, behind = (np.stack([function(sign * k * step) for k in (1, 2)]) for sign in (1.0, -1.0))
    first = (8.0 * (ahead[0] - behind[0]) - (ahead[1] - behind[1])) / (12.0 * step)
    second = (16.0 * (ahead[0] + behind[0]) - (ahead[1] + behind[1]) - 30.0 * function(0.0)) / (12.0 * step**2)
    return first, second
