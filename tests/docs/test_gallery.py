"""The gallery shows pictures that are there, and can be made again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gallery

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_shows_every_picture() -> None:
    shown = re.findall(r'src="\.\./pictures/(\w+\.png)"', (DOCS / "gallery.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(path.name for path in (DOCS / "pictures").glob("*.png"))
    assert all((DOCS / "pictures" / name).stat().st_size < 120_000 for name in shown)


def test_pictures_of_one_exhibit_can_be_made_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "PICTURES", tmp_path)
    gallery.main(["magnet"])
    assert [path.name for path in tmp_path.iterdir()] == ["magnet.png"]


def test_an_exhibit_is_a_section() -> None:
    text = gallery.Exhibit("Title", "word " * 40, (("name", "A caption"),)).markdown()
    wrapped = gallery.wrapped(text)
    assert wrapped.startswith("## Title\n") and '<img src="../pictures/name.png" alt="A caption">' in wrapped
    assert all(len(line) <= 120 for line in wrapped.splitlines() if not line.startswith("<"))
