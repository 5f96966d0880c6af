"""What docstrings cite is in docs/references.bib, and nothing else is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
AUTHORS = re.compile(r"\b([A-Z][\w-]+)(?:(?:, and|,| and) [A-Z][\w-]+)* \((\d{4})\)")
KEY = re.compile(r"\[([a-z]+\d{4})\]")


def docstrings() -> Iterator[str]:
    for folder in ("pgmc", "models"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                    yield ast.get_docstring(node) or ""


def cited(text: str) -> set[str]:
    flat = re.sub(r"\s+", " ", text)
    return {f"{author.lower()}{year}" for author, year in AUTHORS.findall(flat)} | set(KEY.findall(flat))


def test_authors_and_keys_are_found() -> None:
    text = "Vehtari, Gelman,\nand Bürkner (2021), Rank. [larochelle2008]_ and Neal (2001); not E(v) = (20.5)."
    assert cited(text) == {"vehtari2021", "larochelle2008", "neal2001"}


def test_citations_and_references_agree() -> None:
    known = set(re.findall(r"@\w+\{(\w+),", (ROOT / "docs" / "references.bib").read_text(encoding="utf-8")))
    assert set().union(*map(cited, docstrings())) == known
