"""Annealed importance sampling against the exact law of its weights.

The expected log weight of a short anneal is computed from transition matrices: the sampler must have exactly this mean,
forward and in reverse. Each z-test rejects a correct sampler with probability 1e-6 and, with 20,000 chains, detects a
shift of the mean by about 0.07 standard deviations of a log weight.
"""

import itertools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import oracle
from pgmc.errors import ArgumentError, DataError
from pgmc.evaluation.ais import estimate_log_partition_ais, sigmoid_betas
from pgmc.evaluation.base import base_fields, base_log_partition
from pgmc.evaluation.enumerate import enumerate_states
from pgmc.evaluation.exact import log_partition_exact

CHAINS = 20_000
BETAS = (0.0, 0.3, 0.6, 1.0)


class Law:
    """The exact law of the annealed path of a model, on its joint states."""

    def __init__(self, case: SimpleNamespace, betas: tuple[float, ...]) -> None:
        self.case = case
        self.spec = {v.name: (tuple(a.size for a in v.axes), _values(v.domain)) for v in case.model.variables}
        target = enumerate_states(case.model, case.params).energies
        self.steps = [oracle.Exact(self.spec, lambda x, b=b: b * target) for b in betas]
        summed = set(case.executable.eliminable())
        sites = self.steps[0].sites
        self.summed = [[k for k, (n, _) in enumerate(sites) if n in summed]] if summed else []
        self.kept = [k for k, (n, _) in enumerate(sites) if n not in summed]

    def potential(self, step: int) -> Any:
        """F_β of the kept units, in every joint state."""
        exact = self.steps[step]
        return exact.free_energy(self.kept)[exact.index(exact.codes[:, self.kept], self.kept)]

    def kernel(self, step: int, backward: bool) -> Any:
        """The summed-out units at once, then the blocks of the rest."""
        exact = self.steps[step]
        rest = tuple(v.name for v in self.case.model.variables if v.name not in self.case.executable.eliminable())
        blocks = []
        for block in self.case.executable.blocks(rest):
            own = [k for k, (n, _) in enumerate(exact.sites) if n in block.variables]
            blocks += [[k] for k in own] if block.mode == "sequential" else [own]
        order = self.summed + (blocks[::-1] if backward else blocks)
        return exact.sweep(order)

    def mean_log_weight(self, backward: bool) -> float:
        last = len(self.steps) - 1
        law = self.steps[last if backward else 0].p
        total = 0.0
        for step in range(last, 0, -1) if backward else range(1, last + 1):
            total += law @ (self.potential(step - 1) - self.potential(step))
            moved = step - 1 if backward else step
            if 0 < moved < last:
                law = law @ self.kernel(moved, backward)
        return float(total)


def _values(domain: Any) -> tuple[int, ...]:
    return {"binary": (0, 1), "spin": (-1, 1)}.get(str(domain)) or tuple(range(domain.states))


def _z(values: Any, mean: float) -> float:
    return float(abs(values.mean() - mean) / (values.std() / math.sqrt(len(values)) + 1e-12))


KINDS = ("bipartite", "deep", "dense", "mixed")


@pytest.mark.parametrize("kind", KINDS)
def test_forward_weights_have_the_exact_mean(make_case: SimpleNamespace, kind: str) -> None:
    case = make_case.make(getattr(make_case, kind), scale=0.5)
    law = Law(case, BETAS)
    result = estimate_log_partition_ais(case.executable, case.params, betas=BETAS, chains=CHAINS, seed=1)
    weights = result.log_weights - result.base_log_partition
    assert _z(weights, law.mean_log_weight(backward=False)) < 4.9
    ratio = np.exp(result.log_weights - log_partition_exact(case.executable, case.params).value)
    assert _z(ratio, 1.0) < 4.9  # E[w] = Z


