"""Colours of the units of one variable: units of one colour do not interact, so they may be drawn at once.

Two forms. A *linear* colouring is a formula, Σ weight · position mod modulus; it fits neighbours at fixed offsets where
the seams of periodic axes allow it. Otherwise the colour of each unit is *data*, found by colouring the graph of the
units; the generated text is then the same for all sizes, edges and masks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.analysis.couplings import Coupling, kind_of, unit_count, unit_pairs, wrapped_offsets
from pgmc.ir.answers import Coloring
from pgmc.ir.symbols import Axis, Variable, shape_of

Array: TypeAlias = npt.NDArray[Any]
Offset: TypeAlias = tuple[int, ...]

MOST_COLORS = 8
"""A neighbourhood for which no formula has so few colours is coloured unit by unit."""

PASSES = 4
"""How often a greedy colouring is repeated in the order of its own colours, which never takes more of them."""


@dataclass(frozen=True)
class UnitColors:
    """Numbers of units, colour by colour: those of colour c are ``order[starts[c]:starts[c + 1]]``."""

    order: Array
    starts: Array

    @property
    def counts(self) -> tuple[int, ...]:
        """How many units each colour has."""
        return tuple(map(int, np.diff(self.starts)))


def find_linear_coloring(couplings: tuple[Coupling, ...]) -> Coloring | None:
    """The formula with the fewest colours for neighbours at fixed offsets, wherever their axes end.

    It does not depend on the sizes of the axes; whether it is proper for them is another question.
    """
    offsets = {coupling.offset for coupling in couplings if coupling.offset is not None}
    if not couplings or kind_of(couplings) != "offsets":
        return None
    rank = len(next(iter(offsets)))
    for modulus in range(2, MOST_COLORS + 1):
        for leading in product(range(modulus), repeat=rank - 1):
            weights = (*leading, 1)  # the innermost loop then steps from one unit of a colour to the next
            if _separates(weights, modulus, offsets):
                return Coloring(modulus, weights)
    return None


def is_proper(coloring: Coloring, couplings: tuple[Coupling, ...]) -> bool:
    """Whether no unit has a neighbour of its own colour, across the seams of periodic axes too."""
    axes: tuple[Axis, ...] = couplings[0].variable.axes
    offsets = {o for c in couplings if c.offset is not None for o in wrapped_offsets(c.offset, axes)}
    return _separates(coloring.weights, coloring.modulus, offsets)


def _separates(weights: tuple[int, ...], modulus: int, offsets: Iterable[Offset]) -> bool:
    return all(sum(w * d for w, d in zip(weights, offset, strict=True)) % modulus for offset in offsets)


def linear_counts(coloring: Coloring, variable: Variable) -> tuple[int, ...]:
    """How many units each colour of a formula has."""
    counts = np.zeros(coloring.modulus, dtype=np.int64)
    counts[0] = 1
    for weight, size in zip(coloring.weights, shape_of(variable), strict=True):
        steps = np.bincount(weight * np.arange(coloring.modulus) % coloring.modulus,
                            weights=(size + coloring.modulus - 1 - np.arange(coloring.modulus)) // coloring.modulus,
                            minlength=coloring.modulus)  # fmt: skip
        turned = [np.roll(counts, k) * int(steps[k]) for k in range(coloring.modulus)]
        counts = np.sum(turned, axis=0)
    return tuple(map(int, counts))


def linear_colors(coloring: Coloring, variable: Variable) -> UnitColors:
    """The units of each colour of a formula."""
    places = np.indices(shape_of(variable)).reshape(len(variable.axes), -1)
    return _sorted_by(np.asarray(coloring.weights) @ places % coloring.modulus)


def color_units(couplings: tuple[Coupling, ...]) -> UnitColors:
    """Colours of the units of a variable that do not all interact: two if that is possible, else few."""
    count = unit_count(couplings[0].variable)
    return _sorted_by(color_graph(count, unit_pairs(couplings)))


def _sorted_by(colors: Array) -> UnitColors:
    return UnitColors(np.argsort(colors, kind="stable"), np.append(0, np.cumsum(np.bincount(colors))))


# ---- graphs of many units --------------------------------------------------------------------------------------


def color_graph(count: int, pairs: Array) -> Array:
    """A proper colouring of a graph: the colour of each of the ``count`` nodes, numbered by first use.

    Nodes joined to themselves count as not joined. Whole arrays are worked on at once, so that a million edges take
    seconds. Two colours are found if they suffice. Otherwise the colouring is greedy, nodes of many neighbours first,
    and then repeated with the nodes of the last colour first, as often as ``PASSES`` says.

    References
    ----------
    Jones and Plassmann (1993), A parallel graph coloring heuristic; Culberson (1992), Iterated greedy graph coloring.
    """
    joined = pairs[pairs[:, 0] != pairs[:, 1]]
    both = _distinct(np.concatenate([joined, joined[:, ::-1]]), count)
    colors = _two_colors(count, both)
    if colors is None:
        degrees = np.bincount(both[:, 0], minlength=count)
        shuffled = np.random.default_rng(0).permutation(count)  # ties in any order but that of the axes: few rounds
        colors = _greedy(np.lexsort((shuffled, -degrees)), both)
        for _ in range(PASSES):
            colors = _greedy(np.lexsort((shuffled, -colors)), both)
    first = np.unique(colors, return_index=True)[1]
    return np.argsort(np.argsort(first))[colors]


def _distinct(pairs: Array, size: int) -> Array:
    """Pairs in order, each once; second entries are below ``size``."""
    keys = np.unique(pairs[:, 0] * size + pairs[:, 1])
    return np.stack([keys // size, keys % size], axis=1)


def _two_colors(count: int, both: Array) -> Array | None:
    """Two colours if the graph has no odd circle.

    Every node stands twice in a second graph, whose edges lead from one side to the other. A circle of odd length
    joins both copies of a node.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = np.ones(len(both), dtype=np.int8), (both[:, 0], count + both[:, 1])
    labels = connected_components(coo_matrix(edges, shape=(2 * count, 2 * count)), directed=False)[1]
    left, right = labels[:count], labels[count:]
    return None if np.any(left == right) else np.asarray(left > right, dtype=np.int64)


