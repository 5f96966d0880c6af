"""Gradients of the objectives against finite differences and exact expectations, by brute force.

Each z-test rejects a correct gradient with probability 1e-6 for each entry; with 40,000 chains it detects an error of
an entry of about 0.05 standard deviations of its statistic.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import oracle
from pgmc.errors import ArgumentError, IntractableError
from pgmc.evaluation.enumerate import enumerate_states
from pgmc.ir.interpret import interpret_energy
from pgmc.learning.combined import Combined
from pgmc.learning.contrastive_divergence import CD
from pgmc.learning.exact_likelihood import ExactLikelihood
from pgmc.learning.objective import Setup, are_independent, has_free_energy
from pgmc.learning.persistent import PCD
from pgmc.learning.phases import contrast
from pgmc.runtime.state import encode_state
from pgmc.runtime.streams import Stream
from pgmc.runtime.tempering import Tempering

Make = Callable[..., SimpleNamespace]
ROWS = 40_000


def prepared(case: SimpleNamespace, data: dict[str, Any] | None = None, seed: int = 0) -> Setup:
    model = case.model
    names = list(data or case.data)
    encoded = encode_state(model, data or case.data, names, "float64")
    observed = tuple(v.name for v in model.variables if v.name in names)
    latents = tuple(v.name for v in model.variables if v.name not in names)
    row = {name: values[:1] for name, values in encoded.items()}
    return Setup(
        case.executable,
        observed,
        latents,
        tuple(case.params),
        encoded,
        Stream(seed, "test"),
        has_free_energy(case.executable, case.params, row, observed),
        are_independent(case.executable, latents),
    )


def mean_log_likelihood(case: SimpleNamespace, params: dict[str, Any]) -> float:
    """By brute force over every state, row by row."""
    total = 0.0
    observed = [v.name for v in case.model.variables if v.name in case.data]
    rows = len(case.data[observed[0]])
    for n in range(rows):
        inputs = {s.name: case.data[s.name][n] for s in case.model.inputs}
        states, probabilities = enumerate_states(case.model, params, inputs)
        same = np.ones(len(probabilities), dtype=bool)
        for name in observed:
            same &= (states[name] == case.data[name][n]).reshape(len(same), -1).all(axis=1)
        total += np.log(probabilities[same].sum())
    return total / rows


def finite_differences(case: SimpleNamespace, h: float = 1e-3) -> dict[str, Any]:
    result = {}
    for name, value in case.params.items():
        slopes = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            ends = []
            for step in (h, -h, 2 * h, -2 * h):
                moved = value.copy()
                moved[place] += step
                ends.append(mean_log_likelihood(case, case.params | {name: moved}))
            slopes[place] = (8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * h)
        result[name] = slopes
    return result


@pytest.mark.parametrize("kind", ["bipartite", "deep", "coupled", "visible", "mixed", "conditional"])
def test_exact_gradient_is_the_slope_of_the_likelihood(make: Make, kind: str) -> None:
    case = make(kind)
    setup = prepared(case)
    assert setup.has_free_energy == (kind != "coupled" and kind != "deep")
    objective = ExactLikelihood()
    state = objective.prepare(setup, case.params)
    estimate = objective.gradient(setup, case.params, setup.data, 0, state, True)
    wanted = finite_differences(case)
    for name, slopes in wanted.items():
        assert np.allclose(-estimate.gradients[name], slopes, atol=1e-8), name
    value = mean_log_likelihood(case, case.params)
    assert estimate.metrics["log_likelihood"] == pytest.approx(value, abs=1e-10)
    assert objective.validate(setup, case.params, setup.data)["log_likelihood"] == pytest.approx(value, abs=1e-10)


def test_exact_likelihood_refuses_large_models(make: Make) -> None:
    setup = prepared(make("bipartite"))
    with pytest.raises(IntractableError, match="joint states"):
        ExactLikelihood(limit=4).prepare(setup, {})


class Chain:
    """The exact law of Gibbs sweeps of a model, observed units first or last."""

    def __init__(self, case: SimpleNamespace, setup: Setup) -> None:
        model = case.model
        spec = {v.name: (tuple(a.size for a in v.axes), _values(v.domain)) for v in model.variables}
        states, _ = enumerate_states(model, case.params)
        arrays = {n: s.astype(float) for n, s in states.items()}
        self.arrays = arrays
        self.exact = oracle.Exact(spec, lambda x: interpret_energy(model, case.params, arrays))
        self.case = case
        self.observed = self._sites(setup.observed)
        self.sweep = self._sites(setup.observed), self._sites(setup.latents)

    def _sites(self, names: tuple[str, ...]) -> list[list[int]]:
        found = []
        for block in self.case.executable.blocks(names) if names else ():
            own = [k for k, (n, _) in enumerate(self.exact.sites) if n in block.variables]
            found += [[k] for k in own] if block.mode == "sequential" else [own]
        return found

    def data_law(self, data: dict[str, Any]) -> Any:
        """The data's rows, with latents from their exact law given them."""
        law = np.zeros(self.exact.S)
        rows = len(next(iter(data.values())))
        for n in range(rows):
            same = np.ones(self.exact.S, dtype=bool)
            for name, values in data.items():
                same &= (self.arrays[name] == values[n]).reshape(self.exact.S, -1).all(axis=1)
            law += np.where(same, self.exact.p, 0) / self.exact.p[same].sum() / rows
        return law

    def statistic(self, law: Any) -> dict[str, Any]:
        """E[∂E/∂θ], by differences of the energies, which are linear in the parameters."""
        result = {}
        for name, value in self.case.params.items():
            slopes = np.zeros_like(value)
            for place in np.ndindex(value.shape):
                up, down = value.copy(), value.copy()
                up[place] += 0.5
                down[place] -= 0.5
                ends = [
                    interpret_energy(self.case.model, self.case.params | {name: v}, self.arrays) for v in (up, down)
                ]
                slopes[place] = law @ (ends[0] - ends[1])
            result[name] = slopes
        return result


