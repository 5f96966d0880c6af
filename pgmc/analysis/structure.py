"""The name of the structure that the interaction graph shows, and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx

from pgmc.analysis.coloring import color_variables
from pgmc.ir.dependencies import parents, sort_factors
from pgmc.ir.model import Factor, Model


@dataclass(frozen=True, slots=True)
class Structure:
    """``name`` of the structure and why it was given."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def name_structure(graph: nx.Graph) -> Structure:
    """Name the structure of an interaction graph."""
    coupled = sorted(name for name in graph.nodes if graph.has_edge(name, name))
    if coupled:
        return _name_coupled(graph, coupled)
    if graph.number_of_edges() == 0:
        return Structure("independent", "no two units interact")
    colors = 1 + max(color_variables(graph, tuple(graph.nodes)).values())
    if colors > 2:
        return Structure("k-partite", f"{colors} groups of variables, no two units of a group interact")
    if _is_chain(graph) and len(graph) > 2:
        return Structure("layered", f"a chain of {len(graph)} layers, each interacting with its neighbours only")
    return Structure("bipartite", "two groups of variables, no two units of a group interact")


def name_mixed_structure(model: Model, undirected: nx.Graph) -> Structure:
    """Name the structure of a model with directed factors; ``undirected`` is the graph of its energy alone."""
    arrows = ", ".join(_arrow(factor) for factor in sort_factors(model.factors))
    rest = [v.name for v in model.variables if v.name not in model.children]
    if not rest:
        return Structure("directed", f"every variable has a directed factor: {arrows}")
    top = name_structure(undirected.subgraph(rest))
    return Structure("hybrid", f"directed factors {arrows}, on top of an energy of {', '.join(rest)} ({top.name})")


def _arrow(factor: Factor) -> str:
    """``h → v``, or the name alone of a variable without parents."""
    above = ", ".join(parents(factor))
    return f"{above} → {factor.target.name}" if above else factor.target.name


def _name_coupled(graph: nx.Graph, coupled: list[str]) -> Structure:
    """The structure of a graph with variables whose units interact among themselves."""
    kinds = {name: graph.edges[name, name].get("coupling", "all") for name in coupled}
    dense = [name for name, kind in kinds.items() if kind == "all"]
    if dense:
        return Structure("dense", f"units of {', '.join(dense)} interact with one another")
    found = [
        f"units of {name} interact {HOW[kind]}, through {'; '.join(graph.edges[name, name]['terms'])}"
        for name, kind in kinds.items()
    ]
    return Structure("sparse" if "sparse" in kinds.values() else "lattice", "; ".join(found))


HOW = {
    "offsets": "with neighbours at fixed offsets",
    "sparse": "along edges or the entries of a sparse mask",
}


def _is_chain(graph: nx.Graph) -> bool:
    """Whether the graph is one path."""
    degrees = sorted(degree for _, degree in graph.degree())
    return nx.is_connected(graph) and degrees[:2] == [1, 1] and all(d == 2 for d in degrees[2:])
