"""The pages run, and nothing in them leads nowhere."""

from __future__ import annotations

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def load(path: Path) -> ModuleType:
    spec = spec_from_file_location(f"docs_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pages = load(DOCS / "render.py")
SCRIPTS = sorted(path for path in DOCS.glob("*.py") if path.name != "render.py")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_page_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGMC_DOCS", "quick")
    page = pages.render(path)
    assert page.startswith("# ") and "```python" in page and "```text" in page


def test_links_lead_somewhere() -> None:
    names = {f"{path.stem}.md" for path in (*DOCS.glob("*.md"), *SCRIPTS)} | {
        "figures.md",
        "catalogue.md",
    }  # the benchmarks write these
    listed = re.findall(r": (\w+\.md)$", (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(names)
    for path in (*DOCS.glob("*.md"), *SCRIPTS):
        links = set(re.findall(r"\]\((\w+\.md)\)", path.read_text(encoding="utf-8")))
        assert links <= names, path.name


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
