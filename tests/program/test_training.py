"""``fit``, ``save`` and ``load`` as users call them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pgmc
from pgmc.errors import CheckpointError, DataError


def model() -> pgmc.Model:
    m = pgmc.Model("small")
    v, h = m.binary("v", 6), m.binary("h", 3)
    m.energy(-(v @ m.param("W", (6, 3)) @ h) - m.param("b", 6) @ v - m.param("c", 3) @ h)
    return m


@pytest.fixture(scope="module")
def data() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.repeat(rng.random((40, 3)) < 0.5, 2, axis=1).astype(np.int8)


def test_fit_learns(data: np.ndarray) -> None:
    fit = pgmc.fit(model(), {"v": data}, pgmc.ExactLikelihood(), pgmc.Adam(0.1), epochs=300, progress=False)
    program = pgmc.compile(model())
    before = program.log_likelihood(program.init(0), {"v": data}).mean()
    after = program.log_likelihood(fit.params, {"v": data}).mean()
    assert before == pytest.approx(-6 * np.log(2), abs=0.02)
    assert after > -3 * np.log(2) - 0.3
    assert len(fit.history["epoch"]) == 300


def test_defaults_and_seeds(data: np.ndarray) -> None:
    first, again, other = (
        pgmc.fit(model(), {"v": data}, epochs=2, seed=seed, progress=False, threads=threads).params
        for seed, threads in ((3, 1), (3, 2), (4, 1))
    )
    for name in first:
        assert first[name].dtype == np.float32
        np.testing.assert_array_equal(first[name], again[name])
    assert not np.array_equal(first["W"], other["W"])


def test_the_start_is_not_changed(data: np.ndarray) -> None:
    start = model().init(7)
    kept = {name: value.copy() for name, value in start.items()}
    fit = pgmc.fit(model(), {"v": data}, epochs=1, params=start, progress=False)
    for name in start:
        np.testing.assert_array_equal(start[name], kept[name])
    assert any(not np.array_equal(fit.params[name], kept[name]) for name in kept)


def test_save_and_load(tmp_path: Path, data: np.ndarray) -> None:
    m, path = model(), tmp_path / "small.pgmc"
    params = {name: np.asarray(value) for name, value in m.init(1).items()}
    pgmc.save(path, m, params)
    loaded, values = pgmc.load(path)
    assert isinstance(loaded, pgmc.Model)
    for name in params:
        np.testing.assert_array_equal(values[name], params[name])
    one, two = (pgmc.compile(x, backend="numpy").free_energy(params, {"v": data}) for x in (m, loaded))
    np.testing.assert_array_equal(one, two)


def test_a_loaded_model_may_be_extended(tmp_path: Path) -> None:
    pgmc.save(tmp_path / "m", model(), model().init(0))
    loaded, _ = pgmc.load(tmp_path / "m")
    loaded.energy(-(loaded.param("d", 2) @ loaded.spin("z", 2)))
    assert [v.name for v in pgmc.compile(loaded).model.variables] == ["v", "h", "z"]


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(b"not a model")
    with pytest.raises(CheckpointError):
        pgmc.load(path)
    with pytest.raises(DataError, match="W"):
        pgmc.save(path, model(), {})
