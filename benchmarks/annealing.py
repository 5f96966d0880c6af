"""Annealed importance sampling, restricted Boltzmann machine of 784 and 500 binary units, 100 chains, float32.

    python -m benchmarks.annealing          milliseconds a temperature

All contestants follow the same path: from independent visible units that keep their biases to the machine.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.harness import Runner, Table, aligned, compare, one_torch_thread
from benchmarks.problems import Machine, declare, digits

CHAINS, TEMPERATURES = 100, 100
TRAINING_STEPS = 500


@dataclass(frozen=True)
class Problem:
    """A trained machine."""

    machine: Machine


def problem() -> Problem:
    """Ten epochs of CD-1 on digits, in NumPy, so that no contestant made the machine it is measured on."""
    X, rng = digits(), np.random.default_rng(0)
    W = (0.01 * rng.standard_normal((784, 500))).astype(np.float32)
    b, c = np.zeros(784, np.float32), np.zeros(500, np.float32)
    for _ in range(TRAINING_STEPS):
        v = X[rng.integers(len(X), size=100)]
        up = _sigmoid(v @ W + c)
        down = _draw(rng, _sigmoid(_draw(rng, up) @ W.T + b))
        again = _sigmoid(down @ W + c)
        W += np.float32(0.0005) * (v.T @ up - down.T @ again)
        b += np.float32(0.0005) * (v - down).sum(0)
        c += np.float32(0.0005) * (up - again).sum(0)
    return Problem(Machine(W, b, c))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _draw(rng: np.random.Generator, probability: np.ndarray) -> np.ndarray:
    return (rng.random(probability.shape, dtype=np.float32) < probability).astype(np.float32)


def pgmc_(p: Problem) -> Runner:
    import pgmc
    from pgmc.evaluation.ais import estimate_log_partition_ais

    program, found = pgmc.compile(declare()), [0.0]
    base = {"v": p.machine.b, "h": np.zeros_like(p.machine.c)}
    betas = np.linspace(0, 1, TEMPERATURES + 1)

    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # so few temperatures give poor weights
            estimate = estimate_log_partition_ais(
                program.executable, p.machine.params, chains=CHAINS, betas=betas, base=base, seed=0, threads=1
            )
        found[0] = float(estimate.value)

    return Runner(run, TEMPERATURES, lambda: {"log Z": found[0]}, note="log_partition(method='ais')")


def peer_numpy(p: Problem) -> Runner:
    from scipy.special import expit, logsumexp

    W, b, c = p.machine.W, p.machine.b, p.machine.c
    Wt, rng, found = np.ascontiguousarray(W.T), np.random.default_rng(0), [0.0]
    betas = np.linspace(0, 1, TEMPERATURES + 1).astype(np.float32)

    def run() -> None:
        field = _draw(rng, np.broadcast_to(expit(b), (CHAINS, len(b)))) @ W + c
        log_w = np.zeros(CHAINS)
        for below, above in pairwise(betas):
            log_w += (np.logaddexp(0, above * field) - np.logaddexp(0, below * field)).sum(1)
            h = _draw(rng, expit(above * field))
            field = _draw(rng, expit(above * (h @ Wt) + b)) @ W + c
        base = np.logaddexp(0, b.astype(np.float64)).sum() + len(c) * np.log(2)
        found[0] = float(logsumexp(log_w) - np.log(CHAINS) + base)

    return Runner(run, TEMPERATURES, lambda: {"log Z": found[0]}, note="two products a temperature, the field shared")


def peer_torch(p: Problem) -> Runner:
    torch = one_torch_thread()
    torch.manual_seed(0)
    W, b, c = map(torch.from_numpy, (p.machine.W, p.machine.b, p.machine.c))
    Wt, found = W.t().contiguous(), [0.0]
    betas = np.linspace(0, 1, TEMPERATURES + 1).tolist()
    softplus = torch.nn.functional.softplus

    def draw(probability):  # type: ignore[no-untyped-def]
        return (torch.rand_like(probability) < probability).float()

    def run() -> None:
        with torch.inference_mode():
            field = torch.addmm(c, draw(torch.sigmoid(b).expand(CHAINS, -1)), W)
            log_w = torch.zeros(CHAINS, dtype=torch.float64)
            for below, above in pairwise(betas):
                log_w += (softplus(above * field) - softplus(below * field)).sum(1)
                h = draw((above * field).sigmoid_())
                field = torch.addmm(c, draw(torch.addmm(b, h, Wt, alpha=above).sigmoid_()), W)
            base = float(softplus(b.double()).sum()) + len(c) * np.log(2)
            found[0] = float(torch.logsumexp(log_w, 0)) - np.log(CHAINS) + base

    return Runner(run, TEMPERATURES, lambda: {"log Z": found[0]}, note="the same, addmm")


def two_products(p: Problem) -> Runner:
    W = p.machine.W
    rng = np.random.default_rng(0)
    v, h = (aligned(_draw(rng, np.full((CHAINS, n), 0.5, np.float32))) for n in W.shape)
    to_h, to_v = aligned(np.empty_like(h)), aligned(np.empty_like(v))

    def run() -> None:
        for _ in range(TEMPERATURES):
            np.dot(v, W, out=to_h)
            np.dot(h, W.T, out=to_v)

    return Runner(run, TEMPERATURES, floor=True, note="v·W and h·Wᵀ alone, NumPy's OpenBLAS")


CONTESTANTS = [pgmc_, two_products, peer_numpy, peer_torch]


def measure(repetitions: int | None = None) -> Table:
    """Milliseconds a temperature."""
    title = "Annealed importance sampling, 784x500, 100 chains, float32, one thread"
    return compare(title, problem(), CONTESTANTS, step="temperature", repetitions=repetitions)


if __name__ == "__main__":
    print(measure())
