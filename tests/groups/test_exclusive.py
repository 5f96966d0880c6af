"""Binary units of which at most one is on in each block, against all states with the forbidden ones left out."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest

import pgmc
from generated import compile_sweeps_alone
from pgmc.ir.canonical import canonical_text
from pgmc.runtime.groups import compositions, first_units, group_units, place_units

SHAPE, BLOCK = (2, 4), (2, 2)


def model() -> pgmc.Model:
    m = pgmc.Model("exclusive")
    v, h = m.binary("v", 2), m.binary("h", SHAPE, exclusive=BLOCK)
    W, b, c = m.param("W", (2, *SHAPE)), m.param("b", 2), m.param("c", SHAPE)
    m.energy(-pgmc.einsum("i,jk,ijk->", v, h, W) - b @ v - (c * h).sum())
    return m


def some_params(m: pgmc.Model, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=value.shape) for name, value in m.init().items()}


def allowed(h: np.ndarray) -> np.ndarray:
    """Whether every 2 x 2 block of (n, 2, 4) has at most one unit on."""
    return np.all([h[:, :, k : k + 2].sum(axis=(1, 2)) <= 1 for k in (0, 2)], axis=0)


def every_state() -> tuple[np.ndarray, np.ndarray]:
    states = np.array(list(itertools.product((0, 1), repeat=10)))
    v, h = states[:, :2], states[:, 2:].reshape(-1, *SHAPE)
    return v[allowed(h)], h[allowed(h)]


def weights(params: dict[str, np.ndarray], v: np.ndarray, h: np.ndarray) -> np.ndarray:
    score = np.einsum("ni,njk,ijk->n", v, h, params["W"]) + v @ params["b"] + np.einsum("njk,jk->n", h, params["c"])
    return np.exp(score)


def test_the_states_are_those_that_are_allowed() -> None:
    m = model()
    params = some_params(m)
    v, h = every_state()
    weight = weights(params, v, h)
    listed = pgmc.enumerate_states(m, params)
    assert len(listed) == len(v) == 4 * 5**2
    assert listed.log_partition == pytest.approx(np.log(weight.sum()), abs=1e-12)
    assert np.sort(listed.probabilities) == pytest.approx(np.sort(weight / weight.sum()), abs=1e-14)
    p = pgmc.compile(m, dtype="float64", backend="numpy")
    assert p.log_partition(params, method="exact").value == pytest.approx(np.log(weight.sum()), abs=1e-12)


def test_the_conditional_of_a_block_is_a_softmax_with_all_off() -> None:
    m = model()
    params = some_params(m)
    p = pgmc.compile(m, dtype="float64", backend="numpy")
    v, h = every_state()
    weight = weights(params, v, h)
    found = p.conditional("h").evaluate(params, {"v": v, "h": h})
    assert p.conditional("h").family == "Exclusive"
    for row in range(0, len(v), 7):
        for block in (0, 2):
            same = (v == v[row]).all(axis=1)
            others = np.delete(h, [block, block + 1], axis=2)
            same &= (others == others[row]).all(axis=(1, 2))
            law = weight * same / weight[same].sum()
            expected = np.tensordot(law, h[:, :, block : block + 2], axes=1)
            np.testing.assert_allclose(found["probs"][row, :, block : block + 2], expected, atol=1e-13)
            off = law[h[:, :, block : block + 2].sum(axis=(1, 2)) == 0].sum()
            logits = np.log(expected / off)
            np.testing.assert_allclose(found["logits"][row, :, block : block + 2], logits, atol=1e-12)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_program_is_verified(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if backend == "numba":
        compile_sweeps_alone(monkeypatch)
    report = pgmc.compile(model(), backend=backend).verify()
    assert "with kept units" in str(report)


@pytest.mark.parametrize(("shape", "block"), [(6, 3), ((3, 4), 2), ((2, 2, 4), (1, 2, 2))])
def test_blocks_along_any_axes(shape: Any, block: Any) -> None:
    m = pgmc.Model("blocks")
    s, h = m.spin("s", 2), m.binary("h", shape, exclusive=block)
    W = m.param("W", (2, *h.shape))
    letters = "ijk"[: h.ndim]
    m.energy(-pgmc.einsum(f"a,{letters},a{letters}->", s, h, W))
    p = pgmc.compile(m, dtype="float64", backend="numpy")
    assert [block.mode for block in p.blocks] == ["parallel", "joint"]
    assert p.verify()


def test_samples_keep_the_rule_under_clamps_of_single_units() -> None:
    m = model()
    p = pgmc.compile(m)
    params = {name: np.asarray(value, np.float32) for name, value in some_params(m).items()}
    kept = np.ma.masked_all(SHAPE, dtype=int)
    kept[0, 1], kept[1, 2] = 1, 0
    for sweeps in (0, 3):
        h = p.sample(params, chains=200, sweeps=sweeps, clamp={"h": kept}, seed=0)["h"][:, -1]
        assert allowed(h).all() and (h[:, 0, 1] == 1).all() and (h[:, 1, 2] == 0).all()
    assert h[:, :, 2:].any()
    free = p.sample(params, chains=2000, sweeps=0, seed=0)["h"][:, -1]
    assert allowed(free).all()
    assert free.mean() == pytest.approx(0.2, abs=0.02)  # uniform over all off and four units


def test_annealing_agrees_with_enumeration() -> None:
    m = model()
    params = some_params(m)
    p = pgmc.compile(m, dtype="float64", backend="numpy")
    data = {"h": p.sample(params, chains=50, sweeps=20, seed=1)["h"][:, -1]}
    exact = p.log_partition(params, method="exact").value
    for options in ({}, {"data": data}):
        found = p.log_partition(params, method="ais", chains=200, betas=60, seed=0, **options)
        assert found.value == pytest.approx(exact, abs=5 * found.std_error + 1e-3)


def test_data_with_two_units_on_are_refused() -> None:
    m = model()
    p = pgmc.compile(m, backend="numpy")
    h = np.zeros((3, *SHAPE))
    h[1, 0, 2] = h[1, 1, 3] = 1
    with pytest.raises(pgmc.DataError, match=r"2 units are on in the 2x2 block that starts at \(0, 2\) of row 1"):
        p.energy(p.init(), {"v": np.zeros((3, 2)), "h": h})
    clamp = h[1]
    with pytest.raises(pgmc.DataError, match="At most one unit of a block is on"):
        p.sample(p.init(), chains=2, sweeps=1, clamp={"h": clamp})


@pytest.mark.parametrize("block", [3, (2, 2, 2), (0, 2), "two", (2.0, 2)])
def test_blocks_have_to_tile_the_array(block: Any) -> None:
    with pytest.raises(pgmc.ModelError, match=r"blocks of 3 do not divide axis 1|exclusive is|blocks of 0"):
        pgmc.Model("wrong").binary("h", SHAPE, exclusive=block)


def test_a_saved_model_has_its_blocks(tmp_path: Any) -> None:
    m = model()
    pgmc.save(tmp_path / "m.pgmc", m, m.init())
    loaded, _ = pgmc.load(tmp_path / "m.pgmc")
    assert loaded["h"].symbol == m["h"].symbol
    assert canonical_text(loaded.build()) == canonical_text(m.build())


def test_units_of_a_group_together() -> None:
    symbol = pgmc.Model("a").binary("h", (2, 4), exclusive=(2, 2)).symbol
    array = np.arange(8).reshape(2, 4)
    groups = group_units(array, symbol)
    assert groups.tolist() == [[0, 1, 4, 5], [2, 3, 6, 7]]
    np.testing.assert_array_equal(place_units(groups, symbol), array)
    assert first_units(symbol).tolist() == [0, 2]


def test_compositions_of_a_total() -> None:
    assert compositions(2, 2).tolist() == [[0, 2], [1, 1], [2, 0]]
    assert len(compositions(4, 3)) == 15


# ---- summed out, pooled, interacting --------------------------------------------------------------------------------


def stacked() -> pgmc.Model:
    m = pgmc.Model("stacked")
    v, h, g = m.binary("v", 3), m.binary("h", (2, 4), exclusive=(1, 2)), m.binary("g", (2, 2), exclusive=2)
    W, U, d = m.param("W", (3, 2, 4)), m.param("U", (2, 2, 2, 2)), m.param("d", (2, 2))
    m.energy(-pgmc.einsum("i,jk,ijk->", v, h, W) - pgmc.einsum("jk,ab,jkab->", h.pooled(), g, U))
    m.energy(-(d * h.pooled()).sum() + 0.3 * g.pooled().sum())
    return m


def interacting() -> pgmc.Model:
    m = pgmc.Model("interacting")
    v, h = m.spin("v", 2), m.binary("h", (2, 4), exclusive=(2, 2))
    W, S = m.param("W", (2, 2, 4)), m.param("S", (2, 4, 2, 4))
    m.energy(-pgmc.einsum("i,jk,ijk->", v, h, W) - pgmc.einsum("jk,ab,jkab->", h, h, S))
    return m


def under_a_function() -> pgmc.Model:
    m = pgmc.Model("soft")
    h, W = m.binary("h", 6, exclusive=3), m.param("W", (6, 3))
    m.energy(-pgmc.softplus(h @ W).sum())
    return m


def pooled_by_indices() -> pgmc.Model:
    m = pgmc.Model("grid")
    h, v, W = m.binary("h", (4, 2), exclusive=(2, 2)), m.spin("v", 2), m.param("W", (2, 1))
    x, y = pgmc.indices("x y")
    m.energy(-h.pooled()[x, y] * W[x, y] * v[x] - h.pooled()[0, y] * v[1])
    return m


@pytest.mark.parametrize("declare", [stacked, interacting, under_a_function, pooled_by_indices])
def test_every_derived_quantity_agrees_with_brute_force(declare: Any) -> None:
    assert pgmc.compile(declare(), dtype="float64", backend="numpy").verify()


def test_generated_kernels_of_a_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_sweeps_alone(monkeypatch)
    assert pgmc.compile(stacked()).verify()


def test_the_free_energy_sums_over_blocks() -> None:
    m = model()
    params = some_params(m)
    p = pgmc.compile(m, dtype="float64", backend="numpy")
    v, h = every_state()
    weight = weights(params, v, h)
    for row in ((0, 0), (1, 0), (1, 1)):
        expected = -np.log(weight[(v == row).all(axis=1)].sum())
        assert p.free_energy(params, {"v": np.array([row])})[0] == pytest.approx(expected, abs=1e-12)
    assert "⌊" in str(p.free_energy_equation(["v"]))


def test_pooled_units_are_the_sums_of_their_blocks() -> None:
    m = pgmc.Model("pooled")
    h, t = m.binary("h", (2, 4), exclusive=(1, 2)), m.constant("t", np.arange(4.0).reshape(2, 2))
    m.energy((t * h.pooled()).sum())
    assert h.pooled().shape == (2, 2)
    state = np.zeros((1, 2, 4))
    state[0, 0, 3] = state[0, 1, 0] = 1
    p = pgmc.compile(m, dtype="float64", backend="numpy")
    assert p.energy({}, {"h": state}) == pytest.approx(1.0 + 2.0)
    assert re.search(r"-t\[\w,⌊\w/2⌋\]", str(p.conditional("h")))
    with pytest.raises(pgmc.NotationError, match="no blocks of units that exclude one another"):
        m.binary("g", 4).pooled()


def test_mean_field_stays_in_the_simplex_and_bounds_the_sum() -> None:
    m = stacked()
    params = some_params(m)
    p = pgmc.compile(m, dtype="float64", backend="numpy")
    data = {"v": np.array([[0, 1, 1], [1, 1, 0]])}
    found = p.mean_field(params, data, iterations=100)
    on = found.means["h"].reshape(2, 2, 2, 2).sum(axis=-1)
    assert found.converged and (on < 1).all() and (found.means["h"] > 0).all()
    listed = pgmc.enumerate_states(m, params)
    for row, bound in zip(data["v"], found.bound, strict=True):
        exact = np.logaddexp.reduce(-listed.energies[(listed.states["v"] == row).all(axis=1)])
        assert exact - 0.5 < bound <= exact
