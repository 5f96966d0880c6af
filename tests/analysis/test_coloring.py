"""Colourings of random graphs against the smallest number of colours found by trying all."""

from __future__ import annotations

import networkx as nx
import pytest

from graphs import fewest_colours, random_graph
from pgmc.analysis.coloring import EXACT_LIMIT, color_variables


def is_proper(graph: nx.Graph, colouring: dict[str, int]) -> bool:
    return all(colouring[a] != colouring[b] for a, b in graph.edges if a != b)


@pytest.mark.parametrize("seed", range(60))
def test_the_fewest_colours(seed: int) -> None:
    graph = random_graph(seed, size=1 + seed % 7)
    colouring = color_variables(graph, tuple(graph.nodes))
    assert is_proper(graph, colouring)
    assert len(set(colouring.values())) == fewest_colours(graph)


@pytest.mark.parametrize("seed", range(40))
def test_colours_count_from_zero_in_order_of_first_use(seed: int) -> None:
    for size in (6, EXACT_LIMIT + 4):
        graph = random_graph(seed, size)
        names = tuple(graph.nodes)
        colouring = color_variables(graph, names)
        assert list(colouring) == list(names)
        assert list(dict.fromkeys(colouring.values())) == list(range(len(set(colouring.values()))))


@pytest.mark.parametrize("seed", range(20))
def test_many_variables_are_coloured_properly(seed: int) -> None:
    graph = random_graph(seed, EXACT_LIMIT + 10)
    assert is_proper(graph, color_variables(graph, tuple(graph.nodes)))


def test_two_sided_graphs_of_many_variables_get_two_colours() -> None:
    graph = nx.complete_bipartite_graph(12, 12)
    graph = nx.relabel_nodes(graph, {k: f"x{k}" for k in graph.nodes})
    assert set(color_variables(graph, tuple(graph.nodes)).values()) == {0, 1}


def test_given_variables_separate_nothing() -> None:
    graph = nx.path_graph(["a", "b", "c"])
    assert color_variables(graph, ("a", "c")) == {"a": 0, "c": 0}
    assert color_variables(graph, ()) == {}


def test_a_loop_does_not_separate_a_variable_from_itself() -> None:
    graph = nx.Graph([("a", "a")])
    assert color_variables(graph, ("a",)) == {"a": 0}


def test_the_largest_exact_search_is_quick() -> None:
    """The worst graphs for backtracking stay within reach: a complete one and the complement of a matching."""
    complete = nx.relabel_nodes(nx.complete_graph(EXACT_LIMIT), {k: f"x{k}" for k in range(EXACT_LIMIT)})
    assert len(set(color_variables(complete, tuple(complete.nodes)).values())) == EXACT_LIMIT
    names = [f"x{k}" for k in range(EXACT_LIMIT)]
    matching = nx.Graph(zip(names[::2], names[1::2], strict=True))
    cocktail = nx.complement(matching)
    assert len(set(color_variables(cocktail, tuple(names)).values())) == EXACT_LIMIT // 2
