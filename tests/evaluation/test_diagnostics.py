"""R-hat and effective sample size on chains whose mixing is known."""

import numpy as np
import pytest

from pgmc.errors import DataError
from pgmc.evaluation.diagnostics import effective_sample_size, potential_scale_reduction


def test_independent_draws_look_mixed() -> None:
    draws = np.random.default_rng(0).normal(size=(4, 500, 2, 3))
    assert potential_scale_reduction(draws).shape == (2, 3)
    assert np.all(potential_scale_reduction(draws) < 1.02)
    assert np.all(np.abs(effective_sample_size(draws) - 2000) < 600)


def test_separated_chains_do_not() -> None:
    draws = np.random.default_rng(0).normal(size=(4, 500)) + np.arange(4)[:, None]
    assert potential_scale_reduction(draws) > 1.5
    assert effective_sample_size(draws) < 50


def test_constant_chains_give_no_false_comfort_and_no_warning() -> None:
    draws = np.zeros((3, 50, 3))
    draws[:, :, 1] = np.arange(3)[:, None]
    draws[:, :, 2] = np.random.default_rng(0).integers(0, 2, (3, 50))
    rhat, size = potential_scale_reduction(draws), effective_sample_size(draws)
    assert np.isnan(rhat[0]) and np.isinf(rhat[1]) and rhat[2] < 1.1
    assert np.isnan(size[0]) and size[1] == 3 and size[2] > 50


def test_draws_of_a_wrong_shape_are_refused() -> None:
    with pytest.raises(DataError, match="at least 4 draws"):
        potential_scale_reduction(np.zeros((4, 2)))
    with pytest.raises(DataError, match="not finite"):
        effective_sample_size(np.full((4, 10), np.nan))
