"""Drawings: the SVG is parsed, and what must be in it is looked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import networkx as nx
import pytest

from pgmc.inspection.appearance import GIVEN, PALETTE, describe_shape
from pgmc.inspection.diagrams import LINE, Diagram, draw_graph
from pgmc.inspection.graph_text import to_dot, to_mermaid
from pgmc.inspection.layout import Link, arrange, mentions

SVG = "{http://www.w3.org/2000/svg}"
THIRD_ORDER = "-Σ_ijk x[i]·y[j]·h[k]·W[i,j,k]"


@pytest.fixture
def deep() -> nx.Graph:
    graph = nx.Graph()
    graph.add_node("v", kind="binary", shape=(28, 28), block=0)
    graph.add_node("h1", kind="binary", shape=(500,), block=1)
    graph.add_node("h2", kind="spin", shape=(1,), block=0)
    graph.add_node("label", kind="categorical(10)", shape=(), block=0)
    graph.add_node("context", kind="input", shape=(12,))
    graph.add_edge("v", "h1", terms=["-Σ_ij v[i]·W1[i,j]·h1[j]"], parameters=["W1"])
    graph.add_edge("h1", "h2", terms=["-Σ_jk h1[j]·W2[j,k]·h2[k]"], parameters=["W2"])
    graph.add_edge("label", "h1", terms=["-Σ_kj label[k]·U[k,j]·h1[j]"], parameters=["U"])
    graph.add_edge("context", "v", terms=["-Σ_ij context[i]·A[i,j]·v[j]"], parameters=["A"])
    graph.add_edge("v", "v", terms=["-Σ_ij v[i]·L[i,j]·v[j]"], parameters=["L"])
    return graph


@pytest.fixture
def third_order() -> nx.Graph:
    graph = nx.Graph()
    for k, name in enumerate("xyh"):
        graph.add_node(name, kind="binary", shape=(3,), block=k)
    graph.add_edge("x", "y", terms=[THIRD_ORDER, "-Σ_ij x[i]·V[i,j]·y[j]"], parameters=["W", "V"])
    graph.add_edge("y", "h", terms=[THIRD_ORDER], parameters=["W"])
    graph.add_edge("x", "h", terms=[THIRD_ORDER], parameters=["W"])
    return graph


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def boxes(root: ElementTree.Element) -> list[tuple[float, float, float, float]]:
    """Left, top, right, bottom of each card."""
    found = []
    for group in root.iter(f"{SVG}g"):
        rect = group.findall(f"{SVG}rect")[-1]
        x, y, width, height = (float(rect.get(key, "nan")) for key in ("x", "y", "width", "height"))
        found.append((x, y, x + width, y + height))
    return found


def test_layers_start_at_the_first_variable(deep: nx.Graph) -> None:
    layout = arrange(deep)
    assert [set(layer) for layer in layout.layers] == [{"v"}, {"h1", "context"}, {"h2", "label"}]
    assert Link(("v",), ("L",)) in layout.links
    assert len(layout.links) == 5


def test_a_term_of_three_variables_is_one_factor(third_order: nx.Graph) -> None:
    links = arrange(third_order).links
    assert set(links) == {Link(("x", "y", "h"), ("W",)), Link(("x", "y"), ("V",))}


def test_mentions_looks_outside_indices() -> None:
    assert mentions("-Σ_ij W[i,j]·v[i]", "W")
    assert not mentions("-Σ_ij W[i,j]·v[i]", "i")
    assert not mentions("-Σ_ij W[i,j]·v[i]", "ij")
    assert not mentions("-Σ_i W1[i]", "W")
    assert mentions("-J·Σ_i s[i]", "J")


def test_svg_shows_every_variable(deep: nx.Graph) -> None:
    root = ElementTree.fromstring(draw_graph(deep, "A deep <machine>"))
    shown = texts(root)
    for text in ("A deep <machine>", "v", "h1", "h2", "label", "context", "28 × 28", "500 units", "1 unit"):
        assert text in shown
    for text in (
        "categorical(10) · 1 unit",
        "input · 12 units",
        "W1",
        "W2",
        "U",
        "A",
        "L",
        "block 1",
        "block 2",
        "given",
    ):
        assert text in shown
    assert root.findtext(f"{SVG}title") == "A deep <machine>"


def test_cards_stay_apart_and_inside(deep: nx.Graph, third_order: nx.Graph) -> None:
    for graph in (deep, third_order):
        root = ElementTree.fromstring(draw_graph(graph))
        width, height = (float(root.get(key, "nan")) for key in ("width", "height"))
        cards = boxes(root)
        assert len(cards) == len(graph)
        for k, (left, top, right, bottom) in enumerate(cards):
            assert left >= 0
            assert top >= 0
            assert right <= width
            assert bottom <= height
            for other in cards[k + 1 :]:
                apart = right < other[0] or other[2] < left or bottom < other[1] or other[3] < top
                assert apart


def test_colours_are_those_of_the_blocks(deep: nx.Graph) -> None:
    root = ElementTree.fromstring(draw_graph(deep))
    fills = [group.findall(f"{SVG}rect")[-1].get("fill") for group in root.iter(f"{SVG}g")]
    by_name = dict(zip(deep.nodes, fills, strict=True))
    assert by_name["v"] == by_name["h2"] == PALETTE[0][0]
    assert by_name["h1"] == PALETTE[1][0]
    assert by_name["context"] == GIVEN[0]


def test_lines(third_order: nx.Graph) -> None:
    root = ElementTree.fromstring(draw_graph(third_order))
    paths = [path for path in root.iter(f"{SVG}path") if path.get("stroke") == LINE]
    assert len(paths) == 4  # three to the factor, one edge
    assert texts(root).count("W") == 1


def test_empty_and_single() -> None:
    ElementTree.fromstring(draw_graph(nx.Graph()))
    lattice = nx.Graph()
    lattice.add_node("s", kind="spin", shape=(64, 64), block=0)
    lattice.add_edge("s", "s", terms=["-J·Σ_ij s[i,j]·s[i,j+1]"], parameters=["J"])
    assert "64 × 64" in texts(ElementTree.fromstring(draw_graph(lattice)))


def test_shapes() -> None:
    assert describe_shape(()) == "1 unit"
    assert describe_shape((1,)) == "1 unit"
    assert describe_shape((784,)) == "784 units"
    assert describe_shape((28, 28)) == "28 × 28"


def test_dot(third_order: nx.Graph) -> None:
    assert to_dot(third_order) == (
        """\
