"""Colours of units: proper on every graph, few, and shown as blocks."""

from __future__ import annotations

from math import prod

import networkx as nx
import numpy as np
import pytest

import oracle
import pgmc
from graphs import fewest_colours, random_graph
from pgmc.analysis.couplings import unit_pairs
from pgmc.analysis.unit_coloring import color_graph, linear_colors, linear_counts
from pgmc.ir.answers import Coloring
from pgmc.ir.interpret import interpret_energy
from pgmc.ir.queries import Sweep
from pgmc.ir.symbols import Axis, Spin, Variable
from transitions import faults, transitions, units_of_blocks


def numbered_pairs(graph: nx.Graph) -> np.ndarray:
    number = {name: k for k, name in enumerate(graph.nodes)}
    return np.array([(number[a], number[b]) for a, b in graph.edges], dtype=np.int64).reshape(-1, 2)


def is_proper(colours: np.ndarray, pairs: np.ndarray) -> bool:
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return bool((colours[pairs[:, 0]] != colours[pairs[:, 1]]).all())


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs_are_coloured_properly(seed: int) -> None:
    graph = random_graph(seed, 2 + seed % 6)
    colours = color_graph(len(graph), numbered_pairs(graph))
    assert is_proper(colours, numbered_pairs(graph))
    assert list(dict.fromkeys(colours)) == list(range(colours.max() + 1))
    assert colours.max() < 1 + max(degree for _, degree in graph.degree())
    if fewest_colours(graph) <= 2:
        assert colours.max() < 2


@pytest.mark.parametrize("degree", [3, 4, 7])
def test_regular_graphs_need_few_colours(degree: int) -> None:
    pairs = numbered_pairs(nx.random_regular_graph(degree, 400, seed=degree))
    colours = color_graph(400, pairs)
    assert is_proper(colours, pairs) and colours.max() < degree + 1


def test_edges_may_repeat_turn_and_lead_back() -> None:
    pairs = np.array([(0, 1), (1, 0), (2, 2), (0, 1), (3, 1)])
    np.testing.assert_array_equal(color_graph(5, pairs), [0, 1, 0, 0, 0])
    np.testing.assert_array_equal(color_graph(3, np.empty((0, 2), dtype=np.int64)), [0, 0, 0])


@pytest.mark.parametrize("shape", [(5,), (4, 4), (3, 5), (2, 3, 4)])
@pytest.mark.parametrize("modulus", [2, 3, 5])
def test_counts_of_a_formula(shape: tuple[int, ...], modulus: int) -> None:
    variable = Variable("s", tuple(map(Axis, shape)), Spin())
    coloring = Coloring(modulus, tuple(range(1, 1 + len(shape))))
    counts = [count for count in linear_counts(coloring, variable) if count]
    assert counts == [count for count in linear_colors(coloring, variable).counts if count]


def torus(*shape: int) -> pgmc.Model:
    m, names = pgmc.Model("torus"), pgmc.indices(" ".join("xyz"[: len(shape)]))
    place = names if isinstance(names, tuple) else (names,)
    s, J = m.spin("s", shape, boundary="periodic"), m.param("J", shape)
    for k in range(len(shape)):
        m.energy(-J[place] * s[place] * s[(*place[:k], place[k] + 1, *place[k + 1 :])])
    return m


@pytest.mark.parametrize("shape", [(4, 4), (3, 3), (5, 4), (4, 5), (3, 3, 3), (5,), (2, 2), (31, 31)])
def test_blocks_of_a_torus_are_colours(shape: tuple[int, ...]) -> None:
    program = pgmc.compile(torus(*shape))
    even = all(size % 2 == 0 for size in shape)
    colors, pairs = program.compiler.colored.colors("s"), unit_pairs(program.compiler.colored.couplings("s"))
    number = np.empty(prod(shape), dtype=np.int64)
    number[colors.order] = np.repeat(np.arange(len(colors.counts)), colors.counts)
    assert is_proper(number, pairs) and len(pairs) == len(shape) * prod(shape)
    assert (len(program.blocks) == 2) == even
    assert all(b.variables == ("s",) and b.mode == "parallel" and b.part is not None for b in program.blocks)
    assert [b.part.units for b in program.blocks if b.part] == list(colors.counts)
    assert [b.colour for b in program.blocks] == list(range(len(program.blocks)))
    assert program.graph.nodes["s"]["block"] == 0 and program.graph.nodes["s"]["colours"] == colors.counts
    assert program.structure == "lattice"


