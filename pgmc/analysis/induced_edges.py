"""The units of a small instance that stay where units are joined by edges: neighbours, so that edges stay too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.analysis.axes import AxisName, axis_name
from pgmc.ir.model import Model
from pgmc.ir.nodes import Lookup
from pgmc.ir.rewrite import accesses
from pgmc.ir.symbols import Constant

Array: TypeAlias = npt.NDArray[Any]
Sets: TypeAlias = dict[AxisName, Array]


@dataclass(frozen=True)
class Links:
    """Units that belong together: link k joins unit ``column[k]`` of each class of axes.

    ``rows`` is the class of the axes that number the links, if there are any.
    """

    columns: tuple[tuple[AxisName, Array], ...]
    rows: AxisName | None = None

    def missing(self, kept: Mapping[AxisName, Array]) -> Array:
        """How many ends of each link do not stay."""
        gone = [~kept[name][units] for name, units in self.columns]
        return np.sum(gone, axis=0) if gone else np.empty(0, dtype=np.int64)


def table_axes(model: Model) -> dict[str, tuple[Constant, list[AxisName]]]:
    """The axes that each table gives places on."""
    found: dict[str, tuple[Constant, list[AxisName]]] = {}
    for access in (a for term in model.tied_terms for a in accesses(term.body)):
        for k, position in enumerate(access.positions):
            if position.is_plain and position.terms and isinstance(lookup := position.terms[0][0], Lookup):
                axes = found.setdefault(lookup.table.name, (lookup.table, []))[1]
                axes.append(axis_name(access, k))
    return found


def join_tables(model: Model, classes: dict[AxisName, AxisName]) -> dict[AxisName, AxisName]:
    """Axes that one table gives places on have one length."""
    for _, axes in table_axes(model).values():
        for name in axes[1:]:
            first, second = classes[axes[0]], classes[name]
            classes = {axis: first if own == second else own for axis, own in classes.items()}
    return classes


def find_links(model: Model, classes: Mapping[AxisName, AxisName]) -> Iterator[Links]:
    """The lists of edges, and the entries of sparse masks."""
    lists: dict[AxisName, list[tuple[AxisName, Array]]] = {}
    for table, axes in table_axes(model).values():
        if len(table.axes) == 1:
            values = np.rint(np.asarray(table.value)).astype(np.int64)
            lists.setdefault(classes[table.name, 0], []).append((classes[axes[0]], values))
    for rows, columns in lists.items():
        yield Links(tuple(columns), rows)
    for parameter in model.parameters:
        if parameter.constraint.sparse:
            entries = np.nonzero(parameter.constraint.mask)
            yield Links(tuple((classes[parameter.name, k], entry) for k, entry in enumerate(entries)))


def keep_linked(
    links: list[Links], sizes: Mapping[AxisName, int], full: Mapping[AxisName, int]
) -> dict[AxisName, Array]:
    """The positions that stay of each class that links speak of, sizes[...] of them, and all links between these.

    Links are added one at a time, each with the fewest new ends, so that a connected piece is left.
    """
    names = dict.fromkeys(name for group in links for name, _ in group.columns)
    kept = {name: np.zeros(full[name], dtype=bool) for name in names}
    for group in links:
        while (place := _next_link(group, kept, sizes)) is not None:
            for name, units in group.columns:
                kept[name][units[place]] = True
    for name, chosen in kept.items():
        chosen[np.flatnonzero(~chosen)[: max(0, sizes[name] - int(chosen.sum()))]] = True
    numbered = {group.rows: np.flatnonzero(group.missing(kept) == 0) for group in links if group.rows is not None}
    return {name: np.flatnonzero(chosen) for name, chosen in kept.items()} | numbered


def _next_link(group: Links, kept: Mapping[AxisName, Array], sizes: Mapping[AxisName, int]) -> int | None:
    """A link with as few new ends as possible, but some, for which there is room; one with an end that stays first."""
    missing = group.missing(kept)
    room = np.ones(len(missing), dtype=bool)
    for name in dict.fromkeys(name for name, _ in group.columns):
        units = np.sort(np.stack([units for own, units in group.columns if own == name]), axis=0)
        new = ~kept[name][units]
        new[1:] &= units[1:] != units[:-1]
        room &= new.sum(axis=0) <= sizes[name] - int(kept[name].sum())
    candidates = np.flatnonzero(room & (missing > 0))
    return int(candidates[np.argmin(missing[candidates])]) if len(candidates) else None
