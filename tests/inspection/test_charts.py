"""Charts: the numbers that are drawn, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgmc.errors import ArgumentError
from pgmc.inspection.charts import MOST_CHAINS, chain_traces, energy_histogram, weight_histogram


def test_traces(tmp_path: Path) -> None:
    draws = np.random.default_rng(0).normal(size=(9, 30))
    figure = chain_traces(draws, tmp_path / "traces.pdf", "energy, nats", "R-hat 1.00")
    along, beside = figure.axes
    assert len(along.lines) == MOST_CHAINS and along.get_title(loc="left") == "R-hat 1.00"
    for line, chain in zip(along.lines, draws, strict=False):
        np.testing.assert_array_equal(line.get_ydata(), chain)
    assert sum(bar.get_width() for bar in beside.patches) == pytest.approx(1.0)
    assert (tmp_path / "traces.pdf").read_bytes().startswith(b"%PDF")


def test_weights() -> None:
    figure = weight_histogram(np.log([1.0, 1.0, 4.0, 2.0]), method="AIS")
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "AIS: 3 of 4 chains effective"  # 8² / 22
    assert axes.lines[0].get_xdata()[0] == pytest.approx(np.log(2.0))
    assert sum(bar.get_height() for bar in axes.patches) == 4
    assert weight_histogram(np.zeros(3), estimate=1.5).axes[0].lines[0].get_xdata()[0] == 1.5


def test_energies_share_their_bins() -> None:
    rng = np.random.default_rng(0)
    figure = energy_histogram({"data": rng.normal(size=50), "chains": rng.normal(size=(20, 20))})
    (axes,) = figure.axes
    filled = [bar for bar in axes.patches if hasattr(bar, "get_height")]
    assert sum(bar.get_height() for bar in filled) == pytest.approx(2.0)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["data", "chains"]
    assert energy_histogram({"chains": np.zeros(3)}).axes[0].get_legend() is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: chain_traces(np.zeros((2, 3))), r"at least 4 draws, got \(2, 3\)"),
        (lambda: weight_histogram(np.array([0.0, np.inf])), "finite log weights"),
        (lambda: energy_histogram({}), "every set needs at least one energy"),
        (lambda: energy_histogram({"data": np.array([])}), "every set needs at least one energy"),
    ],
)
def test_what_cannot_be_drawn(call: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        call()
