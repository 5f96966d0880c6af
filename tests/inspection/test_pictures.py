"""Pictures: what is drawn, and what is refused."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgmc.errors import ArgumentError
from pgmc.inspection.charts import history_curves
from pgmc.inspection.markup import write_atomically
from pgmc.inspection.pictures import filter_sheet, reconstruction_sheet, sample_sheet


def sheet_of(figure: Any) -> np.ma.MaskedArray[Any, Any]:
    return figure.axes[0].images[0].get_array()


def test_filters_are_the_columns_each_on_its_own_scale(tmp_path: Path) -> None:
    W = np.zeros((6, 4))
    W[:, 1] = np.arange(6.0) * 10
    path = tmp_path / "filters.png"
    figure = filter_sheet(W, (2, 3), path, columns=2)
    sheet = sheet_of(figure)
    assert sheet.shape == (1 + 2 * 3, 1 + 2 * 4)
    np.testing.assert_allclose(sheet[1:3, 5:8], np.arange(6).reshape(2, 3) / 5)
    np.testing.assert_allclose(sheet[1:3, 1:4], 0.0)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [p.name for p in tmp_path.iterdir()] == ["filters.png"]


def test_samples_of_any_shape() -> None:
    samples = np.random.default_rng(0).integers(0, 2, (10, 4, 4)).astype(np.int8)
    figure = sample_sheet(samples, (4, 4))
    sheet = sheet_of(figure)
    assert sheet.shape == (1 + 3 * 5, 1 + 4 * 5)
    np.testing.assert_array_equal(sheet[1:5, 1:5], samples[0])
    assert figure.axes[0].images[0].get_clim() == (0.0, 1.0)


def test_reconstructions_stand_below_what_they_are_of() -> None:
    data = np.random.default_rng(0).integers(0, 2, (4, 6))
    sheet = sheet_of(reconstruction_sheet(data, data / 2, (2, 3), columns=4))
    assert sheet.shape == (1 + 6, 1 + 4 * 4)
    np.testing.assert_array_equal(sheet[1:3, 5:8], data[1].reshape(2, 3))
    np.testing.assert_array_equal(sheet[4:6, 5:8], data[1].reshape(2, 3) / 2)
    with pytest.raises(ArgumentError, match="4 examples and 3 reconstructions"):
        reconstruction_sheet(data, data[:3], (2, 3))


def test_history(tmp_path: Path) -> None:
    history = {
        "epoch": np.array([1, 2, 3]),
        "free_energy": [3.0, 2.0, 1.0],
        "validation": [np.nan, 1.5, 1.0],
        "empty": [np.nan] * 3,
        "note": ["a", "b", "c"],
    }
    figure = history_curves(history, tmp_path / "history.svg")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["free energy", "validation"]
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), [1, 2, 3])
    assert b"<svg" in (tmp_path / "history.svg").read_bytes()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: filter_sheet(np.zeros((5, 2)), (2, 3)), "W: an image of 2 × 3 = 6 pixels cannot be cut"),
        (lambda: sample_sheet(np.zeros((3, 5)), (2, 3)), "samples: an image of 2 × 3 = 6 pixels"),
        (lambda: sample_sheet(np.zeros((3, 6)), (2, 3), columns=-1), "columns: -1 tiles in a row"),
        (lambda: history_curves({"a": [np.nan]}), "history: no column has a finite number"),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        call()


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return original(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ArgumentError, match=r'pip install "pgmc\[plot\]"'):
        sample_sheet(np.zeros((1, 4)), (2, 2))


def test_a_picture_can_be_read_by_whoever_can_read_other_new_files(tmp_path: Path) -> None:
    """A report or a picture that only its writer can open is of no use behind a web server."""
    (tmp_path / "other").write_bytes(b"")
    path = write_atomically(tmp_path / "page.html", b"<p>")
    assert path.read_bytes() == b"<p>" and path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not supported"):
        sample_sheet(np.zeros((1, 4)), (2, 2), tmp_path / "picture.nothing")
    assert list(tmp_path.iterdir()) == []
