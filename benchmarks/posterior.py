"""Posterior sweeps of a sigmoid belief net: what one flip costs, for 50, 200 and 800 hidden units with 784 children.

    python -m benchmarks.posterior

Hidden units that share children are drawn one after the other. The logits of the children are kept and corrected by
every flip, so that a flip costs the number of children, whatever the size of the layer: two softplus functions each.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.harness import Runner, Table, compare

CHILDREN, CHAINS, SWEEPS = 784, 10, 2
SIZES = (50, 200, 800)


def posterior_of(units: int) -> Callable[[None], Runner]:
    """The contestant with so many hidden units; its step is a flip of one unit of one chain."""

    def measured(_: None) -> Runner:
        import pgmc
        from pgmc.ir.queries import Sweep
        from pgmc.runtime.streams import Stream
        from pgmc_models import sigmoid_belief_net

        program, stream, done = pgmc.compile(sigmoid_belief_net.model(CHILDREN, units)), Stream(0, "benchmark"), [0]
        generator = np.random.default_rng(0)
        params = {
            name: (generator.standard_normal(value.shape) / np.sqrt(units)).astype(np.float32)
            for name, value in program.init().items()
        }
        state = {
            "v": (generator.random((CHAINS, CHILDREN)) < 0.5).astype(np.float32),
            "h": (generator.random((CHAINS, units)) < 0.5).astype(np.float32),
        }

        def run() -> None:
            program.executable.sweep(
                Sweep(("h",)), params, state, stream=stream, first_sweep=done[0], sweeps=SWEEPS, threads=1
            )
            done[0] += SWEEPS

        return Runner(run, CHAINS * SWEEPS * units, lambda: {"on": float(state["h"].mean())}, note=f"{units} units")

    measured.__name__ = f"pgmc_{units}"
    return measured


def measure() -> Table:
    """A row for each size."""
    title = f"posterior of a sigmoid belief net, {CHILDREN} children, {CHAINS} chains"
    return compare(title, None, [*map(posterior_of, SIZES)], step="flip")


def spread(table: Table) -> float:
    """How many times as long a flip takes in the largest layer as in the smallest."""
    return table.ratio(f"pgmc {SIZES[-1]}", f"pgmc {SIZES[0]}")


if __name__ == "__main__":
    table = measure()
    print(table)
    print(f"\na flip among {SIZES[-1]} units over one among {SIZES[0]}: {spread(table):.2f}")
