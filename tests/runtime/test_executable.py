"""Executable: the hand-written kernels against the interpreter, and one result for any way of cutting the work."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import threadpoolctl

import pgmc.runtime.executable as executable_module
from pgmc.errors import ArgumentError, DataError
from pgmc.ir.queries import Energy, Gradient, Sweep
from pgmc.runtime.executable import Executable
from pgmc.runtime.state import random_state
from pgmc.runtime.streams import Stream
from pgmc.runtime.threads import map_panels, one_blas_thread

GRADIENT = Gradient(Energy(), ("W",))


def state_of(executable, n, seed=0):
    return random_state(executable.model, n, Stream(seed, "start"), executable.dtype)


def swept(executable, params, state, rbm, **how):
    state = {name: array.copy() for name, array in state.items()}
    masks = {"v": np.zeros(state["v"].shape, bool)}
    executable.sweep(rbm.sweep, params, state, **{"stream": Stream(1, "s"), "masks": masks, **how})
    return state


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("float64", 1e-12)])
def test_backends_agree(rbm, executable, dtype, tolerance):
    fast, plain = executable(dtype), executable(dtype, "numpy")
    params, state = rbm.params(dtype), state_of(fast, 700)
    for query in (Energy(), GRADIENT):
        a, b = (e.evaluate(query, params, state) for e in (fast, plain))
        assert a.keys() == b.keys()
        for name in a:
            assert a[name].dtype == b[name].dtype and a[name].shape == b[name].shape
            np.testing.assert_allclose(a[name], b[name], rtol=tolerance, atol=tolerance)
    a, b = (swept(e, params, state, rbm, sweeps=5) for e in (fast, plain))
    if dtype == "float64":
        np.testing.assert_array_equal(a["v"], b["v"])
        np.testing.assert_array_equal(a["h"], b["h"])


def test_gradient_is_a_weighted_mean(rbm, executable):
    run = executable("float64")
    params, state = rbm.params("float64"), state_of(run, 3000)
    weights = np.random.default_rng(0).random(3000)
    got = run.evaluate(GRADIENT, params, state, weights=weights)["W"]
    np.testing.assert_allclose(got, -(state["v"] * weights[:, None]).T @ state["h"], rtol=1e-12)
    mean = run.evaluate(GRADIENT, params, state)["W"]
    np.testing.assert_allclose(mean, -state["v"].T @ state["h"] / 3000, rtol=1e-12)


def test_results_do_not_depend_on_threads(rbm, executable):
    run = executable("float32")
    params, state = rbm.params("float32"), state_of(run, 2100)
    first, *others = (
        {
            **swept(run, params, state, rbm, sweeps=7, threads=threads),
            **run.evaluate(Energy(), params, state, threads=threads),
            **run.evaluate(GRADIENT, params, state, threads=threads),
        }
        for threads in (1, 2, 4, None)
    )
    for other in others:
        assert {name: array.tobytes() for name, array in first.items()} == {
            name: array.tobytes() for name, array in other.items()
        }


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_a_chain_does_not_depend_on_the_number_of_chains(rbm, executable, backend):
    run = executable("float64", backend)
    params = rbm.params("float64")
    many, few = (swept(run, params, state_of(run, n), rbm, sweeps=5) for n in (600, 3))
    for name in "vh":
        np.testing.assert_array_equal(many[name][:3], few[name])


def test_chains_of_different_panels_draw_different_numbers(rbm, executable):
    run, panel = executable("float64", "numpy"), executable_module.CHAINS_PER_PANEL
    start = {name: np.repeat(values, panel + 3, axis=0) for name, values in state_of(run, 1).items()}
    after = swept(run, rbm.params("float64"), start, rbm, sweeps=2)
    assert np.any(after["v"][:3] != after["v"][panel:])


def test_launches_do_not_change_the_numbers(rbm, executable, monkeypatch):
    run = executable("float32")
    params, state = rbm.params("float32"), state_of(run, 300)
    whole = swept(run, params, state, rbm, sweeps=20)
    monkeypatch.setattr(executable_module, "SECONDS_PER_LAUNCH", 0.0)
    single = swept(run, params, state, rbm, sweeps=20)
    half = swept(run, params, state, rbm, sweeps=12)
    parts = swept(run, params, half, rbm, sweeps=8, first_sweep=12)
    for name in "vh":
        np.testing.assert_array_equal(whole[name], single[name])
        np.testing.assert_array_equal(whole[name], parts[name])


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_masked_units_stay(rbm, executable, backend):
    run = executable("float64", backend)
    state = state_of(run, 300)
    keep = np.random.default_rng(0).random(state["v"].shape) < 0.5
    after = swept(run, rbm.params("float64"), state, rbm, sweeps=3, masks={"v": keep})
    np.testing.assert_array_equal(after["v"][keep], state["v"][keep])
    assert (after["v"][~keep] != state["v"][~keep]).any()


def test_read_only_arrays_are_accepted(rbm, executable):
    run = executable("float32")
    params, state = rbm.params("float32"), state_of(run, 20)
    expected = run.evaluate(Energy(), params, state)["energy"]
    for array in (*params.values(), *state.values()):
        array.flags.writeable = False
    np.testing.assert_array_equal(run.evaluate(Energy(), params, state)["energy"], expected)


def test_kernels_are_made_once(rbm):
    made = []
    run = Executable(
        rbm.model,
        "float32",
        make_kernel=lambda query: made.append(query) or object(),
        find_blocks=lambda free: (free,),
        find_eliminable=lambda: ("h",),
    )
    assert run.kernel(Energy()) is run.kernel(Energy()) and made == [Energy()]
    assert run.blocks(("v",)) == (("v",),) and run.eliminable() == ("h",)


def test_wrong_arrays(rbm, executable):
    run, params = executable("float32"), rbm.params("float32")
    state = state_of(run, 10)
    with pytest.raises(DataError, match="v: it has 9 rows"):
        run.evaluate(Energy(), params, {"h": state["h"], "v": state["v"][:9]})
    with pytest.raises(DataError, match=r"v: expected an array of shape \('n', 6\)"):
        run.evaluate(Energy(), params, {**state, "v": state["v"][:, :5]})
    with pytest.raises(DataError, match=r"the state: there is no array 'h'\. Given: v"):
        run.evaluate(Energy(), params, {"v": state["v"]})
    with pytest.raises(DataError, match="no rows"):
        run.evaluate(Energy(), params, {"v": state["v"][:0], "h": state["h"][:0]})
    with pytest.raises(DataError, match="params: there is no array 'W'"):
        run.evaluate(Energy(), {}, state)
    for bad in (state["v"].astype("float64"), np.asfortranarray(state["v"])):
        with pytest.raises(DataError, match="v: a sweep updates it in place"):
            run.sweep(rbm.sweep, params, {**state, "v": bad}, stream=Stream(0, "s"))
    with pytest.raises(DataError, match="the state has no array of that name"):
        run.sweep(Sweep(("v", "h")), params, {"v": state["v"]}, stream=Stream(0, "s"))


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
def test_wrong_threads(rbm, executable, threads):
    run = executable("float32")
    with pytest.raises(ArgumentError, match="threads="):
        run.evaluate(Energy(), rbm.params("float32"), state_of(run, 3), threads=threads)


def blas_threads():
    return {i["num_threads"] for i in threadpoolctl.threadpool_info() if i["user_api"] == "blas"}


def test_blas_limit_is_shared_and_restored():
    before = blas_threads()
    inside, leave = threading.Event(), threading.Event()

    def work():
        with one_blas_thread():
            inside.set()
            leave.wait(10)

    other = threading.Thread(target=work)
    other.start()
    inside.wait(10)
    with one_blas_thread():
        assert blas_threads() == {1}
    assert blas_threads() == {1}  # the other is still inside
    leave.set()
    other.join()
    assert blas_threads() == before
    with one_blas_thread():  # that another thread was the last to change it does not matter
        assert blas_threads() == {1}
    assert blas_threads() == before


def test_panels_keep_their_order_and_stop_at_errors():
    seen = []

    def work(k):
        seen.append(k)
        if k == 3:
            raise KeyError(k)
        return k * k

    with one_blas_thread():
        assert list(map_panels(work, range(3), 2)) == [0, 1, 4]
        with pytest.raises(KeyError):
            list(map_panels(work, range(100), 2))
    assert len(seen) < 20


def test_python_threads_sample_at_once(rbm, executable):
    run = executable("float32")
    params, state = rbm.params("float32"), state_of(run, 600)
    expected = swept(run, params, state, rbm, sweeps=20)
    results = [None] * 8

    def work(k):
        results[k] = swept(run, params, state, rbm, sweeps=20, threads=2)

    workers = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for result in results:
        np.testing.assert_array_equal(result["h"], expected["h"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_works(rbm, executable):
    run = executable("float32")
    params, state = rbm.params("float32"), state_of(run, 600)
    expected = swept(run, params, state, rbm, threads=2)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=lambda: queue.put(swept(run, params, state, rbm, threads=2)["h"]))
    child.start()
    np.testing.assert_array_equal(queue.get(timeout=30), expected["h"])
    child.join(10)
    assert child.exitcode == 0


ENDLESS = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell starts with it ignored
sys.path.insert(0, {folder!r})
import conftest, numpy as np
from pgmc.runtime.state import random_state
from pgmc.runtime.streams import Stream
rbm = conftest.Rbm(200, 200)
run = conftest.make_executable(rbm, "float32")
state = random_state(rbm.model, 1000, Stream(0, "start"), "float32")
masks = {{"v": np.zeros(state["v"].shape, bool)}}
how = dict(stream=Stream(0, "s"), masks=masks, threads={threads})
run.sweep(rbm.sweep, rbm.params("float32"), state, **how)
print("ready", flush=True)
try:
    run.sweep(rbm.sweep, rbm.params("float32"), state, sweeps=10**9, **how)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_returns_soon(threads):
    text = ENDLESS.format(folder=os.path.dirname(__file__), threads=threads)
    child = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    time.sleep(1.0)
    begin = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert child.stdout.readline() == "stopped\n"
    assert time.monotonic() - begin < 1.5  # a launch or two; the end of the interpreter is not the sweep's
    assert child.communicate(timeout=30)[0] == ""
    assert child.returncode == 0
