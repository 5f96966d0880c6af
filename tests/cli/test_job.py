"""The main job from end to end, at a size that takes seconds."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from scipy.special import logsumexp

import pgmc
import pgmc.cli.job as job
import pgmc.cli.page as page_module
import pgmc.cli.task as task_module
import pgmc.cli.training as training
from pgmc.cli.app import run
from pgmc.cli.evaluation import GREATEST_RHAT, Mixing, _accuracy, _likelihoods, evaluate, judge_mixing
from pgmc.cli.progress import SILENT
from pgmc.cli.task import Task, build_task
from pgmc.cli.training import choose_objective, train
from pgmc.cli.wording import likelihood_rows, mixing_line
from pgmc.evaluation.estimates import LogPartition

QUICK = {"epochs": 3, "annealing_steps": 40, "annealing_chains": 40, "chains": 20}


def quick(name: str, seed: int = 0, threads: int | None = None, **sizes: int) -> Task:
    task = build_task(name, "digits", sizes or {"hidden": 6}, QUICK, seed, threads)
    return replace(task, settings=replace(task.settings, sampling_chains=20, sampling_sweeps=60))


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A small run with its files and what it printed."""
    out = tmp_path_factory.mktemp("job") / "runs" / "small"
    console = Console(record=True, width=100, file=io.StringIO(), force_terminal=False)
    task = quick("rbm")
    evaluation = job.run_job(task, out, "pgmc train rbm digits --hidden 6", console)
    return SimpleNamespace(task=task, out=out, evaluation=evaluation, text=console.export_text())


def test_it_prints_derivation_numbers_and_samples(outcome: SimpleNamespace) -> None:
    for text in (
        "binarised by threshold: 1 where the grey level is at least 0.5",
        "P(h[j] = 1 | v) = σ(Σ_i W[i,j]·v[i] + c[j])",
        "F(v) = -Σ_i b[i]·v[i] - Σ_j softplus(Σ_i W[i,j]·v[i] + c[j])",
        "∂⟨F⟩/∂c[j] = -⟨σ(Σ_i W[i,j]·v[i] + c[j])⟩",
        "log Z exact",
        "annealing down (reverse AIS)",
        "independent units",
        "R-hat",
        "█",
    ):
        assert text in outcome.text


