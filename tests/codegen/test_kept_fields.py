"""Sums over own units that are kept while units are drawn: where, and the exact transition matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pgmc
from oracle import Exact
from pgmc.codegen.array_program import Draw
from pgmc.compiler import Compiler
from pgmc.ir.queries import Ensemble, Sweep
from transitions import faults, transitions, units_of_blocks

BINARY, SPIN = (0, 1), (-1, 1)


def log_sigmoid(x: Any) -> Any:
    return -np.logaddexp(0, -x)


def layers(m: pgmc.Model) -> tuple[Any, Any, Any]:
    """A sigmoid belief net: hidden units share children."""
    v, h = m.binary("v", 2), m.binary("h", 3)
    m.directed(h, pgmc.Bernoulli(logits=m.param("c", 3)))
    m.directed(v, pgmc.Bernoulli(logits=m.param("W", (2, 3)) @ h + m.param("b", 2)))

    def energy(x: Any, t: Any) -> Any:
        up = log_sigmoid((2 * x["h"] - 1) * t["c"]).sum(1)
        return -up - log_sigmoid((2 * x["v"] - 1) * (x["h"] @ t["W"].T + t["b"])).sum(1)

    return {"v": ((2,), BINARY), "h": ((3,), BINARY)}, energy, ("h",)


def two_children(m: pgmc.Model) -> tuple[Any, Any, Any]:
    """Spins with a coupling of their own, and two groups of children, one through the square of a matrix."""
    h, u, v = m.spin("h", 3), m.binary("u"), m.spin("v", 2)
    J, A, B = m.param("J", (3, 3)), m.param("A", 3), m.param("B", (2, 3))
    m.energy(-(h @ J @ h))
    m.directed(u, pgmc.Bernoulli(logits=h @ A))
    m.directed(v, pgmc.Bernoulli(logits=2 * (B @ h) + (B * B) @ h))

    def energy(x: Any, t: Any) -> Any:
        total = -np.einsum("ni,ij,nj->n", x["h"], t["J"], x["h"])
        total = total - log_sigmoid((2 * x["u"] - 1) * (x["h"] @ t["A"]))
        return total - log_sigmoid(x["v"] * (2 * x["h"] @ t["B"].T + x["h"] @ (t["B"] ** 2).T)).sum(1)

    return {"h": ((3,), SPIN), "u": ((), BINARY), "v": ((2,), SPIN)}, energy, ("h",)


def each_on_those_before(m: pgmc.Model) -> tuple[Any, Any, Any]:
    """Units whose children are units of the same variable."""
    i, j = pgmc.indices("i j")
    x, W, b = m.binary("x", 5), m.param("W", (5, 5)), m.param("b", 5)
    m.directed(x[i], pgmc.Bernoulli(logits=b[i] + pgmc.Sum(W[i, j] * x[j], j, where=j < i)))

    def energy(x: Any, t: Any) -> Any:
        return -log_sigmoid((2 * x["x"] - 1) * (x["x"] @ np.tril(t["W"], -1).T + t["b"])).sum(1)

    return {"x": ((5,), BINARY)}, energy, ("x",)


def squares(m: pgmc.Model) -> tuple[Any, Any, Any]:
    """A square of a sum for every feature."""
    x, R = m.binary("x", 4), m.param("R", (4, 2))
    m.energy(((x @ R) ** 2).sum() - m.param("b", 4) @ x)
    return {"x": ((4,), BINARY)}, lambda x, t: ((x["x"] @ t["R"]) ** 2).sum(1) - x["x"] @ t["b"], ("x",)


def children_of_shape(m: pgmc.Model) -> tuple[Any, Any, Any]:
    """Children that are pixels, with two axes."""
    p, q, j = pgmc.indices("p q j")
    v, h, W = m.binary("v", (2, 1)), m.binary("h", 3), m.param("W", (2, 1, 3))
    m.directed(h, pgmc.Bernoulli(logits=m.param("c", 3)))
    m.directed(v[p, q], pgmc.Bernoulli(logits=W[p, q, j] * h[j]))

    def energy(x: Any, t: Any) -> Any:
        logits = np.einsum("pqj,nj->npq", t["W"], x["h"])
        below = log_sigmoid((2 * x["v"] - 1) * logits).sum((1, 2))
        return -below - log_sigmoid((2 * x["h"] - 1) * t["c"]).sum(1)

    return {"v": ((2, 1), BINARY), "h": ((3,), BINARY)}, energy, ("h",)


DECLARED: list[Callable[[pgmc.Model], tuple[Any, Any, Any]]] = [
    layers,
    two_children,
    each_on_those_before,
    squares,
    children_of_shape,
]


def build(declare: Callable[[pgmc.Model], tuple[Any, Any, Any]]) -> tuple[Compiler, Any, Any, Any, Any]:
    m = pgmc.Model("case")
    spec, energy, kept = declare(m)
    rng = np.random.default_rng(3)
    params = {name: rng.normal(size=np.shape(value)) for name, value in m.init().items()}
    compiler = pgmc.compile(m, dtype="float64").compiler
    return compiler, params, Exact(spec, lambda x: energy(x, params)), lambda x: energy(x, params), kept


def draws(compiler: Compiler, query: Sweep) -> dict[str, Draw]:
    steps = compiler.stages(query).array_program.steps
    return {step.law.target.name: step for step in steps if isinstance(step, Draw)}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("declare", DECLARED)
def test_the_transitions_are_those_of_units_drawn_in_turn(declare: Any, backward: bool, masked: bool) -> None:
    compiler, params, exact, _, kept = build(declare)
    free = tuple(exact.spec)
    (name,) = kept
    shape = exact.spec[name][0]
    masks = {name: np.arange(np.prod(shape)).reshape(shape) == 1} if masked else None
    query = Sweep(free, masked=tuple(masks or ()), backward=backward)
    assert {name for name, step in draws(compiler, query).items() if step.kept} == {*kept}
    found = transitions(compiler, query, exact, params, masks=masks)
    assert faults(found, exact, units_of_blocks(compiler, query, exact, masks)) == set()


def test_fields_are_made_anew_in_every_sweep() -> None:
    compiler, params, exact, _, _ = build(squares)
    query = Sweep(("x",))
    found = transitions(compiler, query, exact, params, sweeps=2)
    assert faults(found, exact, units_of_blocks(compiler, query, exact), sweeps=2) <= {"random numbers"}


def test_at_another_temperature() -> None:
    compiler, params, exact, energy, _ = build(layers)
    query = Sweep(tuple(exact.spec), ensemble=Ensemble.TEMPERED)
    warm = Exact(exact.spec, lambda x: 0.4 * energy(x))
    found = transitions(compiler, query, warm, params, given={"inverse_temperature": 0.4})
    assert draws(compiler, query)["h"].kept
    assert faults(found, warm, units_of_blocks(compiler, query, warm)) == set()


def test_one_field_serves_all_sums_with_the_same_elements() -> None:
    compiler = build(layers)[0]
    step = draws(compiler, Sweep(("h",)))["h"]
    assert len(step.kept) == 1
    assert "keeping kept_h[n, i]" in str(step)
    source = compiler.stages(Sweep(("h",))).module.source
    assert "kept_h[n, i] += element_h[j, i] * (h[n, j] - before)" in source
    assert source.count("W[i, j]") == 2  # in the two arrays that are made ahead of the sweeps, and nowhere else


def test_what_is_not_kept() -> None:
    """Sums for one unit alone, elements that depend on the chain, sparse ones, and units that are not numbers."""
    m = pgmc.Model("third")
    x, W = m.binary("x", 4), m.param("W", (4, 4, 4))
    m.energy(-pgmc.einsum("i,j,k,ijk->", x, x, x, W))
    assert not any(step.kept for step in draws(pgmc.compile(m).compiler, Sweep(("x",))).values())

    m = pgmc.Model("given")
    u, v, h, W = m.input("u", 3), m.binary("v", 3), m.binary("h", 3), m.param("W", (3, 3))
    i, j = pgmc.indices("i j")
    m.directed(h, pgmc.Bernoulli(logits=m.param("c", 3)))
    m.directed(v[i], pgmc.Bernoulli(logits=W[i, j] * u[j] * h[j]))
    assert not any(step.kept for step in draws(pgmc.compile(m).compiler, Sweep(("h",))).values())

    m = pgmc.Model("states")
    y, v, W = m.categorical("y", 3, states=3), m.binary("v", 3), m.param("W", (3, 3, 3))
    k = pgmc.indices("k")
    m.directed(y, pgmc.Categorical(logits=m.param("c", (3, 3))))
    m.directed(v[i], pgmc.Bernoulli(logits=W[i, j, k] * y[j, k]))
    assert not any(step.kept for step in draws(pgmc.compile(m).compiler, Sweep(("y",))).values())


def test_the_compiled_posterior_is_that_of_brute_force() -> None:
    """Draws of the compiled kernel: P(h | v) of every unit within six standard errors of the enumerated one."""
    m = pgmc.Model("net")
    layers(m)
    rng = np.random.default_rng(1)
    params = {name: 2 * rng.normal(size=np.shape(value)) for name, value in m.init().items()}
    program, given = pgmc.compile(m), np.array([1, 0])
    joint = pgmc.enumerate_states(m, params)
    weights = np.where((joint.states["v"] == given).all(axis=1), joint.probabilities, 0.0)
    exact = weights @ joint.states["h"] / weights.sum()
    drawn = program.sample(params, chains=4000, sweeps=60, clamp={"v": given}, seed=0)["h"][:, 0]
    assert np.all(np.abs(drawn.mean(axis=0) - exact) < 6 * np.sqrt(exact * (1 - exact) / len(drawn)) + 1e-6)
