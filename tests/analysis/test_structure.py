"""Names of structures."""

from __future__ import annotations

import networkx as nx
import pytest

from energies import build
from pgmc.analysis.interaction_graph import build_interaction_graph
from pgmc.analysis.structure import name_structure

STRUCTURES = {
    "two_layers": "bipartite",
    "two_layers_of_spins": "bipartite",
    "three_layers": "layered",
    "coupled_binary": "dense",
    "coupled_hidden_layer": "dense",
    "triple_of_three_variables": "k-partite",
    "untouched_variable": "independent",
    "one_label": "layered",
    "labels": "bipartite",
    "square_of_a_sum": "dense",
    "functions_of_units": "independent",
    "elementwise_product": "bipartite",
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_of_models(name: str) -> None:
    assert name_structure(build_interaction_graph(build(name))).name == STRUCTURES[name]


GRAPHS = {
    "a star": (nx.star_graph(4), "bipartite"),
    "a path of two": (nx.path_graph(2), "bipartite"),
    "a path of five": (nx.path_graph(5), "layered"),
    "a ring of four": (nx.cycle_graph(4), "bipartite"),
    "a ring of five": (nx.cycle_graph(5), "k-partite"),
    "two paths": (nx.disjoint_union(nx.path_graph(3), nx.path_graph(3)), "bipartite"),
    "a path and a ring": (nx.disjoint_union(nx.path_graph(2), nx.cycle_graph(4)), "bipartite"),
    "a triangle": (nx.complete_graph(3), "k-partite"),
    "points": (nx.empty_graph(3), "independent"),
    "one point": (nx.empty_graph(1), "independent"),
}


@pytest.mark.parametrize("title", GRAPHS)
def test_structures_of_graphs(title: str) -> None:
    graph, name = GRAPHS[title]
    graph = nx.relabel_nodes(graph, {k: f"x{k}" for k in graph.nodes})
    structure = name_structure(graph)
    assert structure.name == name
    assert structure.reason
    assert str(structure) == f"{structure.name}: {structure.reason}"


def test_the_reason_of_a_dense_structure_names_the_variables() -> None:
    structure = name_structure(build_interaction_graph(build("function_of_labels_and_units")))
    assert structure.reason == "units of x, y interact with one another"
