"""What mkdocs runs: pages that are made from the code are added to those of this folder.

``mkdocs build`` calls ``on_config``, which puts the pages of models into the menu, ``on_files``, which adds all
generated pages, and the two others for every page.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from api_pages import api_page
from cheat_sheet import cheat_sheet
from citations import link_citations, references_page
from model_pages import ModelPage, model_pages, overview
from scripts import render
from typeset import share_glyphs

MENU_OF_MODELS = "models/"


@cache
def models() -> list[ModelPage]:
    """The pages of all specifications, made once."""
    return model_pages()


def on_config(config: MkDocsConfig) -> None:
    """Put the pages of the models into the menu, under the headings of the chapter."""
    sections: dict[str, list[dict[str, str]]] = {}
    for page in models():
        sections.setdefault(page.section, []).append({page.title: f"models/{page.name}.md"})
    menu: list[Any] = ["models/index.md", *({title: pages} for title, pages in sections.items())]
    assert config.nav is not None
    config.nav = [{"Models": menu} if item == {"Models": MENU_OF_MODELS} else item for item in config.nav]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages that scripts, specifications and docstrings make."""
    folder = Path(config.docs_dir)
    os.environ.setdefault("PGMC_DOCS", "quick")
    for path in sorted(folder.rglob("*.py")):
        if path.parent != Path(__file__).parent:
            add(files, config, str(path.relative_to(folder).with_suffix(".md")), render(path))
    for page in models():
        add(files, config, f"models/{page.name}.md", page.markdown())
    add(files, config, "models/index.md", overview(models()))
    add(files, config, "cheat_sheet.md", cheat_sheet())
    add(files, config, "api.md", api_page())
    add(files, config, "references.md", references_page())


def add(files: Files, config: MkDocsConfig, uri: str, text: str) -> None:
    """Add a page that is in no file."""
    files.append(File.generated(config, uri, content=text))


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Citations in pages become links."""
    return link_citations(markdown, "")


def on_page_content(html: str, **_: Any) -> str:
    """Draw every glyph once."""
    return share_glyphs(html)
