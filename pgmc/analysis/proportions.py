"""Axes whose lengths are multiples of one another: the units and the blocks along an axis of exclusive units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import lcm

import networkx as nx

from pgmc.analysis.axes import AxisName
from pgmc.ir.model import Model
from pgmc.ir.symbols import block_axis

Proportions = dict[AxisName, tuple[AxisName, Fraction]]


def find_proportions(model: Model, classes: Mapping[AxisName, AxisName], full: Mapping[AxisName, int]) -> Proportions:
    """For each class of axes, the longest class that its length is tied to, and its share of that length."""
    graph = nx.Graph(list(_ties(model, classes)))
    graph.add_nodes_from(full)
    found: Proportions = {}
    for tied in nx.connected_components(graph):
        ordered = [name for name in full if name in tied]
        longest = max(ordered, key=lambda name: full[name])
        whole = full[longest] or 1  # a list of edges may be empty
        found |= {name: (longest, Fraction(full[name] or whole, whole)) for name in ordered}
    return found


def _ties(model: Model, classes: Mapping[AxisName, AxisName]) -> Iterator[tuple[AxisName, AxisName]]:
    for variable in model.variables:
        for k, length in enumerate(variable.exclusive):
            if length > 1:
                yield classes[variable.name, k], classes[variable.name, block_axis(k)]


def common_lengths(
    longest: AxisName,
    proportions: Proportions,
    least: Mapping[AxisName, int],
    full: Mapping[AxisName, int],
    wanted: int,
) -> list[int]:
    """Lengths of a class for which every class tied to it has a whole length, at least its least: the first ones."""
    shares = {name: share for name, (root, share) in proportions.items() if root == longest}
    step = lcm(*(share.denominator for share in shares.values()))
    first = max(-(-least[name] // share) for name, share in shares.items())
    start = -(-first // step) * step
    last = min(full[longest], max(start, wanted) + 1 if step == 1 else max(wanted, 2 * start))
    return list(range(start, last + 1, step))
