"""Turn the pages of this folder into Markdown: scripts are run, and what each cell prints stands below it.

A script is a page in the percent format: ``# %%`` starts a cell, ``# %% [markdown]`` a cell of text.
"""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

MARK = "# %%"
TEXT = "# %% [markdown]"


@dataclass(frozen=True)
class Cell:
    """A part of a page: its title or "" and its lines, code unless ``is_text``."""

    title: str
    body: str
    is_text: bool
    line: int


def split_cells(script: str) -> list[Cell]:
    """The cells of a script in the percent format; what stands before the first mark is left out."""
    lines = script.splitlines()
    starts = [k for k, line in enumerate(lines) if line.startswith(MARK)]
    cells = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        head, body = lines[start], lines[start + 1 : end]
        is_text = head.startswith(TEXT)
        if is_text:
            body = [line.removeprefix("#").removeprefix(" ") for line in body]
        title = "" if is_text else head.removeprefix(MARK).strip()
        cells.append(Cell(title, "\n".join(body).strip("\n"), is_text, start + 1))
    return cells


def run_cell(cell: Cell, path: Path, names: dict[str, Any]) -> str:
    """Run a cell of code in a namespace; what it prints."""
    printed = io.StringIO()
    code = compile("\n" * cell.line + cell.body, str(path), "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, names)  # noqa: S102 - a page of these docs, not input
    return printed.getvalue()


def render(path: Path) -> str:
    """A script as Markdown, with what it prints."""
    module = ModuleType(f"page_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look up the module they are in
    parts = []
    for cell in split_cells(path.read_text(encoding="utf-8")):
        if cell.is_text:
            parts.append(cell.body)
            continue
        printed = run_cell(cell, path, vars(module)).rstrip()
        parts.append(
            f"**{cell.title}**\n\n```python\n{cell.body}\n```" if cell.title else f"```python\n{cell.body}\n```"
        )
        if printed:
            parts.append(f"```text\n{printed}\n```")
    return "\n\n".join(parts) + "\n"
