"""Blocks that are found, and blocks that are imposed: good ones accepted, every bad one refused with the reason."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from energies import ENERGIES, build
from graphs import fewest_colours, random_graph
from pgmc.analysis.blocks import Block, check_blocks, find_blocks, restrict_blocks
from pgmc.analysis.interaction_graph import build_interaction_graph
from pgmc.errors import ModelError

Names = tuple[tuple[str, ...], ...]


def labelled(graph: nx.Graph) -> nx.Graph:
    """The graph with a term on every edge, as the analysis of a model has it."""
    for a, b in graph.edges:
        graph.edges[a, b]["terms"] = [f"-{a}·{b}"]
    return graph


def assert_valid(graph: nx.Graph, blocks: tuple[Block, ...], free: tuple[str, ...]) -> None:
    updated = [name for block in blocks for name in block.variables]
    assert sorted(updated) == sorted(free)
    for block in blocks:
        if block.mode == "parallel":
            assert graph.subgraph(block.variables).number_of_edges() == 0
        else:
            assert len(block.variables) == 1 and graph.has_edge(block.variables[0], block.variables[0])


@pytest.mark.parametrize("seed", range(60))
def test_found_blocks_are_valid_and_few(seed: int) -> None:
    graph = random_graph(seed, 6, loops=seed % 2 == 0)
    names = tuple(graph.nodes)
    blocks = find_blocks(graph, names)
    assert_valid(graph, blocks, names)
    loops = nx.number_of_selfloops(graph)
    assert len(blocks) <= fewest_colours(graph) + loops
    if not loops:
        assert len(blocks) == fewest_colours(graph)


@pytest.mark.parametrize("seed", range(60))
def test_what_comes_first_comes_first(seed: int) -> None:
    graph = random_graph(seed, 6)
    rng = np.random.default_rng(seed)
    free = tuple(name for name in graph.nodes if rng.random() < 0.8)
    first = tuple(name for name in free if rng.random() < 0.4)
    blocks = find_blocks(graph, free, first)
    assert_valid(graph, blocks, free)
    leading = [name for block in blocks for name in block.variables][: len(first)]
    assert sorted(leading) == sorted(first)


@pytest.mark.parametrize("name", ENERGIES)
def test_blocks_of_models(name: str) -> None:
    graph = build_interaction_graph(build(name))
    assert_valid(graph, find_blocks(graph, tuple(graph.nodes)), tuple(graph.nodes))


FOUND = {
    "two_layers": "[v] parallel, [h] parallel",
    "three_layers": "[v, g] parallel, [h] parallel",
    "coupled_binary": "[v] sequential",
    "coupled_hidden_layer": "[v] parallel, [h] sequential",
    "triple_of_three_variables": "[x] parallel, [y] parallel, [h] parallel",
    "one_label": "[y, x] parallel, [h] parallel",
    "untouched_variable": "[x, free, idle, loose] parallel",
    "function_of_labels_and_units": "[y] sequential, [x] sequential",
}


@pytest.mark.parametrize("name", FOUND)
def test_blocks_as_printed(name: str) -> None:
    graph = build_interaction_graph(build(name))
    assert ", ".join(map(str, find_blocks(graph, tuple(graph.nodes)))) == FOUND[name]


# ---- imposed blocks ----------------------------------------------------------------------------------------------


def valid_blocks(graph: nx.Graph, rng: np.random.Generator) -> Names:
    """A random split of the variables into independent groups and single ones."""
    blocks: list[list[str]] = []
    for name in rng.permutation(list(graph.nodes)).tolist():
        alone = graph.has_edge(name, name)
        room = [
            block
            for block in blocks
            if not alone and not any(graph.has_edge(name, other) for other in block) and not _loops(graph, block)
        ]
        if room and rng.random() < 0.7:
            room[rng.integers(len(room))].append(name)
        else:
            blocks.append([name])
    return tuple(map(tuple, blocks))


def _loops(graph: nx.Graph, block: list[str]) -> bool:
    return any(graph.has_edge(name, name) for name in block)


@pytest.mark.parametrize("seed", range(100))
def test_good_blocks_are_accepted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = labelled(random_graph(seed, 2 + seed % 6))
    blocks = valid_blocks(graph, rng)
    checked = check_blocks(graph, blocks)
    assert tuple(block.variables for block in checked) == blocks
    assert_valid(graph, checked, tuple(graph.nodes))


def spoil(graph: nx.Graph, blocks: Names, kind: int, rng: np.random.Generator) -> tuple[Names, str]:
    """One defect put into good blocks, and the message it must raise."""
    at = int(rng.integers(len(blocks)))
    match kind:
        case 0:
            return (*blocks[:at], (), *blocks[at:]), "is empty"
        case 1:
            return (*blocks[:at], (*blocks[at], "stranger"), *blocks[at + 1 :]), "not a variable of the model"
        case 2:
            return (*blocks, (blocks[at][0],)), "stands in two blocks"
        case 3:
            return (*blocks[:at], *blocks[at + 1 :]), "no block updates"
        case _:
            joined = tuple(name for block in blocks for name in block)
            return (joined,), "interact through"


@pytest.mark.parametrize("seed", range(300))
def test_bad_blocks_are_refused(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = labelled(random_graph(seed, 2 + seed % 6))
    blocks, message = spoil(graph, valid_blocks(graph, rng), seed % 5, rng)
    if seed % 5 == 4 and graph.number_of_edges() == 0:
        assert check_blocks(graph, blocks)
        return
    with pytest.raises(ModelError, match=message):
        check_blocks(graph, blocks)


@pytest.mark.parametrize("seed", range(60))
def test_joining_any_two_interacting_variables_is_refused(seed: int) -> None:
    graph = labelled(random_graph(seed, 5))
    for a, b in graph.edges:
        rest = tuple((name,) for name in graph.nodes if name not in (a, b))
        if a != b:
            with pytest.raises(ModelError, match="interact through"):
                check_blocks(graph, ((a, b), *rest))


def test_a_refusal_names_the_term_and_the_remedy() -> None:
    graph = build_interaction_graph(build("two_layers"))
    with pytest.raises(ModelError, match=r"v and h interact through .*W\[.*Put them in different blocks"):
        check_blocks(graph, (("v", "h"),))


def test_coupled_units_need_a_block_of_their_own() -> None:
    graph = build_interaction_graph(build("untouched_variable"))
    graph.add_edge("free", "free", terms=["-J"])
    with pytest.raises(ModelError, match="Give free a block of its own"):
        check_blocks(graph, (("x", "free"), ("idle",), ("loose",)))


def test_an_imposed_block_of_coupled_units_is_sequential() -> None:
    graph = build_interaction_graph(build("coupled_hidden_layer"))
    assert [block.mode for block in check_blocks(graph, (("h",), ("v",)))] == ["sequential", "parallel"]


@pytest.mark.parametrize("seed", range(60))
def test_restricted_blocks_update_what_is_free(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = labelled(random_graph(seed, 6))
    blocks = check_blocks(graph, valid_blocks(graph, rng))
    free = tuple(name for name in graph.nodes if rng.random() < 0.7)
    first = tuple(name for name in free if rng.random() < 0.5)
    cut = restrict_blocks(blocks, free, first)
    assert_valid(graph, cut, free)
    names = [name for block in cut for name in block.variables]
    assert set(names[: len(first)]) == set(first)
    number = {name: k for k, block in enumerate(blocks) for name in block.variables}
    for group in (names[: len(first)], names[len(first) :]):
        assert [number[name] for name in group] == sorted(number[name] for name in group)
