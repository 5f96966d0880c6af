"""Random interaction graphs, and the number of colours they need."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np


def random_graph(seed: int, size: int, loops: bool = True) -> nx.Graph:
    """A graph of named variables with edges at a random density, loops among them."""
    rng = np.random.default_rng([seed, size])
    graph = nx.Graph()
    graph.add_nodes_from(f"x{k}" for k in range(size))
    density = rng.random()
    for a, b in itertools.combinations_with_replacement(list(graph.nodes), 2):
        if rng.random() < density and (loops or a != b):
            graph.add_edge(a, b)
    return graph


def fewest_colours(graph: nx.Graph) -> int:
    """The chromatic number, by trying every assignment."""
    names = list(graph.nodes)
    pairs = [(names.index(a), names.index(b)) for a, b in graph.edges if a != b]
    for count in range(1, len(names) + 1):
        for colours in itertools.product(range(count), repeat=len(names)):
            if all(colours[a] != colours[b] for a, b in pairs):
                return count
    return 0
