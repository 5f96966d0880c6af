"""The variable graph as TikZ: text for a paper, laid out in layers and coloured by blocks as the drawing is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import networkx as nx

from pgmc.inspection.appearance import GIVEN, PALETTE, Colours, describe_shape
from pgmc.inspection.latex import latex_name, latex_text
from pgmc.inspection.layout import Layout, Link, arrange

ACROSS, UP = 3.2, 1.9
"""Centimetres from one variable to the next, and from one layer to the next."""

STYLES = """\
\\begin{tikzpicture}[
  random variable/.style={circle, draw, thick, minimum size=9mm, inner sep=1pt},
  given variable/.style={random variable, dashed},
  coupling/.style={draw=black!45, thick},
  weight/.style={fill=white, inner sep=1.5pt, font=\\footnotesize},
  factor/.style={rectangle, fill=black!75, minimum size=2mm, inner sep=0pt},
  about/.style={font=\\scriptsize, align=left, text=black!70}]"""


def to_tikz(graph: nx.Graph, standalone: bool = False) -> str:
    """The graph as a ``tikzpicture``; its colours are defined in front of it.

    Parameters
    ----------
    graph
        As ``Program.graph`` gives it.
    standalone
        Whether the text is a document of its own, that LaTeX sets as it is.
    """
    layout = arrange(graph)
    nodes = {name: f"v{k}" for k, name in enumerate(graph.nodes)}
    lines = [*_colours(graph), STYLES, *_variables(graph, layout, nodes)]
    for k, link in enumerate(layout.links):
        lines += _factor(link, k, layout, nodes) if len(link.members) > 2 else [_coupling(link, layout, nodes)]
    lines.append("\\end{tikzpicture}")
    text = "\n".join(lines) + "\n"
    if not standalone:
        return text
    return f"\\documentclass[tikz, border=4pt]{{standalone}}\n\\begin{{document}}\n{text}\\end{{document}}\n"


def _colours(graph: nx.Graph) -> Iterator[str]:
    for style, (fill, outline, ink) in dict.fromkeys(_look(data) for _, data in graph.nodes(data=True)):
        for part, colour in (("fill", fill), ("line", outline), ("ink", ink)):
            yield f"\\definecolor{{{style}{part}}}{{HTML}}{{{colour[1:].upper()}}}"


def _look(data: Mapping[str, object]) -> tuple[str, Colours]:
    """The name of the colours of a variable, and the colours."""
    block = data.get("block")
    if not isinstance(block, int):
        return "given", GIVEN
    number = block % len(PALETTE)
    return f"block{chr(ord('A') + number)}", PALETTE[number]


def _variables(graph: nx.Graph, layout: Layout, nodes: Mapping[str, str]) -> Iterator[str]:
    for name, data in graph.nodes(data=True):
        x, y = _place(name, layout)
        look = _look(data)[0]
        style = "given variable" if data.get("kind") == "input" else "random variable"
        options = f"{style}, draw={look}line, fill={look}fill, text={look}ink"
        shape = data.get("shape")
        size = describe_shape(shape) if isinstance(shape, tuple) else ""
        about = "\\\\ ".join(_words(text) for text in (str(data.get("kind", "")), size) if text)
        yield f"  \\node[{options}] ({nodes[name]}) at ({x:g}, {y:g}) {{${latex_name(name)}$}};"
        yield f"  \\node[about, right=1mm] at ({nodes[name]}.east) {{{about}}};"


def _words(text: str) -> str:
    """Words outside mathematics."""
    return latex_text(text).removeprefix("\\text{").removesuffix("}").replace("×", "$\\times$").replace("\u202f", "\\,")


def _place(name: str, layout: Layout) -> tuple[float, float]:
    layer = layout.layer_of(name)
    names = layout.layers[layer]
    return (names.index(name) - (len(names) - 1) / 2) * ACROSS, layer * UP


def _coupling(link: Link, layout: Layout, nodes: Mapping[str, str]) -> str:
    """A line between two variables, or a loop at one whose units interact."""
    label = f" node[weight, midway] {{${', '.join(map(latex_name, link.parameters))}$}}" if link.parameters else ""
    first, last = link.members[0], link.members[-1]
    if first == last:
        return f"  \\draw[coupling] ({nodes[first]}) to[out=160, in=200, looseness=7]{label} ({nodes[first]});"
    (xa, ya), (xb, yb) = _place(first, layout), _place(last, layout)
    how = " --"
    if ya == yb:  # above what is written beside the variables
        how = f" to[bend {'left' if xa < xb else 'right'}=30]"
    elif xa == xb and abs(ya - yb) > UP:  # round the variables between
        how = " to[bend left=35]"
    return f"  \\draw[coupling] ({nodes[first]}){how}{label} ({nodes[last]});"


def _factor(link: Link, number: int, layout: Layout, nodes: Mapping[str, str]) -> list[str]:
    """A square for a term of three variables or more, joined to each."""
    places = [_place(name, layout) for name in link.members]
    x, y = (sum(values) / len(places) for values in zip(*places, strict=True))
    label = ", ".join(map(latex_name, link.parameters))
    lines = [f"  \\node[factor, label={{[weight]above:${label}$}}] (f{number}) at ({x:g}, {y:g}) {{}};"]
    return lines + [f"  \\draw[coupling] (f{number}) -- ({nodes[name]});" for name in link.members]
