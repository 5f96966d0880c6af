"""Heat-bath updates of the Ising model on a periodic square of 1024 x 1024 spins at temperature 2.3, one chain.

    python -m benchmarks.lattice

The floor is the random bits alone: 32 for each spin, by the generator that the kernels draw from. The energy per site
is that of an infinite lattice, -1.3498 (Onsager), for contestants that have run long enough.
"""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Runner, Table, compare, one_torch_thread
from benchmarks.problems import declare_ising

SIDE, TEMPERATURE, SWEEPS = 1024, 2.3, 10
FLIPS = SIDE * SIDE


def problem() -> np.ndarray:
    """All spins up: near equilibrium at this temperature."""
    return np.ones((SIDE, SIDE), np.float32)


def energy(s: np.ndarray) -> dict[str, float]:
    wide = np.asarray(s, np.float64)
    return {"energy": float(-(wide * (np.roll(wide, 1, 0) + np.roll(wide, 1, 1))).mean())}


def pgmc_(start: np.ndarray) -> Runner:
    import pgmc
    from pgmc.ir.queries import Sweep
    from pgmc.runtime.streams import Stream

    executable = pgmc.compile(declare_ising(SIDE)).executable
    state, stream, done = {"s": start[None].copy()}, Stream(0, "benchmark"), [0]
    params = {"J": np.array(1 / TEMPERATURE, np.float32)}

    def run() -> None:
        executable.sweep(
            Sweep(("s",)), params, state, stream=stream, first_sweep=done[0], sweeps=SWEEPS, threads=1
        )  # fmt: skip
        done[0] += SWEEPS

    return Runner(run, SWEEPS, lambda: energy(state["s"][0]), note="Executable.sweep")


def random_bits(start: np.ndarray) -> Runner:
    from numba import njit

    @njit("void(uint64[::1], uint64)")
    def fill(words, key):  # type: ignore[no-untyped-def]
        for k in range(len(words)):
            z = key + np.uint64(k) * np.uint64(0x9E3779B97F4A7C15)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            words[k] = z ^ (z >> np.uint64(31))

    words = np.empty(SIDE // 2, np.uint64)  # of one row, which stay in the first-level cache

    def run() -> None:
        for sweep in range(SWEEPS):
            for row in range(SIDE):
                fill(words, np.uint64(sweep * SIDE + row))

    return Runner(run, SWEEPS, floor=True, note="splitmix64, two spins a word")


def peer_numpy(start: np.ndarray) -> Runner:
    rng, s = np.random.default_rng(0), start.copy()
    colour = np.add.outer(np.arange(SIDE), np.arange(SIDE)) % 2
    table = (1 / (1 + np.exp(-2 * np.arange(-4, 5) / TEMPERATURE))).astype(np.float32)

    def run() -> None:
        for k in (0, 1):
            field = np.roll(s, 1, 0) + np.roll(s, -1, 0) + np.roll(s, 1, 1) + np.roll(s, -1, 1)
            up = rng.random(s.shape, dtype=np.float32) < table[field.astype(np.int8) + 4]
            np.copyto(s, np.where(up, np.float32(1), np.float32(-1)), where=colour == k)

    return Runner(run, 1, lambda: energy(s), note="both halves of the board computed, one kept")


def peer_numba(start: np.ndarray) -> Runner:
    from numba import njit

    @njit
    def sweeps(s, count, probability):  # type: ignore[no-untyped-def]
        n = len(s)
        for _ in range(count):
            for colour in range(2):
                for i in range(n):
                    for j in range((i + colour) & 1, n, 2):
                        field = s[(i + 1) % n, j] + s[i - 1, j] + s[i, (j + 1) % n] + s[i, j - 1]
                        s[i, j] = 1 if np.random.random() < probability[(field + 4) >> 1] else -1  # noqa: NPY002

    s, probability = start.astype(np.int8), 1 / (1 + np.exp(-2 * np.arange(-4, 5, 2) / TEMPERATURE))
    return Runner(lambda: sweeps(s, 2, probability), 2, lambda: energy(s), note="the plain loop, Mersenne twister")


def peer_torch(start: np.ndarray) -> Runner:
    torch = one_torch_thread()
    torch.manual_seed(0)
    s = torch.from_numpy(start.copy())
    colour = torch.from_numpy(np.add.outer(np.arange(SIDE), np.arange(SIDE)) % 2 == 1)

    def run() -> None:
        with torch.inference_mode():
            for chosen in (colour, ~colour):
                field = s.roll(1, 0) + s.roll(-1, 0) + s.roll(1, 1) + s.roll(-1, 1)
                up = torch.rand_like(s) < torch.sigmoid(field * (2 / TEMPERATURE))
                s.copy_(torch.where(chosen, up.to(s.dtype) * 2 - 1, s))

    return Runner(run, 1, lambda: energy(s.numpy()), note="roll, both halves of the board computed")


CONTESTANTS = [pgmc_, random_bits, peer_numpy, peer_numba, peer_torch]


def measure(repetitions: int | None = None) -> Table:
    """Milliseconds of a sweep, an update of every spin."""
    title = f"Ising model, {SIDE}x{SIDE} spins, heat bath, one chain, one thread"
    return compare(title, problem(), CONTESTANTS, step="sweep", repetitions=repetitions)


def flips(table: Table, name: str = "pgmc") -> float:
    """Updates of a spin in a nanosecond."""
    return FLIPS / (table.row(name).ms * 1e6)


if __name__ == "__main__":
    measured = measure()
    print(measured)
    for row in measured.rows:
        print(f"{row.name}: {flips(measured, row.name):.3f} flips/ns")