@pytest.mark.parametrize("kind", KINDS)
def test_reverse_weights_have_the_exact_mean(make_case: SimpleNamespace, kind: str) -> None:
    case = make_case.make(getattr(make_case, kind), scale=0.5)
    law = Law(case, BETAS)
    exact = law.steps[-1]
    start = exact.states(exact.sample(np.random.default_rng(2), CHAINS))
    result = estimate_log_partition_ais(
        case.executable, case.params, method="reverse-ais", betas=BETAS, chains=CHAINS, start=start, seed=1
    )
    weights = result.log_weights - result.base_log_partition
    assert _z(weights, law.mean_log_weight(backward=True)) < 4.9
    ratio = np.exp(log_partition_exact(case.executable, case.params).value - result.log_weights)
    assert _z(ratio, 1.0) < 4.9  # E[1/w] = 1/Z


def test_forward_and_reverse_enclose_the_exact_value(rbm: SimpleNamespace) -> None:
    exact = float(log_partition_exact(rbm.executable, rbm.params).value)
    gaps = []
    for steps in (15, 60):
        low = estimate_log_partition_ais(rbm.executable, rbm.params, betas=steps, chains=600, seed=3)
        high = estimate_log_partition_ais(
            rbm.executable, rbm.params, method="reverse-ais", betas=steps, chains=600, seed=3
        )
        assert low.log_weights.mean() < exact < high.log_weights.mean()
        assert abs(low.value - exact) < 5 * low.std_error
        assert abs(high.value - exact) < 5 * high.std_error + 0.01
        gaps.append(high.log_weights.mean() - low.log_weights.mean())
    assert 2 < gaps[0] / gaps[1] < 8


def test_independent_units_need_no_annealing(make_case: SimpleNamespace) -> None:
    case = make_case.make(make_case.independent)
    result = estimate_log_partition_ais(case.executable, case.params, betas=3, chains=5)
    assert np.allclose(result.log_weights, log_partition_exact(case.executable, case.params).value, atol=1e-12)


def test_each_row_of_inputs_has_chains_of_its_own(with_inputs: SimpleNamespace) -> None:
    inputs = {"u": np.random.default_rng(1).normal(size=(3, 2))}
    exact = log_partition_exact(with_inputs.executable, with_inputs.params, inputs)
    result = estimate_log_partition_ais(
        with_inputs.executable, with_inputs.params, inputs, betas=50, chains=200, seed=4
    )
    assert result.log_weights.shape == (3, 200)
    assert np.all(np.abs(result.value - exact.value) < 5 * result.std_error)
    assert "3 rows" in str(result)


def test_same_seed_same_numbers_whatever_the_threads(rbm: SimpleNamespace) -> None:
    runs = [
        estimate_log_partition_ais(rbm.executable, rbm.params, betas=5, chains=600, seed=7, threads=threads)
        for threads in (1, 2, 4)
    ]
    for run in runs[1:]:
        assert np.array_equal(run.log_weights, runs[0].log_weights)
        assert run.interval == runs[0].interval
    other = estimate_log_partition_ais(rbm.executable, rbm.params, betas=5, chains=600, seed=8)
    assert not np.array_equal(other.log_weights, runs[0].log_weights)


def test_a_chain_does_not_depend_on_the_number_of_chains(rbm: SimpleNamespace) -> None:
    few = estimate_log_partition_ais(rbm.executable, rbm.params, betas=5, chains=10)
    many = estimate_log_partition_ais(rbm.executable, rbm.params, betas=5, chains=300)
    assert np.allclose(few.log_weights, many.log_weights[:10], atol=1e-12)


def test_degenerate_weights_are_reported(make_case: SimpleNamespace) -> None:
    case = make_case.make(make_case.dense, scale=8.0)
    with pytest.warns(RuntimeWarning, match="effective sample size"):
        estimate_log_partition_ais(case.executable, case.params, betas=1, chains=200)


def test_reverse_without_given_states_starts_near_the_model(rbm: SimpleNamespace) -> None:
    exact = float(log_partition_exact(rbm.executable, rbm.params).value)
    result = estimate_log_partition_ais(rbm.executable, rbm.params, method="reverse-ais", betas=50, chains=500)
    assert abs(result.value - exact) < 5 * result.std_error + 0.01


