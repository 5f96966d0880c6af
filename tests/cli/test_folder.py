"""Results appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgmc.cli.folder import complete_folder
from pgmc.errors import ArgumentError

NAMES = ("a.txt", "b.txt")


def write(path: Path, text: str) -> None:
    with complete_folder(path, NAMES) as folder:
        (folder / "a.txt").write_text(text)


def test_a_folder_appears_and_is_replaced(tmp_path: Path) -> None:
    place = tmp_path / "runs" / "one"
    write(place, "first")
    with complete_folder(place, NAMES) as folder:
        (folder / "b.txt").write_text("second")
        assert (place / "a.txt").read_text() == "first"
    assert [path.name for path in place.iterdir()] == ["b.txt"]
    assert [path.name for path in place.parent.iterdir()] == ["one"]


def test_nothing_is_left_of_a_failure(tmp_path: Path) -> None:
    place = tmp_path / "one"

    def fail() -> None:
        with complete_folder(place, NAMES) as folder:
            (folder / "a.txt").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
    write(place, "whole")
    with pytest.raises(RuntimeError):
        fail()
    assert (place / "a.txt").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_what_no_run_wrote_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "one"
    place.mkdir()
    (place / "thesis.tex").write_text("years")
    with pytest.raises(ArgumentError, match=r"thesis\.tex"):
        write(place, "x")
    assert (place / "thesis.tex").read_text() == "years"
    with pytest.raises(ArgumentError, match="no folder"):
        write(place / "thesis.tex", "x")
    with pytest.raises(ArgumentError, match="cannot be written"):
        write(place / "thesis.tex" / "under", "x")
