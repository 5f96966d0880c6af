"""The pages run, and nothing in them leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import scripts as pages

DOCS = Path(__file__).parents[2] / "docs"
SCRIPTS = sorted(path for path in DOCS.rglob("*.py") if path.parent.name != "generate")
WRITTEN = (*DOCS.rglob("*.md"), *SCRIPTS)
GENERATED = {"api.md", "cheat_sheet.md", "references.md", "models/index.md"}


def uri(path: Path) -> str:
    """The address of a page."""
    return str(path.relative_to(DOCS).with_suffix(".md"))


@pytest.mark.parametrize("path", SCRIPTS, ids=uri)
def test_a_page_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGMC_DOCS", "quick")
    page = pages.render(path)
    assert page.startswith("# ") and "```python" in page and "```text" in page


def test_every_page_is_in_the_menu() -> None:
    menu = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    listed = re.findall(r"([\w/]+\.md)$", menu, re.MULTILINE)
    made = {uri(path) for path in WRITTEN} | GENERATED - {"models/index.md"} | {"catalogue.md", "figures.md"}
    assert sorted(listed) == sorted(made)
    assert "  - Models: models/\n" in menu


def test_links_lead_somewhere() -> None:
    models = {f"models/{path.name}" for path in (DOCS.parent / "models").glob("*.py")}
    for path in WRITTEN:
        for link in re.findall(r"\]\(([\w/.]+\.md)(?:#\w+)?\)", path.read_text(encoding="utf-8")):
            target = str((path.parent / link).resolve().relative_to(DOCS))
            known = {uri(page) for page in WRITTEN} | GENERATED | {"catalogue.md", "figures.md"}
            assert target in known or target.replace(".md", ".py") in models, f"{path.name}: {link}"


def test_cells() -> None:
    script = "import this_is_left_out\n# %% [markdown]\n# # Title\n#\n# Text\n# %% Sum\nprint(1 + 1)\n# %%\nx = 3\n"
    cells = pages.split_cells(script)
    assert cells == [
        pages.Cell("", "# Title\n\nText", True, 2),
        pages.Cell("Sum", "print(1 + 1)", False, 6),
        pages.Cell("", "x = 3", False, 8),
    ]
    assert pages.run_cell(cells[1], Path("page.py"), {}) == "2\n"


def test_tracebacks_point_into_the_page() -> None:
    cell = pages.Cell("", "x = 1\nraise ValueError", False, 10)
    with pytest.raises(ValueError) as caught:
        pages.run_cell(cell, Path("page.py"), {})
    assert caught.traceback[-1].lineno == 11  # counted from 0


def test_files_that_pages_name_exist() -> None:
    for path in WRITTEN:
        for name in re.findall(r"`((?:pgmc|tests|docs|models)/[\w/]*(?:\.py)?)`", path.read_text(encoding="utf-8")):
            assert (DOCS.parent / name).exists(), f"{path.name}: {name}"
