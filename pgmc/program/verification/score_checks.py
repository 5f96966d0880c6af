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

POINTS = np.arange(-2, 3)
FIRST, SECOND = np.array([1, -8, 0, 8, -1]) / 12.0, np.array([-1, 16, -30, 16, -1]) / 12.0
"""Weights of the values at five points in their derivatives."""

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

        def mean_loss(step: float, name: str = parameter.name, along: Array = along[-1]) -> float:
            params = {**instance.wide, name: instance.wide[name] + step * along}
            return float(_loss(instance, states, query.wrt, params).mean())

        got = np.array([float(np.sum(np.asarray(found[parameter.name], dtype=np.float64) * along[-1]))])
        losses = np.array([mean_loss(step) for step in PARAMETER_STEP * POINTS])
        expected = np.atleast_1d(_slopes(losses, PARAMETER_STEP)[0])
        ledger.compare(
            "scores",
            f"∂⟨J⟩/∂{parameter.name}",
            got,
            expected,
            GRADIENT[instance.dtype],
            scale=1.0 + np.abs(expected),
            case=_in_direction(places[-1]),
            note="differences of five points",
        )


def _in_direction(direction: str) -> Callable[[tuple[int, ...]], Case]:
    """The case of a derivative along a direction, wherever in its table."""
    return lambda _: Case((("direction", direction),))


def _inside(instance: MixedInstance, observed: tuple[str, ...]) -> dict[str, Array]:
    """The random states, positive units away from 0, where logarithms are steep."""
    positive = [name for name in observed if instance.is_positive(name)]
    return {**instance.states, **{name: instance.states[name] + 0.5 for name in positive}}


def _given(instance: MixedInstance, states: Arrays, observed: tuple[str, ...]) -> dict[str, Array]:
    inputs = {symbol.name for symbol in instance.model.inputs}
    return {name: values for name, values in states.items() if name in observed or name in inputs}


def _loss(instance: MixedInstance, states: Arrays, observed: tuple[str, ...], params: Arrays) -> Array:
    """Σ over the units of ½ s² - s′, weighted for positive ones, with s and s′ from differences of F."""
    units = list(instance.units_of(observed))
    total = np.zeros(len(next(iter(states.values()))))
    for unit, values in zip(units, _moved(instance, states, units, observed, params), strict=True):
        slope, bend = _slopes(values, STEP)
        if instance.is_positive(unit[0]):
            x = states[unit[0]][everywhere(unit[1])].astype(np.float64)
            total += 0.5 * x**2 * slope**2 - 2.0 * x * slope - x**2 * bend
        else:
            total += 0.5 * slope**2 - bend
    return total


def _moved(
    instance: MixedInstance, states: Arrays, units: list[Place], observed: tuple[str, ...], params: Arrays
) -> Array:
    """F with one unit moved to each of five points, ``(units, 5, rows)``, all of them in one evaluation."""
    hidden = [name for name in instance.names if name not in observed]
    rows = len(next(iter(states.values())))
    copies = 5 * len(units)
    tiled = {name: np.tile(values, (copies, *(1 for _ in values.shape[1:]))) for name, values in states.items()}
    for name in observed:
        tiled[name] = tiled[name].astype(np.float64)
    for k, (name, place) in enumerate(units):
        own = tiled[name][5 * k * rows : 5 * (k + 1) * rows]
        own[everywhere(place)] += np.repeat(STEP * POINTS, rows)
    return instance.free_energy(tiled, hidden, dict(params)).reshape(len(units), 5, rows)


def _slopes(values: Array, step: float) -> tuple[Array, Array]:
    """The first and the second derivative at 0, from the values at ``POINTS`` steps."""
    return np.tensordot(FIRST, values, 1) / step, np.tensordot(SECOND, values, 1) / step**2
