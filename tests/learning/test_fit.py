"""The training loop: what it learns, what it refuses, how it stops, and that it always gives the same bits."""

import io
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.errors import ArgumentError, DataError, ModelWarning, NumericsError
from pgmc.learning.contrastive_divergence import CD
from pgmc.learning.exact_likelihood import ExactLikelihood
from pgmc.learning.history import History
from pgmc.learning.optimizers import SGD, Adam
from pgmc.learning.persistent import PCD
from pgmc.learning.progress import Bar, Lines, choose_progress
from pgmc.learning.report import DivergenceError, EpochReport
from pgmc.learning.stopping import EarlyStopping

Make = Callable[..., SimpleNamespace]
Train = Callable[..., Any]


def bars_and_stripes(n: int) -> np.ndarray:
    """The 2^n images of alike rows and the 2^n of alike columns; two images are both."""
    lines = np.arange(2**n)[:, None] >> np.arange(n) & 1
    bars = np.repeat(lines[:, :, None], n, axis=2).reshape(-1, n * n)
    stripes = np.repeat(lines[:, None, :], n, axis=1).reshape(-1, n * n)
    return np.concatenate([bars, stripes])


@pytest.mark.parametrize(
    ("objective", "optimizer", "epochs"),
    [
        (ExactLikelihood(), Adam(0.05), 1000),
        (PCD(k=100, chains=256), SGD(lambda epoch: 0.5 * max(0.01, 1 - epoch / 8000)), 8000),
    ],
)
def test_bars_and_stripes_are_learned(objective: Any, optimizer: Any, epochs: int) -> None:
    """No model can have a higher mean log-likelihood than minus the entropy of the data, -2.599 nats."""
    images = bars_and_stripes(3)
    m = pgmc.Model("bars")
    v, h = m.binary("v", 9), m.binary("h", 16)
    W = m.param("W", (9, 16), init=lambda shape, rng: rng.normal(0, 0.1, shape))
    m.energy(-(v @ W @ h) - m.param("b", 9) @ v - m.param("c", 16) @ h)
    fitted = pgmc.fit(m, {"v": images}, objective=objective, optimizer=optimizer, epochs=epochs, progress=False)
    program = pgmc.compile(m, dtype="float64")
    assert program.log_likelihood(fitted.params, {"v": images}).mean() >= -2.62


def test_likelihood_rises_towards_the_entropy_of_the_data(make: Make, train: Train) -> None:
    case = make("bipartite")
    case.data = {"v": np.array([[0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]])}
    result = train(case, ExactLikelihood(), Adam(0.05), epochs=600)
    path = result.history["log_likelihood"]
    assert path[-1] > path[0] and -1.45 < path[-1] < -np.log(4)
    assert result.steps == 600 and result.stopped is None
    assert "600 epochs, 600 steps" in repr(result) and "W 4x3" in repr(result)


def test_the_start_is_not_touched_and_no_epochs_give_it_back(make: Make, train: Train) -> None:
    case = make("positive")
    before = {name: value.copy() for name, value in case.params.items()}
    train(case, CD(1), SGD(0.5), epochs=2)
    result = train(case, epochs=0)
    for name in before:
        assert np.array_equal(case.params[name], before[name])
        assert np.array_equal(result.params[name], before[name])
        assert result.params[name] is not case.params[name]
    assert result.history.epochs == 0 and str(result.history) == "(no epochs)"


@pytest.mark.parametrize("objective", [CD(2), PCD(1, chains=300), 0.5 * CD(1) + PCD(2, chains=20)])
def test_same_seed_same_bits_whatever_the_threads(make: Make, train: Train, objective: Any) -> None:
    runs = []
    for threads in (1, 2, 4):
        case = make("bipartite", dtype="float32")
        case.data = {"v": np.tile(case.data["v"], (60, 1))}
        runs.append(train(case, objective, Adam(0.1), epochs=2, batch_size=300, seed=5, threads=threads))
    for run in runs[1:]:
        for name in run.params:
            assert np.array_equal(run.params[name], runs[0].params[name])
        for column in run.history:
            if column != "seconds":
                assert np.array_equal(run.history[column], runs[0].history[column]), column
    other = train(make("bipartite", dtype="float32"), objective, Adam(0.1), epochs=2, seed=6)
    assert not np.array_equal(other.params["W"], runs[0].params["W"])


