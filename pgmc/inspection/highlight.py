"""Generated Python as text that a notebook shows in colours."""

from __future__ import annotations

from html import escape
from typing import Any

STYLE = "overflow-x: auto; background: #f6f8fa; padding: 10px 12px; font-size: 13px; line-height: 1.35; margin: 0"


class Source(str):
    """Source text: a string that a notebook highlights."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return highlight(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def highlight(source: str) -> str:
    """Python as HTML, its colours written in place; plain where the highlighter is not installed."""
    try:
        from pygments import highlight as colour
        from pygments.formatters.html import HtmlFormatter
        from pygments.lexers.python import PythonLexer
    except ImportError:
        return f'<pre style="{STYLE}">{escape(source)}</pre>'
    # The style that is used has a contrast of at least 4.5 to 1 on this background.
    formatter = HtmlFormatter(noclasses=True, style="default", nobackground=True, prestyles=STYLE)
    return str(colour(source, PythonLexer(stripnl=False), formatter))
