"""Mathematics in the pages: SVG that needs no script and no network, and scrolls by itself where a page is narrow."""

from __future__ import annotations

import re

from pgmc.inspection.equations import Equation, equation_html
from pgmc.inspection.markup import mathematics

GLYPH = re.compile(r'<symbol id="([^"]+)".*?</symbol>', re.DOTALL)


def formula(latex: str, text: str) -> str:
    """A formula on a line of its own; ``text`` is what a screen reader says."""
    return boxed(mathematics(latex, text))


def equation(entry: Equation) -> str:
    """An equation of a program, or the reason why there is none, on a line of its own."""
    return boxed(equation_html(entry))


def boxed(html: str) -> str:
    """HTML as a block of a Markdown page: on one line, so that Markdown leaves it alone."""
    return f'<div class="formula">{" ".join(html.splitlines())}</div>'


def share_glyphs(html: str) -> str:
    """A page in which every glyph is drawn once, at the top, however many formulas show it."""
    glyphs: dict[str, str] = {}

    def collect(found: re.Match[str]) -> str:
        glyphs.setdefault(found[1], found[0])
        return ""

    rest = GLYPH.sub(collect, html)
    if not glyphs:
        return html
    return f'<svg class="glyphs" aria-hidden="true" width="0" height="0">{"".join(glyphs.values())}</svg>{rest}'