# ---- constraints -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [SGD(0.3, momentum=0.9, weight_decay=0.1), Adam(0.1, weight_decay=0.1)])
def test_masked_entries_stay_exactly_zero(make: Make, train: Train, optimizer: Any) -> None:
    mask = np.random.default_rng(0).integers(0, 2, (4, 3))
    result = train(make("bipartite", mask=mask), CD(1), optimizer, epochs=5, batch_size=4)
    assert np.array_equal(result.params["W"] != 0, mask == 1)


@pytest.mark.parametrize("optimizer", [SGD(0.3, momentum=0.9), Adam(0.1)])
def test_symmetric_couplings_stay_symmetric(make: Make, train: Train, optimizer: Any) -> None:
    J = train(make("visible"), ExactLikelihood(), optimizer, epochs=5, batch_size=4).params["J"]
    assert np.array_equal(J, J.T) and not np.diagonal(J).any()


def test_positive_parameters_step_in_the_inverse_of_softplus(make: Make, train: Train) -> None:
    case = make("positive")
    result = train(case, ExactLikelihood(), SGD(0.5), epochs=1)
    exact = train(case, ExactLikelihood(), SGD(1e-9), epochs=1)  # to read off the gradient
    gradient = (case.params["b"] - exact.params["b"]) / 1e-9
    assert np.allclose(result.params["b"], case.params["b"] - 0.5 * gradient, atol=1e-5)
    theta = np.log(np.expm1(case.params["W"]))
    slope = (theta - np.log(np.expm1(exact.params["W"]))) / 1e-9
    assert np.allclose(result.params["W"], np.logaddexp(0, theta - 0.5 * slope), atol=1e-5)
    strong = train(case, ExactLikelihood(), SGD(50.0), epochs=20)
    assert (strong.params["W"] > 0).all()


def test_weight_decay_leaves_biases_alone(make: Make, train: Train) -> None:
    case = make("bipartite")
    plain = train(case, ExactLikelihood(), SGD(0.1), epochs=1)
    decayed = train(case, ExactLikelihood(), SGD(0.1, weight_decay=0.5), epochs=1)
    assert np.array_equal(plain.params["b"], decayed.params["b"])
    assert np.allclose(plain.params["W"] - decayed.params["W"], 0.05 * case.params["W"], atol=1e-12)


# ---- validation, callbacks, progress ---------------------------------------------------------------------


def test_validation_is_recorded(make: Make, train: Train) -> None:
    case = make("bipartite")
    held_out = {"v": 1 - case.data["v"][:5]}
    result = train(case, ExactLikelihood(), SGD(0.1), epochs=3, validation=held_out)
    assert result.history["validation_log_likelihood"].shape == (3,)
    params = {name: np.asarray(value) for name, value in result.params.items()}
    energies = [
        case.executable.evaluate(pgmc.ir.queries.FreeEnergy(("v",)), params, {"v": v.astype(float)})["free_energy"]
        for v in (held_out["v"], case.data["v"][:5])
    ]
    gap = energies[0].mean() - energies[1].mean()
    assert result.history["validation_free_energy_gap"][-1] == pytest.approx(gap, abs=1e-12)
    with pytest.warns(ModelWarning, match="no tractable free energy of v"):
        train(make("coupled"), CD(1), SGD(0.1), epochs=1, validation={"v": np.zeros((2, 3))})
    with pytest.raises(DataError, match="same names as for training"):
        train(make("deep"), CD(1), SGD(0.1), validation={"v": np.zeros((2, 4)), "g": np.zeros((2, 2))})


