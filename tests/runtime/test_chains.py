"""Sampling: starts, clamps, temperatures, recording, going on."""

import numpy as np
import pytest

from pgmc.errors import ArgumentError, DataError
from pgmc.ir.model import Model
from pgmc.ir.queries import Ensemble
from pgmc.ir.symbols import Axis, Binary, Categorical, Input, Real, Spin, Variable
from pgmc.runtime.chains import run_chains
from pgmc.runtime.samples import ChainState

MODEL = Model(
    "mixed",
    (
        Variable("a", (Axis(3),), Binary()),
        Variable("s", (Axis(2),), Spin()),
        Variable("k", (), Categorical(4)),
    ),
    (Input("x", (Axis(2),), Real()),),
    (),
    (),
    (),
)


class Recorder:
    """An executable that writes down what it is asked, and flips every free unit of ``a``."""

    model = MODEL
    dtype = "float32"

    def __init__(self):
        self.calls = []

    def sweep(self, query, params, state, *, stream, first_sweep, sweeps, masks, threads):
        beta = state.get("inverse_temperature")
        self.calls.append((query, first_sweep, sweeps, beta, stream.seed))
        kept = masks.get("a", np.zeros(state["a"].shape, bool))
        if "a" in query.free:
            state["a"][~kept] = (state["a"][~kept] + sweeps) % 2


def sample(recorder=None, **how):
    how = {"chains": 5, "sweeps": 10, "inputs": {"x": [0.5, 1.0]}, "seed": 1, **how}
    return run_chains(recorder or Recorder(), {}, **how)


def test_shapes_and_dtypes():
    samples = sample(keep=3, thin=2)
    assert {name: (array.shape, array.dtype.name) for name, array in samples.items()} == {
        "a": ((5, 3, 3), "int8"), "s": ((5, 3, 2), "int8"), "k": ((5, 3), "int8")
    }  # fmt: skip
    assert samples.last["a"].shape == (5, 3)
    np.testing.assert_array_equal(samples.last["a"], samples["a"][:, -1])
    assert "seed 1" in repr(samples) and "a: int8 (5, 3, 3)" in repr(samples)
    assert "<td>int8</td>" in samples._repr_html_()
    assert samples.to_numpy()["a"].flags.writeable and not samples["a"].flags.writeable


def test_launches():
    recorder = Recorder()
    sample(recorder, keep=3, thin=2)
    assert [(first, count) for _, first, count, *_ in recorder.calls] == [(0, 4), (4, 2), (6, 2), (8, 2)]
    query = recorder.calls[0][0]
    assert query.free == ("a", "s", "k") and query.masked == () and query.ensemble is Ensemble.PLAIN


def test_no_sweeps_return_the_start():
    recorder = Recorder()
    start = {"a": np.eye(5, 3), "s": [1, -1], "k": 3}
    samples = sample(recorder, sweeps=0, init=start)
    np.testing.assert_array_equal(samples["a"][:, 0], np.eye(5, 3))
    np.testing.assert_array_equal(samples["s"], np.broadcast_to([1, -1], (5, 1, 2)))
    assert (samples["k"] == 3).all() and recorder.calls == []
    np.testing.assert_array_equal(start["a"], np.eye(5, 3))  # not written to


def test_clamps():
    recorder = Recorder()
    partial = np.ma.MaskedArray([[1, 0, 7]] * 5, mask=[[False, False, True]] * 5)
    samples = sample(recorder, clamp={"s": [1, -1], "a": partial})
    query = recorder.calls[0][0]
    assert query.free == ("a", "k") and query.masked == ("a",)
    np.testing.assert_array_equal(samples["a"][:, 0, :2], [[1, 0]] * 5)
    np.testing.assert_array_equal(samples["s"][:, 0], [[1, -1]] * 5)
    free = np.ma.MaskedArray([1, 1, 1], mask=True)
    sample(recorder, clamp={"a": free})
    assert recorder.calls[-1][0].free == ("a", "s", "k") and recorder.calls[-1][0].masked == ()


def test_everything_clamped():
    recorder = Recorder()
    samples = sample(recorder, clamp={"a": np.eye(5, 3), "s": [1, 1], "k": np.arange(5) % 4})
    assert recorder.calls == []
    np.testing.assert_array_equal(samples["a"][:, 0], np.eye(5, 3))
    np.testing.assert_array_equal(samples["k"][:, 0], np.arange(5) % 4)


def test_going_on():
    recorder = Recorder()
    first = sample(recorder, sweeps=7)
    assert isinstance(first.last, ChainState) and (first.last.seed, first.last.sweeps) == (1, 7)
    second = sample(recorder, sweeps=3, init=first.last, seed=None)
    assert [call[1:3] for call in recorder.calls] == [(0, 6), (6, 1), (7, 2), (9, 1)]
    assert recorder.calls[-1][4] == 1 and second.last.sweeps == 10
    whole = sample(Recorder(), sweeps=10)
    for name in whole:
        np.testing.assert_array_equal(whole[name], second[name])
    sample(recorder, init=first.last, seed=2)
    assert recorder.calls[-1][4] == 2


def test_a_seed_is_drawn_and_remembered():
    first = sample(seed=None)
    again = sample(seed=first.last.seed)
    np.testing.assert_array_equal(first["s"], again["s"])
    assert sample(seed=None).last.seed != first.last.seed


