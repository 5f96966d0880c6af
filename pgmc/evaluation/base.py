"""The independent units that annealing starts from: their fields, and log Z in closed form."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import DataError, IntractableError
from pgmc.ir.model import Model
from pgmc.ir.slice_steps import SMALLEST
from pgmc.ir.symbols import Binary, Categorical, Count, Positive, Real, Spin, Variable, access_axes, shape_of
from pgmc.runtime.groups import group_units, place_units
from pgmc.runtime.streams import Stream

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]


def base_name(variable: str) -> str:
    """The name of the parameter that holds the base's fields of a variable."""
    return f"base_{variable}"


def precision_name(variable: str) -> str:
    """The name of the parameter that holds the precisions of the base of a real variable."""
    return f"precision_base_{variable}"


def base_fields(model: Model, dtype: str, data: Arrays | None = None) -> dict[str, Array]:
    """Fields of independent units: 0 (uniform), or matched to the means of data.

    A binary unit with smoothed mean m has the field log(m / (1 - m)), a spin half of that with m = P(+1),
    a categorical unit the logarithms of its smoothed frequencies, a unit of an exclusive block log(m / m₀), where m₀ is
    the smoothed frequency of all off. Half an observation of each state is
    added to the counts, so that a unit that never changes in the data keeps a finite field. A real unit is normal: of
    mean 0 and variance 1, or those of the data, one observation at the mean ± 1 added to them. A positive
    unit is exponential, with minus its rate as the field.

    Parameters
    ----------
    model
        The model whose variables the base is over.
    dtype
        ``"float32"`` or ``"float64"``.
    data
        Name of some of the variables -> ``(n, *shape)``. The others get uniform units.

    Returns
    -------
    dict
        ``base_<variable>`` -> array of the variable's shape, the states last for a categorical one;
        ``precision_base_<variable>`` for real variables, whose field is the precision times the mean.

    References
    ----------
    Salakhutdinov and Murray (2008), section 4.2: the base-rate model.
    """
    found: dict[str, Array] = {}
    for v in model.variables:
        values = None if data is None else data.get(v.name)
        if isinstance(v.domain, Positive):
            found[base_name(v.name)] = -1.0 / (np.ones(shape_of(v)) if values is None else values.mean(axis=0))
        elif isinstance(v.domain, Real):
            precision = _precisions(v, values)
            found[precision_name(v.name)] = precision
            found[base_name(v.name)] = precision * (0.0 if values is None else values.mean(axis=0))
        else:
            found[base_name(v.name)] = _fields(v, values)
    return {name: np.asarray(value, dtype=dtype, order="C") for name, value in found.items()}


def _precisions(variable: Variable, values: Array | None) -> Array:
    if values is None:
        return np.ones(shape_of(variable))
    wide = values.astype(np.float64)
    return np.asarray((len(wide) + 1.0) / (((wide - wide.mean(axis=0)) ** 2).sum(axis=0) + 1.0))


def _fields(variable: Variable, values: Array | None) -> Array:
    if not isinstance(variable.domain, Binary | Spin | Categorical | Count):
        raise IntractableError(
            f"{variable.name}: annealing starts from independent units of a known law, and this one is "
            f"{variable.domain}."
        )
    if values is None:
        return np.zeros([axis.size for axis in access_axes(variable)])
    match variable.domain:
        case Binary() if variable.exclusive:
            on = group_units((values == 1).sum(axis=0) + 0.5, variable)
            off = len(values) + 0.5 - (on - 0.5).sum(axis=-1, keepdims=True)
            return place_units(np.log(on / off), variable)
        case Count():
            mean = values.mean(axis=0) + 0.5 / len(values)
            return np.asarray(np.log(mean))
        case Categorical(states):
            counts = np.stack([(values == k).sum(axis=0) for k in range(states)], axis=-1) + 0.5
            return np.asarray(np.log(counts / counts.sum(axis=-1, keepdims=True)))
        case _:
            on = (values == 1).sum(axis=0) + 0.5
            odds = np.log(on / (len(values) + 1.0 - on))
            return np.asarray(0.5 * odds if isinstance(variable.domain, Spin) else odds)


def _totals(variable: Variable, inputs: Arrays | None) -> Any:
    assert isinstance(variable.domain, Count)
    return inputs[variable.domain.total] if inputs and isinstance(variable.domain.total, str) else variable.domain.total


_log_factorial = np.vectorize(lambda n: math.lgamma(n + 1.0), otypes=[np.float64])


def check_base(model: Model, fields: Arrays, dtype: str) -> dict[str, Array]:
    """The user's fields in the program's type, with uniform units for the variables that have none.

    Raises
    ------
    DataError
        If a name is unknown, or a shape is wrong, or a value is not finite.
    """
    checked = base_fields(model, dtype)
    names = {v.name for v in model.variables}
    for name, given in fields.items():
        if name not in names:
            raise DataError(f"base: {name!r} is not a variable of the model; its variables are {sorted(names)}.")
        array = np.asarray(given, dtype=dtype)
        wanted = checked[base_name(name)].shape
        if array.shape != wanted or not np.isfinite(array).all():
            raise DataError(f"base: {name} needs finite fields of shape {wanted}, got shape {array.shape}.")
        checked[base_name(name)] = np.asarray(array, order="C")
    return checked


def draw_continuous_base(variables: Sequence[Variable], fields: Arrays, rows: int, stream: Stream) -> dict[str, Array]:
    """Independent draws of real and positive variables from the base, ``(rows, *shape)``."""
    found: dict[str, Array] = {}
    for v in variables:
        generator, field = stream.child(v.name).generator(), np.asarray(fields[base_name(v.name)], dtype=np.float64)
        size = (rows, *shape_of(v))
        if isinstance(v.domain, Positive):
            found[v.name] = np.maximum(generator.exponential(size=size) / -field, SMALLEST)
        else:
            precision = np.asarray(fields[precision_name(v.name)], dtype=np.float64)
            found[v.name] = field / precision + generator.normal(size=size) / np.sqrt(precision)
    return found


def base_log_partition(model: Model, fields: Arrays, inputs: Arrays | None = None) -> Any:
    """log Z of the base, in nats: the sum over units of the log of the sum over states.

    A number; one for each row of inputs, ``(n,)``, where an input is the total of counts.
    """
    total: Any = 0.0
    for variable in model.variables:
        field = np.asarray(fields[base_name(variable.name)], dtype=np.float64)
        match variable.domain:
            case Binary() if variable.exclusive:
                own = group_units(field, variable)
                total += float(np.logaddexp(0.0, np.logaddexp.reduce(own, axis=-1)).sum())
            case Categorical():
                total += float(np.logaddexp.reduce(field, axis=-1).sum())
            case Spin():
                total += float(np.logaddexp(field, -field).sum())
            case Count(None):
                total += float(np.exp(field).sum())
            case Count():
                each = np.logaddexp.reduce(field, axis=-1)
                n = np.asarray(_totals(variable, inputs), dtype=np.float64)
                own = n * each - _log_factorial(n)
                shared = n.ndim > 0 and isinstance(variable.domain.total, str)
                total = total + (own.reshape(len(n), -1).sum(axis=1) if shared else float(own.sum()))
            case Positive():
                total -= float(np.log(-field).sum())
            case Real():
                precision = np.asarray(fields[precision_name(variable.name)], dtype=np.float64)
                total += float((field**2 / precision + np.log(2.0 * np.pi / precision)).sum() / 2.0)
            case _:
                total += float(np.logaddexp(0.0, field).sum())
    return total
