"""One epoch of training, 5,000 digits of MNIST, 500 hidden units, batches of 100, 100 chains, plain gradient steps.

python -m benchmarks.training           CD-1 and PCD-1
python -m benchmarks.training --profile where the time of a PCD-1 epoch goes
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks.harness import Runner, Table, aligned, compare, one_torch_thread
from benchmarks.problems import HIDDEN, VISIBLE, Machine, declare, digits

Mode = Literal["cd", "pcd"]
BATCH, RATE, EPOCHS = 100, 0.05, 2


@dataclass(frozen=True)
class Problem:
    """The digits, where training starts, and which algorithm."""

    digits: np.ndarray
    machine: Machine
    mode: Mode


def problem(mode: Mode) -> Problem:
    weights = (0.01 * np.random.default_rng(0).standard_normal((VISIBLE, HIDDEN))).astype(np.float32)
    zeros = (np.zeros(n, np.float32) for n in (VISIBLE, HIDDEN))
    return Problem(digits(), Machine(weights, *zeros), mode)


def reconstruction(p: Problem, W: np.ndarray, b: np.ndarray, c: np.ndarray) -> dict[str, float]:
    """The mean square error of one mean-field pass up and down: it must agree between the contestants."""
    hidden = 1 / (1 + np.exp(-(p.digits @ W + c)))
    visible = 1 / (1 + np.exp(-(hidden @ W.T + b)))
    return {"mse": float(((p.digits - visible) ** 2).mean())}


def pgmc_(p: Problem) -> Runner:
    import pgmc

    model, trained = declare(), dict(p.machine.params)
    objective = pgmc.CD(1) if p.mode == "cd" else pgmc.PCD(1, chains=BATCH)

    def run() -> None:
        fit = pgmc.fit(
            model,
            {"v": p.digits},
            objective,
            pgmc.SGD(RATE),
            epochs=EPOCHS,
            batch_size=BATCH,
            params=trained,
            progress=False,
            threads=1,
        )
        trained.update(fit.params)

    return Runner(run, EPOCHS, lambda: reconstruction(p, **trained), note="pgmc.fit, checks of data included")


def peer_numpy(p: Problem) -> Runner:
    from scipy.special import expit

    rng, (W, b, c) = np.random.default_rng(0), (a.copy() for a in p.machine.params.values())
    chain = [p.digits[:BATCH]]
    step = np.float32(RATE / BATCH)

    def draw(probability: np.ndarray) -> np.ndarray:
        return (rng.random(probability.shape, dtype=np.float32) < probability).astype(np.float32)

    def run() -> None:
        order = rng.permutation(len(p.digits))
        for first in range(0, len(order), BATCH):
            v = p.digits[order[first : first + BATCH]]
            up = expit(v @ W + c)
            h = draw(up) if p.mode == "cd" else draw(expit(chain[0] @ W + c))
            chain[0] = draw(expit(h @ W.T + b))
            model_up = expit(chain[0] @ W + c)
            W[...] += step * (v.T @ up - chain[0].T @ model_up)
            b[...] += step * (v - chain[0]).sum(0)
            c[...] += step * (up - model_up).sum(0)

    return Runner(run, check=lambda: reconstruction(p, W, b, c), note="OpenBLAS, scipy's expit, PCG64 float32")


def peer_torch(p: Problem) -> Runner:
    torch = one_torch_thread()
    torch.manual_seed(0)
    X = torch.from_numpy(p.digits)
    W, b, c = (torch.from_numpy(a.copy()) for a in p.machine.params.values())
    chain, step = [X[:BATCH]], RATE / BATCH

    def draw(probability):  # type: ignore[no-untyped-def]
        return (torch.rand_like(probability) < probability).float()

    def run() -> None:
        with torch.inference_mode():
            for v in X[torch.randperm(len(X))].split(BATCH):
                up = torch.addmm(c, v, W).sigmoid_()
                h = draw(up) if p.mode == "cd" else draw(torch.addmm(c, chain[0], W).sigmoid_())
                chain[0] = draw(torch.addmm(b, h, W.t()).sigmoid_())
                model_up = torch.addmm(c, chain[0], W).sigmoid_()
                W.addmm_(v.t(), up, alpha=step).addmm_(chain[0].t(), model_up, alpha=-step)
                b.add_((v - chain[0]).sum(0), alpha=step)
                c.add_((up - model_up).sum(0), alpha=step)

    return Runner(run, check=lambda: reconstruction(p, W.numpy(), b.numpy(), c.numpy()), note="addmm_ in place")


def peer_scikit_learn(p: Problem) -> Runner:
    from sklearn.neural_network import BernoulliRBM

    if p.mode == "cd":
        raise ImportError("scikit-learn has PCD only", name="scikit-learn (PCD only)")
    fitted: list[BernoulliRBM] = []

    def run() -> None:
        rbm = BernoulliRBM(n_components=HIDDEN, learning_rate=RATE, batch_size=BATCH, n_iter=1, random_state=0)
        fitted[:] = [rbm.fit(p.digits)]

    return Runner(run, note="BernoulliRBM.fit(n_iter=1)")


def products(p: Problem) -> Runner:
    W, h = p.machine.W, aligned(p.digits[:BATCH, :HIDDEN])
    to_h, to_v = aligned(np.empty((BATCH, HIDDEN), np.float32)), aligned(np.empty((BATCH, VISIBLE), np.float32))
    to_W, v = aligned(np.empty_like(W)), aligned(p.digits[:BATCH])

    def run() -> None:
        for first in range(0, len(p.digits), BATCH):
            batch = p.digits[first : first + BATCH]
            np.dot(batch, W, out=to_h)
            np.dot(h, W.T, out=to_v)
            np.dot(v, W, out=to_h)
            if p.mode == "pcd":
                np.dot(v, W, out=to_h)
            np.dot(batch.T, h, out=to_W)
            np.dot(v.T, h, out=to_W)

    count = "5" if p.mode == "cd" else "6"
    return Runner(run, floor=True, note=f"the {count} products of each batch alone, NumPy's OpenBLAS")


CONTESTANTS: list[Callable[[Problem], Runner]] = [pgmc_, products, peer_numpy, peer_torch, peer_scikit_learn]


def measure(mode: Mode, repetitions: int | None = None) -> Table:
    """An epoch of CD-1 or of PCD-1."""
    title = f"{mode.upper()}-1, 784x500, one epoch of 5,000 digits in batches of {BATCH}, one thread"
    return compare(title, problem(mode), CONTESTANTS, step="epoch", repetitions=repetitions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", action="store_true")
    if parser.parse_args().profile:
        import cProfile
        import pstats

        run = pgmc_(problem("pcd")).run
        run()
        with cProfile.Profile() as profile:
            run()
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    for mode in ("cd", "pcd"):
        print(measure(mode), end="\n\n")


if __name__ == "__main__":
    main()
