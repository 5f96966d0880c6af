"""Samples as objects of other libraries: the same numbers under the right labels."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import pgmc

OTHERS = {"arviz_base": ("to_arviz", "diag"), "pandas": ("to_pandas", "diag"), "dimod": ("to_dimod", "ising")}


@pytest.fixture(scope="module")
def program() -> pgmc.Program:
    m = pgmc.Model("mixed")
    v, y, x = m.binary("v", (2, 3)), m.categorical("y", states=3), m.input("x", 2)
    W, U = m.param("W", (2, 3)), m.param("U", (2, 3))
    i, j, k = pgmc.indices("i j k")
    m.energy(-W[i, j] * v[i, j] - U[i, k] * x[i] * y[k])
    return pgmc.compile(m, dtype="float64", backend="numpy")


@pytest.fixture(scope="module")
def params() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {"W": rng.normal(size=(2, 3)), "U": rng.normal(size=(2, 3))}


@pytest.fixture(scope="module")
def inputs() -> dict[str, Any]:
    return {"x": np.random.default_rng(1).normal(size=(4, 2))}


def energies(params: dict[str, Any], inputs: dict[str, Any], samples: Any) -> Any:
    """E of every draw, written out."""
    fields = inputs["x"] @ params["U"]
    chosen = np.take_along_axis(fields[:, None], samples["y"][..., None], axis=2)[..., 0]
    return -np.einsum("ij,cdij->cd", params["W"], samples["v"]) - chosen


@pytest.mark.parametrize("tempering", [None, pgmc.Tempering(3)])
def test_energies(program: pgmc.Program, params: dict[str, Any], inputs: dict[str, Any], tempering: Any) -> None:
    samples = program.sample(params, chains=4, sweeps=6, keep=5, inputs=inputs, seed=0, tempering=tempering)
    assert samples.energies.shape == (4, 5)
    np.testing.assert_allclose(samples.energies, energies(params, inputs, samples), atol=1e-12)


def test_arviz(program: pgmc.Program, params: dict[str, Any], inputs: dict[str, Any]) -> None:
    pytest.importorskip("arviz_base")
    samples = program.sample(params, chains=4, sweeps=6, keep=5, inputs=inputs, seed=0)
    tree = samples.to_arviz()
    assert tree["posterior/v"].dims == ("chain", "draw", "v_dim_0", "v_dim_1")
    assert tree["posterior/y"].dims == ("chain", "draw")
    np.testing.assert_array_equal(tree["posterior"].coords["v_dim_1"], np.arange(3))
    for name, array in samples.items():
        np.testing.assert_array_equal(tree[f"posterior/{name}"], array)
    np.testing.assert_array_equal(tree["sample_stats/energy"], samples.energies)
    assert tree.attrs["inference_library"] == "pgmc" and tree.attrs["seed"] == 0
    from arviz_stats.base.array import array_stats

    from pgmc.evaluation.diagnostics import potential_scale_reduction

    theirs = array_stats.rhat(np.asarray(tree["sample_stats/energy"]), chain_axis=0, draw_axis=1)
    assert theirs == pytest.approx(float(potential_scale_reduction(samples.energies)))


def test_what_was_observed_has_no_energy(program: pgmc.Program, params: dict[str, Any], inputs: dict[str, Any]) -> None:
    pytest.importorskip("arviz_base")
    how: dict[str, Any] = {"chains": 4, "sweeps": 6, "keep": 5, "inputs": inputs, "seed": 0}
    samples = program.sample(params, observe={"on": lambda state: state["v"].sum(axis=(1, 2))}, **how)
    tree = samples.to_arviz()
    assert "sample_stats" not in tree.children and tree["posterior/on"].shape == (4, 5)
    with pytest.raises(pgmc.DataError, match="Record states"):
        _ = samples.energies
    with pytest.raises(pgmc.ArgumentError, match="draw is the name of an axis"):
        program.sample(params, observe={"draw": lambda state: state["y"]}, **how).to_arviz()


def test_pandas(program: pgmc.Program, params: dict[str, Any], inputs: dict[str, Any]) -> None:
    pytest.importorskip("pandas")
    samples = program.sample(params, chains=4, sweeps=6, keep=5, inputs=inputs, seed=0)
    table = samples.to_pandas()
    assert list(table.columns) == ["energy"] and table.index.names == ["chain", "draw"]
    assert table.loc[(2, 3), "energy"] == samples.energies[2, 3]
    wide = samples.to_pandas(units=True)
    assert list(wide.columns) == ["energy", *(f"v[{i}, {j}]" for i in range(2) for j in range(3)), "y"]
    assert wide.loc[(1, 4), "v[1, 2]"] == samples["v"][1, 4, 1, 2] and wide.loc[(1, 4), "y"] == samples["y"][1, 4]


def test_dimod_takes_one_kind_of_units(program: pgmc.Program, params: dict[str, Any], inputs: dict[str, Any]) -> None:
    pytest.importorskip("dimod")
    with pytest.raises(pgmc.ArgumentError, match=r"not binary and categorical\(3\)"):
        program.sample(params, chains=4, sweeps=1, inputs=inputs, seed=0).to_dimod()


def test_labels_of_units() -> None:
    pytest.importorskip("dimod")
    m = pgmc.Model("grid")
    s, t = m.spin("s", (2, 2)), m.spin("t")
    m.energy(-(s.sum()) * t)
    samples = pgmc.compile(m, backend="numpy").sample({}, chains=3, sweeps=2, seed=0)
    assert list(samples.to_dimod().variables) == ["s[0, 0]", "s[0, 1]", "s[1, 0]", "s[1, 1]", "t"]
    assert list(samples.to_dimod("abcde").variables) == list("abcde")
    with pytest.raises(pgmc.ArgumentError, match="2 labels for 5 units"):
        samples.to_dimod("ab")


@pytest.mark.parametrize("module", OTHERS)
def test_what_to_install(
    program: pgmc.Program,
    params: dict[str, Any],
    inputs: dict[str, Any],
    module: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    method, extra = OTHERS[module]
    samples = program.sample(params, chains=4, sweeps=1, inputs=inputs, seed=0)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(pgmc.ArgumentError, match=rf'not installed: pip install "pgmc\[{extra}\]"'):
        getattr(samples, method)()