def test_it_writes_the_files(outcome: SimpleNamespace) -> None:
    assert sorted(path.name for path in outcome.out.iterdir()) == sorted(job.FILES)
    assert [path.name for path in outcome.out.parent.iterdir()] == ["small"]
    page = (outcome.out / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 13 and "<svg" in page
    assert "http" not in page.replace("http://www.w3.org/", "")  # nothing is fetched
    with open(outcome.out / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    model, params = pgmc.load(outcome.out / "model.pgmc")
    program = pgmc.compile(model, backend="numpy")
    expected = outcome.evaluation.likelihoods[0].test
    exact = outcome.evaluation.estimates[0].value
    np.testing.assert_allclose(program.log_likelihood(params, outcome.task.test, exact), expected, atol=1e-3)


def test_annealing_agrees_with_the_exact_sum(outcome: SimpleNamespace) -> None:
    exact, up, down = outcome.evaluation.estimates
    assert [exact.method, up.method, down.method] == ["exact", "ais", "reverse-ais"]
    assert abs(up.value - exact.value) < 6 * up.std_error + 1e-3
    assert abs(down.value - exact.value) < 6 * down.std_error + 1e-3


def test_numbers_depend_on_the_seed_and_not_on_threads() -> None:
    one, two, other = quick("rbm", threads=1), quick("rbm", threads=2), quick("rbm", seed=1)
    fits = [train(task, progress=False) for task in (one, two, other)]
    results = [evaluate(task, fit.params, SILENT) for task, fit in zip((one, two, other), fits, strict=True)]
    for name, value in fits[0].params.items():
        np.testing.assert_array_equal(value, fits[1].params[name])
        assert not np.array_equal(value, fits[2].params[name])
    for first, second, third in zip(*(result.estimates for result in results), strict=True):
        assert first.value == second.value != third.value
    np.testing.assert_array_equal(results[0].greys, results[1].greys)
    assert results[0].mixing == results[1].mixing


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks on the reference backend, which compiles nothing."""
    monkeypatch.setattr(task_module, "compile", partial(pgmc.compile, backend="numpy"))


def random_params(task: Task, scale: float) -> dict[str, Any]:
    generator = np.random.default_rng(5)
    return {name: scale * generator.normal(size=value.shape) for name, value in task.program.init(0).items()}


@pytest.mark.usefixtures("interpreted")
def test_the_bound_of_a_model_whose_latents_interact() -> None:
    task = quick("deep_boltzmann_machine", hidden=3, top=2)
    task = replace(task, train={"v": task.train["v"][:6]}, test={"v": task.test["v"][:5]})
    assert isinstance(choose_objective(task), pgmc.MeanFieldPCD)
    params = random_params(task, 0.3)
    latents = np.array(list(product((0, 1), repeat=5)))
    each, rows = len(latents), len(task.test["v"])
    state = {
        "v": np.repeat(task.test["v"], each, axis=0),
        "h1": np.tile(latents[:, :3], (rows, 1)),
        "h2": np.tile(latents[:, 3:], (rows, 1)),
    }
    exact = logsumexp(-task.program.energy(params, state).reshape(rows, each), axis=1)
    likelihoods, remarks = _likelihoods(task, params, (LogPartition(1.5, 0.0, "exact"),))
    assert (
        likelihoods[0].is_bound
        and "at least" in likelihood_rows(SimpleNamespace(likelihoods=likelihoods, accuracy=None))[0][0]
    )
    gap = exact - 1.5 - likelihoods[0].test
    assert (gap > 0).all() and (gap < 1).all()
    assert len(remarks) == 1 and "h1 and h2 interact" in remarks[0]


@pytest.mark.usefixtures("interpreted")
def test_the_class_is_predicted() -> None:
    task = quick("class_rbm", hidden=2)
    assert task.label is not None and task.label.name == "y"
    params = random_params(task, 0.0) | {"d": np.eye(10)[3] * 50.0}
    assert _accuracy(task, params) == pytest.approx((task.images.test_labels == 3).mean())


@pytest.mark.usefixtures("interpreted")
def test_sizes_and_steps_suit_the_data() -> None:
    assert quick("lattice", rows=8).sizes == {"rows": 8, "columns": 8}
    assert quick("softmax_rbm", hidden=300).sizes == {"visible": 64, "states": 4, "hidden": 300}
    spins, binary = quick("spin_rbm"), quick("rbm")
    assert spins.settings.learning_rate == binary.settings.learning_rate / 16
    assert build_task("spin_rbm", "digits", {}, {"learning_rate": 0.5}).settings.learning_rate == 0.5


def test_a_run_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise pgmc.NumericsError("a weight is not finite")

    monkeypatch.setattr(job, "rehearse", lambda task: None)
    arguments = ["train", "rbm", "digits", "--hidden", "6", "--epochs", "1", "--out", str(tmp_path / "run")]
    monkeypatch.setattr(job, "evaluate", stop)
    assert run(arguments) == 1
    assert "a weight is not finite" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_while_kernels_are_compiled_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "train", lambda task, progress: SimpleNamespace(stopped="interrupted"))
    with pytest.raises(KeyboardInterrupt):
        training.rehearse(quick("rbm"))


def test_a_place_that_is_taken_is_noticed_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(job, "describe", lambda task: pytest.fail("too late"))
    (tmp_path / "notes.txt").write_text("mine")
    assert run(["train", "rbm", "digits", "--out", str(tmp_path)]) == 1
    assert "notes.txt" in capsys.readouterr().err


def test_pictures_are_left_out_without_matplotlib(
    outcome: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (job, page_module):
        monkeypatch.setattr(module, "has_matplotlib", lambda: False)
    task = outcome.task
    fit = train(replace(task, settings=replace(task.settings, epochs=1)), progress=False)
    job.write_results(task, fit, outcome.evaluation, tmp_path / "run", "pgmc train")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "history.csv",
        "model.pgmc",
        "report.html",
        "run.json",
    ]
    assert 'pip install "pgmc[plot]"' in "\n".join(job._written(tmp_path / "run"))


def test_frozen_chains_are_reported(outcome: SimpleNamespace) -> None:
    task = outcome.task
    strong = {name: np.zeros_like(value) for name, value in task.program.init(0).items()}
    strong["W"] = np.full_like(strong["W"], 30.0)
    strong["b"] -= 90.0
    strong["c"] -= 960.0
    samples = task.program.sample(strong, chains=8, sweeps=40, keep=20, seed=1)
    mixing = judge_mixing(task, strong, samples)
    assert not mixing.mixes
    assert "do not" in mixing_line(SimpleNamespace(mixing=mixing))
    assert Mixing(GREATEST_RHAT, "the energy", 10.0, 100).mixes
