"""Brute force, against the oracle and by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

import oracle
from pgmc.dsl.model import Model
from pgmc.errors import DataError, IntractableError, NumericsError
from pgmc.evaluation.enumerate import enumerate_states


def test_probabilities_agree_with_the_oracle(rbm: SimpleNamespace) -> None:
    p = rbm.params
    spec = {"v": ((5,), (0, 1)), "h": ((3,), (0, 1))}
    exact = oracle.Exact(
        spec,
        lambda x: -np.einsum("ni,ij,nj->n", x["v"], p["W"], x["h"]) - x["v"] @ p["b"] - x["h"] @ p["c"],
    )
    states, probabilities = result = enumerate_states(rbm.model, p)
    assert np.array_equal(states["v"], exact.states()["v"])
    assert np.array_equal(states["h"], exact.states()["h"])
    assert np.allclose(probabilities, exact.p, atol=1e-14)
    assert result.log_partition == pytest.approx(exact.log_z, abs=1e-12)
    assert np.allclose(result.expectation(states["v"]), exact.expect(lambda x: x["v"]))
    assert "256 joint states" in repr(result)


def test_every_state_comes_once(small: SimpleNamespace) -> None:
    states, probabilities = enumerate_states(small.model, small.params)
    rows = np.concatenate([values.reshape(len(values), -1) for values in states.values()], axis=1)
    assert len(np.unique(rows, axis=0)) == len(rows) == len(probabilities)
    assert probabilities.sum() == pytest.approx(1)


def test_inputs_take_one_row(with_inputs: SimpleNamespace) -> None:
    one = enumerate_states(with_inputs.model, with_inputs.params, {"u": [1.0, -2.0]})
    row = enumerate_states(with_inputs.model, with_inputs.params, {"u": [[1.0, -2.0]]})
    assert np.array_equal(one.probabilities, row.probabilities)
    with pytest.raises(DataError, match="u must be one row"):
        enumerate_states(with_inputs.model, with_inputs.params)


def test_too_many_states_are_refused() -> None:
    m = Model("wide")
    m.energy(-(m.param("b", 60) @ m.binary("v", 60)))
    with pytest.raises(IntractableError, match=r"1\.15e\+18 joint states"):
        enumerate_states(m, {"b": np.zeros(60)})


def test_an_energy_that_is_not_a_number_is_refused(rbm: SimpleNamespace) -> None:
    with pytest.raises(NumericsError, match="NaN"):
        enumerate_states(rbm.model, rbm.params | {"b": np.full(5, np.nan)})
