"""HTML fragments that every report is made of. They need no style sheet, no script and no network."""

from __future__ import annotations

import os
import secrets
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
    """Write a file so that nobody ever sees a part of it, with the permissions of any other new file."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o666), "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return path
