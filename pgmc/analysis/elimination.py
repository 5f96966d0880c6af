"""Which variables to sum out analytically: those that leave the fewest joint states to enumerate."""

from __future__ import annotations

from math import log, prod

import networkx as nx

from pgmc.ir.model import Model
from pgmc.ir.symbols import Categorical, Variable, shape_of

EXACT_LIMIT = 14  # variables up to which every subset is tried


def log_states(variable: Variable) -> float:
    """Logarithm of the number of joint states of a discrete variable."""
    if variable.exclusive:
        size = prod(variable.exclusive)
        return prod(shape_of(variable)) // size * log(1 + size)
    per_unit = variable.domain.states if isinstance(variable.domain, Categorical) else 2
    return prod(shape_of(variable)) * log(per_unit)


def find_eliminable(model: Model, graph: nx.Graph) -> tuple[str, ...]:
    """The set of mutually independent variables, given the rest, with the most joint states."""
    weight = {v.name: log_states(v) for v in model.variables}
    names = [v.name for v in model.variables if not graph.has_edge(v.name, v.name) and not v.exclusive]
    if len(names) <= EXACT_LIMIT:
        best = max(_independent_sets(graph, names), key=lambda s: sum(weight[n] for n in s))
    else:
        best = _greedy_set(graph, sorted(names, key=lambda n: -weight[n]))
    return tuple(name for name in (v.name for v in model.variables) if name in best)


def is_independent(graph: nx.Graph, names: tuple[str, ...]) -> bool:
    """Whether no two units of the named variables interact."""
    return bool(graph.subgraph(names).number_of_edges() == 0)


def _independent_sets(graph: nx.Graph, names: list[str]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [()]
    for name in names:
        neighbours = set(graph.neighbors(name))
        found += [(*chosen, name) for chosen in found if neighbours.isdisjoint(chosen)]
    return found


def _greedy_set(graph: nx.Graph, names: list[str]) -> tuple[str, ...]:
    chosen: list[str] = []
    for name in names:
        if not any(graph.has_edge(name, other) for other in chosen):
            chosen.append(name)
    return tuple(chosen)