def _values(domain: Any) -> tuple[int, ...]:
    return {"binary": (0, 1), "spin": (-1, 1)}.get(str(domain)) or tuple(range(domain.states))


def assert_mean(draws: list[dict[str, Any]], wanted: dict[str, Any]) -> None:
    for name, value in wanted.items():
        stacked = np.stack([d[name] for d in draws])
        error = stacked.std(axis=0, ddof=1) / np.sqrt(len(stacked))
        z = np.abs(stacked.mean(axis=0) - value) / (error + 1e-10)
        assert z.max() < 7, (name, z.max())  # t with 39 degrees of freedom: 7 has probability 2e-8


def repeat(case: SimpleNamespace, batches: int = 40) -> list[dict[str, Any]]:
    """The data over and over, in batches that add up to ``ROWS`` rows."""
    rows = len(next(iter(case.data.values())))
    times = ROWS // batches // rows
    return [{n: np.tile(v, (times, *([1] * (v.ndim - 1)))) for n, v in case.data.items()} for _ in range(batches)]


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("kind", ["bipartite", "visible", "mixed"])
def test_contrastive_divergence_has_the_exact_mean(make: Make, kind: str, k: int) -> None:
    """E[CD-k] = E_data[∂E/∂θ] - E_{data P^k}[∂E/∂θ], with P: observed units, then latents."""
    case = make(kind)
    setup = prepared(case)
    chain = Chain(case, setup)
    law = chain.data_law(case.data)
    blocks = [*chain.sweep[0], *chain.sweep[1]]
    end = law @ np.linalg.matrix_power(chain.exact.sweep(blocks), k)
    positive, negative = chain.statistic(law), chain.statistic(end)
    draws = []
    for step, batch in enumerate(repeat(case)):
        encoded = encode_state(case.model, batch, list(batch), "float64")
        draws.append(CD(k).gradient(setup, case.params, encoded, step, {}, False).gradients)
    assert_mean(draws, {name: positive[name] - negative[name] for name in positive})


