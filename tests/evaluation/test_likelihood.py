"""Choosing a method for log Z, and likelihoods."""

from types import SimpleNamespace

import numpy as np
import pytest

from pgmc.errors import ArgumentError, DataError, IntractableError
from pgmc.evaluation.enumerate import enumerate_states
from pgmc.evaluation.likelihood import estimate_log_partition, log_likelihood


def _codes(n: int) -> np.ndarray:
    return (np.arange(2**n)[:, None] >> np.arange(n)[::-1] & 1).astype(np.float64)


def test_likelihoods_of_all_data_sum_to_one(rbm: SimpleNamespace) -> None:
    values = log_likelihood(rbm.executable, rbm.params, {"v": _codes(5)})
    assert np.exp(values).sum() == pytest.approx(1, abs=1e-12)
    states, probabilities = enumerate_states(rbm.model, rbm.params)
    assert np.allclose(log_likelihood(rbm.executable, rbm.params, _floats(states)), np.log(probabilities))


def _floats(states: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: values.astype(np.float64) for name, values in states.items()}


def test_conditional_likelihoods_use_each_rows_own_partition(with_inputs: SimpleNamespace) -> None:
    inputs = np.random.default_rng(0).normal(size=2)
    data = {"v": _codes(4), "u": np.tile(inputs, (16, 1))}
    assert np.exp(log_likelihood(with_inputs.executable, with_inputs.params, data)).sum() == pytest.approx(1)
    with pytest.raises(DataError, match="log_z has shape"):
        log_likelihood(with_inputs.executable, with_inputs.params, data, np.zeros(3))


def test_log_z_may_be_given_as_a_number_or_an_estimate(rbm: SimpleNamespace) -> None:
    data = {"v": _codes(5)}
    estimate = estimate_log_partition(rbm.executable, rbm.params)
    by_number = log_likelihood(rbm.executable, rbm.params, data, float(estimate.value))
    assert np.array_equal(by_number, log_likelihood(rbm.executable, rbm.params, data, estimate))


def test_auto_enumerates_what_is_small_and_anneals_what_is_not(rbm: SimpleNamespace) -> None:
    assert estimate_log_partition(rbm.executable, rbm.params).method == "exact"
    large = estimate_log_partition(rbm.executable, rbm.params, limit=4, betas=5, chains=50)
    assert large.method == "ais"
    assert "50 chains" in str(large)
    with pytest.raises(IntractableError):
        estimate_log_partition(rbm.executable, rbm.params, method="exact", limit=4)


def test_unknown_methods_and_options_are_refused(rbm: SimpleNamespace, with_inputs: SimpleNamespace) -> None:
    with pytest.raises(ArgumentError, match="method must be one of"):
        estimate_log_partition(rbm.executable, rbm.params, method="magic")
    with pytest.raises(ArgumentError, match="no option 'chains'"):
        estimate_log_partition(rbm.executable, rbm.params, method="exact", chains=3)
    with pytest.raises(DataError, match=r"inputs \['u'\]; given were \[\]"):
        estimate_log_partition(with_inputs.executable, with_inputs.params)
