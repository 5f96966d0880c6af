"""Means of weights in the log domain, and their errors."""

import numpy as np
import pytest

from pgmc.evaluation.estimates import (
    LogPartition,
    bootstrap_interval,
    log_mean_error,
    log_mean_exp,
    weight_sample_size,
)


def test_log_mean_exp_neither_overflows_nor_underflows() -> None:
    for shift in (-1e4, 0.0, 1e4):
        assert log_mean_exp(np.log([1.0, 3.0]) + shift) == pytest.approx(np.log(2.0) + shift)
    assert log_mean_exp(np.full(3, -np.inf)) == -np.inf


def test_error_and_sample_size_of_weights() -> None:
    weights = np.random.default_rng(0).gamma(2.0, size=4000)
    relative = weights.std(ddof=1) / weights.mean() / np.sqrt(4000)
    assert log_mean_error(np.log(weights)) == pytest.approx(relative)
    assert weight_sample_size(np.log(weights)) == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert weight_sample_size(np.zeros(7)) == pytest.approx(7)
    assert np.isnan(log_mean_error(np.zeros(1)))


def test_bootstrap_interval_covers_as_often_as_it_says() -> None:
    """200 intervals of level 0.95: fewer than 170 or all of them would happen once in 1e4 correct runs."""
    rng = np.random.default_rng(1)
    logs = np.log(rng.gamma(4.0, size=(200, 100)))
    low, high = bootstrap_interval(logs, rng)
    covered = int(((low <= np.log(4.0)) & (np.log(4.0) <= high)).sum())
    assert 170 <= covered < 200


def test_an_estimate_prints_its_error() -> None:
    text = str(LogPartition(3.0, 0.5, "ais", (2.0, 4.0), 9.0, np.zeros(10), 1.0))
    assert text == (
        "log Z = 3.0000 ± 0.5000 nats (ais, 10 chains, effective 9.0; 95 % bootstrap interval 2.0000 to 4.0000)"
    )
    assert str(LogPartition(3.0, 0.0, "exact")) == "log Z = 3.000000 nats (exact)"
