"""log Z by parallel tempering: against enumeration, with an error that is as large as it says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pgmc.errors import ArgumentError
from pgmc.evaluation.ladder import _along
from pgmc.evaluation.likelihood import estimate_log_partition
from pgmc.runtime.tempering import Tempering


def test_independent_states_give_the_ratio_and_its_error() -> None:
    """Exact draws of a two-level system at each rung, 60 times over: z has mean 0 and variance 1.

    |mean z| < 5 / √60, and the variance of z within (0.4, 2): each false alarm is below 1e-5; an error that is wrong by
    a factor of two is found.
    """
    rng = np.random.default_rng(0)
    ladder, levels, weights = np.array([0.0, 0.3, 1.0]), np.array([0.0, 1.0, 4.0]), np.array([1.0, 5.0, 40.0])
    exact = np.log(np.sum(weights * np.exp(-levels))) - np.log(weights.sum())
    z = []
    for _ in range(60):
        draws = []
        for beta in ladder:
            p = weights * np.exp(-beta * levels)
            draws.append(levels[rng.choice(3, size=(50, 40), p=p / p.sum())])
        value, error = _along(ladder, np.stack(draws, axis=2))
        z.append((value - exact) / error)
    assert abs(np.mean(z)) < 5 / np.sqrt(60)
    assert 0.4 < np.var(z) < 2


@pytest.mark.parametrize("kind", ["bipartite", "mixed"])
def test_small_models(make_case: SimpleNamespace, kind: str) -> None:
    """|z| < 5: a false alarm of 6e-7, and a small error to begin with."""
    case = make_case.make(getattr(make_case, kind))
    exact = estimate_log_partition(case.executable, case.params, method="exact").value
    told: list[tuple[int, int]] = []
    found = estimate_log_partition(
        case.executable,
        case.params,
        method="tempering",
        chains=100,
        betas=4,
        sweeps=50,
        progress=lambda done, sweeps: told.append((done, sweeps)),
    )
    assert found.method == "tempering" and found.effective_sample_size is None
    assert abs(found.value - exact) < 5 * found.std_error < 0.4
    assert told[0] == (1, 60) and told[-1] == (60, 60)
    assert str(found) == f"log Z = {found.value:.4f} ± {found.std_error:.4f} nats (tempering)"


def test_each_row_of_inputs_has_its_own(with_inputs: SimpleNamespace) -> None:
    inputs = {"u": np.array([[0.0, 0.0], [1.0, -2.0], [3.0, 0.5]])}
    how: dict[str, Any] = {"method": "tempering", "chains": 60, "betas": (0, 0.5, 1), "sweeps": 60}
    exact = estimate_log_partition(with_inputs.executable, with_inputs.params, inputs, method="exact").value
    found = estimate_log_partition(with_inputs.executable, with_inputs.params, inputs, **how)
    assert np.shape(found.std_error) == (3,)
    assert np.all(np.abs(found.value - exact) < 5 * np.asarray(found.std_error))
    again = estimate_log_partition(with_inputs.executable, with_inputs.params, inputs, threads=2, **how)
    assert np.array_equal(found.value, again.value)


def test_a_ladder_that_is_cut_is_told(rbm: SimpleNamespace) -> None:
    strong = {name: 30 * value for name, value in rbm.params.items()}
    with pytest.warns(RuntimeWarning, match="No replica went from the hottest rung to the coldest and back"):
        estimate_log_partition(rbm.executable, strong, method="tempering", betas=[0, 1], sweeps=2, chains=3)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"chains": 1}, "chains=1, sweeps=1000, burn_in=200: log Z by tempering needs 2 chains"),
        ({"sweeps": 0}, "sweeps=0"),
        ({"burn_in": -1}, "burn_in=-1"),
        ({"betas": (0.1, 1.0)}, "It must begin at 0"),
        ({"betas": Tempering([1.0])}, "It must begin at 0"),
        ({"betas": 1}, "betas=1: expected an integer, at least 2"),
        ({"data": None}, "method 'tempering' has no option 'data'"),
    ],
)
def test_wrong_arguments(rbm: SimpleNamespace, how: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        estimate_log_partition(rbm.executable, rbm.params, method="tempering", **how)
