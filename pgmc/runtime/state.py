"""Data, states and parameters: checked, and converted to what kernels take.

Kernels index arrays without checks, so whatever reaches them passes through here. A message says which array is wrong,
what was expected, and the first bad index with its value.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from pgmc.errors import ArgumentError, DataError
from pgmc.ir.constraints import project
from pgmc.ir.model import Model
from pgmc.ir.symbols import (
    Binary,
    Categorical,
    Count,
    Domain,
    Input,
    Parameter,
    Positive,
    Real,
    Spin,
    Symbol,
    Variable,
    is_per_example,
    shape_of,
)
from pgmc.runtime.groups import group_place, group_units, place_units
from pgmc.runtime.kernels import Array, Dtype, first_sites, state_dtype
from pgmc.runtime.streams import Stream, draw_multinomial, draw_poisson, random_words, unit_normals

WORDS_AT_ONCE = 1 << 22
"""Random words that the starts of chains are drawn from together."""


def encode_params(
    model: Model, params: Mapping[str, Any], dtype: Dtype, *, with_guide: bool = False
) -> dict[str, Array]:
    """The parameters as kernels take them.

    Parameters
    ----------
    model
        The model that declares them.
    params
        Name -> numbers of the declared shape, one entry for each parameter.
    dtype
        The program's dtype.
    with_guide
        Whether the guide's parameters are wanted, too. Otherwise they may be given and are left out.

    Returns
    -------
    dict of str to ndarray
        C-contiguous arrays of ``dtype``, projected onto the constraints symmetric, zero diagonal and mask. An array
        that is already as wanted is not copied.

    Raises
    ------
    DataError
        If a parameter is missing or unknown, has another shape, is not finite, or not positive where it must be.
    """
    trained = {parameter.name: parameter for parameter in model.trained}
    declared = {parameter.name: parameter for parameter in model.parameters}
    check_names("params", params, trained, required=trained if with_guide else declared)
    encoded = {}
    for name, parameter in (trained if with_guide else declared).items():
        array = _numbers(parameter, params[name])
        if array.shape != shape_of(parameter):
            raise DataError(f"{label(parameter)}: expected the shape {shape_of(parameter)}, got {array.shape}.")
        with np.errstate(over="ignore"):  # what overflows is found by the next check
            array = np.asarray(array, dtype=dtype, order="C")
        _check_values(parameter, array, np.isfinite(array), f"finite {dtype} numbers")
        if parameter.constraint.positive:
            _check_values(parameter, array, array > 0, "positive numbers")
        encoded[name] = np.asarray(project(parameter, array), order="C")
    return encoded


def encode_state(
    model: Model,
    state: Mapping[str, Any],
    names: Collection[str],
    dtype: Dtype,
    *,
    copy: bool = False,
) -> dict[str, Array]:
    """States, data or inputs as kernels take them.

    Parameters
    ----------
    model
        The model that declares the variables and inputs.
    state
        Name -> ``(n, *shape)``: 0 and 1 for binary variables, -1 and +1 for spins, integers from 0 to K-1 for
        categorical ones, finite numbers otherwise. Any integer, boolean or floating dtype.
    names
        The variables and inputs that are wanted; arrays of others are ignored.
    dtype
        The program's dtype.
    copy
        Whether the arrays must be new ones; otherwise one that is already as wanted is not copied.

    Returns
    -------
    dict of str to ndarray
        C-contiguous arrays ``(n, *shape)``: int64 codes for categorical symbols, ``dtype`` otherwise.

    Raises
    ------
    DataError
        If an array is missing or unknown, has another shape or number of rows, or holds a value out of range.
    """
    declared = {symbol.name: symbol for symbol in model.symbols if is_per_example(symbol)}
    check_names("the state", state, declared, required=names)
    encoded: dict[str, Array] = {}
    for name in names:
        array = encode_values(declared[name], state[name], ("n",), dtype)
        if encoded and len(array) != len(next(iter(encoded.values()))):
            first = next(iter(encoded))
            raise DataError(
                f"{label(declared[name])}: {len(array)} rows, but {first} has {len(encoded[first])}. "
                "All arrays need the same number of rows."
            )
        encoded[name] = np.array(array) if copy and np.may_share_memory(array, state[name]) else array
    check_given_totals(model, encoded)
    return encoded


def check_given_totals(model: Model, encoded: Mapping[str, Array]) -> None:
    """Raises DataError where counts do not add up to the input that is their total."""
    for variable in model.variables:
        total = variable.domain.total if isinstance(variable.domain, Count) else None
        if isinstance(total, str) and total in encoded:
            symbol = next(i for i in model.inputs if i.name == total)
            given = encoded[total]
            _check_values(symbol, given, (given >= 0) & (given == np.floor(given)), "totals 0, 1, 2, …")
            if variable.name in encoded:
                check_total(variable, encoded[variable.name], given, partial=False)


def check_total(variable: Variable, array: Array, total: int | Array, partial: bool) -> None:
    """Raises DataError where counts along the last axis do not add up to the total, or exceed it if ``partial``."""
    sums = array.sum(axis=-1)
    wrong = sums > total if partial else sums != total
    if np.any(wrong):
        place = _first(np.atleast_1d(wrong))
        wanted = np.broadcast_to(total, np.shape(sums)).reshape(np.atleast_1d(sums).shape)[place]
        most = "at most " if partial else ""
        raise DataError(
            f"{label(variable)}: the counts of row {', '.join(map(str, place))} add up to "
            f"{np.atleast_1d(sums)[place]:g}, not to {most}{wanted:g}. "
            "Give data with that total, or the total that they have."
        )


def encode_values(
    symbol: Symbol, value: Any, leading: tuple[str, ...], dtype: Dtype, *, partial: bool = False
) -> Array:
    """The values of one variable or input, with ``len(leading)`` axes before its shape.

    ``partial`` says that some entries stand for values still to be drawn: counts then add up to their total at most.
    """
    array = _numbers(symbol, value)
    shape = shape_of(symbol)
    rank = len(leading) + len(shape)
    if array.ndim != rank or array.shape[len(leading) :] != shape:
        wanted = ", ".join([*leading, *map(str, shape)])
        raise DataError(
            f"{label(symbol)}: expected the shape ({wanted}), got {array.shape}.{_shape_hint(array, shape)}"
        )
    if leading and len(array) == 0:
        raise DataError(f"{label(symbol)}: the array has no rows. At least one is needed.")
    _check_domain(symbol, array)
    if isinstance(symbol, Variable) and symbol.exclusive:
        _check_exclusive(symbol, array)
    if isinstance(symbol, Variable) and isinstance(symbol.domain, Count) and isinstance(symbol.domain.total, int):
        check_total(symbol, array, symbol.domain.total, partial)
    return np.asarray(array, dtype=state_dtype(symbol, dtype), order="C")


def decode_state(model: Model, state: Mapping[str, Array]) -> dict[str, Array]:
    """States as users see them: int8 for binary and spin variables, the smallest integers that hold the codes."""
    symbols = {symbol.name: symbol for symbol in model.symbols}
    return {name: array.astype(decoded_dtype(symbols[name], array.dtype)) for name, array in state.items()}


def decoded_dtype(symbol: Symbol, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which users see a variable or an input."""
    match getattr(symbol, "domain", None):
        case Binary() | Spin():
            return np.dtype(np.int8)
        case Count():
            return np.dtype(np.int64)
        case Categorical(states):
            return np.min_scalar_type(-states)  # signed: differences of codes must not wrap
        case _:
            return dtype


