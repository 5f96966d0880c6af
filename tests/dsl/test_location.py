"""Errors point at the user's line."""

from __future__ import annotations

import inspect
import os
import warnings
from pathlib import Path

import pytest

import pgmc
from pgmc.dsl.location import call_site, shorten


def _line() -> int:
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


def test_an_error_has_four_parts() -> None:
    m = pgmc.Model("m")
    h, W = m.binary("h", 400), m.param("W", (784, 500))
    i, j = pgmc.indices("i j")
    with pytest.raises(pgmc.NotationError) as caught:
        h[j] * W[i, j]
    line = _line() - 1
    place, _, text = str(caught.value).partition("  ")
    assert place.endswith(f"test_location.py:{line}")
    assert text == (
        "h[j]*W[i, j]: index j runs over axis 1 of W (500) and axis 0 of h (400). "
        "Give W the shape (784, 400), or use another index."
    )


def test_symbols_and_terms_remember_their_line() -> None:
    m = pgmc.Model("m")
    v = m.binary("v", 3)
    m.energy(v.sum())
    here = _line()
    model = m.build()
    assert model.variables[0].origin is not None and model.variables[0].origin.line == here - 2
    assert model.terms[0].origin is not None and model.terms[0].origin.line == here - 1


def test_paths_are_relative_to_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    assert call_site().file == "test_location.py"
    monkeypatch.chdir(Path(os.sep))
    assert call_site().file == __file__.lstrip(os.sep)


def test_a_deleted_working_directory_does_no_harm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.rmdir()
    assert call_site().file == __file__


def test_warnings_point_at_the_user() -> None:
    m = pgmc.Model("m")
    m.binary("lonely")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        m.build()
    line = _line() - 1
    assert [w.category for w in caught] == [pgmc.ModelWarning]
    assert (caught[0].filename, caught[0].lineno) == (__file__, line)


def test_shorten_keeps_both_ends() -> None:
    assert shorten("abc") == "abc"
    short = shorten("a" * 500 + "z" * 500, 41)
    assert len(short) == 41 and short.startswith("aaa") and short.endswith("zzz")
