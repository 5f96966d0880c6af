"""Checkpoints of a running fit: the resumed fit ends with the same bits, whatever happened to the files."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pgmc.errors import ArgumentError, CheckpointError
from pgmc.learning import resume
from pgmc.learning.contrastive_divergence import CD
from pgmc.learning.exact_likelihood import ExactLikelihood
from pgmc.learning.optimizers import SGD, Adam
from pgmc.learning.persistent import PCD
from pgmc.learning.report import EpochReport
from pgmc.runtime.tempering import Tempering

Make = Callable[..., SimpleNamespace]
Train = Callable[..., Any]


def assert_same(one: Any, other: Any) -> None:
    for name in one.params:
        assert np.array_equal(one.params[name], other.params[name]), name
    assert list(one.history) == list(other.history)
    for column in one.history:
        if column != "seconds":
            assert np.array_equal(one.history[column], other.history[column], equal_nan=True), column
    assert one.steps == other.steps


@pytest.mark.parametrize("kind", ["bipartite", "positive", "coupled", "mixed"])
@pytest.mark.parametrize(
    ("objective", "optimizer"),
    [
        (PCD(2, chains=7), SGD(lambda epoch: 0.1 / (1 + epoch), momentum=0.9)),
        (CD(1) + 0.5 * PCD(1, chains=3), Adam(0.05)),
        (PCD(1, chains=3, tempering=Tempering((0.4, 1.0), swap_every=2)), SGD(0.1)),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_resumed_fit_ends_with_the_same_bits(
    make: Make, train: Train, tmp_path: Path, kind: str, objective: Any, optimizer: Any, dtype: str
) -> None:
    options: dict[str, Any] = {"batch_size": 5, "seed": 3}
    whole = train(make(kind, dtype=dtype), objective, optimizer, epochs=5, **options)
    part = train(make(kind, dtype=dtype), objective, optimizer, epochs=2, checkpoint=tmp_path / "run", **options)
    assert part.history.epochs == 2
    rest = train(
        make(kind, dtype=dtype), objective, optimizer, epochs=5, checkpoint=tmp_path / "run", threads=2, **options
    )
    assert_same(rest, whole)
    again = train(make(kind, dtype=dtype), objective, optimizer, epochs=5, checkpoint=tmp_path / "run", **options)
    assert_same(again, whole)


def test_an_interrupted_fit_goes_on_from_its_last_epoch(make: Make, train: Train, tmp_path: Path) -> None:
    def interrupt(report: EpochReport) -> None:
        if report.epoch == 3:
            raise KeyboardInterrupt

    train(make("bipartite"), PCD(), SGD(0.1), epochs=6, checkpoint=tmp_path, callbacks=[interrupt])
    rest = train(make("bipartite"), PCD(), SGD(0.1), epochs=6, checkpoint=tmp_path)
    assert_same(rest, train(make("bipartite"), PCD(), SGD(0.1), epochs=6))


def test_two_generations_are_kept(make: Make, train: Train, tmp_path: Path) -> None:
    train(make("bipartite"), CD(1), SGD(0.1), epochs=5, checkpoint=tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch-000004.pgmc-run", "epoch-000005.pgmc-run"]


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    make: Make, train: Train, tmp_path: Path, damage: str
) -> None:
    whole = train(make("bipartite"), PCD(), SGD(0.1), epochs=5)
    train(make("bipartite"), PCD(), SGD(0.1), epochs=4, checkpoint=tmp_path)
    newest = tmp_path / "epoch-000004.pgmc-run"
    content = bytearray(newest.read_bytes())
    if damage == "flip":
        content[-3] ^= 1
    newest.write_bytes({"truncate": content[:-5], "flip": content, "empty": b""}[damage])
    with pytest.warns(UserWarning, match="Falling back"):
        rest = train(make("bipartite"), PCD(), SGD(0.1), epochs=5, checkpoint=tmp_path)
    assert_same(rest, whole)
    for path in tmp_path.iterdir():
        path.write_bytes(b"nothing")
    with pytest.warns(UserWarning, match="Falling back"), pytest.raises(CheckpointError, match="no pgmc file"):
        train(make("bipartite"), PCD(), SGD(0.1), epochs=5, checkpoint=tmp_path)


def test_another_fit_is_refused_and_both_are_shown(make: Make, train: Train, tmp_path: Path) -> None:
    train(make("bipartite"), CD(1), SGD(0.1), epochs=1, checkpoint=tmp_path)
    changes: list[tuple[Any, dict[str, Any], str]] = [
        (make("bipartite"), {"optimizer": SGD(0.2)}, r"optimizer: .*0\.1.* there, .*0\.2.* here"),
        (make("bipartite"), {"objective": CD(2)}, r"objective: CD\(k=1.*CD\(k=2"),
        (make("bipartite"), {"seed": 1}, "seed: 0 there, 1 here"),
        (make("bipartite"), {"batch_size": 3}, "batch_size: 12 there, 3 here"),
        (make("bipartite", dtype="float32"), {}, "dtype: float64 there, float32 here"),
        (make("positive"), {}, "model: "),
    ]
    for case, options, message in changes:
        settings = {"objective": CD(1), "optimizer": SGD(0.1), **options}
        with pytest.raises(CheckpointError, match=message):
            train(case, epochs=2, checkpoint=tmp_path, **settings)
    case = make("bipartite")
    case.data = {"v": case.data["v"][:8]}
    with pytest.raises(CheckpointError, match="data: 12 rows"):
        train(case, CD(1), SGD(0.1), epochs=2, batch_size=8, checkpoint=tmp_path)


def test_a_failed_write_leaves_the_last_checkpoint(
    make: Make, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(make("bipartite"), ExactLikelihood(), SGD(0.1), epochs=2, checkpoint=tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            train(make("bipartite"), ExactLikelihood(), SGD(0.1), epochs=3, checkpoint=tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    rest = train(make("bipartite"), ExactLikelihood(), SGD(0.1), epochs=3, checkpoint=tmp_path)
    assert_same(rest, train(make("bipartite"), ExactLikelihood(), SGD(0.1), epochs=3))


KILLED = """
import sys
import numpy as np
from pgmc.compiler import Compiler
from pgmc.dsl.model import Model
from pgmc.learning.fit import fit
from pgmc.learning.optimizers import Adam
from pgmc.learning.persistent import PCD