def test_callbacks_see_each_epoch_and_may_stop(make: Make, train: Train) -> None:
    reports: list[EpochReport] = []

    def watch(report: EpochReport) -> bool:
        reports.append(report)
        report.params["W"][:] = np.nan  # a copy: it does not disturb the fit
        return report.epoch == 3

    result = train(make("bipartite"), CD(1), SGD(0.1), epochs=10, batch_size=5, callbacks=[watch])
    assert [r.epoch for r in reports] == [1, 2, 3] and [r.step for r in reports] == [3, 6, 9]
    assert result.stopped == "callback" and result.history.epochs == 3
    assert np.isfinite(result.params["W"]).all()
    assert "stopped: callback" in repr(result)


def test_early_stopping_waits_for_its_patience(make: Make, train: Train) -> None:
    path = iter([5.0, 4.0, 4.5, 4.2, 4.1, 3.0])
    seen = []

    def report(values: list[float]) -> EpochReport:
        return EpochReport(len(values), 0, {}, {}, History({"loss": np.array(values)}))

    for value in path:
        seen.append(value)
        if EarlyStopping("loss", patience=3)(report(seen)):
            break
    assert seen == [5.0, 4.0, 4.5, 4.2, 4.1]
    assert not EarlyStopping("loss", patience=3, minimise=False)(report([1.0, 2.0, 3.0, 4.0]))
    with pytest.raises(ArgumentError, match="no column 'gain'; it has"):
        EarlyStopping("gain")(report([1.0]))


