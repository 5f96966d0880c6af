"""What is done with a trained model: samples are drawn from it, and it is measured."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

import pgmc
import pgmc.program.program as program
from pgmc.cli.app import run


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(program, "compile", partial(program.compile, backend="numpy"))  # compiles nothing
    monkeypatch.setattr("pgmc.cli.task.compile", program.compile)
    m = pgmc.Model("pairs")
    v, h = m.binary("v", 4), m.binary("h", 2)
    W, b = m.param("W", (4, 2)), m.param("b", 4)
    m.energy(-(v @ W @ h) - b @ v)
    pgmc.save(tmp_path / "model.pgmc", m, {"W": np.full((4, 2), 0.5), "b": np.full(4, -1.0)})
    return tmp_path / "model.pgmc"


def test_sample_writes_the_last_states(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sample", str(saved), "--chains", "6", "--sweeps", "5", "--seed", "3"]) == 0
    assert "energy " in capsys.readouterr().out
    with np.load(saved.with_name("samples.npz")) as file:
        assert file["v"].shape == (6, 4) and file["h"].shape == (6, 2)
        first = file["v"]
    other = saved.with_name("again.npz")
    assert run(["sample", str(saved), "--chains", "6", "--sweeps", "5", "--seed", "3", "--out", str(other)]) == 0
    with np.load(other) as file:
        np.testing.assert_array_equal(file["v"], first)


def test_evaluate_measures(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = np.random.default_rng(0).integers(0, 2, (20, 4))
    np.save(tmp_path / "data.npy", data)
    arguments = ["--annealing-steps", "50", "--annealing-chains", "20", "--sweeps", "40"]
    assert run(["evaluate", str(saved), str(tmp_path / "data.npy"), *arguments]) == 0
    shown = capsys.readouterr().out
    model, params = pgmc.load(saved)
    exact = pgmc.enumerate_states(model, params).log_partition
    assert f"{exact:.4f}" in shown
    assert "nats per image" in shown


def test_a_file_that_is_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.pgmc").write_bytes(b"nothing")
    assert run(["sample", str(tmp_path / "model.pgmc")]) == 1
    assert "model.pgmc" in capsys.readouterr().err
