"""A page in a real browser, wide and narrow: every formula is drawn, and none makes it scroll sideways.

Needs Chromium or Chrome and mkdocs with its theme; without them there is nothing to see.
"""

from __future__ import annotations

import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import model_pages

pytest.importorskip("material")

ROOT = Path(__file__).parents[2]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = (1280, 400)

HOOKS = "from hooks import on_page_content, on_page_markdown  # noqa: F401\n"
MEASURE = """<!doctype html><pre id="found"></pre><script>
const pages = JSON.parse(decodeURIComponent(location.hash.slice(1)))
async function measure(page, width) {
  const frame = document.createElement('iframe')
  frame.style = `width: ${width}px; height: 800px`
  frame.src = page
  document.body.append(frame)
  await new Promise(done => frame.onload = done)
  const inside = frame.contentDocument
  inside.querySelectorAll('details').forEach(part => part.open = true)
  const wide = box => { const svg = box.querySelector('svg'); return svg && svg.getBoundingClientRect().width > 8 }
  const boxes = [...inside.querySelectorAll('.formula')]
  const uses = [...inside.querySelectorAll('use')]
  const root = inside.documentElement
  const found = {page, width, title: inside.querySelector('h1').textContent, formulas: boxes.length,
                 missing: boxes.filter(box => !wide(box)).map(box => box.textContent),
                 sideways: root.scrollWidth - root.clientWidth,
                 overlong: boxes.filter(box => box.getBoundingClientRect().right > width).length,
                 glyphs: uses.filter(use => !inside.querySelector(use.getAttribute('href'))).length}
  frame.remove()
  return found
}
async function all() {
  const found = []
  for (const [page, width] of pages) found.push(await measure(page, width))
  document.getElementById('found').textContent = JSON.stringify(found)
}
all()
</script>"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a page of the site is served, built with its settings and theme."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    source, site, hooks = folder / "source", folder / "site", folder / "some_hooks.py"
    shutil.copytree(ROOT / "docs" / "assets", source / "assets")
    (source / "index.md").write_text(model_pages.ModelPage("ssrbm").markdown().replace("../references.md", "index.md"))
    (source / "references.md").write_text("# References\n")
    hooks.write_text(HOOKS)
    config = load_config(
        str(ROOT / "mkdocs.yml"),
        docs_dir=str(source),
        site_dir=str(site),
        hooks=[str(hooks)],
        nav=["index.md", "references.md"],
        plugins=[],
        strict=False,
    )
    build(config)
    (site / "measure.html").write_text(MEASURE)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.skipif(BROWSER is None, reason="no browser is installed")
def test_formulas_are_drawn_and_the_page_does_not_scroll_sideways(address: str) -> None:
    asked = [(f"{address}/index.html", width) for width in WIDTHS]
    target = f"{address}/measure.html#{urllib.parse.quote(json.dumps(asked))}"
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=120000", "--dump-dom"]
    page = subprocess.run(
        [str(BROWSER), *options, target], capture_output=True, text=True, timeout=120, check=True
    ).stdout
    match = re.search(r'<pre id="found">(.+?)</pre>', page, re.DOTALL)
    assert match is not None, page[:500]
    for found in json.loads(html.unescape(match[1])):
        where = f"{found['title']}, {found['width']} pixels wide"
        assert found["formulas"] > 20, where
        assert found["missing"] == [], where
        assert found["sideways"] == 0, where
        assert found["overlong"] == 0, where
        assert found["glyphs"] == 0, where
