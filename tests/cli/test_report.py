"""The report: one file without network, whose parts are there, whose text is escaped, and which fits its window."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pgmc
import pgmc.cli.job as job
from pgmc.cli.app import run
from pgmc.cli.page import Contents, build_page
from pgmc.inspection.page import Code, Facts, Note, Page, Section, Table, Text

pytest.importorskip("jinja2")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VOID = {"meta", "img", "br", "hr", "link", "input"}
SMALL = ["--hidden", "4", "--epochs", "2", "--annealing-steps", "20", "--annealing-chains", "20", "--chains", "20"]


class Reader(HTMLParser):
    """Collects what the tests look at, and sees that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.headings: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "section":
            self.ids.append(found["id"] or "")
        if tag == "a":
            self.links.append(found["href"] or "")
        if "src" in found:
            self.sources.append(found["src"] or "")
        assert tag not in ("script", "link", "iframe")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


def read(page: str) -> Reader:
    """The page, which is whole and fetches nothing."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    assert all(link == f"#{anchor}" for link, anchor in zip(reader.links, reader.ids, strict=True))
    assert all(source.startswith("data:image/") for source in reader.sources)
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/)", page)
    return reader


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run."""
    out = tmp_path_factory.mktemp("report") / "run"
    assert run(["train", "rbm", "digits", *SMALL, "--out", str(out)]) == 0
    return out


def test_of_a_specification(tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "spec.html"
    assert run(["report", "deep_boltzmann_machine", "-o", str(out), "--visible", "12"]) == 0
    assert capsys.readouterr().out.startswith(f"wrote {out}: ")
    reader = read(out.read_text(encoding="utf-8"))
    assert reader.headings == ["Specification", "Graph and blocks", "Equations", "Generated code", "How to repeat it"]
    for words in (
        "def model(",
        "1. [v, h2] parallel",
        "the local energy of one unit",
        "pgmc report deep_boltzmann_machine",
        "np.dot(",
    ):
        assert words in reader.text, words


def test_of_a_run(folder: Path, tmp_path: Path) -> None:
    """The page that ``train`` wrote, and the one made again from what it left."""
    out = tmp_path / "again.html"
    assert run(["report", str(folder), "-o", str(out)]) == 0
    first, again = (read(path.read_text(encoding="utf-8")) for path in (folder / "report.html", out))
    assert (
        first.headings
        == again.headings
        == [
            "How good it is",
            "What it learned",
            "Training",
            "Chains",
            "Specification",
            "Graph and blocks",
            "Equations",
            "Generated code",
            "How to repeat it",
        ]
    )
    figures = re.findall(r'<img alt="([^"]+)"', out.read_text(encoding="utf-8"))
    for name in (
        "weights of ais",
        "samples",
        "data",
        "reconstructions",
        "filters",
        "free_energy",
        "traces",
        "energies",
    ):
        assert name in figures, name
    assert "pgmc train rbm digits --hidden 4" in again.text and "learning rate" in again.text
    numbers = re.findall(r"-\d+\.\d\d\u00a0±\u00a0\d\.\d\d", first.text)
    assert numbers and numbers == re.findall(r"-\d+\.\d\d\u00a0±\u00a0\d\.\d\d", again.text)


def test_of_a_saved_model(folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.html"
    assert run(["report", str(folder / "model.pgmc"), "-o", str(alone)]) == 0
    found = read(alone.read_text(encoding="utf-8"))
    assert found.headings[:2] == ["Chains", "Specification"] and "R-hat of the energy is" in found.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "There is no model 'nothing'"),
        (["EMPTY"], "is no folder of a run: run.json cannot be read"),
        (["rbm", "-o", "EMPTY/no/report.html", "--visible", "3", "--hidden", "2"], "cannot be written"),
        (["EMPTY/a.pgmc"], "a.pgmc"),
    ],
)
def test_what_cannot_be_reported(arguments: list[str], words: str, tmp_path: Path, capsys: Any) -> None:
    assert run(["report", *(word.replace("EMPTY", str(tmp_path)) for word in arguments)]) == 1
    assert words in capsys.readouterr().err


