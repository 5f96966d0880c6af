"""Rows of units of one colour: dealing, which updates take rows, and mistakes that the transition matrix must show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pgmc
from cases import Case, build_case
from pgmc.codegen.prelude import IMPORTS, prelude
from pgmc.compiler import Compiler
from pgmc.ir.queries import Sweep
from transitions import faults, transitions, units_of_blocks


@pytest.mark.parametrize("step", [1, 2, 3, 5])
@pytest.mark.parametrize("length", [1, 2, 3, 8, 13])
def test_what_is_dealt_is_collected(length: int, step: int) -> None:
    space: dict[str, Any] = {}
    text = IMPORTS + prelude(["deal", "collect"], "float32")
    exec(compile(text.replace("from numba import njit", "njit = lambda **_: lambda f: f"), "text", "exec"), space)  # noqa: S102
    row, hands = np.arange(length), np.full((step, -(-length // step)), -1)
    space["deal"](row, hands)
    for j in range(step):
        assert list(hands[j][hands[j] >= 0]) == list(range(j, length, step))
    again = np.zeros_like(row)
    space["collect"](hands, again)
    assert np.array_equal(again, row)


def ring(m: pgmc.Model) -> Any:
    s, J, b = m.spin("s", 6, boundary="periodic"), m.param("J", 6), m.param("b", 6)
    x = pgmc.indices("x")
    m.energy(-J[x] * s[x] * s[x + 1] - b[x] * s[x])
    return {
        "s": ((6,), (-1, 1))
    }, lambda x, t: -np.einsum("x,nx,nx->n", t["J"], x["s"], np.roll(x["s"], -1, 1)) - x["s"] @ t["b"]


def source(compiler: Compiler, *masked: str) -> str:
    return compiler.stages(Sweep(("s",), masked=masked)).module.source


def test_clamped_units_are_drawn_one_by_one() -> None:
    compiler = build_case(ring).compiler
    assert "deal(" in source(compiler)
    assert "deal(" not in source(compiler, "s")


MISTAKES = {
    "the seam is forgotten": ("wrap(x + 1, n_s)", "min(x + 1, n_s - 1)"),
    "the neighbour on the wrong side": ("s[n, x - 1]", "s[n, x + 1]"),
    "the wrong hand": ("row[first, k] =", "row[1 - first, k] ="),
    "the logits of the next unit": ("draw_spin(dealt[first, k]", "draw_spin(dealt[first, k - 1]"),
    "one logit is left out": ("range(1, n_s - 1)", "range(2, n_s - 1)"),
    "the row is not put back": ("collect(row, s[n])", "pass"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_found(mistake: str) -> None:
    case: Case = build_case(ring)
    query, (old, new) = Sweep(("s",)), MISTAKES[mistake]

    def found(edit: Any) -> set[str]:
        seen = transitions(case.compiler, query, case.exact, case.params, edit=edit)
        return faults(seen, case.exact, units_of_blocks(case.compiler, query, case.exact))

    assert found(lambda text: text) == set()
    assert old in source(case.compiler)
    assert "joint law" in found(lambda text: text.replace(old, new))
