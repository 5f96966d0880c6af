"""The interaction graph: variables as nodes, an edge where units of two variables share a term."""

from __future__ import annotations

import networkx as nx

from pgmc.analysis.interactions import find_interactions, unit_positions, variables_in
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.printer import print_term
from pgmc.ir.rewrite import accesses
from pgmc.ir.symbols import Parameter, is_grouped, shape_of


def build_interaction_graph(model: Model) -> nx.Graph:
    """The interaction graph of a model.

    Nodes carry ``kind``, ``shape`` and ``grouped``, whether units restrict one another; edges carry the printed
    ``terms`` and the names of their ``parameters``. A self-loop means that different units of one variable interact;
    its ``offsets`` is true if they do so at fixed offsets only.
    """
    graph = nx.Graph()
    for variable in model.variables:
        kind = str(variable.domain) + (", exclusive" if variable.exclusive else "")
        graph.add_node(variable.name, kind=kind, shape=shape_of(variable), grouped=is_grouped(variable))
    for term in model.terms:
        text = print_term(term)
        parameters = [a.symbol.name for a in accesses(term.body) if isinstance(a.symbol, Parameter)]
        for a, b in sorted(find_interactions(term.body).pairs):
            if not graph.has_edge(a, b):
                graph.add_edge(a, b, terms=[], parameters=[], offsets=True)
            graph.edges[a, b]["offsets"] &= a == b and _at_offsets(term, a)
            graph.edges[a, b]["terms"].append(text)
            known = graph.edges[a, b]["parameters"]
            known.extend(name for name in dict.fromkeys(parameters) if name not in known)
    return graph


def _at_offsets(term: EnergyTerm, name: str) -> bool:
    """Whether any two units of a variable in an instance of the term differ by constant offsets, as neighbours do."""
    units = list(dict.fromkeys(unit_positions(a) for a in accesses(term.body) if a.symbol.name == name))
    running = set(term.over)
    return len(units) > 1 and all(
        [p.terms for p in unit] == [p.terms for p in units[0]]
        and all(atom in running for p in unit for atom, _ in p.terms)
        for unit in units
    )


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