def test_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert run(["report", "rbm", "--visible", "3", "--hidden", "2"]) == 1
    assert 'pip install "pgmc[report]"' in capsys.readouterr().err


def test_text_is_escaped() -> None:
    nasty = "<b onclick='x'>&"
    page = Page(
        nasty,
        nasty,
        [
            Section(
                nasty,
                [Text(nasty, nasty), Table([nasty], [[nasty]]), Facts([(nasty, [nasty])]), Code(nasty, "", nasty)],
            )
        ],
        [Note(nasty)],
        nasty,
    ).html()
    assert "<b " not in page and page.count(html.escape(nasty, quote=True).replace("&#x27;", "&#39;")) >= 11


def test_interrupted_while_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """What was learned is kept, with all that another report needs."""

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    out = tmp_path / "run"
    monkeypatch.setattr(job, "rehearse", lambda task: None)
    monkeypatch.setattr(job, "evaluate", interrupted)
    assert run(["train", "rbm", "digits", *SMALL, "--out", str(out)]) == 130
    assert "what was learned is kept" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["history.csv", "model.pgmc", "run.json"]
    assert json.loads((out / "run.json").read_text())["data"] == "digits"
    _, params = pgmc.load(out / "model.pgmc")
    assert all(np.isfinite(value).all() for value in params.values())


PROBE = """
<script>
const frame = document.querySelector("iframe");
frame.onload = () => {
  const page = frame.contentDocument, root = page.documentElement;
  const wide = () => root.scrollWidth - root.clientWidth;
  const found = {closed: wide(), width: root.clientWidth};
  page.querySelectorAll("details").forEach(d => d.open = true);
  found.opened = wide();
  found.broken = [...page.images].filter(i => !i.complete || i.naturalWidth === 0).map(i => i.alt);
  found.formulas = page.querySelectorAll("[role=img] svg").length;
  const area = e => e.getBoundingClientRect();
  found.empty = [...page.querySelectorAll("svg")].filter(s => area(s).height < 4).length;
  found.outside = [...page.querySelectorAll("p, h1, h2, h3, figure, dd, .formula > span, pre")]
    .filter(e => !e.closest(".scroll") && area(e).right > root.clientWidth + 1).map(e => e.tagName);
  document.documentElement.setAttribute("data-found", JSON.stringify(found));
};
</script>
"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [1280, 400])
def test_in_a_browser(folder: Path, width: int, tmp_path: Path) -> None:
    """No picture is broken, no formula empty, and nothing is wider than the window, closed or opened."""
    assert BROWSER is not None
    page = (folder / "report.html").read_text(encoding="utf-8")
    frame = f'<iframe style="width: {width}px; height: 900px; border: 0" srcdoc="{html.escape(page)}"></iframe>'
    (tmp_path / "page.html").write_text(f"<!DOCTYPE html><meta charset='utf-8'>{frame}{PROBE}", encoding="utf-8")
    command = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command += [
        "--window-size=1600,900",
        "--virtual-time-budget=4000",
        "--dump-dom",
        f"file://{tmp_path}/page.html",
    ]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    match = re.search(r'data-found="([^"]*)"', shown)
    assert match is not None
    found = json.loads(html.unescape(match[1]))
    assert width - 20 <= found["width"] <= width
    assert found["closed"] <= 0 and found["opened"] <= 0 and found["outside"] == []
    assert found["broken"] == [] and found["empty"] == 0
    if find_spec("ziamath") is not None:
        assert found["formulas"] > 20


def test_without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    import pgmc.cli.page as module

    monkeypatch.setattr(module, "has_matplotlib", lambda: False)
    m = pgmc.Model("tiny")
    m.energy(-m.binary("v", 3) @ m.param("b", 3))
    page = build_page(Contents(pgmc.compile(m), "pgmc report tiny.pgmc", params={"b": np.zeros(3)}))
    assert "matplotlib is not installed" in read(page).text
