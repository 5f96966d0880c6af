"""Counts, Poisson and multinomial, against sums that are written down here."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import pgmc
from generated import compile_sweeps_alone
from pgmc.ir.canonical import canonical_text

WORDS, TOPICS, TOTAL = 3, 2, 4


def topics(total: Any = TOTAL) -> pgmc.Model:
    m = pgmc.Model("topics")
    length = m.input("D") if total == "input" else total
    v, h = m.count("v", WORDS, total=length), m.binary("h", TOPICS)
    W, b, c = m.param("W", (WORDS, TOPICS)), m.param("b", WORDS), m.param("c", TOPICS)
    m.energy(-(v @ W @ h) - b @ v - length * (c @ h))
    return m


def rates() -> pgmc.Model:
    m = pgmc.Model("rates")
    v, h = m.count("v", 2), m.spin("h", 2)
    m.energy(-(v @ m.param("W", (2, 2)) @ h) - m.param("b", 2) @ v)
    return m


def some_params(m: pgmc.Model, scale: float = 0.7) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: scale * rng.normal(size=value.shape) for name, value in m.init().items()}


def log_joint(q: dict[str, np.ndarray], v: np.ndarray, h: np.ndarray, total: int) -> float:
    factorials = sum(math.log(math.factorial(int(k))) for k in v)
    return float(v @ q["W"] @ h + q["b"] @ v + total * (q["c"] @ h) - factorials)


def documents(total: int) -> list[np.ndarray]:
    return [np.array(v) for v in itertools.product(range(total + 1), repeat=WORDS) if sum(v) == total]


def hidden() -> list[np.ndarray]:
    return [np.array(h) for h in itertools.product((0, 1), repeat=TOPICS)]


def test_sums_over_documents_and_topics() -> None:
    m = topics()
    q = some_params(m)
    p = pgmc.compile(m, dtype="float64", backend="numpy")
    table = np.array([[log_joint(q, v, h, TOTAL) for h in hidden()] for v in documents(TOTAL)])
    log_z = np.logaddexp.reduce(table, axis=None)
    assert p.log_partition(q, method="exact").value == pytest.approx(log_z, abs=1e-12)
    assert pgmc.enumerate_states(m, q).log_partition == pytest.approx(log_z, abs=1e-12)
    data = {"v": np.array(documents(TOTAL))}
    np.testing.assert_allclose(p.free_energy(q, data), -np.logaddexp.reduce(table, axis=1), atol=1e-12)
    np.testing.assert_allclose(p.log_likelihood(q, data), np.logaddexp.reduce(table, axis=1) - log_z, atol=1e-12)
    units = {"h": np.array(hidden())}
    np.testing.assert_allclose(p.free_energy(q, units), -np.logaddexp.reduce(table, axis=0), atol=1e-12)
    law = p.conditional("v")
    assert law.family == "Multinomial"
    expected = np.exp(table - np.logaddexp.reduce(table, axis=0)).T @ data["v"]
    found = law.evaluate(q, units | {"v": np.tile([TOTAL, 0, 0], (4, 1))})
    np.testing.assert_allclose(found["mean"], expected, atol=1e-12)


@pytest.mark.parametrize("total", [TOTAL, "input"])
def test_a_program_is_verified(total: Any) -> None:
    assert pgmc.compile(topics(total), dtype="float64", backend="numpy").verify()


def test_generated_kernels_are_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_sweeps_alone(monkeypatch)
    assert pgmc.compile(topics()).verify()


def test_documents_of_different_lengths() -> None:
    m = topics("input")
    q = some_params(m)
    p = pgmc.compile(m, dtype="float64", backend="numpy")
    lengths = np.array([1.0, 3.0, 6.0])
    exact = [
        np.logaddexp.reduce([log_joint(q, v, h, int(n)) for v in documents(int(n)) for h in hidden()]) for n in lengths
    ]
    np.testing.assert_allclose(p.log_partition(q, {"D": lengths}, method="exact").value, exact, atol=1e-12)
    annealed = p.log_partition(q, {"D": lengths}, method="ais", chains=200, betas=50, seed=0)
    assert np.all(np.abs(annealed.value - exact) < 5 * annealed.std_error + 1e-3)
    drawn = p.sample(q, chains=3, sweeps=2, inputs={"D": lengths}, seed=0)["v"][:, -1]
    np.testing.assert_array_equal(drawn.sum(axis=-1), lengths)


def test_samples_follow_the_law_and_keep_clamped_counts() -> None:
    m = topics()
    q = some_params(m)
    p = pgmc.compile(m, dtype="float64", backend="numpy")
    listed = pgmc.enumerate_states(m, q)
    v = p.sample(q, chains=4000, sweeps=20, seed=0)["v"][:, -1]
    assert v.dtype == np.int64 and (v.sum(axis=1) == TOTAL).all()
    np.testing.assert_allclose(v.mean(axis=0), listed.expectation(listed.states["v"]), atol=0.1)
    kept = np.ma.masked_array([1, 0, 0], mask=[False, True, True])
    v = p.sample(q, chains=50, sweeps=3, clamp={"v": kept}, seed=0)["v"][:, -1]
    assert (v[:, 0] == 1).all() and (v.sum(axis=1) == TOTAL).all() and v[:, 1].std() > 0


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_poisson_units(backend: Any) -> None:
    m = rates()
    q = some_params(m, 0.4)
    p = pgmc.compile(m, dtype="float64", backend=backend)
    spins = np.array(list(itertools.product((-1, 1), repeat=2)))
    means = np.exp(q["b"] + spins @ q["W"].T)
    assert p.conditional("v").family == "Poisson"
    np.testing.assert_allclose(
        p.conditional("v").evaluate(q, {"h": spins, "v": np.zeros((4, 2))})["mean"], means, rtol=1e-12
    )
    log_z = np.logaddexp.reduce(means.sum(axis=1))  # Σ_k exp(s k) / k! = exp(exp(s))
    assert p.log_partition(q, method="exact").value == pytest.approx(log_z, abs=1e-12)
    weights = np.exp(means.sum(axis=1) - log_z)
    v = p.sample(q, chains=4000, sweeps=10, seed=0)["v"][:, -1]
    np.testing.assert_allclose(v.mean(axis=0), weights @ means, atol=0.15)
    large = np.array([[20, 30]])
    expected = -large @ (q["b"] + spins[0] @ q["W"].T) + sum(math.lgamma(k + 1) for k in large[0])
    assert p.energy(q, {"v": large, "h": spins[:1]}) == pytest.approx(expected, abs=1e-10)


def test_draws_of_poisson_units_have_the_right_frequencies() -> None:
    m = pgmc.Model("one")
    v = m.count("v", 3)
    m.energy(-(m.param("b", 3) @ v))
    log_rates = np.log([0.3, 4.0, 250.0])
    v = pgmc.compile(m).sample({"b": log_rates}, chains=20000, sweeps=1, seed=0)["v"][:, -1]
    np.testing.assert_allclose(v.mean(axis=0), np.exp(log_rates), rtol=0.03)
    np.testing.assert_allclose(v.var(axis=0), np.exp(log_rates), rtol=0.06)


def interacting(m: pgmc.Model) -> None:
    v, J = m.count("v", 2), m.param("J", (2, 2))
    i, j = pgmc.indices("i j")
    m.energy(-pgmc.Sum(v[i] * J[i, j] * v[j], (i, j), where=i < j))


def squared(m: pgmc.Model) -> None:
    v = m.count("v", 2)
    m.energy((v**2).sum())


def with_another(m: pgmc.Model) -> None:
    v, w = m.count("v", 2), m.count("w", 2)
    m.energy(-v @ w)


@pytest.mark.parametrize(
    ("declare", "why"),
    [(interacting, "interact with one another"), (squared, "not affine"), (with_another, "neither has bounds")],
)
def test_laws_without_a_normaliser_are_refused(declare: Any, why: str) -> None:
    m = pgmc.Model("wrong")
    declare(m)
    with pytest.raises(pgmc.DerivationError, match=why):
        pgmc.compile(m).conditional("v").law  # noqa: B018


@pytest.mark.parametrize(
    ("v", "why"),
    [([1, 2, 2], "add up to 5, not to 4"), ([2.5, 1.5, 0], "expected counts"), ([-1, 5, 0], "expected counts")],
)
def test_data_that_are_no_such_counts(v: Any, why: str) -> None:
    m = topics()
    p = pgmc.compile(m, backend="numpy")
    with pytest.raises(pgmc.DataError, match=why):
        p.free_energy(m.init(), {"v": np.array([[4, 0, 0], v])})
    q = pgmc.compile(topics("input"), backend="numpy")
    with pytest.raises(pgmc.DataError, match="row 1 add up to 3, not to 4"):
        q.free_energy(m.init(), {"v": np.array([[4, 0, 0], [1, 1, 1]]), "D": np.array([4.0, 4.0])})


@pytest.mark.parametrize("total", [0, 1.5, True, "ten"])
def test_totals_are_positive_numbers_or_inputs(total: Any) -> None:
    with pytest.raises(pgmc.ModelError, match="total is"):
        pgmc.Model("wrong").count("v", 3, total=total)
    m = pgmc.Model("wrong")
    with pytest.raises(pgmc.ModelError, match=r"has the shape \(2,\), not \(\)"):
        m.count("v", 3, total=m.input("n", 2))


def test_a_saved_model_has_one_base_measure(tmp_path: Any) -> None:
    m = topics()
    pgmc.save(tmp_path / "m.pgmc", m, m.init())
    loaded, _ = pgmc.load(tmp_path / "m.pgmc")
    assert canonical_text(loaded.build()) == canonical_text(m.build())
    assert str(m.build()).count("log Γ") == 1


def test_training_moves_towards_the_data() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 15, size=200)
    first = rng.random(200) < 0.5
    mix = np.where(first[:, None], [0.8, 0.1, 0.1], [0.1, 0.2, 0.7])
    v = np.array([rng.multinomial(n, p) for n, p in zip(lengths, mix, strict=True)])
    m = topics("input")
    data = {"v": v, "D": lengths.astype(float)}
    p = pgmc.compile(m)
    before = p.log_likelihood(m.init(0), data).mean()
    fit = pgmc.fit(m, data, pgmc.CD(1), pgmc.SGD(0.02), epochs=10, batch_size=20, seed=0, progress=False)
    assert p.log_likelihood(fit.params, data).mean() > before + 1.0


def words_and_causes() -> pgmc.Model:
    """Counts beside a directed effect, and an inference net that is given the counts."""
    m = pgmc.Model("words_and_causes")
    v, h, y = m.count("v", WORDS, total=TOTAL), m.binary("h", TOPICS), m.binary("y", 2)
    W, U = m.param("W", (WORDS, TOPICS)), m.param("U", (TOPICS, 2))
    m.energy(-(v @ W @ h))
    m.directed(y, pgmc.Bernoulli(logits=h @ U))
    q = m.guide()
    q.directed(h, pgmc.Bernoulli(logits=v @ q.param("R", (WORDS, TOPICS))))
    return m


def test_counts_beside_directed_factors() -> None:
    m = words_and_causes()
    q, p = some_params(m), pgmc.compile(m, dtype="float64", backend="numpy")
    assert p.log_partition(q).value == pytest.approx(pgmc.enumerate_states(m, q).log_partition, abs=1e-12)
    unused = pgmc.Model("unused")
    unused.count("v", WORDS, total=TOTAL)
    z, y = unused.binary("z"), unused.binary("y")
    unused.energy(-z)
    unused.directed(y, pgmc.Bernoulli(logits=z))
    found = pgmc.compile(unused, dtype="float64").log_partition({})  # generated code asks for the total by its name
    assert found.value == pytest.approx(math.log(WORDS**TOTAL / math.factorial(TOTAL) * (1 + math.e)), abs=1e-12)


def test_the_base_measure_of_what_an_inference_net_is_given_is_no_part_of_its_law() -> None:
    m = words_and_causes()
    q, net = some_params(m), pgmc.compile(m, dtype="float64", backend="numpy").guide
    v, h = np.array(documents(TOTAL)[:4]), np.array(hidden())
    logits = v @ q["R"]
    expected = -(h * logits - np.logaddexp(0, logits)).sum(axis=1)
    np.testing.assert_allclose(net.energy(q, {"v": v, "h": h}), expected, atol=1e-12)