def _greedy(order: Array, both: Array) -> Array:
    """Each node in its order gets the first colour that no earlier neighbour has.

    A node waits for its earlier neighbours only, so all nodes whose neighbours are done are coloured in one round.
    """
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    forward = both[rank[both[:, 0]] < rank[both[:, 1]]]
    forward = forward[np.argsort(forward[:, 0], kind="stable")]
    backward = forward[np.argsort(forward[:, 1], kind="stable")]
    leads, follows = _starts(forward[:, 0], len(order)), _starts(backward[:, 1], len(order))
    waiting = np.diff(follows)
    colors = np.zeros(len(order), dtype=np.int64)
    ready = np.flatnonzero(waiting == 0)
    while len(ready):
        who, places = _gathered(follows, ready)
        colors[ready] = _first_free(len(ready), who, colors[backward[places, 0]])
        released = forward[_gathered(leads, ready)[1], 1]
        nodes, times = np.unique(released, return_counts=True)
        waiting[nodes] -= times
        ready = nodes[waiting[nodes] == 0]
    return colors


def _starts(sorted_nodes: Array, count: int) -> Array:
    """Where the entries of each node start in a sorted list, and where the last end."""
    return np.append(0, np.cumsum(np.bincount(sorted_nodes, minlength=count)))


def _gathered(starts: Array, nodes: Array) -> tuple[Array, Array]:
    """The places of all entries of some nodes, and beside each the number of its node among them."""
    lengths = starts[nodes + 1] - starts[nodes]
    who = np.repeat(np.arange(len(nodes)), lengths)
    within = np.arange(len(who)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return who, starts[nodes][who] + within


def _first_free(count: int, who: Array, taken: Array) -> Array:
    """The smallest colour that is not taken, for each of ``count`` nodes; ``taken[k]`` is so for node ``who[k]``."""
    pairs = _distinct(np.stack([who, taken], axis=1), 1 + taken.max(initial=0))
    starts = _starts(pairs[:, 0], count)
    in_row = pairs[:, 1] == np.arange(len(pairs)) - starts[pairs[:, 0]]  # colours 0, 1, ... without a gap
    return np.bincount(pairs[in_row, 0], minlength=count)
