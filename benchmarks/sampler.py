"""The fused sampler: units drawn from their fields, sigmoid, random bits and comparison in one pass, float32.

    python -m benchmarks.sampler

The model is 784 units that see nothing but a field each, so that its sweep is the sampler and nothing else.
"""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Runner, Table, compare, one_torch_thread

CHAINS, UNITS, SWEEPS = 64, 784, 100  # fields and states stay in the second-level cache
DRAWS = CHAINS * UNITS


def problem() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(CHAINS, UNITS)).astype(np.float32)


def pgmc_(field: np.ndarray) -> Runner:
    import pgmc
    from pgmc.ir.queries import Sweep
    from pgmc.runtime.streams import Stream

    m = pgmc.Model("fields")
    x, h = m.input("x", UNITS), m.binary("h", UNITS)
    m.energy(-(x @ h))
    executable = pgmc.compile(m).executable
    state, stream, done = {"h": np.zeros_like(field), "x": field}, Stream(0, "benchmark"), [0]

    def run() -> None:
        executable.sweep(
            Sweep(("h",)), {}, state, stream=stream, first_sweep=done[0], sweeps=SWEEPS, threads=1
        )  # fmt: skip
        done[0] += SWEEPS

    return Runner(run, SWEEPS, lambda: {"on": float(state["h"].mean())}, note="Executable.sweep")


def peer_numpy(field: np.ndarray) -> Runner:
    from scipy.special import expit

    rng, out = np.random.default_rng(0), [field]

    def run() -> None:
        out[0] = (rng.random(field.shape, dtype=np.float32) < expit(field)).astype(np.float32)

    return Runner(run, 1, lambda: {"on": float(out[0].mean())}, note="PCG64 float32 < scipy's expit")


def peer_torch(field: np.ndarray) -> Runner:
    torch = one_torch_thread()
    x, out = torch.from_numpy(field), [torch.from_numpy(field)]

    def run() -> None:
        out[0] = (torch.rand_like(x) < torch.sigmoid(x)).float()

    return Runner(run, 1, lambda: {"on": float(out[0].mean())}, note="rand_like < sigmoid")


CONTESTANTS = [pgmc_, peer_numpy, peer_torch]


def measure(repetitions: int | None = None) -> Table:
    """Milliseconds for all draws of one sweep."""
    title = f"Fused sigmoid and Bernoulli draw, {DRAWS} units, float32, one thread"
    return compare(title, problem(), CONTESTANTS, step="sweep", repetitions=repetitions)


def nanoseconds(table: Table, name: str = "pgmc") -> float:
    """A table's time per unit."""
    return table.row(name).ms * 1e6 / DRAWS


if __name__ == "__main__":
    measured = measure()
    print(measured)
    for row in measured.rows:
        print(f"{row.name}: {nanoseconds(measured, row.name):.3f} ns an element")