def test_progress_is_told_of_every_step(rbm: SimpleNamespace) -> None:
    told: list[tuple[int, int]] = []
    estimate_log_partition_ais(
        rbm.executable, rbm.params, betas=4, chains=2, progress=lambda done, steps: told.append((done, steps))
    )
    assert told == [(k, 4) for k in (1, 2, 3, 4)]


def test_base_matches_the_means_of_data(make_case: SimpleNamespace) -> None:
    model = make_case.mixed().build()
    data = {"x": np.array([[0, 1], [0, 2], [0, 0]]), "h": np.array([[0, 1, 1], [0, 1, 0], [0, 1, 1]])}
    fields = base_fields(model, "float64", data)
    on = 1 / (1 + np.exp(-fields["base_h"]))
    assert np.allclose(on, [0.5 / 4, 3.5 / 4, 2.5 / 4])
    assert np.allclose(np.exp(fields["base_x"][0]), np.array([3.5, 0.5, 0.5]) / 4.5)
    brute = itertools.product(range(3), range(3), *[(0, 1)] * 3)
    sums = [
        np.exp(fields["base_x"][0, a] + fields["base_x"][1, b] + fields["base_h"] @ np.array(h)) for a, b, *h in brute
    ]
    assert base_log_partition(model, fields) == pytest.approx(np.log(np.sum(sums)))


def test_a_base_from_data_keeps_the_estimate_right(rbm: SimpleNamespace) -> None:
    exact = float(log_partition_exact(rbm.executable, rbm.params).value)
    data = {"v": np.random.default_rng(0).integers(0, 2, (30, 5))}
    result = estimate_log_partition_ais(rbm.executable, rbm.params, betas=50, chains=500, data=data)
    assert abs(result.value - exact) < 5 * result.std_error
    given = estimate_log_partition_ais(rbm.executable, rbm.params, betas=50, chains=500, base={"h": [0.5, -1.0, 2.0]})
    assert abs(given.value - exact) < 5 * given.std_error


def test_default_schedule_rises_from_zero_to_one() -> None:
    betas = sigmoid_betas(1000)
    assert (betas[0], betas[-1], len(betas)) == (0.0, 1.0, 1001)
    assert np.all(np.diff(betas) > 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chains": 0}, "chains must be at least 1"),
        ({"betas": 0}, "at least 1"),
        ({"betas": [0.0, 0.5]}, "rise from 0 to 1"),
        ({"betas": [0.0, 0.7, 0.3, 1.0]}, "rise from 0 to 1"),
        ({"method": "backwards"}, "must be 'ais' or 'reverse-ais'"),
        ({"method": "reverse-ais", "start": {"h": np.zeros((2, 3))}}, "one state for each of the 100 chains, got 2"),
    ],
)
def test_settings_out_of_range_are_refused(rbm: SimpleNamespace, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        estimate_log_partition_ais(rbm.executable, rbm.params, **options)


def test_a_base_of_another_shape_is_refused(rbm: SimpleNamespace) -> None:
    with pytest.raises(DataError, match="fields of shape"):
        estimate_log_partition_ais(rbm.executable, rbm.params, base={"v": np.zeros(4)})
    with pytest.raises(DataError, match="not a variable"):
        estimate_log_partition_ais(rbm.executable, rbm.params, base={"w": np.zeros(4)})


@pytest.mark.parametrize(("method", "backward"), [("ais", False), ("reverse-ais", True)])
def test_annealing_down_reverses_the_order_of_units(
    make_case: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, method: Any, backward: bool
) -> None:
    """The mean weight hardly depends on it, so the sweeps that are asked for are looked at themselves."""
    case = make_case.make(make_case.dense)
    sweep, asked = case.executable.sweep, []

    def record(query: Any, *arguments: Any, **options: Any) -> None:
        asked.append(query)
        sweep(query, *arguments, **options)

    monkeypatch.setattr(case.executable, "sweep", record)
    start = {"s": np.ones((3, 6))} if backward else None
    estimate_log_partition_ais(case.executable, case.params, method=method, betas=BETAS, chains=3, start=start, seed=1)
    annealed = [query for query in asked if query.ensemble.value == "annealed"]
    assert annealed
    assert all(query.backward is backward for query in annealed)
