"""Lists of edges: tables of places, looked up by the number of the edge."""

from __future__ import annotations

import itertools
import string
from collections.abc import Container
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.dsl.location import complaint
from pgmc.dsl.operand import Range
from pgmc.dsl.places import Place, RunningIndex
from pgmc.errors import ModelError, NotationError
from pgmc.ir.nodes import Lookup, Position, at, fresh_index
from pgmc.ir.symbols import Axis, Constant, SourceLine

Table = npt.NDArray[np.int64]


def check_edges(pairs: object) -> Table:
    """The list as an integer array ``(m, r)``: row e holds the r units that edge e joins.

    Raises
    ------
    ModelError
        If it is no such array, or an entry is negative; the message names the edge.
    """
    remedy = "Give integers of shape (m, 2), one row for each edge, such as list(graph.edges)."
    try:
        array = np.asarray(pairs)
    except ValueError:
        raise complaint(ModelError, "edges", "the rows differ in length", remedy) from None
    if array.size == 0 and array.ndim < 2:
        array = np.empty((0, 2), dtype=np.int64)
    if array.ndim != 2 or not array.shape[1]:
        reason = f"the list has the shape {array.shape}, not one row for each edge"
        raise complaint(ModelError, "edges", reason, remedy)
    if array.size and array.dtype.kind not in "iu":
        raise complaint(ModelError, "edges", f"the entries are {array.dtype}, not integers", remedy)
    if array.size and (array < 0).any():
        row = int(np.argmax((array < 0).any(axis=1)))
        reason = f"edge {row} joins {_row(array, row)}, and units are numbered from 0"
        raise complaint(ModelError, "edges", reason, "Number the units from 0.")
    return np.asarray(array, dtype=np.int64)


def make_tables(array: Table, taken: Container[str], origin: SourceLine) -> tuple[Constant, ...]:
    """One table for each column, under names that are not taken; equations show them as a, b, c ..."""
    letters = string.ascii_lowercase
    number = next(k for k in itertools.count(1) if f"edges_{k}_0" not in taken)
    tables: list[Constant] = []
    for column in range(array.shape[1]):
        values = np.ascontiguousarray(array[:, column])
        values.flags.writeable = False
        shown = letters[column % 26] + (str(number) if number > 1 else "")
        tables.append(Constant(f"edges_{number}_{column}", (Axis(len(values)),), values, shown, origin))
    return tuple(tables)


def edge_places(tables: tuple[Constant, ...]) -> tuple[Any, ...]:
    """The running number of an edge, and the places that it joins."""
    index = fresh_index("e", (tables[0].name, 0))
    columns = (Place(Position(((Lookup(table, (at(index),)), 1),)), f"{table.shown}[e]") for table in tables)
    return (RunningIndex(index), *columns)


def lookup_ranges(place: Position) -> dict[Any, tuple[Range, ...]]:
    """What the indices within lookups run over: the rows of the tables."""
    found: dict[Any, tuple[Range, ...]] = {}
    for lookup in (atom for atom, _ in place.terms if isinstance(atom, Lookup)):
        for axis, position in enumerate(lookup.positions):
            if position.index is not None:
                here = Range(lookup.table.axes[axis].size, axis, "the list of edges", lookup.table)
                found[position.index] = (*found.get(position.index, ()), here)
    return found


def check_ends(place: Position, size: int, axis: int, owner: str, text: str) -> None:
    """Every place that a table gives lies inside the axis that it is looked up for.

    Raises
    ------
    NotationError
        Naming the first edge with another.
    """
    if not place.is_plain:
        return
    for table in (atom.table for atom, _ in place.terms if isinstance(atom, Lookup)):
        values = np.asarray(table.value)
        if values.size and values.max() >= size:
            row = int(np.argmax(values >= size))
            reason = f"edge {row} of the list has the unit {values[row]}, and axis {axis} of {owner} has {size}"
            raise complaint(NotationError, text, reason, f"Units run from 0 to {size - 1}.")


def _row(array: npt.NDArray[Any], row: int) -> str:
    return "(" + ", ".join(map(str, array[row].tolist())) + ")"
