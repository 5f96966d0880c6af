"""Where the variables of a graph stand in a drawing: in layers, neighbours close to one another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import networkx as nx


@dataclass(frozen=True, slots=True)
class Link:
    """What couples variables: two of them, one with itself, or three and more through one term."""

    members: tuple[str, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """``layers`` of names from the bottom up, and the links between them."""

    layers: tuple[tuple[str, ...], ...]
    links: tuple[Link, ...]

    def layer_of(self, name: str) -> int:
        """The number of the layer a name stands in."""
        return next(k for k, layer in enumerate(self.layers) if name in layer)


def arrange(graph: nx.Graph) -> Layout:
    """Layers by distance from the first variable of each component, each ordered to keep edges short."""
    layers: list[list[str]] = []
    for component in _components(graph):
        for depth, names in enumerate(_distances(graph, component)):
            if depth == len(layers):
                layers.append([])
            layers[depth] += names
    for _ in range(4):
        for upward in (True, False):
            layers = _reorder(graph, layers, upward)
    return Layout(tuple(map(tuple, layers)), tuple(_links(graph)))


def _components(graph: nx.Graph) -> list[list[str]]:
    """The nodes of each connected component, in the order of declaration."""
    order = list(graph.nodes)
    return [sorted(names, key=order.index) for names in nx.connected_components(graph)]


def _distances(graph: nx.Graph, component: list[str]) -> Iterable[list[str]]:
    """The nodes at each distance from the component's first node; an input is never the first if it can be."""
    variables = [name for name in component if graph.nodes[name].get("kind") != "input"]
    distance = nx.single_source_shortest_path_length(graph, (variables or component)[0])
    return [[name for name in component if distance[name] == depth] for depth in range(max(distance.values()) + 1)]


def _reorder(graph: nx.Graph, layers: list[list[str]], upward: bool) -> list[list[str]]:
    """Order each layer by the mean place of its neighbours in the layer before (none keeps its place)."""
    result = [list(layer) for layer in layers]
    steps = range(1, len(layers)) if upward else range(len(layers) - 2, -1, -1)
    for k in steps:
        before = result[k - 1 if upward else k + 1]
        place = {name: (i + 0.5) / len(before) for i, name in enumerate(before)}
        own = {name: (i + 0.5) / len(result[k]) for i, name in enumerate(result[k])}
        mean = {
            name: _mean([place[other] for other in graph.neighbors(name) if other in place], own[name])
            for name in result[k]
        }
        result[k].sort(key=mean.__getitem__)
    return result


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _links(graph: nx.Graph) -> Iterable[Link]:
    """One link for each term of three variables or more, and one for the other terms of each edge."""
    order = list(graph.nodes)
    members: dict[str, dict[str, None]] = {}
    for a, b, data in graph.edges(data=True):
        for term in data.get("terms", ()):
            members.setdefault(term, {}).update({a: None, b: None})
    shared = {term: names for term, names in members.items() if len(names) > 2}
    for term, names in shared.items():
        inside = [d for _, _, d in graph.subgraph(names).edges(data=True) if term in d.get("terms", ())]
        yield Link(tuple(sorted(names, key=order.index)), _named_in(term, inside))
    for a, b, data in graph.edges(data=True):
        own = [term for term in data.get("terms", ()) if term not in shared]
        if own or not data.get("terms"):
            among = tuple(data.get("parameters", ()))
            parameters = tuple(p for p in among if any(mentions(term, p) for term in own)) if own else among
            yield Link((a, b) if a != b else (a,), parameters)


def _named_in(term: str, edges: list[dict[str, list[str]]]) -> tuple[str, ...]:
    found = {p: None for data in edges for p in data.get("parameters", ()) if mentions(term, p)}
    return tuple(found)


def mentions(term: str, name: str) -> bool:
    """Whether a printed term contains a name (as an array or a number, not as an index)."""
    outside = re.sub(r"\[[^\]]*\]|Σ_(\{[^}]*\}|\S+)", "[]", term)
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", outside) is not None
