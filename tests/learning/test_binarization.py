"""Binarisation schemes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.learning.exact_likelihood import ExactLikelihood

Train = Callable[..., Any]

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


def test_resample_draws_each_epoch_anew() -> None:
    """As for "sample"; 20,000 draws an intensity in each of two epochs."""
    wide = np.repeat(RAMP, 20_000, axis=0)
    data = pgmc.binarize(wide, "resample", seed=1)
    assert data.shape == (20_000, 5) and len(data) == 20_000 and repr(data) == "Resampled(seed=1)"
    first, second = data.draw(0), data.draw(1)
    for drawn in (first, second):
        assert np.all(np.abs(drawn.mean(axis=0) - RAMP[0]) <= 6 * np.sqrt(RAMP[0] * (1 - RAMP[0]) / 20_000))
    middle = RAMP[0] * (1 - RAMP[0])  # half of the pairs that could differ do: the epochs are independent
    assert np.all(np.abs((first != second).mean(axis=0) - 2 * middle) <= 6 * np.sqrt(0.25 / 20_000))
    np.testing.assert_array_equal(first, pgmc.binarize(wide, "resample", seed=1).draw(0))
    with pytest.raises(pgmc.DataError, match=r"no array.*\.draw\(0\)"):
        np.asarray(data)


def test_fit_trains_on_the_draws_of_each_epoch(make: Callable[..., Any], train: Train, tmp_path: Path) -> None:
    """Two epochs of whole batches are two fits of one, each on its own data. A resumed fit ends with the same bits."""
    case = make("bipartite")
    data = pgmc.binarize(np.random.default_rng(0).random((12, 4)), "resample", seed=3)

    def run(v: Any, params: Any = case.params, **how: Any) -> Any:
        trained = SimpleNamespace(executable=case.executable, params=params, data={"v": v})
        return train(trained, ExactLikelihood(), pgmc.SGD(0.5), **how)

    whole = run(data, epochs=2)
    twice = run(data.draw(1), run(data.draw(0), epochs=1).params, epochs=1)
    run(data, epochs=1, checkpoint=tmp_path)
    resumed = run(data, epochs=2, checkpoint=tmp_path)
    fixed = run(data.draw(0), epochs=2)
    for name, value in whole.params.items():
        np.testing.assert_allclose(value, twice.params[name], atol=1e-12)
        np.testing.assert_array_equal(value, resumed.params[name])
        assert not np.allclose(value, fixed.params[name])
    other = pgmc.binarize(data.intensities, "resample", seed=4)
    with pytest.raises(pgmc.CheckpointError, match=r"v redrawn with seed 3.* there, .*v redrawn with seed 4.* here"):
        run(other, epochs=3, checkpoint=tmp_path)
    with pytest.raises(pgmc.DataError, match="validation: 'v' is redrawn in every epoch"):
        run(data, epochs=1, validation={"v": data})


@pytest.mark.parametrize("bad", [[[0.2, 1.5]], [[-0.1]], [[float("nan")]], [["a"]]])
def test_what_is_no_intensity_is_refused(bad: Any) -> None:
    with pytest.raises(pgmc.DataError, match="binarize"):
        pgmc.binarize(bad, "threshold")


def test_the_scheme_is_named() -> None:
    with pytest.raises(pgmc.ArgumentError, match="'threshold', 'sample', 'resample', got 'round'"):
        pgmc.binarize(RAMP, "round")  # type: ignore[arg-type]
