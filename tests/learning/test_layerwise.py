"""Pairs of levels as models of their own, trained one after the other, and the up-down algorithm on the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.learning.objective import Setup
from pgmc.runtime.streams import Stream


def hybrid(visible: int = 3, hidden: int = 2, top: int = 2) -> pgmc.Model:
    """A directed layer below an undirected pair, with a guide for both hidden layers."""
    m = pgmc.Model("hybrid")
    v, h, g = m.binary("v", visible), m.binary("h", hidden), m.binary("g", top)
    W, U = m.param("W", (visible, hidden)), m.param("U", (hidden, top))
    b, c, a = m.param("b", visible), m.param("c", hidden), m.param("a", top)
    m.energy(-(h @ U @ g) - c @ h - a @ g)
    m.directed(v, pgmc.Bernoulli(logits=W @ h + b))
    q = m.guide()
    R, S = q.param("R", (visible, hidden)), q.param("S", (hidden, top))
    d, e = q.param("d", hidden), q.param("e", top)
    q.directed(h, pgmc.Bernoulli(logits=v @ R + d))
    q.directed(g, pgmc.Bernoulli(logits=h @ S + e))
    return m


def several_domains() -> pgmc.Model:
    m = pgmc.Model("several")
    y, s, h = m.categorical("y", states=3), m.spin("s", 2), m.binary("h", 2)
    A, W, c, e = m.param("A", (2, 3)), m.param("W", (2, 2)), m.param("c", 2), m.param("e", 3)
    m.directed(y, pgmc.Categorical(logits=e))
    m.directed(s, pgmc.Bernoulli(logits=A @ y + c))
    m.directed(h, pgmc.Bernoulli(logits=W @ s))
    return m


def draw(m: pgmc.Model, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=np.shape(value)) for name, value in m.init().items()}


@pytest.mark.parametrize(("child", "parent"), [("h", "s"), ("s", "y")])
def test_a_child_has_the_law_of_its_factor_in_the_pair(child: str, parent: str) -> None:
    """exp(-E) of the pair is p(child | parent) times a function of the parent, in any state."""
    m = several_domains()
    pair = pgmc.undirected(m, [child, parent])
    params = draw(m)
    joint = pgmc.enumerate_states(pair, {p.name: params[p.name] for p in pair.build().parameters})
    states = {name: joint.states[name] for name in (child, parent)}
    key = states[parent].reshape(len(joint), -1)
    for row in np.unique(key, axis=0):
        same = (key == row).all(axis=1)
        own = joint.probabilities[same] / joint.probabilities[same].sum()
        rows = {name: value[same] for name, value in states.items()}
        np.testing.assert_allclose(own, _factor(child, rows, params), atol=1e-12)


def _factor(child: str, x: Any, t: Any) -> Any:
    """p(child | parent), written down by itself."""
    if child == "h":
        logits = x["s"] @ t["W"].T
        return np.prod(1 / (1 + np.exp(-(2 * x["h"] - 1) * logits)), axis=1)
    logits = t["A"].T[x["y"]] + t["c"]
    return np.prod(1 / (1 + np.exp(-x["s"] * logits)), axis=1)


def test_a_pair_of_real_and_binary_units_is_a_gaussian_machine() -> None:
    m = pgmc.Model("g")
    x, h = m.real("x", 3), m.binary("h", 2)
    W, b, c = m.param("W", (3, 2)), m.param("b", 3), m.param("c", 2)
    m.directed(h, pgmc.Bernoulli(logits=c))
    m.directed(x, pgmc.Normal(mean=W @ h + b, precision=m.param("beta", 3, positive=True)))
    pair = pgmc.compile(pgmc.undirected(m, ["x", "h"]), dtype="float64", backend="numpy")
    params = {**draw(m), "beta": np.array([0.5, 1.0, 2.0])}
    state = {"h": np.array([[1, 0], [1, 1]]), "x": np.zeros((2, 3))}
    found = pair.conditional("x").evaluate(params, state)
    np.testing.assert_allclose(found["mean"], state["h"] @ params["W"].T + params["b"], atol=1e-12)
    np.testing.assert_allclose(found["precision"], np.tile(params["beta"], (2, 1)), atol=1e-12)
    pair.verify(seed=0)


def test_pairs_that_are_none_are_refused() -> None:
    m = several_domains()
    with pytest.raises(pgmc.ModelError, match="no term couples h and y"):
        pgmc.undirected(m, ["h", "y"])
    with pytest.raises(pgmc.ArgumentError, match="'t' is given twice or is no variable"):
        pgmc.undirected(m, ["h", "t"])
    with pytest.raises(pgmc.ArgumentError, match="at least two"):
        pgmc.undirected(m, ["h"])


def test_levels_are_trained_from_the_data_up() -> None:
    """Each pair is what ``fit`` makes of it, and the guide gets the laws of the pairs."""
    m = hybrid(6, 4, 3)
    data = np.random.default_rng(0).integers(0, 2, (40, 6))
    how: Any = {"epochs": 2, "batch_size": 10, "progress": False}
    start = m.init(0)
    found = pgmc.fit_layerwise(m, {"v": data}, pgmc.CD(1), [pgmc.SGD(0.1), pgmc.SGD(0.2)], params=start, **how)
    assert found.levels == (("v",), ("h",), ("g",))
    first = pgmc.undirected(m, ["v", "h"])
    alone = pgmc.fit(first, {"v": data}, pgmc.CD(1), pgmc.SGD(0.1), params={n: start[n] for n in "Wbc"}, **how)
    for name in ("W", "b"):
        np.testing.assert_array_equal(found.params[name], alone.params[name])
    np.testing.assert_array_equal(found.params["R"], alone.params["W"])
    np.testing.assert_array_equal(found.params["d"], alone.params["c"])
    second = {name: found.params[name] for name in ("S", "e")}
    for own, other in (("S", "U"), ("e", "a")):
        np.testing.assert_array_equal(second[own], found.params[other])
    means = found.up_pass({"v": data})
    by_hand = 1 / (1 + np.exp(-(data @ found.params["R"] + found.params["d"])))
    np.testing.assert_allclose(means["h"], by_hand, atol=1e-6)
    by_hand = 1 / (1 + np.exp(-(by_hand @ found.params["U"] + found.params["a"])))
    np.testing.assert_allclose(means["g"], by_hand, atol=1e-6)


def test_what_cannot_be_trained_by_levels_is_refused() -> None:
    data = np.random.default_rng(0).integers(0, 2, (20, 3))
    m = hybrid()
    with pytest.raises(pgmc.ArgumentError, match="optimizer has 3 entries, and there are 2 pairs"):
        pgmc.fit_layerwise(m, {"v": data}, optimizer=[pgmc.SGD(0.1)] * 3, progress=False)
    with pytest.raises(pgmc.ArgumentError, match="leave no variable of hybrid latent"):
        pgmc.fit_layerwise(m, {"v": data, "h": data[:, :2], "g": data[:, :2]}, progress=False)
    m.binary("alone", 2)
    with pytest.raises(pgmc.ModelError, match="alone shares no term"), pytest.warns(pgmc.ModelWarning):
        pgmc.fit_layerwise(m, {"v": data}, progress=False)
    m = pgmc.Model("lateral")
    v, h = m.binary("v", 3), m.binary("h", 2)
    m.energy(-(v @ m.param("W", (3, 2)) @ h) - h @ m.param("L", (2, 2)) @ h)
    with pytest.raises(pgmc.IntractableError, match="units of h depend on one another"):
        pgmc.fit_layerwise(m, {"v": data}, progress=False)


def test_a_guide_of_another_form_keeps_its_parameters() -> None:
    m = pgmc.Model("doubled")
    v, h = m.binary("v", 3), m.binary("h", 2)
    m.energy(-(v @ m.param("W", (3, 2)) @ h))
    q = m.guide()
    q.directed(h, pgmc.Bernoulli(logits=2 * (v @ q.param("R", (3, 2)))))
    data = np.random.default_rng(0).integers(0, 2, (20, 3))
    start = m.init(3)
    with pytest.warns(pgmc.ModelWarning, match="factor of h is not the law"):
        found = pgmc.fit_layerwise(m, {"v": data}, params=start, epochs=1, progress=False)
    np.testing.assert_array_equal(found.params["R"], start["R"])


def test_up_down_is_unbiased_in_all_its_phases() -> None:
    """With sweeps enough for the top to forget where it started, within six standard errors (false alarm < 1e-6)."""
    m = hybrid()
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    params = {name: 0.7 * value for name, value in draw(m, 5).items()}
    data = np.random.default_rng(1).integers(0, 2, (4, 3)).astype(float)
    batch = {"v": np.repeat(data, 50, axis=0)}
    names = tuple(p.name for p in program.model.parameters)
    setup = Setup(program.executable, ("v",), ("h", "g"), names, batch, Stream(0, "test"), False, False)
    objective = pgmc.UpDown(12)
    found = [objective.gradient(setup, params, batch, step, {}, False).gradients for step in range(60)]
    for name, expected in _exact_up_down(m, program, params, data).items():
        each = np.array([g[name] for g in found])
        error = each.std(axis=0, ddof=1) / np.sqrt(len(each))
        assert np.all(np.abs(each.mean(axis=0) - expected) <= 6 * error + 1e-12), name


def _exact_up_down(m: pgmc.Model, program: pgmc.Program, params: Any, data: Any) -> dict[str, Any]:
    """E_q[∂E_whole] - E_p[∂E_top] for the model, and -E_p[∂ log q] for the guide, by enumeration."""
    joint = pgmc.enumerate_states(m, {p.name: params[p.name] for p in program.model.parameters})
    x = {name: np.asarray(value, dtype=float) for name, value in joint.states.items()}
    p = joint.probabilities
    of_guide = np.exp(-program.guide.energy(params, x))
    q = sum(np.where((x["v"] == row).all(axis=1), of_guide, 0.0) for row in data) / len(data)

    def off(child: str, logits: Any) -> Any:
        return 1 / (1 + np.exp(-logits)) - x[child]

    below, up, above = (
        off("v", x["h"] @ params["W"].T + params["b"]),
        off("h", x["v"] @ params["R"] + params["d"]),
        off("g", x["h"] @ params["S"] + params["e"]),
    )
    return {
        "W": np.einsum("n,ni,nj->ij", q, below, x["h"]),
        "b": q @ below,
        "U": np.einsum("n,ni,nj->ij", p - q, x["h"], x["g"]),
        "c": (p - q) @ x["h"],
        "a": (p - q) @ x["g"],
        "R": np.einsum("n,ni,nj->ij", p, x["v"], up),
        "d": p @ up,
        "S": np.einsum("n,ni,nj->ij", p, x["h"], above),
        "e": p @ above,
    }


def test_up_down_needs_a_top() -> None:
    m = several_domains()
    q = m.guide()
    q.directed(m["y"], pgmc.Categorical(logits=q.param("f", 3)))
    q.directed(m["s"], pgmc.Bernoulli(logits=q.param("t", 2)))
    with pytest.raises(pgmc.ArgumentError, match="no energy at the top"):
        pgmc.fit(m, {"h": np.zeros((4, 2))}, pgmc.UpDown(), progress=False)