m = Model("killed")
v, h = m.binary("v", 4), m.binary("h", 3)
m.energy(-(v @ m.param("W", (4, 3)) @ h) - m.param("b", 4) @ v)
executable = Compiler(m.build(), "float32", "numpy").executable()
data = {"v": np.random.default_rng(0).integers(0, 2, (20, 4))}
where = sys.argv[1] or None
result = fit(
    executable,
    m.init(0),
    data,
    PCD(1, chains=10),
    Adam(0.05),
    epochs=60,
    batch_size=4,
    checkpoint=where,
    progress=False,
)
columns = [result.history[name].tolist() for name in result.history if name != "seconds"]
print([value.tobytes().hex() for value in result.params.values()], columns)
"""


def test_a_fit_that_is_killed_again_and_again_ends_with_the_same_bits(tmp_path: Path) -> None:
    """SIGKILL at random times, each time a bit later, until a run gets through."""

    def start(where: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", KILLED, where], stdout=subprocess.PIPE)

    whole, _ = start("").communicate()
    kills, delays = 0, np.random.default_rng(3).uniform(0.1, 0.6, 100)
    run = tmp_path / "run"
    for delay in delays:
        process = start(str(run))
        while process.poll() is None and not any(run.glob("*.pgmc-run")):
            time.sleep(0.01)
        try:
            output, _ = process.communicate(timeout=delay if kills < 6 else None)
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
    assert kills > 0 and process.returncode == 0
    assert output == whole


def test_a_file_is_no_directory(make: Make, train: Train, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArgumentError, match="must be a directory"):
        train(make("bipartite"), checkpoint=tmp_path / "file")


def test_settings_are_described_without_addresses() -> None:
    text = resume.describe_setting(SGD(lambda epoch: 0.1))
    assert "0x" not in text and "lambda" in text
