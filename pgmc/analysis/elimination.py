"""Which variables to sum out analytically: those that leave the fewest joint states to enumerate."""

from __future__ import annotations

from collections.abc import Callable
from math import log, prod

import networkx as nx

from pgmc.ir.model import Model
from pgmc.ir.symbols import Categorical, Count, Positive, Real, Variable, shape_of

EXACT_LIMIT = 14  # variables up to which every subset is tried

LINE = log(1e4)
"""What is left of one real unit is an integral along a line, about as much work as that many states."""

VOLUME = 1e6
"""An integral over more real units has no quadrature, so they are integrated out if possible."""


def log_states(variable: Variable, real_units: int = 0) -> float:
    """Logarithm of the number of joint states of a discrete variable, or of the work that a real one would be.

    ``real_units`` is how many real units the model has.
    """
    if isinstance(variable.domain, Real):
        return LINE if real_units == 1 else VOLUME * prod(shape_of(variable))
    if isinstance(variable.domain, Count | Positive):  # no list of states, or a long one
        return VOLUME * prod(shape_of(variable))
    if variable.exclusive:
        size = prod(variable.exclusive)
        return prod(shape_of(variable)) // size * log(1 + size)
    per_unit = variable.domain.states if isinstance(variable.domain, Categorical) else 2
    return prod(shape_of(variable)) * log(per_unit)


def find_eliminable(
    model: Model, graph: nx.Graph, integrable: Callable[[Variable], bool] | None = None
) -> tuple[str, ...]:
    """The set of mutually independent variables, given the rest, with the most joint states.

    ``integrable`` says of a real variable whether the integral over a unit has a closed form; by default all have.
    """
    real = [v for v in model.variables if isinstance(v.domain, Real)]
    units = sum(prod(shape_of(v)) for v in real)
    weight = {v.name: log_states(v, units) for v in model.variables}
    unbounded = [v for v in model.variables if isinstance(v.domain, Real | Positive)]
    fixed = {v.name for v in unbounded if integrable is not None and not integrable(v)}
    names = [v.name for v in model.variables if not graph.has_edge(v.name, v.name) and v.name not in fixed]
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
