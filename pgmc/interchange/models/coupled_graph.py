"""Graphs of networkx with couplings on their edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.interchange.models.imported import Imported
from pgmc.interchange.models.pairwise import Kind, build_pairwise


def from_networkx(graph: Any, kind: Kind = "spin", coupling: str = "weight", bias: str = "bias") -> Imported:
    """The model of a graph: E(s) = Σ_(a,b) J_ab s_a s_b + Σ_a f_a s_a over its edges and nodes.

    Positive couplings make neighbours differ: the signs are those of ``dimod``. Parallel edges of a multigraph add up.

    Parameters
    ----------
    graph : networkx.Graph
        Undirected. Units are numbered in the order of its nodes, which ``labels`` holds.
    kind : {"spin", "binary"}
        What the units are.
    coupling : str
        The attribute of an edge that holds J; 1 where it is missing.
    bias : str
        The attribute of a node that holds f; 0 where it is missing.

    Returns
    -------
    Imported
        ``model`` with the variable ``s`` (spins) or ``x`` (binary), ``params`` with ``f`` and ``J``, ``labels``.

    Raises
    ------
    ArgumentError
        If it is no undirected graph, has no nodes, or an attribute is no finite number.
    """
    if kind not in ("spin", "binary"):
        raise ArgumentError(f"from_networkx: kind must be 'spin' or 'binary', got {kind!r}.")
    if not hasattr(graph, "adjacency") or not hasattr(graph, "is_directed"):
        raise ArgumentError(f"from_networkx: expected a networkx.Graph, got {type(graph).__name__}.")
    if graph.is_directed():
        raise ArgumentError("from_networkx: the graph is directed, and couplings are not. Use graph.to_undirected().")
    labels = list(graph.nodes)
    if not labels:
        raise ArgumentError("from_networkx: the graph has no nodes.")
    number = {label: k for k, label in enumerate(labels)}
    edges = [(number[a], number[b], data) for a, b, data in graph.edges(data=True)]
    return build_pairwise(
        "graph",
        kind,
        labels,
        np.array([_number(data, bias, 0.0, f"node {label!r}") for label, data in graph.nodes(data=True)]),
        np.array([(a, b) for a, b, _ in edges], dtype=np.int64).reshape(-1, 2),
        np.array([_number(d, coupling, 1.0, f"edge {labels[a]!r}-{labels[b]!r}") for a, b, d in edges]),
        0.0,
    )


def _number(data: dict[str, Any], attribute: str, default: float, place: str) -> float:
    value = data.get(attribute, default)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise ArgumentError(f"from_networkx: {attribute} of {place} is {value!r}, and not a finite number.")
    return number