def test_the_report_shows_colours_and_the_term() -> None:
    text = str(pgmc.compile(torus(3, 3)))
    assert "[s] parallel (colour 3 of 3, 3 units)" in text
    assert "units of s interact with neighbours at fixed offsets, through " in text


def test_odd_sizes_of_all_kinds_share_one_text() -> None:
    query = Sweep(("s",))
    odd = pgmc.compile(torus(3, 3)).source(query)
    assert odd == pgmc.compile(torus(9, 5)).source(query) == pgmc.compile(torus(4, 7)).source(query)
    assert odd != pgmc.compile(torus(4, 4)).source(query)


@pytest.mark.parametrize("shape", [(5,), (3, 2), (4,)])
@pytest.mark.parametrize("backward", [False, True])
def test_the_sweep_draws_colour_by_colour(shape: tuple[int, ...], backward: bool) -> None:
    """The exact transition matrix of the emitted text is that of updates of whole colours, units at once."""
    program = pgmc.compile(torus(*shape), dtype="float64")
    params = {"J": np.random.default_rng(0).normal(size=shape)}
    exact = oracle.Exact({"s": (shape, (-1, 1))}, lambda x: interpret_energy(program.model, params, x))
    query = Sweep(("s",), backward=backward)
    found = transitions(program.compiler, query, exact, params)
    assert faults(found, exact, units_of_blocks(program.compiler, query, exact)) == set()
    order, starts = program.compiler.colored.colors("s").order, program.compiler.colored.colors("s").starts
    colours = [part.tolist() for part in np.split(order, starts[1:-1])]
    at_once = exact.sweep(colours[::-1] if backward else colours, parallel=True)
    assert np.abs(found.matrix - at_once).max() < 1e-12


def test_clamping_gives_blocks_of_what_is_left() -> None:
    """A ring beside a layer: given the ring the layer is one block, given the layer the ring has its colours."""
    m, (x, j) = pgmc.Model("both"), pgmc.indices("x j")
    s, h = m.spin("s", 4, boundary="periodic"), m.binary("h", 3)
    J, W = m.param("J"), m.param("W", (4, 3))
    m.energy(-J * s[x] * s[x + 1] - s[x] * W[x, j] * h[j])
    compiler = pgmc.compile(m).compiler
    assert [str(b) for b in compiler.blocks()] == [
        "[s] parallel (colour 1 of 2, 2 units)",
        "[s] parallel (colour 2 of 2, 2 units)",
        "[h] parallel",
    ]
    assert [str(b) for b in compiler.blocks(("h",))] == ["[h] parallel"]
    assert len(compiler.blocks(("s",))) == 2


def test_clamping_one_of_two_coupled_lattices_splits_what_is_left() -> None:
    m, x = pgmc.Model("pair"), pgmc.indices("x")
    s, t = m.spin("s", 5, boundary="periodic"), m.spin("t", 5, boundary="periodic")
    J = m.param("J", 5)
    m.energy(-J[x] * s[x] * t[x + 1] - J[x] * t[x] * s[x])
    program = pgmc.compile(m)
    assert [b.variables for b in program.blocks] == [("s",), ("t",)]
    assert [str(b) for b in program.compiler.blocks(("t",))] == ["[t] parallel"]


def test_a_long_range_neighbourhood_is_coloured_by_data() -> None:
    """Twelve neighbours in a row: no formula of few colours, so the order is data."""
    m, x = pgmc.Model("long"), pgmc.indices("x")
    s, J = m.spin("s", 40, boundary="periodic"), m.param("J")
    for d in range(1, 11):
        m.energy(-J * s[x] * s[x + d])
    program = pgmc.compile(m)
    assert program.compiler.colored.ordered() == ("s",)
    assert 11 <= len(program.blocks) <= 21


@pytest.mark.parametrize("shape", [(3, 3), (5,)])
def test_verification_covers_colours(shape: tuple[int, ...]) -> None:
    report = str(pgmc.compile(torus(*shape), backend="numpy").verify())
    assert "units of s that interact have different colours" in report
    assert "pairs of units that are drawn at once do not interact" in report