def random_state(
    model: Model, chains: int, stream: Stream, dtype: Dtype, names: Collection[str] | None = None
) -> dict[str, Array]:
    """Independent states to start chains from; chain k's does not depend on the number of chains.

    Discrete units are uniform, real ones normal with mean 0 and variance 1, positive ones the exponentials of
    such.
    """
    sites = first_sites(model)
    wanted = [v for v in model.variables if names is None or v.name in names]
    return {v.name: _start_values(v, chains, sites[v.name], stream, dtype) for v in wanted}


def _start_values(variable: Variable, chains: int, site: int, stream: Stream, dtype: Dtype) -> Array:
    """A few chains at a time: what they are drawn from takes several times the memory of a state."""
    step = max(1, WORDS_AT_ONCE // math.prod(shape_of(variable)))
    parts = [
        _uniform_values(variable, np.arange(first, min(first + step, chains)), site, stream, dtype)
        for first in range(0, chains, step)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _uniform_values(variable: Variable, chains: Array, site: int, stream: Stream, dtype: Dtype) -> Array:
    shape = shape_of(variable)
    sites = site + np.arange(math.prod(shape))
    words = random_words(stream.key, chains, 0, sites).reshape(len(chains), *shape)
    match variable.domain:
        case Binary() if variable.exclusive:
            own = group_units(words, variable)
            count = np.uint64(own.shape[-1] + 1)
            codes = ((own[..., 0] >> np.uint64(32)) * count) >> np.uint64(32)  # 0 is all off
            on = codes[..., None] == 1 + np.arange(own.shape[-1])
            return place_units(on, variable).astype(dtype)
        case Binary():
            return (words >> np.uint64(63)).astype(dtype)
        case Spin():
            return (2 * (words >> np.uint64(63)).astype(np.int8) - 1).astype(dtype)
        case Categorical(states):
            # The upper half of the word times K, over 2^32: the bias is below K / 2^32.
            return (((words >> np.uint64(32)) * np.uint64(states)) >> np.uint64(32)).astype(np.int64)
        case Count(None):
            return draw_poisson(np.zeros(words.shape), words).astype(dtype)
        case Count(total):
            # Where the total is an input the start has no counts yet: the first sweep draws them.
            draws = group_units(words, variable)
            totals = np.full(draws.shape[:2], total if isinstance(total, int) else 0)
            counts = draw_multinomial(np.zeros(draws.shape), totals, draws[..., 0])
            return place_units(counts, variable).astype(dtype)
        case Real() | Positive():
            normals = unit_normals(stream.key, chains, 0, sites, dtype).reshape(len(chains), *shape)
            return (np.exp(normals) if isinstance(variable.domain, Positive) else normals).astype(dtype)
        case _:
            raise ArgumentError(f"{label(variable)}: there is no default start for it. Give one in init=.")


# ---- checks ----------------------------------------------------------------------------------------------


def label(symbol: Symbol) -> str:
    """The object of a message and where the user declared it."""
    kind = type(symbol).__name__.lower()
    if isinstance(symbol, Variable | Input):
        kind = f"{symbol.domain} {kind}"
    origin = getattr(symbol, "origin", None)
    return f"{symbol.name} ({kind}{f', declared at {origin}' if origin else ''})"


def check_names(
    what: str, given: Mapping[str, Any], declared: Mapping[str, Symbol], *, required: Collection[str] = ()
) -> None:
    """Raises DataError for a name that is not declared, or a required one that is not given."""
    if not isinstance(given, Mapping):
        raise DataError(f"{what}: expected a dictionary of name -> array, got {type(given).__name__}.")
    missing = [name for name in required if name not in given]
    for name in given:
        if name not in declared:
            names = {other.lower(): other for other in missing or declared}
            close = difflib.get_close_matches(str(name).lower(), names, n=1)
            hint = f"Did you mean {names[close[0]]!r}?" if close else f"Known: {', '.join(declared) or 'none'}."
            raise DataError(f"{what}: {name!r} is not a name of this model that belongs here. {hint}")
    if missing:
        symbol = label(declared[missing[0]])
        raise DataError(f"{what}: there is no array for {symbol}. Given: {', '.join(given) or 'nothing'}.")


def _numbers(symbol: Symbol, value: Any) -> Array:
    """The value as an array of numbers, in native byte order."""
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        raise DataError(f"{label(symbol)}: sparse arrays are not accepted. Pass .toarray().")
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        index = _first(np.ma.getmaskarray(value))
        raise DataError(
            f"{label(symbol)}: the entry at {index} is masked. Masked entries have a meaning in clamp= only; "
            "pass .filled() or drop those rows."
        )
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataError(f"{label(symbol)}: not an array: {error}") from error
    if array.dtype.kind not in "biuf":
        raise DataError(f"{label(symbol)}: expected numbers, got an array of dtype {array.dtype}.")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _check_domain(symbol: Symbol, array: Array) -> None:
    domain: Domain | None = getattr(symbol, "domain", None)
    match domain:
        case Binary():
            _check_values(symbol, array, (array == 0) | (array == 1), "0 or 1")
        case Spin():
            _check_values(symbol, array, (array == 1) | (array == -1), "-1 or +1")
        case Count():
            _check_values(symbol, array, (array >= 0) & (array == np.floor(array)), "counts 0, 1, 2, …")
        case Categorical(states):
            valid = (array >= 0) & (array < states)
            if array.dtype.kind == "f":
                valid &= array == np.floor(array)
            _check_values(symbol, array, valid, f"integers from 0 to {states - 1}")
        case Positive():
            _check_values(symbol, array, np.isfinite(array) & (array > 0), "finite numbers above 0")
        case _:
            _check_values(symbol, array, np.isfinite(array), "finite numbers")


def _check_values(symbol: Symbol, array: Array, valid: Array, expected: str) -> None:
    if not valid.all():
        index = _first(~valid)
        where = f" at {index}" if index else ""
        hint = ""
        if isinstance(getattr(symbol, "domain", None), Binary | Spin) and not isinstance(symbol, Parameter):
            hint = " pgmc.binarize turns intensities into binary data."
        raise DataError(f"{label(symbol)}: expected {expected}, got {array[index]}{where}.{hint}")


def _check_exclusive(variable: Variable, array: Array) -> None:
    """At most one unit is on in every block."""
    on = (group_units(array, variable) == 1).sum(axis=-1)
    if (on > 1).any():
        *row, group = _first(on > 1)
        shape, place = "x".join(map(str, variable.exclusive)), group_place(variable, group)
        where = f" of row {row[0]}" if row else ""
        raise DataError(
            f"{label(variable)}: {on[(*row, group)]} units are on in the {shape} block that starts at {place}{where}. "
            "At most one unit of a block is on; keep the largest of each block, for example."
        )


def _first(mask: Array) -> tuple[int, ...]:
    """The index of the first true entry."""
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(mask)), mask.shape))


def _shape_hint(array: Array, shape: tuple[int, ...]) -> str:
    if array.shape == shape:
        return " A single example needs a leading axis: pass array[None]."
    if array.ndim > 0 and math.prod(array.shape[1:]) == math.prod(shape):
        return f" Reshape it to ({len(array)}, {', '.join(map(str, shape))})." if shape else ""
    return ""
