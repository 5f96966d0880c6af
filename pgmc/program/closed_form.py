"""Maximum likelihood in closed form: least squares, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.derivation.regressions import Regression, Regressor, Spread, derive_regressions
from pgmc.dsl.initial import initial_values
from pgmc.dsl.model import Model
from pgmc.errors import IntractableError, NumericsError
from pgmc.ir.answers import Refusal
from pgmc.ir.constraints import project
from pgmc.ir.definitions import expand_model
from pgmc.ir.interpret import interpret
from pgmc.ir.nodes import Index, Position, Scalar
from pgmc.ir.rewrite import affine, substitute
from pgmc.ir.symbols import is_per_example, shape_of
from pgmc.runtime.kernels import Dtype
from pgmc.runtime.state import encode_params, encode_state

Array = npt.NDArray[Any]


def fit_closed_form(
    model: Model,
    data: Mapping[str, npt.ArrayLike],
    *,
    params: Mapping[str, npt.ArrayLike] | None = None,
    dtype: Dtype = "float64",
) -> dict[str, Array]:
    """The parameters of maximum likelihood of a fully observed model of normal factors, by least squares.

    Every variable has a directed factor x[i] ~ Normal(mean, precision) whose mean is linear in its parameters, and
    every element of them belongs to one unit: mean[i] = Σ_j φ_j(data)·W[i, j] + b[i]. Each unit is then a linear
    regression, solved by itself; of several solutions the shortest is taken. The features φ may be any functions of
    other variables and of inputs. A parameter that is the precision or the scale of units is set from what is left:
    1 / mean of (x - mean)², over the rows and the units that share it.

    Parameters
    ----------
    model : Model
        The specification.
    data : mapping of str to array
        Every variable and every input, ``(n, *shape)``.
    params : mapping of str to array, optional
        Values of parameters that are declared ``fixed``; ``model.init()`` by default.
    dtype : {"float64", "float32"}
        Of the result. The equations are solved in float64.

    Returns
    -------
    dict of str to ndarray
        Every parameter of the model.

    Raises
    ------
    IntractableError
        If the likelihood has no closed form of this kind; the message says why.
    DataError
        If data are missing, or of a wrong shape or range.
    NumericsError
        If a mean fits the data exactly, so that its precision is infinite.

    References
    ----------
    Goodfellow, Bengio and Courville (2016), section 20.10.8: the linear auto-regressive net.
    """
    built = model.build()
    found = derive_regressions(expand_model(built))
    if isinstance(found, Refusal):
        raise IntractableError(f"{built.name}: {found} Use fit with ExactLikelihood().")
    names = tuple(s.name for s in built.symbols if is_per_example(s))
    state = encode_state(built, data, names, "float64")
    start = initial_values(built.trained, 0, "float64") if params is None else params
    values: dict[str, Array] = {n: np.array(v) for n, v in encode_params(built, start, "float64").items()}
    moved = {r.parameter.name for regression in found for r in regression.regressors}
    values |= {name: np.zeros_like(values[name]) for name in moved}
    for regression in found:
        _solve(regression, values, state)
    return {name: np.asarray(value, dtype=dtype) for name, value in values.items()}


def _solve(regression: Regression, values: dict[str, Array], state: Mapping[str, Array]) -> None:
    """Fills in the parameters of one factor."""
    target = state[regression.target.name]
    squares = np.zeros(target.shape[1:])
    allowed = {r.parameter.name: project(r.parameter, np.ones(shape_of(r.parameter))) for r in regression.regressors}
    columns_of_target = target.reshape(len(target), -1).T
    for unit, own in zip(product(*map(range, squares.shape)), columns_of_target, strict=True):
        where = dict(zip(regression.indices, unit, strict=True))
        wanted = own - _value(regression.mean, where, (), values, state)
        fitted = np.zeros_like(wanted)
        parts = _design(regression.regressors, where, values, state)
        if parts:
            free = np.concatenate([allowed[name][row].ravel() for name, row, _ in parts]) != 0
            columns = np.concatenate([features for *_, features in parts], axis=1)
            weights = np.ones(len(wanted))
            if regression.spread is None:
                weights = np.sqrt(_value(regression.precision, where, (), values, state))
            solution = np.zeros(len(free))
            solution[free] = np.linalg.lstsq(weights[:, None] * columns[:, free], weights * wanted, rcond=None)[0]
            fitted = columns @ solution
            _place(parts, solution, values)
        squares[unit] = np.square(wanted - fitted).mean()
    if regression.spread is not None:
        _set_spread(regression, regression.spread, squares, values)


Part = tuple[str, tuple[Any, ...], Array]
"""The name of a parameter, the place of a unit's row in it, and its features, ``(n, elements of the row)``."""


def _design(
    regressors: tuple[Regressor, ...],
    where: Mapping[Index, int],
    values: Mapping[str, Array],
    state: Mapping[str, Array],
) -> list[Part]:
    """The columns of a unit's regression; those of one parameter are added up where it stands several times."""
    found: dict[str, Part] = {}
    for r in regressors:
        name, axes = r.parameter.name, [slice(None)] * len(shape_of(r.parameter))
        row: list[Any] = list(axes)
        for slot, place in zip(r.slots, where.values(), strict=True):
            row[slot] = place
        shape = [size for k, size in enumerate(shape_of(r.parameter)) if k not in r.slots]
        features = _value(r.feature, where, r.rest, values, state, dict(zip(r.rest, shape, strict=True)))
        flat = features.reshape(len(features), -1)
        before = found[name][2] if name in found else 0.0
        found[name] = (name, tuple(row), before + flat)
    return list(found.values())


def _value(
    node: Scalar,
    where: Mapping[Index, int],
    scope: tuple[Index, ...],
    values: Mapping[str, Array],
    state: Mapping[str, Array],
    sizes: Mapping[Index, int] | None = None,
) -> Array:
    """An expression at one unit, ``(n, *sizes of scope)``."""
    places: dict[Index, Position] = {index: affine({}, place) for index, place in where.items()}
    rows = len(next(iter(state.values())))
    found = interpret(substitute(node, places), {**values, **state}, scope, sizes=sizes, examples=rows)
    return np.broadcast_to(found, (rows, *found.shape[1:]))


def _place(parts: list[Part], solution: Array, values: dict[str, Array]) -> None:
    first = 0
    for name, row, features in parts:
        count = features.shape[1]
        values[name][row] = solution[first : first + count].reshape(np.shape(values[name][row]))
        first += count


def _set_spread(regression: Regression, spread: Spread, squares: Array, values: dict[str, Array]) -> None:
    """The precision, or the scale, of the units that share each element of a parameter."""
    axes = tuple(k for k, index in enumerate(regression.indices) if index not in spread.indices)
    mean = squares.mean(axis=axes)
    order = [index for index in regression.indices if index in spread.indices]
    mean = np.transpose(mean, [order.index(index) for index in spread.indices])
    if not (mean > 0).all():
        place = tuple(int(k) for k in np.argwhere(mean <= 0)[0])
        raise NumericsError(
            f"{spread.parameter.name}: the mean of {regression.target.name} fits the data exactly"
            f"{f' at {place}' if place else ''}, so the precision is infinite. Make it a constant, or drop the unit."
        )
    values[spread.parameter.name][...] = 1.0 / mean if spread.power == 1 else np.sqrt(mean)
