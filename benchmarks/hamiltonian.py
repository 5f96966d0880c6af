"""Effective samples a second of CPU time: block Gibbs sampling beside Hamiltonian Monte Carlo on the free energy.

    python -m benchmarks.hamiltonian mcrbm --visible 64

Of 64 chains of a specification with a full precision matrix, at random weights: the first eight visible units and their
squares, the mean of their effective sample sizes. Gibbs sampling factors a matrix for every chain and sweep, a move of
ten steps takes eleven products of matrices for all chains together.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

import pgmc
from pgmc.evaluation.diagnostics import effective_sample_size

CHAINS, WARMUP, SWEEPS = 64, 120, 400


def random_weights(program: Any, visible: int) -> dict[str, Any]:
    """Weights at which hidden units take both values, and precisions differ much between directions."""
    generator = np.random.default_rng(0)
    params = program.init()
    params["W"] = generator.normal(size=params["W"].shape) * 0.3 / np.sqrt(visible)
    params["R"] = generator.normal(size=params["R"].shape) * 2.0 / np.sqrt(visible)
    return params | {name: np.ones_like(params[name]) for name in ("b_c",) if name in params}


def moments(state: Mapping[str, Any]) -> Any:
    """Some units and their squares, ``(chains, 16)``."""
    units = state["x"][:, :8]
    return np.concatenate([units, units**2], axis=1)


def main() -> None:
    """Both samplers, one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specification", choices=["mcrbm", "mpot"])
    parser.add_argument("--visible", type=int, default=64)
    asked = parser.parse_args()
    sizes = asked.visible, asked.visible // 2, asked.visible
    program = pgmc.compile(importlib.import_module(f"pgmc_models.{asked.specification}").model(*sizes))
    params = random_weights(program, asked.visible)
    for name, how in (("Gibbs", {}), ("HMC", {"sampler": pgmc.HMC(steps=10)})):
        warm = program.sample(params, CHAINS, WARMUP, seed=0, threads=1, **how)
        began = time.process_time()
        drawn = program.sample(
            params, CHAINS, SWEEPS, keep=SWEEPS, init=warm.last, observe={"m": moments}, threads=1, **how
        )
        seconds = time.process_time() - began
        size = float(np.mean(effective_sample_size(np.asarray(drawn["m"]))))
        told = "" if drawn.moves is None else f"; {drawn.moves}"
        print(f"{name:5} {size:8.0f} effective samples of {CHAINS * SWEEPS}, {size / seconds:9.0f} a second{told}")


if __name__ == "__main__":
    main()
