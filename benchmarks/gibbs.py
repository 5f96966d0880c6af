"""One sweep of block Gibbs sampling, restricted Boltzmann machine of 784 and 500 binary units, 512 chains, float32.

python -m benchmarks.gibbs              one thread, against the two bare matrix products and the peers
python -m benchmarks.gibbs --threads    two threads: how much faster, and whether the results are the same bits
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.harness import Runner, Table, aligned, compare, one_torch_thread
from benchmarks.problems import Machine, declare, random_machine

CHAINS, SWEEPS = 512, 20


@dataclass(frozen=True)
class Problem:
    """The machine and where its chains start."""

    machine: Machine
    visible: np.ndarray


def problem() -> Problem:
    machine = random_machine()
    visible = np.random.default_rng(1).random((CHAINS, len(machine.b))) < 0.5
    return Problem(machine, visible.astype(np.float32))


def means(v: np.ndarray, h: np.ndarray) -> dict[str, float]:
    return {"v": float(np.mean(v)), "h": float(np.mean(h))}


def pgmc_sweep(p: Problem, threads: int = 1, sweeps: int = SWEEPS) -> tuple[Runner, dict[str, np.ndarray]]:
    """``Executable.sweep``, which ``sample`` and training run, and its state."""
    import pgmc
    from pgmc.ir.queries import Sweep
    from pgmc.runtime.streams import Stream

    program = pgmc.compile(declare())
    state = {"v": p.visible.copy(), "h": np.zeros((CHAINS, len(p.machine.c)), np.float32)}
    stream, done = Stream(0, "benchmark"), [0]

    def run() -> None:
        program.executable.sweep(
            Sweep(("v", "h"), first=("h",)),
            p.machine.params,
            state,
            stream=stream,
            first_sweep=done[0],
            sweeps=sweeps,
            threads=threads,
        )
        done[0] += sweeps

    return Runner(run, sweeps, lambda: means(state["v"], state["h"]), note="Executable.sweep, one thread"), state


def pgmc_(p: Problem) -> Runner:
    return pgmc_sweep(p)[0]


def peer_numpy(p: Problem) -> Runner:
    from scipy.special import expit

    rng, W, b, c = np.random.default_rng(0), p.machine.W, p.machine.b, p.machine.c
    Wt = np.ascontiguousarray(W.T)
    state = {"v": p.visible.copy(), "h": p.visible}

    def draw(field: np.ndarray) -> np.ndarray:
        return (rng.random(field.shape, dtype=np.float32) < expit(field)).astype(np.float32)

    def run() -> None:
        for _ in range(SWEEPS):
            state["h"] = draw(state["v"] @ W + c)
            state["v"] = draw(state["h"] @ Wt + b)

    return Runner(run, SWEEPS, lambda: means(state["v"], state["h"]), note="OpenBLAS, scipy's expit, PCG64 float32")


def peer_scikit_learn(p: Problem) -> Runner:
    from sklearn.neural_network import BernoulliRBM

    rbm = BernoulliRBM(n_components=len(p.machine.c), random_state=0)
    rbm.components_ = np.ascontiguousarray(p.machine.W.T)
    rbm.intercept_hidden_, rbm.intercept_visible_ = p.machine.c, p.machine.b
    rbm.random_state_ = np.random.RandomState(0)
    state, steps = {"v": p.visible}, 5

    def run() -> None:
        for _ in range(steps):
            state["v"] = rbm.gibbs(state["v"])

    def check() -> dict[str, float]:
        return means(state["v"], rbm.transform(state["v"].astype(np.float32)))

    return Runner(run, steps, check, note="BernoulliRBM.gibbs")


def peer_torch(p: Problem) -> Runner:
    torch = one_torch_thread()
    torch.manual_seed(0)
    W, b, c = map(torch.from_numpy, (p.machine.W, p.machine.b, p.machine.c))
    Wt = W.t().contiguous()
    state = {"v": torch.from_numpy(p.visible.copy())}

    def draw(bias, x, weights):  # type: ignore[no-untyped-def]
        probability = torch.addmm(bias, x, weights).sigmoid_()
        return (torch.rand_like(probability) < probability).float()

    def run() -> None:
        with torch.inference_mode():
            for _ in range(SWEEPS):
                state["h"] = draw(c, state["v"], W)
                state["v"] = draw(b, state["h"], Wt)

    return Runner(run, SWEEPS, lambda: means(state["v"].numpy(), state["h"].numpy()), note="rand_like < sigmoid")


def peer_jax(p: Problem) -> Runner:
    import jax

    W, b, c = map(jax.numpy.asarray, (p.machine.W, p.machine.b, p.machine.c))

    def draw(key, field):  # type: ignore[no-untyped-def]
        return jax.random.bernoulli(key, jax.nn.sigmoid(field)).astype(field.dtype)

    @jax.jit
    def sweeps(key, v):  # type: ignore[no-untyped-def]
        def body(state, k):  # type: ignore[no-untyped-def]
            first, second = jax.random.split(k)
            h = draw(first, state[0] @ W + c)
            return (draw(second, h @ W.T + b), h), None

        return jax.lax.scan(body, (v, v @ W), jax.random.split(key, SWEEPS))[0]

    state = {"key": jax.random.key(0), "v": jax.numpy.asarray(p.visible)}

    def run() -> None:
        state["key"], key = jax.random.split(state["key"])
        state["v"], state["h"] = jax.block_until_ready(sweeps(key, state["v"]))

    return Runner(run, SWEEPS, lambda: means(np.asarray(state["v"]), np.asarray(state["h"])), note="jit, lax.scan")


def two_products(p: Problem) -> Runner:
    W = p.machine.W
    v, h = aligned(p.visible), aligned(p.visible[:, : W.shape[1]])
    to_h, to_v = aligned(np.empty_like(h)), aligned(np.empty_like(v))

    def run() -> None:
        for _ in range(SWEEPS):
            np.dot(v, W, out=to_h)
            np.dot(h, W.T, out=to_v)

    return Runner(run, SWEEPS, floor=True, note="v·W and h·Wᵀ alone, NumPy's OpenBLAS")


def two_products_scipy(p: Problem) -> Runner:
    """What Numba calls."""
    from numba import njit

    @njit("void(float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[:, ::1], int64)")
    def products(v, h, W, to_h, to_v, sweeps):  # type: ignore[no-untyped-def]
        for _ in range(sweeps):
            np.dot(v, W, to_h)
            np.dot(h, W.T, to_v)

    v, h = aligned(p.visible), aligned(p.visible[:, : p.machine.W.shape[1]])
    to_h, to_v = aligned(np.empty_like(h)), aligned(np.empty_like(v))
    return Runner(
        lambda: products(v, h, p.machine.W, to_h, to_v, SWEEPS),
        SWEEPS,
        floor=True,
        note="the same products from Numba, scipy's OpenBLAS",
    )


CONTESTANTS = [pgmc_, two_products, two_products_scipy, peer_numpy, peer_scikit_learn, peer_torch, peer_jax]


def measure(repetitions: int | None = None) -> Table:
    """One thread."""
    title = "Block Gibbs, 784x500 binary units, 512 chains, float32, one thread"
    return compare(title, problem(), CONTESTANTS, step="sweep", repetitions=repetitions)


@dataclass(frozen=True)
class Threads:
    """Two threads against one.

    ``speedup`` is that of the time on the wall, which says something only if both cores are idle otherwise; ``busy``
    says that they were not. ``by_cpu`` is a bound, not a speed: what it could be at most if each thread had a core to
    itself, by how much CPU time the work takes in all.
    """

    speedup: float
    by_cpu: float
    identical: bool
    busy: bool

    def __str__(self) -> str:
        same = "identical" if self.identical else "NOT identical"
        return (
            f"two threads: {self.speedup:.2f} times as fast as one by wall time, at most {self.by_cpu:.2f} by CPU; "
            f"results bit for bit {same}{'; other work ran on the cores' if self.busy else ''}"
        )


def measure_threads(repetitions: int = 20) -> Threads:
    """In a process of its own, which may use every core."""
    command = [sys.executable, "-m", "benchmarks.gibbs", "--two-threads", str(repetitions)]
    environment = os.environ | {"BENCHMARK_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    return Threads(float(answer[0]), float(answer[1]), answer[2] == "True", float(answer[3]) < 0.95)


def _two_threads(repetitions: int) -> None:
    times: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    runs = {threads: pgmc_sweep(problem(), threads, sweeps=5) for threads in (1, 2)}
    for runner, _ in runs.values():
        runner.run()
    for _ in range(repetitions):
        for threads, (runner, _) in runs.items():
            wall, cpu = time.perf_counter(), time.process_time()
            runner.run()
            times[threads].append((time.perf_counter() - wall, time.process_time() - cpu))
    sums = {hashlib.sha256(state["v"].tobytes() + state["h"].tobytes()).hexdigest() for _, state in runs.values()}
    # The shortest of each: whatever else runs on the machine only ever adds.
    one, two = (tuple(map(min, zip(*times[threads], strict=True))) for threads in (1, 2))
    share = sum(cpu for _, cpu in times[1]) / sum(wall for wall, _ in times[1])  # of one core, when one would do
    print(one[0] / two[0], 2 * one[1] / two[1], len(sums) == 1, share)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", action="store_true", help="two threads against one")
    parser.add_argument("--two-threads", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.two_threads:
        _two_threads(arguments.two_threads)
    elif arguments.threads:
        print(measure_threads())
    else:
        print(measure())


if __name__ == "__main__":
    main()