graph {
  rankdir=BT
  node [shape=box, style="rounded,filled", fontname="Helvetica"]
  edge [color="#8a94a3", fontname="Helvetica"]
  "x" [label="x\\nbinary · 3 units", fillcolor="#e3effb", color="#3b7dc4", fontcolor="#173f6b"]
  "y" [label="y\\nbinary · 3 units", fillcolor="#fdebd9", color="#d9822b", fontcolor="#7a4310"]
  "h" [label="h\\nbinary · 3 units", fillcolor="#e1f4e8", color="#35955f", fontcolor="#164a2e"]
  "x" -- "y" [label="V"]
  "factor 1" [shape=square, width=0.15, fillcolor="#2f3947", label="", xlabel="W"]
  "factor 1" -- "x"
  "factor 1" -- "y"
  "factor 1" -- "h"
}
"""
    )


def test_mermaid(third_order: nx.Graph, deep: nx.Graph) -> None:
    assert to_mermaid(third_order) == (
        """\
graph BT
  n0("x<br/>binary · 3 units"):::block0
  n1("y<br/>binary · 3 units"):::block1
  n2("h<br/>binary · 3 units"):::block2
  n0 ---|V| n1
  f0["W"]
  f0 --- n0
  f0 --- n1
  f0 --- n2
  classDef block0 fill:#e3effb,stroke:#3b7dc4,color:#173f6b
  classDef block1 fill:#fdebd9,stroke:#d9822b,color:#7a4310
  classDef block2 fill:#e1f4e8,stroke:#35955f,color:#164a2e
"""
    )
    assert '  n4[/"context<br/>input · 12 units"/]:::given' in to_mermaid(deep)
    assert "  n0 ---|L| n0" in to_mermaid(deep)
    assert '"context" [label="context\\ninput · 12 units"' in to_dot(deep)


def test_diagram_object(derived: Any, tmp_path: Path) -> None:
    diagram = Diagram(derived.graph, "two layers")
    assert diagram._repr_svg_() == diagram.svg() == draw_graph(derived.graph, "two layers")
    path = diagram.save(tmp_path / "graph.svg")
    assert path.read_text(encoding="utf-8") == diagram.svg()
    assert [p.name for p in tmp_path.iterdir()] == ["graph.svg"]
    assert diagram.dot() == to_dot(derived.graph)
    assert diagram.mermaid() == to_mermaid(derived.graph)
