"""The variable graph as text for other programs: DOT (Graphviz) and Mermaid (GitHub, notebooks, documentation)."""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx

from pgmc.inspection.appearance import GIVEN, PALETTE, Colours, describe_shape
from pgmc.inspection.layout import Link, arrange


def to_dot(graph: nx.Graph) -> str:
    """The graph in the DOT language."""
    lines = [
        "graph {",
        "  rankdir=BT",
        '  node [shape=box, style="rounded,filled", fontname="Helvetica"]',
        '  edge [color="#8a94a3", fontname="Helvetica"]',
    ]
    for name, data in graph.nodes(data=True):
        fill, outline, ink = _colours(data)
        look = f'fillcolor="{fill}", color="{outline}", fontcolor="{ink}"'
        style = ', style="rounded,filled,dashed"' if data.get("kind") == "input" else ""
        lines.append(f'  "{name}" [label="{_caption(name, data, chr(92) + "n")}", {look}{style}]')
    for ends, label in _edges(graph):
        a, b = (f'"{end}"' for end in ends)
        lines.append(f'  {a} -- {b} [label="{label}"]')
    for k, link in enumerate(_factors(graph)):
        look = 'shape=square, width=0.15, fillcolor="#2f3947", label=""'
        lines.append(f'  "factor {k + 1}" [{look}, xlabel="{", ".join(link.parameters)}"]')
        lines += [f'  "factor {k + 1}" -- "{member}"' for member in link.members]
    return "\n".join([*lines, "}"]) + "\n"


def to_mermaid(graph: nx.Graph) -> str:
    """The graph as a Mermaid flow chart, the first variable at the bottom."""
    number = {name: f"n{k}" for k, name in enumerate(graph.nodes)}
    lines = ["graph BT"]
    for name, data in graph.nodes(data=True):
        opening, closing = ("[/", "/]") if data.get("kind") == "input" else ("(", ")")
        lines.append(f'  {number[name]}{opening}"{_caption(name, data, "<br/>")}"{closing}:::{_class(data)}')
    for (a, b), label in _edges(graph):
        lines.append(f"  {number[a]} ---{f'|{label}|' if label else ''} {number[b]}")
    for k, link in enumerate(_factors(graph)):
        lines.append(f'  f{k}["{", ".join(link.parameters) or " "}"]')
        lines += [f"  f{k} --- {number[member]}" for member in link.members]
    for data in {_class(data): data for _, data in graph.nodes(data=True)}.values():
        fill, outline, ink = _colours(data)
        lines.append(f"  classDef {_class(data)} fill:{fill},stroke:{outline},color:{ink}")
    return "\n".join(lines) + "\n"


def _caption(name: str, data: dict[str, object], line_break: str) -> str:
    shape = data.get("shape")
    size = describe_shape(shape) if isinstance(shape, tuple) else ""
    return f"{name}{line_break}{data.get('kind', '')} · {size}"


def _class(data: dict[str, object]) -> str:
    block = data.get("block")
    return "given" if block is None else f"block{block}"


def _colours(data: dict[str, object]) -> Colours:
    block = data.get("block")
    return PALETTE[block % len(PALETTE)] if isinstance(block, int) else GIVEN


def _edges(graph: nx.Graph) -> Iterable[tuple[tuple[str, str], str]]:
    """Both ends and the label of every link of one or two variables."""
    for link in arrange(graph).links:
        if len(link.members) < 3:
            yield (link.members[0], link.members[-1]), ", ".join(link.parameters)


def _factors(graph: nx.Graph) -> list[Link]:
    return [link for link in arrange(graph).links if len(link.members) > 2]
