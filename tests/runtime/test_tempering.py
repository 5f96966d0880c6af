"""Replica exchange: the swap and the whole transition, exactly; what is recorded, and going on; what it is good for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import oracle
import pgmc
from cases import Case, build_case
from pgmc.errors import ArgumentError, NumericsError
from pgmc.ir.queries import Energy
from pgmc.runtime.replicas import tempered
from pgmc.runtime.samples import ChainState, ReplicaState
from pgmc.runtime.tempering import swap_neighbours, swapped_pairs
from transitions import transitions

Array = np.ndarray


# ---- exactly -------------------------------------------------------------------------------------------------------


def pair(m: pgmc.Model) -> tuple[Any, Any]:
    """Two units, one of three values."""
    spec = {"x": ((), (0, 1)), "y": ((), (0, 1, 2))}
    x, y = m.binary("x"), m.categorical("y", states=3)
    w, b = m.param("w", 3), m.param("b")
    m.energy(-x * (y @ w) - b * x)
    return spec, lambda z, t: -z["x"] * t["w"][z["y"]] - z["x"] * t["b"]


def triple(m: pgmc.Model) -> tuple[Any, Any]:
    spec = {"s": ((3,), (-1, 1))}
    s = m.spin("s", 3)
    J, b = m.param("J", (3, 3)), m.param("b", 3)
    m.energy(-(s @ J @ s) - b @ s)
    return spec, lambda x, t: -np.einsum("ni,ij,nj->n", x["s"], t["J"], x["s"]) - x["s"] @ t["b"]


@pytest.fixture(params=[pair, triple], ids=["pair", "triple"])
def case(request: pytest.FixtureRequest) -> Case:
    return build_case(request.param, seed=3)


def compiled_energies(case: Case) -> Array:
    """E of every state, from the compiled query."""
    executable = pgmc.compile(pgmc.Model.from_ir(case.compiler.model), dtype="float64", backend="numpy").executable
    states = {n: np.ascontiguousarray(x) for n, x in case.exact.states(case.exact.codes).items()}
    return executable.evaluate(Energy(), case.params, states)["energy"]


def swap_matrix(energies: Array, betas: Array, turn: int) -> Array:
    """The exact law of one round of swaps on the joint states of all rungs, from the code that samples.

    Every outcome is taken in turn: numbers just below and just above each probability accept and refuse.
    """
    states, rungs = len(energies), len(betas)
    starts = np.stack(np.unravel_index(np.arange(states**rungs), (states,) * rungs), axis=1)
    pairs = swapped_pairs(rungs, turn)
    order = np.tile(np.arange(rungs), (len(starts), 1))
    ladder = np.tile(betas, (len(starts), 1))
    found = np.zeros((len(starts), len(starts)))
    _, probabilities = swap_neighbours(energies[starts], ladder, order, pairs, np.full((len(starts), len(pairs)), 0.5))
    for accepted in np.ndindex(*(2,) * len(pairs)):
        take = np.array(accepted, dtype=bool)
        sharp = np.where(take, probabilities * (1 - 1e-15), np.minimum(probabilities * (1 + 1e-15), 1.0))
        moved, _ = swap_neighbours(energies[starts], ladder, order, pairs, sharp)
        weight = np.prod(np.where(take, probabilities, 1 - probabilities), axis=1)
        there = np.take_along_axis(starts, np.argsort(moved, axis=1), axis=1)
        ends = np.ravel_multi_index(tuple(there.T), (states,) * rungs)
        np.add.at(found, (np.arange(len(starts)), ends), weight)
    return found


def product_law(case: Case, betas: Array) -> Array:
    law = np.ones(1)
    for beta in betas:
        law = np.kron(law, case.law(lambda x, beta=beta: beta * case.energy(x)).p)
    return law


@pytest.mark.parametrize(("betas", "turn"), [((0.3, 1.0), 0), ((0.0, 0.4, 1.0), 0), ((0.0, 0.4, 1.0), 1)])
def test_a_round_of_swaps_is_reversible_under_the_product_law(case: Case, betas: Any, turn: int) -> None:
    betas = np.array(betas)
    matrix, law = swap_matrix(compiled_energies(case), betas, turn), product_law(case, betas)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-12)
    flow = law[:, None] * matrix
    np.testing.assert_allclose(flow, flow.T, atol=1e-12)
    # By hand, for the first pair that is tried: min(1, exp((β_a - β_b)(E_a - E_b))).
    count, low = case.exact.S, int(swapped_pairs(len(betas), turn)[0])
    place = np.array(np.unravel_index(np.arange(count ** len(betas)), (count,) * len(betas)))
    swapped = place.copy()
    swapped[[low, low + 1]] = place[[low + 1, low]]
    moves = place[low] != place[low + 1]
    gain = (betas[low] - betas[low + 1]) * (case.exact.E[place[low]] - case.exact.E[place[low + 1]])
    ends = np.ravel_multi_index(tuple(swapped), (count,) * len(betas))
    np.testing.assert_allclose(
        matrix[np.arange(count ** len(betas)), ends][moves], np.minimum(1.0, np.exp(gain))[moves], atol=1e-12
    )


@pytest.mark.parametrize("betas", [(0.0, 1.0), (0.45, 1.0)])
def test_sweeps_and_swaps_of_two_replicas_keep_the_product_law(case: Case, betas: Any) -> None:
    """The matrix of the emitted sweep at each β, and of the swap, on the product space."""
    query = tempered(case.free)
    sweeps = [
        transitions(case.compiler, query, case.exact, case.params, given={"inverse_temperature": beta}).matrix
        for beta in betas
    ]
    both = np.kron(*sweeps) @ swap_matrix(compiled_energies(case), np.array(betas), 0)
    law = product_law(case, np.array(betas))
    np.testing.assert_allclose(law @ both, law, atol=1e-12)
    assert np.all(np.linalg.matrix_power(both, 4) > 0)  # and no other law is kept
    wrong = np.kron(*sweeps) @ swap_matrix(compiled_energies(case), np.array(betas)[::-1], 0)
    assert np.abs(law @ wrong - law).max() > 1e-3  # a swap with the wrong sign would be seen


def test_swaps_of_replicas_that_are_not_in_order() -> None:
    """Rungs are numbers of places, replicas numbers of rows: a swap of rungs 1 and 2 concerns who is there."""
    energies, betas = np.array([[3.0, 1.0, 2.0]]), np.array([[0.0, 0.5, 1.0]])
    rungs = np.array([[2, 0, 1]])  # replica 0 (E = 3) is on rung 2, replica 2 (E = 2) on rung 1
    moved, probability = swap_neighbours(energies, betas, rungs, np.array([1]), np.array([[0.999]]))
    np.testing.assert_allclose(probability, 1.0)  # min(1, exp((0.5 - 1)(2 - 3)))
    np.testing.assert_array_equal(moved, [[1, 0, 2]])
    back, probability = swap_neighbours(energies, betas, moved, np.array([1]), np.array([[0.61]]))
    np.testing.assert_allclose(probability, np.exp(-0.5))
    np.testing.assert_array_equal(back, moved)


@pytest.mark.parametrize("all_rungs", [False, True])
def test_sampled_replicas_follow_the_product_law(all_rungs: bool) -> None:
    """One sweep and one swap from exact starts, chi-square over the joint states of both rungs.

    At p < 1e-6 the false alarm is 1e-6; with 40,000 chains a shift of 0.02 of the likeliest cell is found.
    """
    case, betas, chains = build_case(pair, seed=3), (0.4, 1.0), 40_000
    rng = np.random.default_rng(0)
    laws = [case.law(lambda x, beta=beta: beta * case.energy(x)) for beta in betas]
    starts = [law.states(law.sample(rng, chains)) for law in laws]
    last = ChainState(
        {n: np.asarray(x, np.int8) for n, x in starts[1].items()},
        seed=5,
        sweeps=0,
        replicas=ReplicaState(
            {n: np.stack([s[n] for s in starts], axis=1) for n in starts[0]},
            np.tile([0, 1], (chains, 1)),
            np.zeros((chains, 2), dtype=np.int64),
        ),
    )
    program = pgmc.compile(pgmc.Model.from_ir(case.compiler.model), dtype="float64", backend="numpy")
    tempering = pgmc.Tempering(betas, all_rungs=all_rungs)
    got = program.sample(case.params, chains=chains, sweeps=1, init=last, tempering=tempering)
    states = 3 * got["x"][:, 0].astype(int) + got["y"][:, 0]
    if all_rungs:
        counts = np.bincount(states[:, 0] * 6 + states[:, 1], minlength=36)
        assert oracle.chi2_test(counts, product_law(case, np.array(betas))) > 1e-6
    else:
        assert oracle.chi2_test(np.bincount(states, minlength=6), case.exact.p) > 1e-6


# ---- in use --------------------------------------------------------------------------------------------------------


def given_model() -> pgmc.Model:
    """Binary, spin and categorical units and an input."""
    m = pgmc.Model("given")
    v, s, k = m.binary("v", 4), m.spin("s", 3), m.categorical("k", 2, states=3)
    u = m.input("u", 3)
    m.energy(-(v @ m.param("W", (4, 3)) @ s) - u @ s)
    m.energy(-pgmc.einsum("i,ac,iac->", v, k, m.param("T", (4, 2, 3))))
    return m


@pytest.fixture(scope="module")
def given() -> tuple[pgmc.Program, dict[str, Array]]:
    rng = np.random.default_rng(0)
    program = pgmc.compile(given_model(), dtype="float64", backend="numpy")
    return program, {name: rng.normal(size=value.shape) for name, value in given_model().init().items()}


LADDER = pgmc.Tempering((0.0, 0.3, 0.6, 1.0), swap_every=2)


def run(given: tuple[pgmc.Program, dict[str, Array]], **how: Any) -> pgmc.runtime.samples.Samples:  # type: ignore[name-defined]
    program, params = given
    how = {"chains": 70, "sweeps": 12, "inputs": {"u": [0.5, -1.0, 0.0]}, "seed": 7, "tempering": LADDER, **how}
    return program.sample(params, **how)


def assert_same(one: Any, other: Any) -> None:
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_shapes_and_what_is_reported(given: Any) -> None:
    told: list[tuple[int, int]] = []
    got = run(given, keep=3, thin=2, progress=lambda done, sweeps: told.append((done, sweeps)))
    assert {n: (x.shape, x.dtype.name) for n, x in got.items()} == {
        "v": ((70, 3, 4), "int8"), "s": ((70, 3, 3), "int8"), "k": ((70, 3, 2), "int8")
    }  # fmt: skip
    assert told[-1] == (12, 12) and [d for d, _ in told] == sorted(d for d, _ in told)
    assert got.swap_rates.shape == (3,) and ((got.swap_rates > 0) & (got.swap_rates <= 1)).all()
    assert got.round_trips.shape == (70,) and got.round_trips.dtype == np.int64
    assert "swap rates 0." in repr(got) and "round trips a chain" in repr(got)
    assert run(given, tempering=None).swap_rates is None
    assert got.last.replicas.states["k"].shape == (70, 4, 2)
    np.testing.assert_array_equal(np.sort(got.last.replicas.rungs, axis=1), np.tile(np.arange(4), (70, 1)))
    cold = got.last.replicas.rungs == 3
    np.testing.assert_array_equal(got.last["v"], got.last.replicas.states["v"][cold])
    np.testing.assert_array_equal(got.last["v"], got["v"][:, -1])


def test_every_rung_is_recorded_in_order(given: Any) -> None:
    cold = run(given, keep=2)
    every = run(given, keep=2, tempering=pgmc.Tempering(LADDER.betas, 2, all_rungs=True))
    assert every["v"].shape == (70, 2, 4, 4)
    for name in cold:
        np.testing.assert_array_equal(every[name][:, :, -1], cold[name])
    energy = {"energy": lambda state: given[0].energy(given[1], state | {"u": np.tile([0.5, -1.0, 0.0], (280, 1))})}
    seen = run(given, keep=6, observe=energy, tempering=pgmc.Tempering(LADDER.betas, 2, all_rungs=True))["energy"]
    assert seen.shape == (70, 6, 4)
    assert (np.diff(seen.mean(axis=(0, 1))) < 0).all()  # colder is lower


def test_going_on_ends_with_the_same_bits(given: Any) -> None:
    whole = run(given, keep=4)
    for cut in (5, 6):  # between rounds of swaps, and at one
        first = run(given, sweeps=cut)
        rest = run(given, sweeps=12 - cut, keep=4, init=first.last, seed=None)
        assert_same(rest, whole)
        np.testing.assert_array_equal(first.round_trips + rest.round_trips, whole.round_trips)
        np.testing.assert_array_equal(rest.last.replicas.rungs, whole.last.replicas.rungs)


def test_threads_and_the_number_of_chains_do_not_matter(given: Any) -> None:
    many = run(given, threads=1)
    assert_same(many, run(given, threads=3))
    few = run(given, chains=9)
    for name in few:
        np.testing.assert_array_equal(few[name], many[name][:9])
    assert not np.array_equal(run(given, seed=8)["s"], many["s"])


def test_clamps_masks_and_inputs_of_each_chain(given: Any) -> None:
    rng = np.random.default_rng(1)
    s, kept = rng.choice([-1, 1], (70, 3)), rng.random((70, 3)) < 0.5
    clamp = {"s": np.ma.MaskedArray(s, ~kept), "v": [1, 0, 1, 1]}
    got = run(given, clamp=clamp, inputs={"u": rng.normal(size=(70, 3))}, keep=3)
    for k in range(3):
        np.testing.assert_array_equal(got["s"][:, k][kept], s[kept])
        np.testing.assert_array_equal(got["v"][:, k], np.tile([1, 0, 1, 1], (70, 1)))
    assert (got["s"][:, -1][~kept] != s[~kept]).any()
    all_clamped = run(given, clamp={"s": s, "v": [1, 0, 1, 1], "k": [0, 2]})
    np.testing.assert_array_equal(all_clamped["s"][:, 0], s)
    assert np.isnan(all_clamped.swap_rates).all()


def test_one_rung_is_plain_sampling(given: Any) -> None:
    assert_same(run(given, tempering=pgmc.Tempering([1.0]), keep=2), run(given, tempering=None, keep=2))


def test_temperatures_are_shared_by_the_rungs(given: Any) -> None:
    """At β = 0 every swap is accepted; a schedule that is constant is the constant."""
    np.testing.assert_array_equal(run(given, inverse_temperature=0.0).swap_rates, 1.0)
    constant = run(given, inverse_temperature=0.7)
    assert_same(constant, run(given, inverse_temperature=np.full(12, 0.7)))
    assert_same(constant, run(given, inverse_temperature=np.full(70, 0.7)))
    assert not np.array_equal(constant["s"], run(given)["s"])


def test_a_ladder_of_another_length_starts_from_the_cold_states(given: Any) -> None:
    first = run(given)
    longer = run(given, init=first.last, sweeps=0, tempering=pgmc.Tempering(7, all_rungs=True))
    for rung in range(7):
        np.testing.assert_array_equal(longer["v"][:, 0, rung], first.last["v"])


@pytest.mark.parametrize(
    ("betas", "how", "message"),
    [
        (1, {}, "betas=1: expected an integer, at least 2"),
        ((0.2, 0.9), {}, "inverse temperatures that rise from 0 or more to 1"),
        ((0.5, 0.2, 1.0), {}, "rise from 0 or more to 1"),
        ((-0.5, 1.0), {}, "rise from 0 or more to 1"),
        ((np.nan, 1.0), {}, "rise from 0 or more to 1"),
        ((), {}, "rise from 0 or more to 1"),
        ("hot", {}, "betas='hot'"),
        (4, {"swap_every": 0}, "swap_every=0: expected an integer, at least 1"),
    ],
)
def test_wrong_ladders(betas: Any, how: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        pgmc.Tempering(betas, **how)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_wrong_arguments(given: Any) -> None:
    with pytest.raises(ArgumentError, match=r"expected a ladder such as pgmc.Tempering\(betas=8\)"):
        run(given, tempering=8)
    huge = {name: np.full(value.shape, 1.7e308) for name, value in given[1].items()}
    with pytest.raises(NumericsError, match="given: the energy of a replica is"):
        run((given[0], huge))


def test_real_units_have_no_law_at_zero() -> None:
    """A positive ladder mixes two bumps of a real unit: z-test of the share of one, |z| < 5."""
    m = pgmc.Model("bumps")
    x, h = m.real("x"), m.binary("h")
    m.energy(2 * x**2 - 16 * x * h + 31.5 * h)  # 2 (x - 4 h)² - h / 2
    program, params = pgmc.compile(m, dtype="float64", backend="numpy"), {}
    for how in ({"inverse_temperature": 0.0}, {"tempering": pgmc.Tempering(4)}):
        with pytest.raises(ArgumentError, match=r"x \(real variable, .*at an inverse temperature of 0 it has no law"):
            program.sample(params, 3, 3, **how)
    with pytest.raises(ArgumentError, match="it has no law"):
        program.log_partition(params, method="tempering")
    program.sample(params, 3, 3, clamp={"x": 0.5}, inverse_temperature=0.0)
    ladder = pgmc.Tempering((0.03, 0.1, 0.3, 1))
    got = program.sample(params, 200, 300, tempering=ladder, observe={"h": lambda s: s["h"]}, keep=200, seed=0)
    share = 1 / (1 + np.exp(-0.5))
    means = got["h"].mean(axis=1)
    assert abs(means.mean() - share) < 5 * means.std(ddof=1) / np.sqrt(200) < 0.1


# ---- ladders -------------------------------------------------------------------------------------------------------


def test_respacing_gives_equal_shares_of_the_barrier() -> None:
    ladder = pgmc.Tempering((0.0, 0.5, 1.0), swap_every=3)
    same = ladder.respaced([0.8, 0.4])  # a barrier of 0.2 and 0.6: half of it is passed at 0.5 + 0.5 (0.4 - 0.2) / 0.6
    np.testing.assert_allclose(same.betas, [0, 2 / 3, 1])
    assert same.swap_every == 3
    assert len(ladder.respaced([0.8, 0.4], rungs=6).betas) == 6
    assert len(ladder.respaced([0.8, 0.4], rate=0.6).betas) == 3  # 0.8 / 0.4 steps
    np.testing.assert_allclose(ladder.respaced([1.0, 1.0], rungs=5).betas, [0, 0.25, 0.5, 0.75, 1])
    for rates, how, message in (
        ([0.5], {}, "expected 2 swap rates"),
        ([0.5, np.nan], {}, "every pair of which was tried"),
        ([0.5, 0.5], {"rate": 1.0}, "a number between 0 and 1"),
        ([0.5, 0.5], {"rate": 0.5, "rungs": 3}, "either rungs= or rate="),
    ):
        with pytest.raises(ArgumentError, match=message):
            ladder.respaced(rates, **how)


def double_well() -> tuple[pgmc.Program, dict[str, Any]]:
    """Two layers of six spins that all agree or pay for it: two modes, which Gibbs sampling does not leave."""
    m = pgmc.Model("double_well")
    v, h = m.spin("v", 6), m.spin("h", 6)
    K, f = m.param("K"), m.param("f")
    m.energy(-K * v.sum() * h.sum() - f * v.sum())
    return pgmc.compile(m, dtype="float64", backend="numpy"), {"K": 0.5, "f": 0.05}


def test_replicas_cross_where_plain_chains_stay() -> None:
    """From one mode, the exact share of the other: z-test over chains, |z| < 5 (6e-7). Plain chains never see it."""
    program, params = double_well()
    up = {"v": np.ones(6), "h": np.ones(6)}
    seen = {"up": lambda state: state["v"].sum(axis=1) > 0}
    plain = program.sample(params, chains=40, sweeps=150, init=up, observe=seen, keep=100, seed=0)
    assert plain["up"].all()
    got = program.sample(params, 40, 600, init=up, observe=seen, keep=500, seed=0, tempering=pgmc.Tempering(6))
    exact = pgmc.enumerate_states(program.compiler.model, params)
    share = exact.probabilities[np.asarray(exact.states["v"]).sum(axis=1) > 0].sum()
    means = got["up"].mean(axis=1)
    assert abs(means.mean() - share) < 5 * means.std(ddof=1) / np.sqrt(40) < 0.2
    assert got.round_trips.min() > 0
    better = pgmc.Tempering(6).respaced(got.swap_rates)
    again = program.sample(params, 40, 200, init=up, seed=1, tempering=better)
    assert np.ptp(again.swap_rates) < 0.7 * np.ptp(got.swap_rates)
