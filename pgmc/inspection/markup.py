"""HTML fragments that every report is made of. They need no style sheet, no script and no network."""

from __future__ import annotations

import tempfile
from html import escape
from pathlib import Path

from pgmc.inspection.typesetting import typeset


def mathematics(latex: str, text: str) -> str:
    """Mathematics as HTML: an SVG where the typesetter ziamath (extra ``report``) is installed, else text.

    A formula that the typesetter cannot set is shown as text too, so that a report never fails.
    """
    return typeset(latex, text) or preformatted(text)


def preformatted(text: str) -> str:
    """Text that keeps its spaces and wraps at the width of the page."""
    return f'<pre style="margin: 0; white-space: pre-wrap; background: none">{escape(text)}</pre>'


def write_atomically(path: str | Path, content: bytes) -> Path:
    """Write a file so that nobody ever sees a part of it."""
    path = Path(path)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(content)
    try:
        Path(file.name).replace(path)
    except OSError:
        Path(file.name).unlink()
        raise
    return path
