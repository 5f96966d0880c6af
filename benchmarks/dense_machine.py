"""Gibbs sampling where every unit meets every other: 1,000 spins or binary units one after the other, float32.

    python -m benchmarks.dense_machine              64 chains of a Boltzmann machine of 1,000 visible units
    python -m benchmarks.dense_machine --hidden     100 chains of one with 784 visible and 500 hidden units

A sweep takes the units in order, each given all those before it. The floor is what fields cost if they need not be
kept up to date: one product of the couplings and the states.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from benchmarks.harness import Runner, Table, aligned, compare

UNITS, CHAINS, SWEEPS = 1000, 64, 20
VISIBLE, HIDDEN, HIDDEN_CHAINS = 784, 500, 100


@dataclass(frozen=True)
class Problem:
    """Couplings, symmetric and without a diagonal, as the energy -xᵀKx / 2 has them, and where the chains start."""

    coupling: np.ndarray
    states: np.ndarray


def symmetric(rng: np.random.Generator, n: int) -> np.ndarray:
    weights = rng.standard_normal((n, n)) / np.sqrt(n)
    weights = (weights + weights.T) / np.sqrt(2)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)


def problem() -> Problem:
    rng = np.random.default_rng(0)
    return Problem(symmetric(rng, UNITS), (rng.random((CHAINS, UNITS)) < 0.5).astype(np.float32))


def sweeper(model, params: dict[str, np.ndarray], state: dict[str, np.ndarray]) -> Runner:  # type: ignore[no-untyped-def]
    """``Executable.sweep`` over all variables of a model."""
    import pgmc
    from pgmc.ir.queries import Sweep
    from pgmc.runtime.streams import Stream

    program, stream, done = pgmc.compile(model), Stream(0, "benchmark"), [0]

    def run() -> None:
        program.executable.sweep(
            Sweep(tuple(state)), params, state, stream=stream, first_sweep=done[0], sweeps=SWEEPS, threads=1
        )
        done[0] += SWEEPS

    return Runner(run, SWEEPS, lambda: {name: float(x.mean()) for name, x in state.items()}, note="Executable.sweep")


def pgmc_(p: Problem) -> Runner:
    import pgmc

    m = pgmc.Model("dense")
    x, K = m.binary("x", UNITS), m.param("K", (UNITS, UNITS), symmetric=True, zero_diagonal=True)
    m.energy(-0.5 * (x @ K @ x))
    return sweeper(m, {"K": p.coupling}, {"x": p.states.copy()})


def peer_numpy(p: Problem) -> Runner:
    rng, x, sweeps = np.random.default_rng(0), p.states.T.copy(), 2

    def run() -> None:
        for _ in range(sweeps):
            uniforms = rng.random(x.shape, dtype=np.float32)
            for i in range(UNITS):
                x[i] = uniforms[i] * (1 + np.exp(-(p.coupling[i] @ x))) < 1

    return Runner(run, sweeps, lambda: {"x": float(x.mean())}, note="a row of the couplings times all chains, per unit")


def peer_numpy_fields(p: Problem) -> Runner:
    rng, x, sweeps = np.random.default_rng(0), p.states.T.copy(), 2

    def run() -> None:
        for _ in range(sweeps):
            fields, uniforms = p.coupling @ x, rng.random(x.shape, dtype=np.float32)
            for i in range(UNITS):
                new = uniforms[i] * (1 + np.exp(-fields[i])) < 1
                fields += p.coupling[i, :, None] * (new - x[i])
                x[i] = new

    return Runner(run, sweeps, lambda: {"x": float(x.mean())}, note="fields of all units corrected after every unit")


def peer_jax(p: Problem) -> Runner:
    import jax

    K, start = jax.numpy.asarray(p.coupling), jax.numpy.asarray(p.states.T)

    @jax.jit
    def sweeps(key, x):  # type: ignore[no-untyped-def]
        def sweep(x, key):  # type: ignore[no-untyped-def]
            uniforms = jax.random.uniform(key, x.shape)

            def unit(i, x):  # type: ignore[no-untyped-def]
                return x.at[i].set((uniforms[i] < jax.nn.sigmoid(K[i] @ x)).astype(x.dtype))

            return jax.lax.fori_loop(0, UNITS, unit, x), None

        return jax.lax.scan(sweep, x, jax.random.split(key, SWEEPS))[0]

    state = {"key": jax.random.key(0), "x": start}

    def run() -> None:
        state["key"], key = jax.random.split(state["key"])
        state["x"] = jax.block_until_ready(sweeps(key, state["x"]))

    return Runner(run, SWEEPS, lambda: {"x": float(state["x"].mean())}, note="jit, fori_loop over units")


def one_product(p: Problem) -> Runner:
    x, K = aligned(p.states), aligned(p.coupling)
    out = aligned(np.empty_like(x))

    def run() -> None:
        for _ in range(SWEEPS):
            np.dot(x, K, out=out)

    return Runner(run, SWEEPS, floor=True, note="x·K alone, NumPy's OpenBLAS")


def measure(repetitions: int | None = None) -> Table:
    """Milliseconds a sweep, one layer."""
    title = f"Dense Boltzmann machine, {UNITS} units, {CHAINS} chains, float32, one thread"
    contestants = [pgmc_, one_product, peer_numpy, peer_numpy_fields, peer_jax]
    return compare(title, problem(), contestants, step="sweep", repetitions=repetitions)


@dataclass(frozen=True)
class TwoLayers:
    """Couplings within both layers and between them."""

    R: np.ndarray
    S: np.ndarray
    W: np.ndarray
    v: np.ndarray
    h: np.ndarray


def two_layers() -> TwoLayers:
    rng = np.random.default_rng(0)
    W = (0.01 * rng.standard_normal((VISIBLE, HIDDEN))).astype(np.float32)
    v, h = ((rng.random((HIDDEN_CHAINS, n)) < 0.5).astype(np.float32) for n in W.shape)
    return TwoLayers(symmetric(rng, VISIBLE) / 2, symmetric(rng, HIDDEN) / 2, W, v, h)


def pgmc_two_layers(p: TwoLayers) -> Runner:
    from models.boltzmann_machine import model

    params = {"R": p.R, "S": p.S, "W": p.W, "b": np.zeros(VISIBLE, np.float32), "c": np.zeros(HIDDEN, np.float32)}
    return sweeper(model(VISIBLE, HIDDEN), params, {"v": p.v.copy(), "h": p.h.copy()})


def four_products(p: TwoLayers) -> Runner:
    R, S, W, v, h = map(aligned, (p.R, p.S, p.W, p.v, p.h))
    to_v, to_h = aligned(np.empty_like(v)), aligned(np.empty_like(h))

    def run() -> None:
        for _ in range(SWEEPS):
            np.dot(v, W, out=to_h)
            np.dot(h, S, out=to_h)
            np.dot(h, W.T, out=to_v)
            np.dot(v, R, out=to_v)

    return Runner(run, SWEEPS, floor=True, note="v·W, h·S, h·Wᵀ and v·R alone, NumPy's OpenBLAS")


def peer_numpy_two_layers(p: TwoLayers) -> Runner:
    rng, v, h, sweeps = np.random.default_rng(0), p.v.T.copy(), p.h.T.copy(), 1

    def draw(x: np.ndarray, coupling: np.ndarray, field: np.ndarray) -> None:
        uniforms = rng.random(x.shape, dtype=np.float32)
        for i in range(len(x)):
            x[i] = uniforms[i] * (1 + np.exp(-(coupling[i] @ x) - field[i])) < 1

    def run() -> None:
        for _ in range(sweeps):
            draw(h, 2 * p.S, p.W.T @ v)
            draw(v, 2 * p.R, p.W @ h)

    return Runner(run, sweeps, lambda: {"v": float(v.mean()), "h": float(h.mean())}, note="as above, layer by layer")


def measure_two_layers(repetitions: int | None = None) -> Table:
    """Milliseconds a sweep, two layers."""
    title = f"Boltzmann machine, {VISIBLE} visible and {HIDDEN} hidden units, {HIDDEN_CHAINS} chains, one thread"
    contestants = [pgmc_two_layers, four_products, peer_numpy_two_layers]
    table = compare(title, two_layers(), contestants, step="sweep", repetitions=repetitions)
    for row in table.rows:
        row.name = row.name.removesuffix(" two layers")
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", action="store_true", help="with hidden units")
    print(measure_two_layers() if parser.parse_args().hidden else measure())
