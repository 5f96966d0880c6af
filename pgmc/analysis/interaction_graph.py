"""The interaction graph: variables as nodes, an edge where units of two variables share a term."""

from __future__ import annotations

import networkx as nx

from pgmc.analysis.couplings import find_couplings, kind_of
from pgmc.analysis.interactions import find_interactions, variables_in
from pgmc.ir.model import Model
from pgmc.ir.printer import print_term
from pgmc.ir.rewrite import accesses
from pgmc.ir.symbols import Parameter, describe_domain, is_grouped, shape_of


def build_interaction_graph(model: Model) -> nx.Graph:
    """The interaction graph of a model.

    Nodes carry ``kind``, ``shape`` and, where units restrict one another, ``grouped``; edges carry the printed
    ``terms`` and the names of their ``parameters``. A self-loop means that different units of one variable interact;
    its ``coupling`` says how: at fixed ``"offsets"`` only, ``"sparse"``, along edges or the entries of a sparse mask,
    or ``"all"`` with all.
    """
    graph = nx.Graph()
    for variable in model.variables:
        graph.add_node(variable.name, kind=describe_domain(variable), shape=shape_of(variable))
        if is_grouped(variable):
            graph.nodes[variable.name]["grouped"] = True
    for term in model.terms:
        text = print_term(term)
        parameters = [a.symbol.name for a in accesses(term.body) if isinstance(a.symbol, Parameter)]
        for a, b in sorted(find_interactions(term.body).pairs):
            if not graph.has_edge(a, b):
                graph.add_edge(a, b, terms=[], parameters=[])
            graph.edges[a, b]["terms"].append(text)
            known = graph.edges[a, b]["parameters"]
            known.extend(name for name in dict.fromkeys(parameters) if name not in known)
    for name, couplings in find_couplings(model).items():
        graph.edges[name, name]["coupling"] = kind_of(couplings)
    return graph


def markov_blanket(graph: nx.Graph, name: str) -> frozenset[str]:
    """The variables that a unit of ``name`` depends on given all others (``name`` itself if its units interact)."""
    return frozenset(graph.neighbors(name))


def markov_blankets(graph: nx.Graph) -> dict[str, frozenset[str]]:
    """The Markov blanket of every variable."""
    return {name: markov_blanket(graph, name) for name in graph.nodes}


def untouched_variables(model: Model) -> tuple[str, ...]:
    """Variables that no term mentions: their law is uniform."""
    mentioned = {name for term in model.terms for name in variables_in(term.body)}
    return tuple(v.name for v in model.variables if v.name not in mentioned)