@pytest.mark.parametrize(
    "beta, chains, sweeps, expected",
    [
        (1.0, 5, 4, None),
        (np.ones(5), 5, 4, None),
        (0.5, 5, 4, [[0.5] * 5]),
        (np.arange(5), 5, 4, [[0, 1, 2, 3, 4]]),
        ([0, 1, 2, 3], 5, 4, [[0] * 5, [1] * 5, [2] * 5, [3] * 5]),
        ([[1, 2, 3]], 3, 3, [[1, 2, 3]]),
        ([[1], [2], [3]], 3, 3, [[1] * 3, [2] * 3, [3] * 3]),
        ([2.0], 1, 1, [[2.0]]),
    ],
)
def test_temperatures(beta, chains, sweeps, expected):
    recorder = Recorder()
    sample(recorder, chains=chains, sweeps=sweeps, inverse_temperature=beta)
    used = [call[3] for call in recorder.calls]
    if expected is None:
        assert all(beta is None for beta in used) and recorder.calls[0][0].ensemble is Ensemble.PLAIN
        return
    assert recorder.calls[0][0].ensemble is Ensemble.TEMPERED
    assert used[0].dtype == np.float32 and used[0].flags.writeable
    launched = np.repeat(used, [call[2] for call in recorder.calls], axis=0)
    np.testing.assert_array_equal(launched, np.broadcast_to(expected, (sweeps, chains)))


def test_observe():
    samples = sample(keep=2, observe={"on": lambda state: state["a"].sum(axis=1), "both": lambda s: s["s"] > 0})
    assert set(samples) == {"on", "both"}
    assert samples["on"].shape == (5, 2) and samples["both"].shape == (5, 2, 2)
    assert samples["both"].dtype == bool
    np.testing.assert_array_equal(samples["on"][:, -1], samples.last["a"].sum(axis=1))


@pytest.mark.parametrize(
    "how, message",
    [
        ({"chains": 0}, "chains=0: expected an integer, at least 1"),
        ({"chains": 2.5}, "chains=2.5"),
        ({"chains": True}, "chains=True"),
        ({"sweeps": -1}, "sweeps=-1: expected an integer, at least 0"),
        ({"keep": 0}, "keep=0"),
        ({"thin": 0}, "thin=0"),
        ({"keep": 6, "thin": 2}, "that needs 12 sweeps, but sweeps=10"),
        ({"sweeps": 0, "keep": 2}, "that needs 2 sweeps"),
        ({"inverse_temperature": -0.1}, "inverse_temperature: expected finite numbers, at least 0"),
        ({"inverse_temperature": np.nan}, "inverse_temperature"),
        ({"inverse_temperature": np.inf}, "inverse_temperature"),
        ({"inverse_temperature": "hot"}, "inverse_temperature: expected numbers"),
        ({"inverse_temperature": np.ones(7)}, r"got the shape \(7,\)"),
        ({"inverse_temperature": np.ones(10), "chains": 10}, r"shape \(1, 10\) for one per chain"),
        ({"seed": -1}, "seed=-1"),
        ({"chains": 10**13}, r"mixed: the states of chains=10000000000000 need \d+ bytes, and this machine has \d+"),
        ({"threads": 0}, "threads=0"),
        ({"observe": {"f": 1}}, "expected a function of the state"),
        ({"observe": {"f": lambda state: state["a"].mean()}}, r"returned the shape \(\)"),
    ],
)
def test_wrong_arguments(how, message):
    with pytest.raises(ArgumentError, match=message):
        sample(**how)


@pytest.mark.parametrize(
    "how, message",
    [
        ({"inputs": None}, "inputs: there is no array for x"),
        ({"inputs": {"x": [1, 2], "z": 1}}, "inputs: 'z' is not a name"),
        ({"init": {"b": 0}}, "init: 'b' is not a name"),
        ({"init": {"a": [0, 1, 2]}}, r"a \(binary variable\): expected 0 or 1, got 2 at \(2,\)"),
        ({"init": {"a": np.zeros((4, 3))}}, "a: 4 rows for chains=5"),
        ({"clamp": {"s": [0, 1]}}, r"expected -1 or \+1, got 0 at \(0,\)"),
        ({"clamp": {"s": np.ones((5, 3))}}, r"expected the shape \(chains, 2\)"),
        ({"clamp": {"x": [0, 1]}}, "clamp: 'x' is not a name"),
        ({"clamp": {"k": np.ma.MaskedArray([4] * 5, mask=[1, 1, 0, 1, 1])}}, r"got 4 at \(2,\)"),
    ],
)
def test_wrong_arrays(how, message):
    with pytest.raises(DataError, match=message):
        sample(**how)


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_a_small_machine_is_sampled_right(rbm, executable, backend):
    """z-tests of the ten means against enumeration. At |z| > 5.5 the false alarm is 4e-7; a shift of 0.08 is found.

    4000 independent chains, 40 sweeps from random starts: the machine forgets its start within a few sweeps.
    """
    run = executable("float64", backend)
    params = rbm.params("float64", scale=0.7)
    run._make_kernel = with_masks(run._make_kernel, rbm.sweep)
    samples = run_chains(run, params, chains=4000, sweeps=40, seed=3)
    states = (np.arange(2**10)[:, None] >> np.arange(10)) & 1
    v, h = states[:, :6], states[:, 6:]
    log_p = np.einsum("ni,ij,nj->n", v, params["W"], h) + v @ params["b"] + h @ params["c"]
    p = np.exp(log_p - np.logaddexp.reduce(log_p))
    got = np.concatenate([samples["v"][:, 0], samples["h"][:, 0]], axis=1)
    means = p @ states
    z = (got.mean(axis=0) - means) / np.sqrt(means * (1 - means) / 4000)
    assert np.abs(z).max() < 5.5


def with_masks(make_kernel, masked_query):
    """The hand-written sweep always asks which units are kept: here, none."""

    class Unmasked:
        def __init__(self):
            self.kernel = make_kernel(masked_query)

        def sweep(self, panel, launch):
            panel.masks["v"] = np.zeros(panel.state["v"].shape, bool)
            self.kernel.sweep(panel, launch)

    return lambda query: Unmasked()
