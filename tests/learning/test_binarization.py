"""Binarisation schemes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pgmc

RAMP = np.linspace(0, 1, 5).reshape(1, 5)


def test_threshold() -> None:
    assert pgmc.binarize(RAMP, "threshold").tolist() == [[0, 0, 1, 1, 1]]
    assert pgmc.binarize(RAMP, "threshold", threshold=0.8).tolist() == [[0, 0, 0, 0, 1]]


def test_sample_has_the_intensities_as_means() -> None:
    """20,000 draws an intensity: within 6 standard errors (false alarms 1e-8), a shift of 0.03 would be seen."""
    drawn = pgmc.binarize(np.repeat(RAMP, 20_000, axis=0), "sample", seed=1)
    assert np.all(np.abs(drawn.mean(axis=0) - RAMP[0]) <= 6 * np.sqrt(RAMP[0] * (1 - RAMP[0]) / 20_000))
    assert set(drawn[:, 0]) == {0} and set(drawn[:, 4]) == {1}
    np.testing.assert_array_equal(drawn, pgmc.binarize(np.repeat(RAMP, 20_000, axis=0), "sample", seed=1))


@pytest.mark.parametrize("bad", [[[0.2, 1.5]], [[-0.1]], [[float("nan")]], [["a"]]])
def test_what_is_no_intensity_is_refused(bad: Any) -> None:
    with pytest.raises(pgmc.DataError, match="binarize"):
        pgmc.binarize(bad, "threshold")


def test_the_scheme_is_named() -> None:
    with pytest.raises(pgmc.ArgumentError, match="'threshold', 'sample', got 'round'"):
        pgmc.binarize(RAMP, "round")  # type: ignore[arg-type]
