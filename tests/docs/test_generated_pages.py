"""The pages that are made from specifications, the table of the chapter, docstrings and references."""

from __future__ import annotations

import re
from html import escape
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import api_pages
import cheat_sheet
import citations
import hooks
import model_pages
import pgmc
import typeset
from chapter_table import CHAPTER
from pgmc.cli.catalogue import list_names
from pgmc.inspection.markup import preformatted

RESTRICTED = "Restricted Boltzmann machines"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Formulas as text: typesetting all of them takes half a minute."""
    monkeypatch.setattr(typeset, "mathematics", lambda latex, text: preformatted(text))
    monkeypatch.setattr("pgmc.inspection.equations.mathematics", lambda latex, text: preformatted(text))
    cheat_sheet.program.cache_clear()


@pytest.mark.parametrize("name", list_names())
@pytest.mark.usefixtures("plain")
def test_every_specification_has_a_page(name: str) -> None:
    page = model_pages.ModelPage(name)
    text = page.markdown()
    assert text.startswith(f"# {page.title}\n")
    assert page.section in model_pages.SECTIONS.values()
    for heading in ("Specification", "What is found in it", "What is derived", "What is generated", "How to train it"):
        assert f"\n## {heading}\n" in text
    for entry in page.program.equations().values():
        assert escape(" ".join(str(entry).splitlines())) in text
    assert "@njit" in text and "<svg" in text
    assert "]_" not in text


def test_formulas_are_drawings_and_share_their_glyphs() -> None:
    page = model_pages.ModelPage("rbm").markdown()
    assert page.count('<div class="formula"><span role="img"') > 20
    shared = typeset.share_glyphs(page)
    names = re.findall(r'<symbol id="(\w+)"', shared)
    assert len(names) == len(set(names)) > 20
    assert set(re.findall(r'href="#(STIX\w+)"', shared)) <= set(names)
    assert shared.startswith('<svg class="glyphs"') and len(shared) < 0.6 * len(page)
    assert typeset.share_glyphs("nothing to share") == "nothing to share"


def test_models_stand_in_the_order_of_the_chapter() -> None:
    pages = model_pages.model_pages()
    assert [page.place for page in pages] == sorted(page.place for page in pages)
    by_name = {page.name: page for page in pages}
    assert sorted(by_name) == list_names()
    assert by_name["rbm"].title == "Restricted Boltzmann machine"
    assert by_name["mcrbm"].place == (5, 2) and by_name["softmax_rbm"].place == (8,)
    listed = model_pages.overview(pages)
    assert all(f"({name}.md)" in listed for name in by_name)


@pytest.mark.usefixtures("plain")
def test_the_cheat_sheet_has_every_row_of_the_table() -> None:
    page = cheat_sheet.cheat_sheet()
    assert page.count('<div class="pair">') == len(CHAPTER)
    assert "P(h[j] = 1 | v) = σ(Σ_i W[i,j]·v[i] + c[j])" in page


def test_the_interface_lists_every_public_name() -> None:
    names = api_pages.public_names()
    assert {"Model", "compile", "fit", "PCD", "PgmcError"} <= names.keys()
    page = api_pages.api_page()
    for name, home in names.items():
        assert hasattr(pgmc, name) and f"::: {home}.{name}\n" in page, name
    for path in api_pages.RETURNED:
        module, _, name = path.rpartition(".")
        assert hasattr(import_module(module), name) and f"heading: {name}\n" in page, path


def test_references_are_listed_and_linked() -> None:
    page = citations.references_page()
    keys = re.findall(r"@\w+\{(\w+),", (ROOT / "docs" / "references.bib").read_text(encoding="utf-8"))
    assert re.findall(r'id="(\w+)"', page) == keys
    assert citations.link_citations("after [hinton2006]_.") == (
        "after [Hinton, Osindero and Teh (2006)](../references.md#hinton2006)."
    )


def test_the_menu_gets_the_models() -> None:
    config: Any = SimpleNamespace(nav=["index.md", {"Models": "models/"}, {"References": "references.md"}])
    hooks.on_config(config)
    first, models, last = config.nav
    assert (first, last) == ("index.md", {"References": "references.md"})
    assert models["Models"][0] == "models/index.md"
    sections = [next(iter(section)) for section in models["Models"][1:]]
    assert sections == [title for title in model_pages.SECTIONS.values() if title in sections]
    restricted = models["Models"][1 + sections.index(RESTRICTED)][RESTRICTED]
    assert {"Restricted Boltzmann machine": "models/rbm.md"} in restricted