class Recorder:
    """Replaces the progress bar."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def start(self, epochs: int, steps: int, done: int) -> None:
        self.told.append(("start", epochs, steps, done))

    def step(self) -> None:
        self.told.append("step")

    def epoch(self, row: Mapping[str, float]) -> None:
        self.told.append(row["epoch"])

    def stop(self) -> None:
        self.told.append("stop")


def test_progress_can_be_replaced(make: Make, train: Train) -> None:
    recorder = Recorder()
    train(make("bipartite"), CD(1), SGD(0.1), epochs=2, batch_size=6, progress=recorder)
    assert recorder.told == [("start", 2, 2, 0), "step", "step", 1.0, "step", "step", 2.0, "stop"]
    with pytest.raises(ArgumentError, match="progress must be"):
        train(make("bipartite"), progress="yes")


def test_lines_are_printed_where_there_is_no_terminal(
    make: Make, train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    train(make("bipartite"), CD(1), SGD(0.1), epochs=2, progress=True)
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.splitlines()[0].startswith("epoch 1/2  gradient norm")
    file = io.StringIO()
    train(make("bipartite"), CD(1), SGD(0.1), epochs=1, progress=Lines(file))
    assert "s left" in file.getvalue()


def test_a_bar_is_drawn_on_a_terminal(make: Make, train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    assert isinstance(choose_progress(True), Bar)
    train(make("bipartite"), ExactLikelihood(), SGD(0.1), epochs=2, batch_size=5, progress=True)
    assert "epoch 2/2" in screen.getvalue() and "log likelihood -" in screen.getvalue()


def test_history_is_a_dict_of_columns_and_prints_as_a_table(make: Make, train: Train) -> None:
    import pandas

    history = train(make("bipartite"), CD(1), SGD(0.1), epochs=30).history
    assert list(history)[:3] == ["epoch", "learning_rate", "gradient_norm"]
    assert history["epoch"].dtype == np.int64 and len(pandas.DataFrame(history)) == 30
    lines = str(history).splitlines()
    assert len(lines) == 21 and "…" in lines[6] and len({len(line) for line in lines}) == 1
    assert str(History.of_rows(history.rows())) == str(history)


# ---- stopping early --------------------------------------------------------------------------------------


def test_an_interrupt_returns_what_was_learned(make: Make, train: Train) -> None:
    def interrupt(report: EpochReport) -> None:
        if report.epoch == 2:
            raise KeyboardInterrupt

    recorder = Recorder()
    result = train(make("bipartite"), CD(1), SGD(0.1), epochs=9, callbacks=[interrupt], progress=recorder)
    whole = train(make("bipartite"), CD(1), SGD(0.1), epochs=2)
    assert result.stopped == "interrupted" and result.history.epochs == 2
    assert np.array_equal(result.params["W"], whole.params["W"])
    assert recorder.told[-1] == "stop"


class Poisoned:
    """An objective whose gradient stops being finite at a step."""

    def __init__(self, step: int, value: float) -> None:
        self.at, self.value = step, value

    def prepare(self, setup: Any, params: Any) -> dict[str, Any]:
        return {}

    def gradient(self, setup: Any, params: Any, batch: Any, step: int, state: Any, measure: bool) -> Any:
        estimate = CD(1).gradient(setup, params, batch, step, state, measure)
        if step == self.at:
            estimate.gradients["b"][2] = self.value
        return estimate

    def validate(self, setup: Any, params: Any, data: Any) -> dict[str, float]:
        return {}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_keeps_the_last_parameters(make: Make, train: Train, value: float) -> None:
    case = make("bipartite")
    with pytest.raises(NumericsError, match=r"gradient of parameter 'b'.*step 4 \(epoch 2") as caught:
        train(case, Poisoned(4, value), SGD(0.1), epochs=5, batch_size=4)
    error = caught.value
    assert isinstance(error, DivergenceError)
    assert (error.parameter, error.step, error.history.epochs) == ("b", 4, 1)
    before: dict[str, Any] = {}

    def keep(report: EpochReport) -> None:
        before.update(report.params)

    train(case, Poisoned(99, 0.0), SGD(0.1), epochs=1, batch_size=4, callbacks=[keep])
    assert all(np.isfinite(a).all() for a in error.params.values())
    assert not np.array_equal(error.params["b"], before["b"])  # one step of the second epoch had been done


def test_parameters_that_overflow_are_named(make: Make, train: Train) -> None:
    case = make("bipartite", dtype="float32")
    with pytest.raises(DivergenceError, match="parameter 'b' is not finite at step 1") as caught:
        train(case, Poisoned(1, 1e30), SGD(1e20), epochs=3, batch_size=4)
    assert all(np.isfinite(a).all() for a in caught.value.params.values())


# ---- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": -1}, "epochs must be a whole number of at least 0"),
        ({"epochs": 1.5}, "epochs"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
        ({"batch_size": 13}, "batch_size must be from 1 to the number of rows, 12, got 13"),
        ({"seed": -1}, "seed"),
        ({"seed": 0.5}, "seed"),
        ({"objective": PCD}, "objective must be"),
        ({"optimizer": 0.1}, "optimizer must be"),
        ({"callbacks": [3]}, "callbacks must be"),
    ],
)
def test_settings_out_of_range_are_refused(make: Make, train: Train, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        train(make("bipartite"), **options)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "at least one of the variables"),
        ({"w": np.zeros((3, 4))}, "no variable or input 'w'"),
        ({"v": np.full((3, 4), 0.5)}, "expected 0 or 1, got 0.5"),
        ({"v": np.full((3, 4), np.nan)}, "expected 0 or 1, got nan"),
        ({"v": np.zeros((3, 5))}, "expected the shape"),
        ({"v": np.zeros((0, 4))}, "no rows"),
        ({"v": np.zeros((3, 4)), "h": np.zeros((2, 3))}, "same number of rows"),
        ([np.zeros((3, 4))], "dict of arrays"),
    ],
)
def test_wrong_data_are_refused(make: Make, train: Train, data: Any, message: str) -> None:
    case = make("bipartite")
    case.data = data
    with pytest.raises(DataError, match=message):
        train(case)


def test_missing_inputs_and_parameters_are_refused(make: Make, train: Train) -> None:
    case = make("conditional")
    del case.data["u"]
    with pytest.raises(DataError, match="u "):
        train(case, CD(1))
    case = make("bipartite")
    del case.params["b"]
    with pytest.raises(DataError, match="b "):
        train(case)


def test_layouts_of_data_make_no_difference(make: Make, train: Train) -> None:
    case = make("bipartite")
    wanted = train(case, CD(1), SGD(0.1), epochs=2).params["W"]
    v = case.data["v"]
    for same in (np.asfortranarray(v), v.astype(">i4"), v.astype(bool), np.repeat(v, 2, axis=0)[::2], v.astype("f4")):
        case.data = {"v": same}
        assert np.array_equal(train(case, CD(1), SGD(0.1), epochs=2).params["W"], wanted)
