"""Mathematics as drawings that a line of text can be broken between.

A formula is set in pieces, cut where one would break it by hand: before a sign or a word, and after the relation. Each
is an SVG on the base line of the text, so a browser puts as many on a line as its window has room for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from xml.etree import ElementTree

# ziamath stretches \left( far beyond a sum in display style; its plain brackets have the right size.
STRETCHED = re.compile(r"\\(left|right)(?![a-z])")
BREAKS = re.compile(r" = | [+-] | \\propto | \\sim |, (?=\\text)")
RELATIONS = (" = ", r" \propto ", r" \sim ")
SIZE = 16

LINE = "display: block; padding-left: 28px; text-indent: -28px; line-height: 1.9; overflow-x: auto; overflow-y: hidden"


def typeset(latex: str, text: str) -> str | None:
    """The formula as HTML, labelled with the text; None where it cannot be set, or ziamath is not installed."""
    try:
        from ziamath.zmath import Latex
    except ImportError:
        return None
    drawings = []
    try:
        for piece in pieces(STRETCHED.sub("", latex)):
            formula = Latex(piece, size=SIZE, color="currentColor")
            svg = formula.svgxml()
            # The offset is that of the base line from the lower edge.
            svg.set("style", f"vertical-align: {formula.getyofst():.2f}px; text-indent: 0")
            drawings.append(ElementTree.tostring(svg, encoding="unicode"))
    except Exception:  # the typesetter has no error class of its own; text is always right
        return None
    return f'<span role="img" aria-label="{escape(text)}" style="{LINE}">{" ".join(drawings)}</span>'


def pieces(latex: str) -> Iterator[str]:
    """The formula cut at signs that no braces enclose, and at the relation; a sign is kept a sign between two terms."""
    braces, brackets, start = 0, 0, 0
    places = {match.start(): match for match in BREAKS.finditer(latex)}
    for place, letter in enumerate(latex):
        braces += {"{": 1, "}": -1}.get(letter, 0)
        brackets += {"(": 1, ")": -1}.get(letter, 0)
        if braces == 0 and place in places:
            sign = places[place].group()
            if sign in RELATIONS and brackets:
                continue
            cut = place if sign in (" + ", " - ") else places[place].end()
            if latex[start:cut].strip():
                yield _infix(latex[start:cut])
                start = cut
    if latex[start:].strip():
        yield _infix(latex[start:])


def _infix(piece: str) -> str:
    """A piece that begins with a sign, with room around the sign as between two terms."""
    piece = piece.strip()
    return f"{piece[0]} \\; {piece[1:].lstrip()}" if piece[:2] in ("+ ", "- ") else piece
