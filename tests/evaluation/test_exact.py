"""log Z by enumeration of what cannot be summed out, against brute force over everything."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pgmc.errors import IntractableError, NumericsError
from pgmc.evaluation import exact
from pgmc.evaluation.enumerate import enumerate_states
from pgmc.evaluation.exact import log_partition_exact
from pgmc.runtime import enumeration


def test_log_partition_agrees_with_brute_force(small: SimpleNamespace) -> None:
    result = log_partition_exact(small.executable, small.params)
    assert result.value == pytest.approx(enumerate_states(small.model, small.params).log_partition, abs=1e-11)
    assert (result.std_error, result.method) == (0.0, "exact")


def test_the_size_of_chunks_does_not_matter(small: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = log_partition_exact(small.executable, small.params).value
    monkeypatch.setattr(enumeration, "CHUNK_ROWS", 3)
    assert log_partition_exact(small.executable, small.params).value == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize("chunk", [3, 40, 1 << 16])
def test_one_value_for_each_row_of_inputs(
    with_inputs: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(enumeration, "CHUNK_ROWS", chunk)
    inputs = {"u": np.random.default_rng(1).normal(size=(7, 2))}
    result = log_partition_exact(with_inputs.executable, with_inputs.params, inputs)
    wanted = [enumerate_states(with_inputs.model, with_inputs.params, {"u": u}).log_partition for u in inputs["u"]]
    assert np.shape(result.value) == (7,)
    assert np.allclose(result.value, wanted, atol=1e-11)
    assert "7 rows of inputs" in str(result)


def test_too_many_states_name_the_number_and_the_remedy(rbm: SimpleNamespace) -> None:
    with pytest.raises(IntractableError, match=r"h have 2\^3\.0 joint states .after v .*limit of 4 .*method='ais'"):
        log_partition_exact(rbm.executable, rbm.params, limit=4)


def test_an_energy_that_is_not_a_number_is_refused(rbm: SimpleNamespace) -> None:
    with pytest.raises(NumericsError, match="log Z does not exist"):
        log_partition_exact(rbm.executable, rbm.params | {"c": np.full(3, np.nan)})


def _differences(of: Any, params: dict[str, Any], h: float = 1e-3) -> dict[str, Any]:
    """Central differences of fourth order, for each entry of each parameter."""
    result = {}
    for name, value in params.items():
        slopes = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            at = []
            for step in (h, -h, 2 * h, -2 * h):
                moved = value.copy()
                moved[place] += step
                at.append(of(params | {name: moved}))
            slopes[place] = (8 * (at[0] - at[1]) - (at[2] - at[3])) / (12 * h)
        result[name] = slopes
    return result


@pytest.mark.parametrize("chunk", [3, 1 << 16])
def test_gradient_of_log_partition(small: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(enumeration, "CHUNK_ROWS", chunk)
    free = enumeration.enumerated_variables(small.executable)
    sums = enumeration.StateSum(small.executable, free, {})
    log_sums, gradient = sums.mean_gradient(small.params, tuple(small.params))
    assert log_sums[0] == pytest.approx(exact.log_partition_exact(small.executable, small.params).value)
    wanted = _differences(lambda p: float(exact.log_partition_exact(small.executable, p).value), small.params)
    for name in small.params:
        assert np.allclose(-gradient[name], wanted[name], atol=1e-8)
