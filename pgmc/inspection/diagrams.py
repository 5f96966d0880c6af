"""Drawings of the variable graph: an SVG that needs no other program, DOT and Mermaid text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import networkx as nx

from pgmc.inspection.appearance import GIVEN, PALETTE, Colours, describe_shape
from pgmc.inspection.layout import Layout, Link, arrange
from pgmc.inspection.markup import write_atomically

LEAST_WIDTH, CARD_HEIGHT = 208, 68
GAP_ACROSS, GAP_UP = 84, 92
MARGIN = 30
LONGEST_SYMBOL = 4
LEGEND_HEIGHT = 40
FONT = "ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"
SERIF = "'STIX Two Math', 'Latin Modern Math', Cambria, Georgia, 'Times New Roman', serif"

LINE, INK, PILL = "#8a94a3", "#2f3947", "#ffffff"


@dataclass(frozen=True, slots=True)
class Card:
    """A variable in the drawing: its box, given by the centre."""

    name: str
    kind: str
    shape: tuple[int, ...]
    block: int | None
    x: float = 0.0
    y: float = 0.0
    width: float = LEAST_WIDTH

    @property
    def lines(self) -> tuple[str, str]:
        """The words beside the circle, which holds the name if it is short enough."""
        shape = describe_shape(self.shape)
        if len(self.name) <= LONGEST_SYMBOL:
            return self.kind, shape
        name = self.name if len(self.name) <= 28 else self.name[:27] + "…"
        return name, f"{self.kind} · {shape}"

    @property
    def colours(self) -> Colours:
        """Fill, outline and text."""
        return GIVEN if self.block is None else PALETTE[self.block % len(PALETTE)]

    def port(self, towards: Card | tuple[float, float]) -> tuple[float, float]:
        """The middle of the side that looks towards another card or a point."""
        x, y = (towards.x, towards.y) if isinstance(towards, Card) else towards
        if abs(y - self.y) < CARD_HEIGHT / 2:
            return self.x + (self.width / 2 if x > self.x else -self.width / 2), self.y
        aside = max(-self.width / 4, min(self.width / 4, (x - self.x) * 0.15))
        return self.x + aside, self.y + (CARD_HEIGHT / 2 if y > self.y else -CARD_HEIGHT / 2)


@dataclass(frozen=True, slots=True)
class Diagram:
    """The drawing of a variable graph.

    Nodes carry ``kind`` (``"binary"``, ``"spin"``, ``"categorical(3)"``, ``"input"``), ``shape`` and, for variables
    that a sweep updates, ``block``; edges carry ``terms`` and ``parameters``. A self-loop couples the units of one
    variable. A term of three variables or more is drawn as one factor.
    """

    graph: nx.Graph
    title: str = ""

    def svg(self) -> str:
        """The drawing as SVG text."""
        return draw_graph(self.graph, self.title)

    def save(self, path: str | Path) -> Path:
        """Write the SVG to a file."""
        return write_atomically(path, self.svg().encode())

    def dot(self) -> str:
        """The graph in the DOT language of Graphviz."""
        from pgmc.inspection.graph_text import to_dot

        return to_dot(self.graph)

    def mermaid(self) -> str:
        """The graph as a Mermaid flow chart."""
        from pgmc.inspection.graph_text import to_mermaid

        return to_mermaid(self.graph)

    def tikz(self, standalone: bool = False) -> str:
        """The graph as a TikZ picture for LaTeX; with ``standalone`` a document of its own."""
        from pgmc.inspection.tikz import to_tikz

        return to_tikz(self.graph, standalone)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        return self.svg()


def draw_graph(graph: nx.Graph, title: str = "") -> str:
    """The variable graph as SVG text: one card a variable, coloured by block, edges labelled by parameters."""
    layout = arrange(graph)
    cards, width, height = _place(graph, layout, bool(title))
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width:g} {height:g}",
            "width": f"{width:g}",
            "height": f"{height:g}",
            "font-family": FONT,
            "role": "img",
        },
    )
    _add(root, "title").text = title or f"Graph of the variables {', '.join(cards)}"
    if title:
        _label(root, MARGIN, MARGIN, title, size=17, weight="600", fill=INK)
    labels = [_draw_link(root, link, cards) for link in layout.links]
    for card in cards.values():
        _draw_card(root, card)
    for at, link in zip(labels, layout.links, strict=True):
        _draw_pill(root, at, link)
    _draw_legend(root, list(cards.values()), height)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode")


# ---- places ------------------------------------------------------------------------------------------------


def _place(graph: nx.Graph, layout: Layout, titled: bool) -> tuple[dict[str, Card], float, float]:
    """The cards by name, and the size of the drawing. The first layer is at the bottom."""
    cards = {name: _card(name, data) for name, data in graph.nodes(data=True)}
    longest = max((len(line) for card in cards.values() for line in card.lines), default=0)
    card_width = max(LEAST_WIDTH, 88 + 7.6 * longest)
    pitch = card_width + GAP_ACROSS
    loops = [pill_width(link) for link in layout.links if len(link.members) == 1]
    widest = max((len(layer) for layer in layout.layers), default=0)
    colours = len({card.block for card in cards.values()})
    inner = max(widest * pitch - GAP_ACROSS, 96 * colours, 300)
    width = inner + 2 * MARGIN + 2 * max((24 + loop for loop in loops), default=0)
    top = MARGIN + (26 if titled else 0)
    rows = len(layout.layers)
    height = top + rows * CARD_HEIGHT + max(0, rows - 1) * GAP_UP + LEGEND_HEIGHT + MARGIN
    for k, layer in enumerate(layout.layers):
        y = top + (rows - 1 - k) * (CARD_HEIGHT + GAP_UP) + CARD_HEIGHT / 2
        left = width / 2 - (len(layer) - 1) * pitch / 2
        for i, name in enumerate(layer):
            cards[name] = replace(cards[name], x=left + i * pitch, y=y, width=card_width)
    return cards, width, height


def _card(name: str, data: dict[str, Any]) -> Card:
    return Card(name, str(data.get("kind", "")), tuple(data.get("shape", ())), data.get("block"))


# ---- pieces ------------------------------------------------------------------------------------------------


def _add(parent: ElementTree.Element, tag: str, **attributes: object) -> ElementTree.Element:
    values = {k.replace("_", "-"): f"{v:g}" if isinstance(v, float) else str(v) for k, v in attributes.items()}
    return ElementTree.SubElement(parent, tag, values)


def _label(parent: ElementTree.Element, x: float, y: float, text: str, size: int, fill: str, **how: Any) -> None:
    names = {
        "weight": "font-weight",
        "style": "font-style",
        "anchor": "text-anchor",
        "family": "font-family",
    }
    element = _add(parent, "text", x=x, y=y, font_size=size, fill=fill, **{names[k]: v for k, v in how.items()})
    element.text = text


def _draw_link(root: ElementTree.Element, link: Link, cards: dict[str, Card]) -> tuple[float, float]:
    """Draw the lines of a link; the place of its label."""
    members = [cards[name] for name in link.members]
    if len(members) == 1:
        return _draw_loop(root, members[0], pill_width(link))
    if len(members) == 2:
        return _draw_edge(root, members[0], members[1])
    rows = {card.y for card in members}
    centre = (sum(c.x for c in members) / len(members), sum(rows) / len(rows))
    centre = _clear_of(centre, list(cards.values()))
    for card in members:
        _draw_curve(root, card.port(centre), centre)
    _add(root, "rect", x=centre[0] - 6, y=centre[1] - 6, width=12, height=12, rx=2, fill=INK)
    return centre[0] + 12 + pill_width(link) / 2, centre[1]


def _clear_of(point: tuple[float, float], cards: list[Card]) -> tuple[float, float]:
    """The point, moved above any card it lies on."""
    x, y = point
    for card in sorted(cards, key=lambda c: -c.y):
        if abs(x - card.x) < card.width / 2 + 14 and abs(y - card.y) < CARD_HEIGHT / 2 + 14:
            y = card.y - CARD_HEIGHT / 2 - GAP_UP / 2 if card.y > CARD_HEIGHT else card.y + GAP_UP
    return x, y


def _draw_edge(root: ElementTree.Element, a: Card, b: Card) -> tuple[float, float]:
    (x1, y1), (x2, y2) = a.port(b), b.port(a)
    if a.y == b.y and abs(a.x - b.x) > a.width + GAP_ACROSS + 1:  # others stand between: pass below them
        (x1, y1), (x2, y2) = (a.x, a.y + CARD_HEIGHT / 2), (b.x, b.y + CARD_HEIGHT / 2)
        dip = y1 + GAP_UP * 0.6
        _path(root, f"M {x1:g} {y1:g} C {x1:g} {dip:g}, {x2:g} {dip:g}, {x2:g} {y2:g}")
        return (x1 + x2) / 2, y1 + GAP_UP * 0.45
    _draw_curve(root, (x1, y1), (x2, y2))
    return (x1 + x2) / 2, (y1 + y2) / 2


def _draw_curve(root: ElementTree.Element, start: tuple[float, float], end: tuple[float, float]) -> None:
    (x1, y1), (x2, y2) = start, end
    middle = (y1 + y2) / 2
    _path(root, f"M {x1:g} {y1:g} C {x1:g} {middle:g}, {x2:g} {middle:g}, {x2:g} {y2:g}")


def _draw_loop(root: ElementTree.Element, card: Card, label: float) -> tuple[float, float]:
    x, y = card.x + card.width / 2, card.y
    _path(root, f"M {x:g} {y - 16:g} C {x + 58:g} {y - 40:g}, {x + 58:g} {y + 40:g}, {x:g} {y + 16:g}")
    return max(x + 43, x + 24 + label / 2), y


def _path(root: ElementTree.Element, d: str) -> None:
    _add(root, "path", d=d, fill="none", stroke=LINE, stroke_width=2, stroke_linecap="round")


def _draw_card(root: ElementTree.Element, card: Card) -> None:
    fill, outline, ink = card.colours
    group = _add(root, "g")
    dashed = {"stroke_dasharray": "6 4"} if card.kind == "input" else {}
    x, y = card.x - card.width / 2, card.y - CARD_HEIGHT / 2
    box = {"width": card.width, "height": CARD_HEIGHT, "rx": 12, "fill": fill, "stroke": outline}
    if prod(card.shape) > 1:  # an array of units: a second sheet behind the first
        _add(group, "rect", x=x + 5, y=y - 5, stroke_width=1.2, **box, **dashed)
    _add(group, "rect", x=x, y=y, stroke_width=1.8, **box, **dashed)
    _add(group, "circle", cx=x + 36, cy=card.y, r=23, fill=PILL, stroke=outline, stroke_width=1.8)
    short = len(card.name) <= LONGEST_SYMBOL
    symbol = card.name if short else card.name[0]
    size = (23, 20, 16, 13)[len(symbol) - 1]
    low, how = card.y + size * 0.3, {"style": "italic", "anchor": "middle", "family": SERIF}
    _label(group, x + 36, low, symbol, size, ink, **how)
    _label(group, x + 70, card.y - 4, card.lines[0], 14, ink, weight="600")
    _label(group, x + 70, card.y + 16, card.lines[1], 13, ink)


def pill_width(link: Link) -> float:
    """The width of the label of a link."""
    return 18 + 8.2 * len(", ".join(link.parameters))


def _draw_pill(root: ElementTree.Element, at: tuple[float, float], link: Link) -> None:
    if not link.parameters:
        return
    width, (x, y) = pill_width(link), at
    box = {"x": x - width / 2, "y": y - 12, "width": width, "height": 24, "rx": 12}
    _add(root, "rect", **box, fill=PILL, stroke=LINE, stroke_width=1.2)
    _label(root, x, y + 5, ", ".join(link.parameters), 15, INK, style="italic", anchor="middle", family=SERIF)


def _draw_legend(root: ElementTree.Element, cards: list[Card], height: float) -> None:
    """Which colour is which block of a sweep."""
    blocks: dict[int, list[str]] = {}
    for card in cards:
        if card.block is not None:
            blocks.setdefault(card.block, []).append(card.name)
    x, y = float(MARGIN), height - MARGIN + 2
    entries = [(PALETTE[k % len(PALETTE)], f"block {k + 1}") for k in sorted(blocks)]
    if any(card.kind == "input" for card in cards):
        entries.append((GIVEN, "given"))
    for (fill, outline, _), text in entries:
        _add(
            root,
            "rect",
            x=x,
            y=y - 11,
            width=14,
            height=14,
            rx=4,
            fill=fill,
            stroke=outline,
            stroke_width=1.5,
        )
        _label(root, x + 21, y + 1, text, 13, LINE)
        x += 44 + 7.2 * len(text)