def test_contrastive_divergence_samples_latents_that_interact(make: Make) -> None:
    """With many sweeps over the latents and from the data, it is the exact gradient."""
    case = make("coupled", backend="numba")
    setup = prepared(case)
    exact = ExactLikelihood().gradient(setup, case.params, setup.data, 0, {}, False).gradients
    draws = []
    for step, batch in enumerate(repeat(case)):
        encoded = encode_state(case.model, batch, list(batch), "float64")
        draws.append(CD(25, latent_sweeps=25).gradient(setup, case.params, encoded, step, {}, False).gradients)
    assert_mean(draws, exact)


def test_contrastive_divergence_keeps_the_inputs_of_the_batch(make: Make) -> None:
    case = make("conditional")
    setup = prepared(case)
    exact = ExactLikelihood().gradient(setup, case.params, setup.data, 0, {}, False).gradients
    draws = []
    for step, batch in enumerate(repeat(case)):
        encoded = encode_state(case.model, batch, list(batch), "float64")
        draws.append(CD(25).gradient(setup, case.params, encoded, step, {}, False).gradients)
        assert np.array_equal(encoded["u"], batch["u"])
    assert_mean(draws, exact)


def test_persistent_chains_start_at_the_data_and_move_by_the_exact_kernel(make: Make) -> None:
    """After one step from rows of the data the gradient is that of CD-1, in expectation."""
    case = make("bipartite")
    draws = []
    for seed in range(40):
        setup = prepared(case, seed=seed)
        objective = PCD(1, chains=ROWS // 40)
        state = objective.prepare(setup, case.params)
        draws.append(objective.gradient(setup, case.params, setup.data, 0, state, False).gradients)
    chain = Chain(case, prepared(case))
    law = chain.data_law(case.data)
    positive = chain.statistic(law)
    negative = chain.statistic(law @ chain.exact.sweep([*chain.sweep[1], *chain.sweep[0], *chain.sweep[1]]))
    assert_mean(draws, {name: positive[name] - negative[name] for name in positive})


@pytest.mark.parametrize("kind", ["bipartite", "coupled", "visible"])
def test_persistent_chains_reach_the_law_of_the_model(make: Make, kind: str) -> None:
    """With parameters held still, the negative phase converges to the model's: the gradient to the exact one."""
    case = make(kind, backend="numba")
    draws = []
    for seed in range(40):
        setup = prepared(case, seed=seed)
        objective = PCD(15, chains=ROWS // 40, latent_sweeps=20)
        state = objective.prepare(setup, case.params)
        batch = {n: np.tile(v, (ROWS // 40 // len(v), 1)) for n, v in setup.data.items()}
        state = objective.gradient(setup, case.params, batch, 0, state, False).state
        draws.append(objective.gradient(setup, case.params, batch, 1, state, False).gradients)
    setup = prepared(case)
    assert_mean(draws, ExactLikelihood().gradient(setup, case.params, setup.data, 0, {}, False).gradients)


@pytest.mark.parametrize("ladder", [None, Tempering(4)])
def test_persistent_chains_go_on_where_they_stopped(make: Make, ladder: Tempering | None) -> None:
    case = make("bipartite")
    setup = prepared(case)
    objective = PCD(2, chains=50, tempering=ladder)
    start = objective.prepare(setup, case.params)
    frozen = {name: values.copy() for name, values in start.items()}
    first = objective.gradient(setup, case.params, setup.data, 0, start, False)
    assert all(np.array_equal(start[n], frozen[n]) for n in start)  # a step does not touch the state it was given
    second = objective.gradient(setup, case.params, setup.data, 1, first.state, False)
    assert not np.array_equal(first.state["v"], second.state["v"])
    again = objective.gradient(setup, case.params, setup.data, 1, first.state, False)
    assert np.array_equal(again.state["v"], second.state["v"])


def test_fantasies_are_the_replicas_at_one(make: Make) -> None:
    """The gradient is that of plain chains in the cold states, and the rate of swaps is among the metrics."""
    case = make("bipartite")
    setup = prepared(case)
    objective = PCD(3, chains=50, tempering=Tempering((0.2, 0.6, 1)))
    start = objective.prepare(setup, case.params)
    assert start["v"].shape == (150, 4)
    got = objective.gradient(setup, case.params, setup.data, 0, start, True)
    cold = (got.state["tempering.rungs"] == 2).ravel()
    fantasies = {name: got.state[name][cold] for name in ("v", "h")}
    expected = contrast(setup, case.params, setup.data, fantasies, True, {})
    for name, gradient in expected.gradients.items():
        assert np.array_equal(got.gradients[name], gradient)
    rate = got.metrics.pop("lowest_swap_rate")
    assert 0 < rate < 1 and got.metrics == expected.metrics
    with pytest.raises(ArgumentError, match=r"PCD: tempering=8: expected a ladder such as pgmc.Tempering"):
        PCD(tempering=8)  # type: ignore[arg-type]


def test_persistent_chains_refuse_inputs(make: Make) -> None:
    case = make("conditional")
    with pytest.raises(ArgumentError, match=r"conditional on u.*Use CD"):
        PCD().prepare(prepared(case), case.params)


def test_metrics_are_taken_only_when_asked_for(make: Make) -> None:
    case = make("bipartite")
    setup = prepared(case)
    assert CD(1).gradient(setup, case.params, setup.data, 0, {}, False).metrics == {}
    measured = CD(1).gradient(setup, case.params, setup.data, 0, {}, True).metrics
    assert set(measured) == {"free_energy", "free_energy_gap"}
    energies = setup.energies(case.params, setup.data)
    assert measured["free_energy"] == pytest.approx(energies.mean())


# ---- sums of objectives ----------------------------------------------------------------------------------


def test_objectives_add_up(make: Make) -> None:
    case = make("bipartite")
    setup = prepared(case)
    both = 0.25 * CD(2) + ExactLikelihood() - PCD(1, chains=30)
    assert isinstance(both, Combined)
    state = both.prepare(setup, case.params)
    assert set(state) == {"2.v", "2.h"}
    estimate = both.gradient(setup, case.params, setup.data, 3, state, True)
    parts = []
    for k, objective in enumerate((CD(2), ExactLikelihood(), PCD(1, chains=30))):
        own = setup.child(f"objective {k}")
        start = objective.prepare(own, case.params)
        parts.append(objective.gradient(own, case.params, setup.data, 3, start, True))
    for name in case.params:
        wanted = 0.25 * parts[0].gradients[name] + parts[1].gradients[name] - parts[2].gradients[name]
        assert np.allclose(estimate.gradients[name], wanted, atol=1e-14)
    assert set(estimate.metrics) == {
        "free_energy",
        "free_energy_gap",
        "log_likelihood",
        "free_energy_3",
        "free_energy_gap_3",
    }
    assert (
        str(0.5 * CD(1) + PCD()) == "0.5 * CD(k=1, latent_sweeps=10, sampler=None)"
        " + PCD(k=1, chains=100, latent_sweeps=10, tempering=None, sampler=None)"
    )


@pytest.mark.parametrize("make_wrong", [lambda: CD(1) + 3, lambda: float("nan") * CD(1), lambda: CD(1) - "PCD"])
def test_sums_of_other_things_are_refused(make_wrong: Callable[[], Any]) -> None:
    with pytest.raises(ArgumentError):
        make_wrong()


@pytest.mark.parametrize(
    "make_wrong",
    [
        lambda: CD(0),
        lambda: CD(-1),
        lambda: CD(1.5),  # type: ignore[arg-type]
        lambda: CD(True),
        lambda: PCD(k=0),
        lambda: PCD(chains=0),
        lambda: ExactLikelihood(limit=0),
    ],
)
def test_settings_out_of_range_are_refused(make_wrong: Callable[[], Any]) -> None:
    with pytest.raises(ArgumentError, match="whole number of at least 1"):
        make_wrong()
