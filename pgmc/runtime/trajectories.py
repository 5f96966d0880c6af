"""Moves by Hamiltonian Monte Carlo as the reference makes them: leapfrog steps under a potential and its slope.

References
----------
Neal (2011), MCMC using Hamiltonian dynamics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.ir.slice_steps import SMALLEST
from pgmc.ir.trajectory_symbols import DIVERGED
from pgmc.runtime.streams import Words, draw_keys, row_normals, uniforms, unit_words

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]


@dataclass(frozen=True)
class Moved:
    """A variable that is moved: where its units are numbered from, whether by logarithms, and which units stay."""

    name: str
    first_site: int
    logarithmic: bool = False
    kept: Array | None = None


@dataclass(frozen=True)
class Outcome:
    """The states after a move, the probability with which each chain accepted it, and where the error was large."""

    states: Arrays
    probability: Array
    diverged: Array
    error: Array


def draw_momenta(moved: Moved, shape: tuple[int, ...], row: tuple[Words, Words], dtype: str) -> Array:
    """Normal numbers, 0 for units that stay."""
    sites = moved.first_site + np.arange(int(np.prod(shape[1:])))
    drawn = row_normals(draw_keys(row, 1), sites, dtype).reshape(shape)
    return drawn if moved.kept is None else np.where(moved.kept, 0.0, drawn)


def draw_steps(step_size: Array, jitter: float, row: tuple[Words, Words], site: int) -> Array:
    """The size of the steps of each chain in this move."""
    u = uniforms(unit_words(*draw_keys(row, 2), np.array([site])))[:, 0]
    return np.asarray(step_size * (1.0 + jitter * (2.0 * u - 1.0)))


def leapfrog(
    states: Mapping[str, Array],
    momenta: Mapping[str, Array],
    steps: Array,
    leaps: int,
    moved: tuple[Moved, ...],
    slopes: Callable[[Arrays], Arrays],
) -> tuple[Arrays, Arrays]:
    """The states and the momenta after so many steps; positive units move by their logarithms."""
    here, now = dict(states), dict(momenta)
    size = {m.name: steps.reshape(-1, *(1 for _ in states[m.name].shape[1:])) for m in moved}

    def kick(found: Arrays) -> None:
        for m in moved:
            pull = found[m.name] if m.kept is None else np.where(m.kept, 0.0, found[m.name])
            now[m.name] = now[m.name] - size[m.name] / 2.0 * pull

    found = slopes(here)
    for _ in range(leaps):
        kick(found)
        for m in moved:
            step = size[m.name] * now[m.name]
            there = here[m.name] * np.exp(step) if m.logarithmic else here[m.name] + step
            here[m.name] = np.maximum(there, SMALLEST) if m.logarithmic else there
        found = slopes(here)
        kick(found)
    return here, now


def move(
    states: Mapping[str, Array],
    moved: tuple[Moved, ...],
    row: tuple[Words, Words],
    *,
    step_size: Array,
    jitter: float,
    leaps: int,
    dtype: str,
    slopes: Callable[[Arrays], Arrays],
    potential: Callable[[Arrays], Array],
) -> Outcome:
    """One move of every chain."""
    momenta = {m.name: draw_momenta(m, states[m.name].shape, row, dtype) for m in moved}
    site = moved[0].first_site
    with np.errstate(all="ignore"):
        steps = draw_steps(step_size, jitter, row, site)
        there, after = leapfrog(states, momenta, steps, leaps, moved, slopes)
        start = potential(dict(states)) + kinetic(momenta)
        gain = start - potential(there) - kinetic(after)
        probability = np.where(np.isnan(gain), 0.0, np.exp(np.minimum(gain, 0.0)))
        diverged = ~(gain > -DIVERGED)
    u = uniforms(unit_words(*draw_keys(row, 3), np.array([site])))[:, 0]
    accepted = u < probability
    chosen = {
        m.name: np.where(accepted.reshape(-1, *(1 for _ in states[m.name].shape[1:])), there[m.name], states[m.name])
        for m in moved
    }
    return Outcome(chosen, np.where(np.isfinite(start), probability, np.nan), diverged, -gain)


def kinetic(momenta: Mapping[str, Array]) -> Array:
    """Half the squares of the momenta of each chain."""
    return np.asarray(sum((p.reshape(len(p), -1) ** 2).sum(axis=1) / 2.0 for p in momenta.values()))
