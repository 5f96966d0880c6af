"""Directed factors as they are declared: both notations, what they add to the model, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import pgmc
from pgmc.ir.canonical import canonical_text
from pgmc.ir.factors import factor_law
from pgmc.ir.printer import print_conditional

P, Q, R = pgmc.indices("i j k")


def net(declare: Callable[[pgmc.Model, Any, Any, Any, Any], None]) -> pgmc.Model:
    m = pgmc.Model("net")
    declare(m, m.binary("v", 3), m.binary("h", 2), m.param("W", (2, 3)), m.param("b", 3))
    return m


def test_array_and_index_notation_say_the_same() -> None:
    arrays = net(lambda m, v, h, W, b: m.directed(v, pgmc.Bernoulli(logits=h @ W + b)))
    indices = net(lambda m, v, h, W, b: m.directed(v[P], pgmc.Bernoulli(logits=h[Q] * W[Q, P] + b[P])))
    written = net(lambda m, v, h, W, b: m.directed(v[R], pgmc.Bernoulli(logits=b[R] + pgmc.Sum(W[Q, R] * h[Q], Q))))
    assert arrays.build() == indices.build() == written.build()


def test_a_factor_prints_as_it_was_declared() -> None:
    (factor,) = (
        net(lambda m, v, h, W, b: m.directed(v[P], pgmc.Bernoulli(logits=h[Q] * W[Q, P] + b[P]))).build().factors
    )
    assert print_conditional(factor_law(factor)) == "P(v[i] = 1 | h) = σ(b[i] + Σ_j W[j,i]·h[j])"


def test_a_factor_is_not_the_energy_that_it_adds() -> None:
    """Only the factor is known to be normalised, so kernels of the two must not be shared."""
    factor = net(lambda m, v, h, W, b: m.directed(v, pgmc.Bernoulli(logits=h @ W + b)))
    energy = net(lambda m, v, h, W, b: m.energy((pgmc.softplus(h @ W + b) - v * (h @ W + b)).sum()))
    assert canonical_text(factor.build()) != canonical_text(energy.build())


def test_probabilities_in_place_of_logits() -> None:
    m = pgmc.Model("coin")
    m.directed(m.binary("x"), pgmc.Bernoulli(probs=m.constant("p", 0.25)))
    program = pgmc.compile(m, backend="numpy", dtype="float64")
    assert program.log_joint({}, {"x": [0, 1]}) == pytest.approx([-0.2876820724517809, -1.3862943611198906])


def test_a_spin_and_a_categorical_child() -> None:
    m = pgmc.Model("mixed")
    y = m.categorical("y", states=3)
    s = m.spin("s", 2)
    U, d = m.param("U", (3, 2)), m.param("d", 3)
    m.directed(y, pgmc.Categorical(logits=d))
    m.directed(s, pgmc.Bernoulli(logits=y @ U))
    program = pgmc.compile(m, backend="numpy", dtype="float64")
    params = {name: value + 0.5 for name, value in program.init().items()}
    assert pgmc.enumerate_states(m, params).log_partition == pytest.approx(0.0, abs=1e-12)


def test_a_saved_model_keeps_its_factors(tmp_path: Any) -> None:
    m = net(lambda m, v, h, W, b: m.directed(v, pgmc.Bernoulli(logits=h @ W + b)))
    pgmc.save(tmp_path / "net.pgmc", m, pgmc.compile(m).init())
    loaded, _ = pgmc.load(tmp_path / "net.pgmc")
    assert loaded.build() == m.build()


def circle(m: pgmc.Model, v: Any, h: Any, W: Any, b: Any) -> None:
    m.directed(v, pgmc.Bernoulli(logits=h @ W))
    m.directed(h, pgmc.Bernoulli(logits=W @ v))


def twice(m: pgmc.Model, v: Any, h: Any, W: Any, b: Any) -> None:
    m.directed(v, pgmc.Bernoulli(logits=b))
    m.directed(v, pgmc.Bernoulli(logits=h @ W))


def factor_then_energy(m: pgmc.Model, v: Any, h: Any, W: Any, b: Any) -> None:
    m.directed(v, pgmc.Bernoulli(logits=h @ W))
    m.energy(-(v @ b))


def energy_then_factor(m: pgmc.Model, v: Any, h: Any, W: Any, b: Any) -> None:
    m.energy(-(v @ b))
    m.directed(v, pgmc.Bernoulli(logits=h @ W))


@pytest.mark.parametrize(
    ("declare", "error", "message"),
    [
        (circle, pgmc.ModelError, r"depend on one another in a circle: (h → v → h|v → h → v)"),
        (twice, pgmc.ModelError, "directed factor of v: v has one already, at .*test_directed.py:"),
        (factor_then_energy, pgmc.ModelError, "v would have a directed factor and a term of the energy at .*:"),
        (energy_then_factor, pgmc.ModelError, "v would have a directed factor and a term of the energy at .*:"),
        (
            lambda m, v, h, W, b: m.directed(v[P], pgmc.Bernoulli(logits=v[P] * b[P])),
            pgmc.ModelError,
            r"units of v depend on one another in a circle: v → v.*where=j < i",
        ),
        (
            lambda m, v, h, W, b: m.directed(v, pgmc.Categorical(logits=h @ W)),
            pgmc.ModelError,
            "v is binary, and a Categorical is not. Its distribution is Bernoulli",
        ),
        (
            lambda m, v, h, W, b: m.directed(v, pgmc.Bernoulli(logits=h)),
            pgmc.NotationError,
            r"logits have the shape \(2,\), and v has \(3,\)",
        ),
        (lambda m, v, h, W, b: m.directed(b, pgmc.Bernoulli(logits=b)), pgmc.ModelError, "is no variable"),
        (lambda m, v, h, W, b: m.directed(v + 1, pgmc.Bernoulli(logits=b)), pgmc.ModelError, "is no variable"),
        (
            lambda m, v, h, W, b: m.directed(v[0], pgmc.Bernoulli(logits=b[0])),
            pgmc.NotationError,
            "an index of its own",
        ),
        (lambda m, v, h, W, b: m.directed(v, h @ W), pgmc.ModelError, "Expression is no distribution"),
        (lambda m, v, h, W, b: m.directed(v, pgmc.Bernoulli()), pgmc.ModelError, "either logits= or probs="),
    ],
)
def test_what_is_refused(declare: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        net(declare)


def test_units_may_depend_on_those_behind() -> None:
    m = pgmc.Model("chain")
    x, W = m.binary("x", 4), m.param("W", (4, 4))
    m.directed(x[P], pgmc.Bernoulli(logits=pgmc.Sum(W[P, Q] * x[Q], Q, where=Q > P)))
    params = {"W": [[0.0, 3.0, -2.0, 1.0]] * 4}
    samples = pgmc.compile(m, backend="numpy").sample(params, chains=4000, sweeps=1, seed=0)
    exact = pgmc.enumerate_states(m, params)
    assert samples["x"].mean((0, 1)) == pytest.approx(exact.probabilities @ exact.states["x"], abs=0.05)
