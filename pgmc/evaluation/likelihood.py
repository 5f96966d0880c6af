"""log Z by whichever method suits the model, and the log-likelihood of data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError, DataError, IntractableError
from pgmc.evaluation.ais import Direction, estimate_log_partition_ais
from pgmc.evaluation.estimates import LogPartition, Number
from pgmc.evaluation.exact import check_exact, log_partition_exact
from pgmc.evaluation.ladder import estimate_log_partition_tempering
from pgmc.ir.queries import Energy, FreeEnergy

if TYPE_CHECKING:
    from pgmc.runtime.executable import Executable

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]

AUTO_STATES = 1 << 20
"""``method="auto"`` enumerates up to this many states: about a second."""

METHODS = ("auto", "exact", "ais", "reverse-ais", "tempering")


def estimate_log_partition(
    executable: Executable,
    params: Arrays,
    inputs: Arrays | None = None,
    method: str = "auto",
    **options: Any,
) -> LogPartition:
    """log Z = log Σ_x exp(-E(x)), in nats. Directed factors are normalised, so only variables without one count.

    Parameters
    ----------
    executable
        The compiled model.
    params
        Parameter arrays of the declared shapes.
    inputs
        For a conditional model, name -> ``(n, *shape)``; the result then has one value per row.
    method
        ``"exact"`` (enumeration of what cannot be summed out), ``"ais"``, ``"reverse-ais"``, ``"tempering"``
        (the ratios along a ladder of replicas), or ``"auto"``: exact up to 2^20 joint states, annealed importance
        sampling above.
    options
        Passed on: ``chains, betas, data, base, start, burn_in, seed, threads, progress`` to annealed
        importance sampling, ``chains, betas, sweeps, burn_in, seed, threads, progress`` to tempering, ``limit,
        threads`` to enumeration. ``"auto"`` takes both and passes on what
        applies.

    Returns
    -------
    LogPartition
        ``.value``, ``.std_error``, ``.method`` and what else the method knows of its error.

    Raises
    ------
    ArgumentError
        If the method is unknown, or an option is not one of the method's.
    DataError
        If the model has inputs and none are given, or rows are missing.
    IntractableError
        If ``"exact"`` is asked for and there are too many states.
    """
    if executable.model.factors:
        return _of_undirected_part(executable, params, inputs, method, options)
    if method not in METHODS:
        raise ArgumentError(f"method must be one of {', '.join(map(repr, METHODS))}, got {method!r}.")
    _check_inputs(executable, inputs)
    allowed = {
        "exact": EXACT_OPTIONS,
        "auto": EXACT_OPTIONS | AIS_OPTIONS,
        "tempering": TEMPERING_OPTIONS,
    }.get(method, AIS_OPTIONS)
    unknown = sorted(set(options) - allowed)
    if unknown:
        raise ArgumentError(f"method {method!r} has no option {unknown[0]!r}; it takes {', '.join(sorted(allowed))}.")
    if method == "auto":
        method = _choose(executable, int(options.get("limit", AUTO_STATES)))
        options = {k: v for k, v in options.items() if k in (EXACT_OPTIONS if method == "exact" else AIS_OPTIONS)}
    if method == "exact":
        return log_partition_exact(executable, params, inputs, **options)
    if method == "tempering":
        return estimate_log_partition_tempering(executable, params, inputs, **options)
    direction: Direction = "reverse-ais" if method == "reverse-ais" else "ais"
    return estimate_log_partition_ais(executable, params, inputs, method=direction, **options)


def _of_undirected_part(
    executable: Executable, params: Arrays, inputs: Arrays | None, method: str, options: dict[str, Any]
) -> LogPartition:
    """log Z of the energy alone: 0 if every variable has a directed factor."""
    part = executable.undirected()
    if part is None:
        rows = len(next(iter(inputs.values()))) if inputs else None
        return LogPartition(0.0 if rows is None else np.zeros(rows), 0.0 if rows is None else np.zeros(rows), "exact")
    symbols = {symbol.name for symbol in part.model.symbols}
    if "data" in options:
        options = options | {"data": _restricted(options["data"], symbols) or None}
    return estimate_log_partition(
        part, _restricted(params, symbols), _restricted(inputs or {}, symbols) or None, method, **options
    )


def _restricted(arrays: Arrays | None, names: set[str]) -> dict[str, Array]:
    return {name: values for name, values in (arrays or {}).items() if name in names}


EXACT_OPTIONS = frozenset({"limit", "threads"})
TEMPERING_OPTIONS = frozenset({"chains", "betas", "sweeps", "burn_in", "seed", "threads", "progress"})
AIS_OPTIONS = frozenset({"chains", "betas", "data", "base", "start", "burn_in", "seed", "threads", "progress"})


def _choose(executable: Executable, limit: int) -> str:
    try:
        check_exact(executable, limit)
    except IntractableError:
        return "ais"
    return "exact"


def _check_inputs(executable: Executable, inputs: Arrays | None) -> None:
    wanted = {symbol.name for symbol in executable.model.inputs}
    given = set(inputs or {})
    if wanted != given:
        raise DataError(
            f"log Z of model {executable.model.name!r} depends on the inputs {sorted(wanted)}; "
            f"given were {sorted(given)}."
        )
    if len({len(values) for values in (inputs or {}).values()}) > 1:
        raise DataError("inputs must have the same number of rows each.")


def log_likelihood(
    executable: Executable,
    params: Arrays,
    data: Arrays,
    log_z: Number | LogPartition | None = None,
    *,
    threads: int | None = None,
) -> Array:
    """log p(data) = -F(data) - log Z of each row, in nats.

    Parameters
    ----------
    executable
        The compiled model.
    params
        Parameter arrays of the declared shapes.
    data
        Name of the observed variables and of all inputs -> ``(n, *shape)`` in the run time's types.
        Variables that are left out are summed out.
    log_z
        log Z: a number, ``(n,)`` numbers for a conditional model, or a ``LogPartition``. Without it, it is estimated
        with ``method="auto"``, where annealing starts from a base that is matched to the data.

    Returns
    -------
    ndarray
        ``(n,)`` float64. The error of ``log_z`` is common to all rows.

    Raises
    ------
    IntractableError
        If the free energy of these variables has no tractable form.
    """
    names = {symbol.name for symbol in executable.model.inputs}
    if log_z is None:
        inputs = {name: data[name] for name in names} or None
        observed = {name: values for name, values in data.items() if name not in names}
        log_z = estimate_log_partition(executable, params, inputs, data=observed, threads=threads)
    value = log_z.value if isinstance(log_z, LogPartition) else log_z
    energies = observed_energy(executable, params, data, threads=threads)
    if np.ndim(value) > 0 and np.shape(value) != energies.shape:
        raise DataError(f"log_z has shape {np.shape(value)}, the data have {len(energies)} rows.")
    return np.asarray(-energies - value)


def observed_energy(executable: Executable, params: Arrays, data: Arrays, *, threads: int | None = None) -> Array:
    """F of the data, ``(n,)`` in nats: the free energy of the variables named, their energy if all are."""
    observed = tuple(v.name for v in executable.model.variables if v.name in data)
    if len(observed) == len(executable.model.variables):
        return np.asarray(executable.evaluate(Energy(), params, dict(data), threads=threads)["energy"])
    answer = executable.evaluate(FreeEnergy(observed), params, dict(data), threads=threads)
    return np.asarray(answer["free_energy"])
