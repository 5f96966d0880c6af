"""Discrete Bayesian networks from files in BIF, as repositories of such networks keep them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from pgmc.dsl.distributions import Categorical
from pgmc.dsl.expression import Expression
from pgmc.dsl.index_notation import indices
from pgmc.dsl.model import Model
from pgmc.dsl.names import is_name, is_reserved
from pgmc.errors import DataError
from pgmc.interchange.models.bif_syntax import Network, Table, parse_bif
from pgmc.interchange.models.imported import Imported

LOG_OF_ZERO = -1000.0
"""The logarithm that stands for that of 0; its exponential is 0 in float32 and in float64."""

ROUNDING = 0.01
"""By how much the probabilities of a row may miss 1."""


def read_bif(path: str | os.PathLike[str]) -> Imported:
    """The network of a ``.bif`` file: p(x) = Π_a p(x_a | parents of a), each factor a table.

    A variable is categorical and keeps its name, other characters than letters, digits and ``_`` replaced by ``_``.
    Its parameter ``logits_NAME`` holds log p, an axis for each parent and the states last; probability 0 is stored
    as ``-1000``. Rows that miss 1 by rounding are normalised.

    Parameters
    ----------
    path
        A file in the syntax of version 0.15, tables given row by row, as a whole, or with a default.

    Returns
    -------
    Imported
        ``model``, ``params``, and ``labels``: name of each variable -> the names of its states, in order.

    Raises
    ------
    DataError
        If the file cannot be read; the message names the line.

    Examples
    --------
    >>> m, params, states = pgmc.read_bif("asia.bif")
    >>> samples = pgmc.compile(m).sample(params, chains=1000)
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{os.fspath(path)} cannot be read: {error}.") from None
    network = parse_bif(text, os.fspath(path))
    _check_tables(network, os.fspath(path))
    return _build(network)


def _check_tables(network: Network, source: str) -> None:
    """Every variable has one table of probabilities, whose rows add up to 1."""
    if not network.states:
        raise DataError(f"{source}: there are no variables in it.")
    for name in network.states:
        if name not in network.tables:
            raise DataError(f"{source}: variable {name} has no probabilities.")
    for table in network.tables.values():
        totals = table.values.sum(axis=-1)
        if not (table.values >= 0).all() or not (np.abs(totals - 1) <= ROUNDING).all():
            row = np.argwhere(~(np.abs(totals - 1) <= ROUNDING) | ~(table.values >= 0).all(axis=-1))[0]
            states = ", ".join(network.states[p][k] for p, k in zip(table.parents, row, strict=True))
            where = f" given {states}" if states else ""
            raise DataError(
                f"{source}:{table.line}  p({table.child}{where}) is {table.values[tuple(row)].tolist()}: expected "
                "probabilities that add up to 1 for every row."
            )


def _build(network: Network) -> Imported:
    names = _names(network)
    m = Model(_valid(network.name, "network"))
    units = {name: m.categorical(names[name], states=len(states)) for name, states in network.states.items()}
    params: dict[str, Any] = {}
    for table in _parents_first(network):
        label = f"logits_{names[table.child]}"
        logits = m.param(label, table.values.shape)
        with np.errstate(divide="ignore"):
            log = np.log(table.values / table.values.sum(axis=-1, keepdims=True))
        params[label] = np.maximum(log, LOG_OF_ZERO)
        _add_factor(m, units[table.child], [units[parent] for parent in table.parents], logits)
    return Imported(m, params, {names[name]: states for name, states in network.states.items()})


def _add_factor(m: Model, child: Expression, parents: list[Expression], logits: Expression) -> None:
    """logits[i, j, ..., k] · first[i] · second[j] · ...: the row of the table that the parents choose."""
    state = indices("k")
    rows = [indices(f"i{number}") for number in range(len(parents))]
    value = logits[(*rows, state)]
    for parent, row in zip(parents, rows, strict=True):
        value = value * parent[row]
    m.directed(child[state], Categorical(logits=value))


def _parents_first(network: Network) -> list[Table]:
    """The tables, each after those of its parents; declaring a factor finds circles."""
    placed: dict[str, Table] = {}
    waiting = [network.tables[name] for name in network.states]
    while waiting:
        ready = [table for table in waiting if all(parent in placed for parent in table.parents)] or waiting
        placed |= {table.child: table for table in ready}
        waiting = [table for table in waiting if table.child not in placed]
    return list(placed.values())


def _names(network: Network) -> dict[str, str]:
    """A name of its own for each variable."""
    names: dict[str, str] = {}
    for name in network.states:
        wanted = valid = _valid(name, "x")
        number = 2
        while valid in names.values() or f"logits_{valid}" in names.values() or valid.startswith("logits_"):
            valid, number = f"{wanted.removeprefix('logits_')}_{number}", number + 1
        names[name] = valid
    return names


def _valid(name: str, otherwise: str) -> str:
    """The name as one that a specification may use."""
    cleaned = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:48]
    for candidate in (cleaned, f"{otherwise}_{cleaned}".rstrip("_")):
        if is_name(candidate) and not is_reserved(candidate):
            return candidate
    return otherwise
