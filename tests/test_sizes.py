"""Sizes never enter the symbolic work: what is derived and generated, and the steps it takes, are the same for all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pgmc

ROOT = Path(pgmc.__file__).parent
SIZES = (100, 10_000, 1_000_000)


def layered(units: int) -> pgmc.Model:
    m, third = pgmc.Model("layered"), units // 3
    v, h, g = m.binary("v", third), m.spin("h", third), m.categorical("g", units - 2 * third, states=3)
    W, U, b = m.param("W", (third, third)), m.param("U", (third, units - 2 * third, 3)), m.param("b", third)
    m.energy(-(v @ W @ h) - pgmc.einsum("i,jk,ijk->", h, g, U) - b @ v)
    return m


def lattice(units: int) -> pgmc.Model:
    m, side = pgmc.Model("lattice"), round(units**0.5)
    s = m.spin("s", (side, side), boundary="periodic")
    J, f = m.param("J"), m.param("f", (side, side))
    x, y = pgmc.indices("x y")
    m.energy(-J * s[x, y] * s[x + 1, y] - J * s[x, y] * s[x, y + 1] - f[x, y] * s[x, y])
    return m


def odd_lattice(units: int) -> pgmc.Model:
    """A third colour is data, found by looking at every unit; it is no part of what is derived."""
    m, side = pgmc.Model("odd_lattice"), round(units**0.5) + 1
    s, J = m.spin("s", (side, side), boundary="periodic"), m.param("J")
    x, y = pgmc.indices("x y")
    m.energy(-J * s[x, y] * s[x + 1, y] - J * s[x, y] * s[x, y + 1])
    return m


def edges(units: int) -> pgmc.Model:
    """A ring with chords, as a list of pairs."""
    m, k = pgmc.Model("edges"), np.arange(units)
    pairs = np.concatenate([np.stack([k, (k + step) % units], axis=1) for step in (1, 7)])
    s, (e, a, b) = m.spin("s", units), m.edges(pairs)
    m.energy(-m.param("J", len(pairs))[e] * s[a] * s[b])
    return m


def dense(units: int) -> pgmc.Model:
    m = pgmc.Model("dense")
    s = m.binary("s", units)
    m.energy(-(s @ m.param("J", (units, units), symmetric=True, zero_diagonal=True) @ s))
    return m


def count_calls(work: Callable[[], Any]) -> tuple[Any, int]:
    """What it returns, and how many of pgmc's own functions were called."""
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        if event == "call" and frame.f_code.co_filename.startswith(str(ROOT)):
            calls += 1

    sys.setprofile(count)
    try:
        return work(), calls
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("declare", [layered, lattice, odd_lattice, edges, dense], ids=lambda declare: declare.__name__)
def test_ten_units_cost_what_a_million_do(declare: Callable[[int], pgmc.Model]) -> None:
    """The canonical text, which names cached kernels, all sources, and the number of calls that lead to them."""

    def derive(units: int) -> tuple[str, str, str]:
        program = pgmc.compile(declare(units))
        return program.compiler._text, program.source(), program.structure

    derive(SIZES[0])  # imports, and what is remembered from call to call
    answers, calls = zip(*(count_calls(lambda units=units: derive(units)) for units in SIZES), strict=True)
    assert answers[0] == answers[1] == answers[2]
    assert calls[0] == calls[1] == calls[2]


def test_what_no_machine_holds_is_refused_before_anything_is_allocated() -> None:
    """The message says how many bytes it would take."""
    with pytest.raises(pgmc.ModelError, match=r"parameter 'J': the shape \(10000000, 10000000\) needs 4(0){14} bytes"):
        dense(10**7)
    with pytest.raises(pgmc.ModelError, match=r"parameter 'J': the parameters need 4(0){12} bytes so far"):
        pgmc.compile(dense(10**6)).init()
    wide = pgmc.compile(lattice(10**6))
    with pytest.raises(pgmc.ArgumentError, match=r"lattice: the states of chains=10000000 need 5(0){13} bytes"):
        wide.sample(wide.init(), chains=10**7)
