"""What sampling is told beside the model: temperatures, and which units of which example are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import oracle
import pgmc
from pgmc.errors import ArgumentError, DataError

CHAINS = 1000


def mixed() -> pgmc.Model:
    """Binary units that interact, spins and a label."""
    m = pgmc.Model("mixed")
    v, s, k = m.binary("v", 3), m.spin("s", 2), m.categorical("k", states=3)
    m.energy(-(v @ m.param("U", (3, 3)) @ v) - v @ m.param("W", (3, 2)) @ s)
    m.energy(-pgmc.einsum("i,c,ic->", v, k, m.param("T", (3, 3))) - m.param("b", 2) @ s)
    return m


@pytest.fixture(scope="module")
def program() -> pgmc.Program:
    return pgmc.compile(mixed(), dtype="float64", backend="numpy")


@pytest.fixture(scope="module")
def params() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {name: 0.7 * rng.normal(size=value.shape) for name, value in mixed().init().items()}


def number(states: Any) -> Any:
    """Joint states of the model as numbers below 2^5 · 3."""
    v, s, k = (np.asarray(states[name], dtype=np.int64) for name in "vsk")
    return (v @ [4, 2, 1] * 4 + (s > 0) @ [2, 1]) * 3 + k


def law_of(energies: Any, beta: float) -> Any:
    p = np.exp(-beta * (energies - energies.min()))
    return p / p.sum()


# ---- temperatures --------------------------------------------------------------------------------------------------


def test_chains_at_zero_are_uniform_after_one_sweep(program: pgmc.Program, params: Any) -> None:
    """Chi-square over all 96 joint states, from a start that is far from uniform. A false alarm has p = 1e-6."""
    start = {"v": [1, 1, 1], "s": [1, 1], "k": 0}
    got = program.sample(params, 20_000, 1, init=start, inverse_temperature=0.0, seed=0)
    counts = np.bincount(number({n: x[:, 0] for n, x in got.items()}), minlength=96)
    assert oracle.chi2_test(counts, np.full(96, 1 / 96)) > 1e-6


def test_each_chain_follows_the_law_of_its_temperature(program: pgmc.Program, params: Any) -> None:
    """Chi-square of the joint states at three temperatures, each at p < 1e-6."""
    betas = np.repeat([0.3, 1.0, 2.0], CHAINS)
    got = program.sample(params, 3 * CHAINS, 25, inverse_temperature=betas, seed=1)
    exact = pgmc.enumerate_states(mixed().build(), params)
    for k, beta in enumerate((0.3, 1.0, 2.0)):
        rows = {n: x[k * CHAINS : (k + 1) * CHAINS, 0] for n, x in got.items()}
        law = np.bincount(number(exact.states), law_of(exact.energies, beta), minlength=96)
        assert oracle.chi2_test(np.bincount(number(rows), minlength=96), law) > 1e-6


def test_at_one_bits_are_those_of_no_temperature() -> None:
    """All at 1 runs the plain kernel; where some chains are not, those at 1 draw the same states all the same."""
    m = pgmc.Model("layers")
    v, h = m.binary("v", 20), m.spin("h", 15)
    m.energy(-(v @ m.param("W", (20, 15)) @ h) - m.param("b", 20) @ v)
    values = {"W": np.random.default_rng(0).normal(size=(20, 15)), "b": np.linspace(-1, 1, 20)}
    compiled = pgmc.compile(m)
    plain = compiled.sample(values, chains=60, sweeps=20, seed=3)
    ones = compiled.sample(values, chains=60, sweeps=20, seed=3, inverse_temperature=np.ones(60))
    some = compiled.sample(values, chains=60, sweeps=20, seed=3, inverse_temperature=np.tile([1.0, 0.2], 30))
    for name in plain:
        np.testing.assert_array_equal(plain[name], ones[name])
        np.testing.assert_array_equal(plain[name][::2], some[name][::2])
        assert not np.array_equal(plain[name][1::2], some[name][1::2])


def test_a_schedule_is_what_runs_at_each_temperature_would_be(program: pgmc.Program, params: Any) -> None:
    betas = np.linspace(0, 1, 6)
    whole = program.sample(params, chains=30, sweeps=6, inverse_temperature=betas, seed=2, keep=2)
    last = None
    for beta in betas:
        step = program.sample(params, chains=30, sweeps=1, inverse_temperature=beta, init=last, seed=2)
        last = step.last
    for name in whole:
        np.testing.assert_array_equal(whole[name][:, -1], step[name][:, 0])
    both = program.sample(params, 30, 6, inverse_temperature=np.tile(betas[:, None], 30), seed=2, keep=2)
    for name in whole:
        np.testing.assert_array_equal(whole[name], both[name])


def test_annealing_finds_the_ground_state(program: pgmc.Program, params: Any) -> None:
    exact = pgmc.enumerate_states(mixed().build(), params)
    cooled = program.sample(params, 200, 60, inverse_temperature=np.linspace(0, 30, 60), seed=0)
    energies = program.energy(params, {name: x[:, -1] for name, x in cooled.items()})
    assert (energies < exact.energies.min() + 1e-9).mean() > 0.5


# ---- missing data --------------------------------------------------------------------------------------------------


def test_each_example_keeps_what_is_known_of_it(program: pgmc.Program, params: Any) -> None:
    """Four examples with other units missing: chi-square of all joint states against the enumerated conditional.

    Each at p < 1e-6; units that are known must also keep their values in every recorded state.
    """
    examples = {
        "v": np.ma.MaskedArray(
            [[1, 0, 1], [0, 9, 9], [1, 1, 0], [9, 9, 9]], [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1] * 3]
        ),
        "s": np.ma.MaskedArray([[1, -1], [1, 0], [0, -1], [0, 0]], [[1, 1], [0, 1], [1, 0], [1, 1]]),
        "k": np.ma.MaskedArray([2, 1, 7, 0], [1, 0, 1, 0]),
    }
    clamp = {
        n: np.ma.MaskedArray(np.repeat(x.data, CHAINS, axis=0), np.repeat(x.mask, CHAINS, axis=0))
        for n, x in examples.items()
    }
    got = program.sample(params, 4 * CHAINS, 25, clamp=clamp, seed=4)
    exact = pgmc.enumerate_states(mixed().build(), params)
    for row in range(4):
        fits = np.ones(len(exact.energies), dtype=bool)
        for name, x in examples.items():
            known = ~np.ma.getmaskarray(x)[row]
            fits &= ((exact.states[name] == x.data[row]) | ~known).reshape(len(fits), -1).all(axis=1)
        law = np.bincount(number(exact.states)[fits], law_of(exact.energies[fits], 1.0), minlength=96)
        rows = number({n: x[row * CHAINS : (row + 1) * CHAINS, 0] for n, x in got.items()})
        assert oracle.chi2_test(np.bincount(rows, minlength=96), law) > 1e-6  # 0 for a state that does not fit


def test_a_unit_of_the_whole_variable_may_be_missing_in_all_examples(program: pgmc.Program, params: Any) -> None:
    known = np.ma.MaskedArray([1, 0, 0], [False, False, True])
    one = program.sample(params, 20, 5, clamp={"v": known}, seed=0)
    each = program.sample(params, 20, 5, clamp={"v": np.ma.MaskedArray(np.tile(known, (20, 1)))}, seed=0)
    for name in one:
        np.testing.assert_array_equal(one[name], each[name])


@pytest.mark.parametrize(
    ("clamp", "message"),
    [
        ({"v": np.ma.MaskedArray([[1, 0, 1]] * 4, [[0, 0, 1]] * 4)}, "v: 4 rows for chains=5"),
        (
            {"v": np.ma.MaskedArray([1, 0], [0, 1])},
            r"v \(binary variable.*expected the shape \(3\), got \(2,\)",
        ),
        ({"v": np.ma.MaskedArray([1, 7, 0], [0, 0, 1])}, r"v \(binary variable.*expected 0 or 1, got 7 at \(1,\)"),
        ({"s": np.ma.MaskedArray([0, 0], [0, 1])}, r"s \(spin variable.*expected -1 or \+1, got 0 at \(0,\)"),
        ({"v": [1, np.nan, 0]}, r"v \(binary variable.*expected 0 or 1, got nan at \(1,\)"),
        ({"V": [1, 0, 0]}, "clamp: 'V' is not a name of this model that belongs here. Did you mean 'v'"),
    ],
)
def test_wrong_clamps(program: pgmc.Program, params: Any, clamp: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        program.sample(params, 5, 3, clamp=clamp)


def test_masked_entries_have_a_meaning_in_clamps_only(program: pgmc.Program, params: Any) -> None:
    masked = np.ma.MaskedArray([[1, 0, 1]], [[0, 0, 1]])
    for wrong in (
        lambda: program.sample(params, 1, 1, init={"v": masked}),
        lambda: program.energy(params, {"v": masked, "s": [[1, 1]], "k": [0]}),
    ):
        with pytest.raises(DataError, match=r"the entry at .* is masked\. Masked entries have a meaning in clamp="):
            wrong()
    with pytest.raises(ArgumentError, match="expected finite numbers, at least 0"):
        program.sample(params, 1, 1, inverse_temperature=[np.nan])
