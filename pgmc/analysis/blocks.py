"""Blocks: what one sweep updates together, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import networkx as nx

from pgmc.analysis.coloring import color_variables
from pgmc.errors import ModelError
from pgmc.ir.answers import Mode


@dataclass(frozen=True, slots=True)
class Part:
    """The units of one colour, of a variable whose units interact at fixed offsets, along edges or a sparse mask."""

    color: int
    colors: int
    units: int

    def __str__(self) -> str:
        return f"colour {self.color + 1} of {self.colors}, {self.units} unit{'s' * (self.units != 1)}"


@dataclass(frozen=True, slots=True)
class Block:
    """Units updated together: all of the variables, or those of one colour of a single variable.

    In a ``parallel`` block no two units interact, so all are drawn at once; in a ``joint`` one units restrict one
    another, as those of an exclusive block do, and are drawn from their joint law, all groups at once; in a
    ``sequential`` one the units of the single variable interact and are drawn one after the other.
    """

    variables: tuple[str, ...]
    colour: int
    mode: Mode
    integrated_out: tuple[str, ...] = ()
    part: Part | None = None

    def __str__(self) -> str:
        part = "" if self.part is None else f" ({self.part})"
        out = f", {', '.join(self.integrated_out)} integrated out" if self.integrated_out else ""
        return f"[{', '.join(self.variables)}] {self.mode}{part}{out}"


def find_blocks(graph: nx.Graph, free: tuple[str, ...], first: tuple[str, ...] = ()) -> tuple[Block, ...]:
    """The fewest blocks that update every free variable; blocks within ``first`` come first.

    Variables outside ``free`` are given, so they separate nothing and need no update.
    """
    leading = tuple(name for name in free if name in first)
    trailing = tuple(name for name in free if name not in first)
    return (*_color_blocks(graph, leading), *_color_blocks(graph, trailing))


def _color_blocks(graph: nx.Graph, names: tuple[str, ...]) -> tuple[Block, ...]:
    coloring = color_variables(graph, names)
    blocks: list[Block] = []
    for color in sorted(set(coloring.values())):
        members = [name for name in names if coloring[name] == color]
        together = tuple(name for name in members if not graph.has_edge(name, name))
        if together:
            blocks.append(Block(together, color, _mode_at_once(graph, together)))
        blocks.extend(Block((n,), color, "sequential") for n in members if graph.has_edge(n, n))
    return tuple(blocks)


def _mode_at_once(graph: nx.Graph, names: tuple[str, ...]) -> Mode:
    """How variables whose units do not interact are drawn: jointly where some of them restrict one another."""
    return "joint" if any(graph.nodes[name].get("grouped") for name in names) else "parallel"


def collapse_blocks(
    graph: nx.Graph,
    blocks: tuple[Block, ...],
    first: tuple[str, ...],
    integrable: Callable[[Block], bool],
    stays_parallel: Callable[[Block, tuple[str, ...]], bool],
) -> tuple[Block, ...]:
    """Blocks drawn with a real one integrated out, which then follows at once: together a draw from their joint law.

    That is done where units of the first still do not interact when the second is integrated out.

    Parameters
    ----------
    graph, blocks, first
        The interactions, the blocks, and the variables whose blocks come first.
    integrable
        Whether a block can be integrated out.
    stays_parallel
        Whether units of a block do not interact when some variables are integrated out.
    """
    found = list(blocks)
    for real in [block for block in blocks if integrable(block)]:
        for other in [block for block in found if block.mode == "parallel" and block is not real]:
            apart = (other.variables[0] in first) != (real.variables[0] in first)
            coupled = any(graph.has_edge(a, b) for a in other.variables for b in real.variables)
            if apart or not coupled or other.integrated_out or integrable(other):
                continue
            if stays_parallel(other, real.variables):
                found.remove(real)
                place = found.index(other)
                found[place : place + 1] = [replace(other, integrated_out=real.variables), real]
                break
    return tuple(replace(block, colour=k) for k, block in enumerate(found)) if tuple(found) != blocks else blocks


def split_by_color(
    blocks: tuple[Block, ...], unit_counts: Callable[[str], tuple[int, ...] | None]
) -> tuple[Block, ...]:
    """The blocks with one for each colour of the units in place of a sequential one, numbered anew.

    Parameters
    ----------
    blocks : tuple of Block
        Blocks of whole variables.
    unit_counts : callable
        Name of a variable -> how many units each of its colours has, or None if its units have no colours.
    """
    found: list[Block] = []
    for block in blocks:
        counts = unit_counts(block.variables[0]) if block.mode == "sequential" else None
        if counts is None:
            found.append(block)
            continue
        parts = (Part(color, len(counts), units) for color, units in enumerate(counts))
        found.extend(replace(block, mode="parallel", part=part) for part in parts)
    return tuple(found) if len(found) == len(blocks) else tuple(replace(b, colour=k) for k, b in enumerate(found))


def restrict_blocks(blocks: tuple[Block, ...], free: tuple[str, ...], first: tuple[str, ...] = ()) -> tuple[Block, ...]:
    """Imposed blocks cut down to the free variables, those of ``first`` in front, each in the imposed order."""
    groups = [tuple(n for n in free if n in first), tuple(n for n in free if n not in first)]
    cut = [(block, tuple(n for n in block.variables if n in group)) for group in groups for block in blocks]
    return tuple(replace(block, variables=names) for block, names in cut if names)


def check_blocks(graph: nx.Graph, blocks: tuple[tuple[str, ...], ...]) -> tuple[Block, ...]:
    """The user's blocks as Block objects.

    Raises
    ------
    ModelError
        If a block is empty, names an unknown variable, omits or repeats one, or puts interacting variables together.
    """
    seen: set[str] = set()
    result: list[Block] = []
    for color, names in enumerate(blocks):
        if not names:
            raise ModelError(f"blocks: block {color} is empty. Remove it.")
        for name in names:
            _check_member(graph, name, seen)
            seen.add(name)
        _check_independent(graph, names)
        alone = len(names) == 1 and graph.has_edge(names[0], names[0])
        result.append(Block(tuple(names), color, "sequential" if alone else _mode_at_once(graph, names)))
    missing = [name for name in graph.nodes if name not in seen]
    if missing:
        raise ModelError(f"blocks: no block updates {', '.join(missing)}. Add a block for every variable.")
    return tuple(result)


def _check_member(graph: nx.Graph, name: str, seen: set[str]) -> None:
    if name not in graph.nodes:
        known = ", ".join(graph.nodes)
        raise ModelError(f"blocks: {name!r} is not a variable of the model. The variables are {known}.")
    if name in seen:
        raise ModelError(f"blocks: {name} stands in two blocks. Keep it in one.")


def _check_independent(graph: nx.Graph, names: tuple[str, ...]) -> None:
    for k, a in enumerate(names):
        for b in names[k + 1 :]:
            if graph.has_edge(a, b):
                term = graph.edges[a, b]["terms"][0]
                raise ModelError(f"blocks: {a} and {b} interact through {term}. Put them in different blocks.")
        if len(names) > 1 and graph.has_edge(a, a):
            term = graph.edges[a, a]["terms"][0]
            raise ModelError(f"blocks: units of {a} interact through {term}. Give {a} a block of its own.")
