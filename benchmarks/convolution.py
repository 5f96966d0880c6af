"""A convolutional restricted Boltzmann machine: 28x28 images, 40 filters of 9x9, pooled by 2x2, 100 chains, float32.

    python -m benchmarks.convolution               Gibbs sampling
    python -m benchmarks.convolution --gradient    the gradient of the energy in the filters

Both ways a convolution is a product of matrices: the windows of the image times the filters, and the maps times the
filters, whose windows are then laid over one another. The floor is these products alone.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from benchmarks.harness import Runner, Table, aligned, compare

SIDE, MAPS, WIDTH, POOL, CHAINS, SWEEPS = 28, 40, 9, 2, 100, 2
PLACES = SIDE - WIDTH + 1


@dataclass(frozen=True)
class Problem:
    """The filters, and where the chains start."""

    filters: np.ndarray
    images: np.ndarray


def problem() -> Problem:
    rng = np.random.default_rng(0)
    filters = 0.05 * rng.standard_normal((MAPS, WIDTH, WIDTH))
    images = rng.random((CHAINS, SIDE, SIDE)) < 0.3
    return Problem(filters.astype(np.float32), images.astype(np.float32))


def pgmc_(p: Problem) -> Runner:
    import pgmc
    from models.convolutional_rbm import model
    from pgmc.ir.queries import Sweep
    from pgmc.runtime.streams import Stream

    program, done = pgmc.compile(model(SIDE, MAPS, WIDTH, POOL)), [0]
    params = {"K": p.filters, "c": np.full(MAPS, -2, np.float32), "d": np.zeros((), np.float32)}
    state = {"v": p.images.copy(), "h": np.zeros((CHAINS, MAPS, PLACES, PLACES), np.float32)}

    def run() -> None:
        program.executable.sweep(
            Sweep(("v", "h")),
            params,
            state,
            stream=Stream(0, "benchmark"),
            first_sweep=done[0],
            sweeps=SWEEPS,
            threads=1,
        )
        done[0] += SWEEPS

    return Runner(run, SWEEPS, lambda: {name: float(x.mean()) for name, x in state.items()}, note="Executable.sweep")


def windows(images: np.ndarray) -> np.ndarray:
    """The windows of all images, ``(chains, places, places, width, width)``."""
    return np.lib.stride_tricks.sliding_window_view(images, (WIDTH, WIDTH), axis=(1, 2))


def overlaid(patches: np.ndarray) -> np.ndarray:
    """Windows added where they overlap, ``(chains, side, side)``."""
    total = np.zeros((len(patches), SIDE, SIDE), np.float32)
    for a in range(WIDTH):
        for b in range(WIDTH):
            total[:, a : a + PLACES, b : b + PLACES] += patches[..., a, b]
    return total


def peer_numpy(p: Problem) -> Runner:
    rng, filters = np.random.default_rng(0), p.filters.reshape(MAPS, -1)
    state = {"v": p.images.copy(), "h": np.zeros((CHAINS, PLACES, PLACES, MAPS), np.float32)}
    blocks = (CHAINS, PLACES // POOL, POOL, PLACES // POOL, POOL, MAPS)

    def run() -> None:
        for _ in range(SWEEPS):
            patches = state["h"].reshape(-1, MAPS) @ filters
            field = overlaid(patches.reshape(CHAINS, PLACES, PLACES, WIDTH, WIDTH))
            state["v"] = (rng.random(field.shape, dtype=np.float32) * (1 + np.exp(-field)) < 1).astype(np.float32)
            inputs = windows(state["v"]).reshape(-1, WIDTH * WIDTH) @ filters.T - 2
            odds = np.exp(inputs).reshape(blocks).transpose(0, 1, 3, 5, 2, 4).reshape(-1, POOL * POOL)
            running = np.cumsum(odds, axis=1)
            chosen = rng.random((len(odds), 1), dtype=np.float32) * (1 + running[:, -1:])
            below = np.concatenate([np.zeros_like(running[:, :1]), running[:, :-1]], axis=1)
            on = ((chosen >= below) & (chosen < running)).astype(np.float32)
            shape = (CHAINS, PLACES // POOL, PLACES // POOL, MAPS, POOL, POOL)
            state["h"] = on.reshape(shape).transpose(0, 1, 4, 2, 5, 3).reshape(CHAINS, PLACES, PLACES, MAPS)

    return Runner(
        run, SWEEPS, lambda: {name: float(x.mean()) for name, x in state.items()}, note="windows, matmul, cumsum"
    )


def two_products(p: Problem) -> Runner:
    filters, patches = aligned(p.filters.reshape(MAPS, -1)), aligned(windows(p.images).reshape(-1, WIDTH * WIDTH))
    maps = aligned(np.zeros((len(patches), MAPS), np.float32))
    back = aligned(np.empty_like(patches))

    def run() -> None:
        for _ in range(SWEEPS):
            np.dot(patches, filters.T, out=maps)
            np.dot(maps, filters, out=back)

    return Runner(run, SWEEPS, floor=True, note="windows·Kᵀ and maps·K alone, NumPy's OpenBLAS")


def measure(repetitions: int | None = None) -> Table:
    """Milliseconds a sweep."""
    title = f"Convolutional machine, {SIDE}x{SIDE}, {MAPS} filters of {WIDTH}x{WIDTH}, {CHAINS} chains, one thread"
    return compare(title, problem(), [pgmc_, two_products, peer_numpy], step="sweep", repetitions=repetitions)


# ---- the gradient --------------------------------------------------------------------------------------------------


def pgmc_gradient(p: Problem) -> Runner:
    import pgmc
    from models.convolutional_rbm import model
    from pgmc.ir.queries import Energy, Gradient

    program = pgmc.compile(model(SIDE, MAPS, WIDTH, POOL))
    params = {"K": p.filters, "c": np.zeros(MAPS, np.float32), "d": np.zeros((), np.float32)}
    state, share = {"v": p.images, "h": _some_maps()}, np.full(CHAINS, 1 / CHAINS, np.float32)
    found: dict[str, np.ndarray] = {}

    def run() -> None:
        found.update(program.executable.evaluate(Gradient(Energy(), ("K",)), params, state, weights=share, threads=1))

    return Runner(run, 1, lambda: {"K": float(found["K"].mean())}, note="Executable.evaluate")


def peer_numpy_gradient(p: Problem) -> Runner:
    maps, found = _some_maps(), {}

    def run() -> None:
        rows = maps.transpose(1, 0, 2, 3).reshape(MAPS, -1)
        found["K"] = -(rows @ windows(p.images).reshape(-1, WIDTH * WIDTH)) / CHAINS

    return Runner(run, 1, lambda: {"K": float(found["K"].mean())}, note="windows, matmul")


def one_product(p: Problem) -> Runner:
    patches = aligned(windows(p.images).reshape(-1, WIDTH * WIDTH))
    maps, out = aligned(_some_maps().transpose(1, 0, 2, 3).reshape(MAPS, -1)), np.empty((MAPS, WIDTH**2), np.float32)
    return Runner(lambda: np.dot(maps, patches, out=out), 1, floor=True, note="mapsᵀ·windows alone, NumPy's OpenBLAS")


def _some_maps() -> np.ndarray:
    rng = np.random.default_rng(1)
    maps = np.zeros((CHAINS, MAPS, PLACES, PLACES), np.float32)
    maps[:, :, ::POOL, ::POOL] = rng.random((CHAINS, MAPS, PLACES // POOL, PLACES // POOL)) < 0.3
    return maps


def measure_gradient(repetitions: int | None = None) -> Table:
    """Milliseconds a gradient."""
    title = f"Gradient in {MAPS} filters of {WIDTH}x{WIDTH}, {CHAINS} images of {SIDE}x{SIDE}, one thread"
    contestants = [pgmc_gradient, one_product, peer_numpy_gradient]
    table = compare(title, problem(), contestants, step="gradient", repetitions=repetitions)
    for row in table.rows:
        row.name = row.name.removesuffix(" gradient")
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gradient", action="store_true", help="the gradient in the filters")
    print(measure_gradient() if parser.parse_args().gradient else measure())
