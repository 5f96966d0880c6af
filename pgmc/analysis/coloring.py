"""Colouring: the fewest groups of variables such that no two variables of a group interact."""

from __future__ import annotations

import networkx as nx

EXACT_LIMIT = 16  # variables up to which the minimum is found by search; variables are few, units are not coloured here


def color_variables(graph: nx.Graph, names: tuple[str, ...]) -> dict[str, int]:
    """A proper colouring of the named variables with colours 0, 1, ... in order of first use.

    The number of colours is the least possible up to ``EXACT_LIMIT`` variables and that of a greedy colouring above.
    Self-loops are ignored: they make a variable sequential, they do not separate it from itself.
    """
    simple = nx.Graph(graph.subgraph(names))
    simple.remove_edges_from(list(nx.selfloop_edges(simple)))
    if len(names) <= EXACT_LIMIT:
        return _fewest_colors(simple, names)
    return _renumber(nx.greedy_color(simple, strategy="DSATUR"), names)


def _fewest_colors(graph: nx.Graph, names: tuple[str, ...]) -> dict[str, int]:
    for count in range(1, len(names) + 1):
        coloring = _extend({}, graph, names, count)
        if coloring is not None:
            return _renumber(coloring, names)
    return {}


def _extend(partial: dict[str, int], graph: nx.Graph, names: tuple[str, ...], count: int) -> dict[str, int] | None:
    """Backtracking; a new colour is opened only once per step, which removes the symmetry of colour names."""
    if len(partial) == len(names):
        return partial
    name = names[len(partial)]
    taken = {partial[other] for other in graph.neighbors(name) if other in partial}
    opened = len(set(partial.values()))
    for color in range(min(count, opened + 1)):
        if color not in taken:
            done = _extend({**partial, name: color}, graph, names, count)
            if done is not None:
                return done
    return None


def _renumber(coloring: dict[str, int], names: tuple[str, ...]) -> dict[str, int]:
    order = {color: k for k, color in enumerate(dict.fromkeys(coloring[name] for name in names))}
    return {name: order[coloring[name]] for name in names}
