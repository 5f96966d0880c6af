"""Which sums an energy has, and the two kinds of missing sums that are refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import pgmc
from pgmc.ir.check import check_model

i, j, k = pgmc.indices("i j k")

Make = Callable[..., Any]


def declare() -> tuple[pgmc.Model, tuple[Any, ...]]:
    m = pgmc.Model("m")
    handles = (
        m.binary("v", 4),
        m.binary("h", 3),
        m.param("W", (4, 3)),
        m.param("b", 4),
        m.param("c", 3),
        m.param("J"),
        m.input("s", 4),
    )
    return m, handles


def energy(make: Make) -> str:
    m, handles = declare()
    m.energy(make(*handles))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = m.build()
    check_model(model)
    return str(model).partition(" = ")[2]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda v, h, W, b, c, J, s: -v[i] * W[i, j] * h[j], "-Σ_ij W[i,j]·v[i]·h[j]"),
        (lambda v, h, W, b, c, J, s: v[0] * W[0, j] * h[j], "Σ_j W[0,j]·v[0]·h[j]"),
        (lambda v, h, W, b, c, J, s: v[0] * J, "J·v[0]"),
        # the same letter over different sizes, in different summands
        (lambda v, h, W, b, c, J, s: b[i] * v[i] + c[i] * h[i], "Σ_i b[i]·v[i] + Σ_i c[i]·h[i]"),
        (lambda v, h, W, b, c, J, s: -(b[i] * v[i] + c[i] * h[i]), "-Σ_i b[i]·v[i] - Σ_i c[i]·h[i]"),
        (lambda v, h, W, b, c, J, s: 2 * (b[i] * v[i] - c[i] * h[i]), "2·Σ_i b[i]·v[i] - 2·Σ_i c[i]·h[i]"),
        (lambda v, h, W, b, c, J, s: 0.5 * -(b[i] * v[i] + c[i] * h[i]) / 2, None),
        (lambda v, h, W, b, c, J, s: (b[i] * v[i] + c[i] * h[i]) / 2.5, None),
        # products are summed as wholes
        (lambda v, h, W, b, c, J, s: v[i] * (b[i] + s[i]), "Σ_i v[i]·(b[i] + s[i])"),
        (lambda v, h, W, b, c, J, s: v[i] * (b[i] + 1), "Σ_i v[i]·(1 + b[i])"),
        (lambda v, h, W, b, c, J, s: (v[i] + 1) * (s[i] + 1), None),
        (lambda v, h, W, b, c, J, s: h[j] * (v[i] + c[j] * (v[i] * W[i, j] + J * v[i])), None),
        (lambda v, h, W, b, c, J, s: v[i] * (pgmc.Sum(W[i, j] * h[j], j) + b[i]), None),
        (lambda v, h, W, b, c, J, s: v[i] * W[i, j] * h[j] + v[i] * b[i], None),
        (lambda v, h, W, b, c, J, s: J * (v @ b + h @ c), None),
        (lambda v, h, W, b, c, J, s: pgmc.Sum(W[i, j] * h[j] + b[i], j) * v[i], None),
        # inside functions
        (lambda v, h, W, b, c, J, s: ((v[i] - b[i]) / s[i]) ** 2, "Σ_i ((v[i] - b[i])/s[i])²"),
        (lambda v, h, W, b, c, J, s: pgmc.Sum(v[i] * W[i, j], i) ** 2, "Σ_j (Σ_i W[i,j]·v[i])²"),
        (lambda v, h, W, b, c, J, s: pgmc.softplus(c[j] + pgmc.Sum(v[i] * W[i, j], i)), None),
        (lambda v, h, W, b, c, J, s: pgmc.softplus(J + c[j]) * h[j], None),
        (lambda v, h, W, b, c, J, s: pgmc.Sum(pgmc.tanh(v[i] * W[i, j]), i) * h[j], None),
        (lambda v, h, W, b, c, J, s: pgmc.exp(pgmc.Sum(W[i, j] * W[k, j], j)), None),
        (lambda v, h, W, b, c, J, s: pgmc.logsumexp(W[i, j] * v[i], i) * h[j], None),
        (lambda v, h, W, b, c, J, s: pgmc.tanh(v @ W + c) @ h, None),
        (lambda v, h, W, b, c, J, s: pgmc.exp(pgmc.einsum("i,j->ij", v, h)).sum(), None),
        (lambda v, h, W, b, c, J, s: pgmc.exp(v[0] * W[0, j]), None),
        (lambda v, h, W, b, c, J, s: v[i] * pgmc.Sum(v[k] * b[k], k, where=k < i), None),
        (lambda v, h, W, b, c, J, s: pgmc.sigmoid(pgmc.Sum(v[k] * b[k], k, where=k < i) + b[i]), None),
    ],
)
def test_what_is_summed(make: Make, text: str | None) -> None:
    found = energy(make)
    assert text is None or found == text


@pytest.mark.parametrize(
    ("make", "message"),
    [
        # not scalar
        (lambda v, h, W, b, c, J, s: v @ W, r"v @ W: an energy is a scalar, and this has the shape \(3,\)"),
        (lambda v, h, W, b, c, J, s: W, r"has the shape \(4, 3\)"),
        (lambda v, h, W, b, c, J, s: W[i, :], r"has the shape \(3,\)"),
        # a summand lacks an index of its siblings
        (
            lambda v, h, W, b, c, J, s: v[i] * (W[i, j] * h[j] + b[i]),
            r"b\[i\]: it lacks the index j that W\[i,j\]·h\[j\]",
        ),
        (lambda v, h, W, b, c, J, s: v[0] * (1 + b[i]), "1: it lacks the index i"),
        (lambda v, h, W, b, c, J, s: J * (b[i] * v[i] + c[j] * h[j]), "lacks the index j"),
        (lambda v, h, W, b, c, J, s: J * -(b[i] * v[i] + J), "lacks the index i"),
        (lambda v, h, W, b, c, J, s: v[i] * (b[i] + s[i] * (c[j] + J)), "lacks the index j"),
        (
            lambda v, h, W, b, c, J, s: v[i] * (b[i] + J * pgmc.Sum(c[j] * (h[j] + b[k]), j)),
            "lacks the index k",
        ),
        # a function of parts with different indices
        (lambda v, h, W, b, c, J, s: (v[i] * W[i, j]) ** 2, "v.i. runs over i and W.i,j. over i, j"),
        (lambda v, h, W, b, c, J, s: pgmc.exp(v[i] * h[j]), "not clear what is summed first"),
        (lambda v, h, W, b, c, J, s: pgmc.softplus(c[j] + v[i] * W[i, j]), "pgmc.Sum"),
        (lambda v, h, W, b, c, J, s: h[j] * pgmc.tanh(W[i, j] + b[i]), "not clear what is summed first"),
        (lambda v, h, W, b, c, J, s: pgmc.Sum(pgmc.exp(v[i] * W[i, j] * b[k]), i), "not clear"),
        (lambda v, h, W, b, c, J, s: v[i] / (b[i] * c[j]), "not clear"),
        (lambda v, h, W, b, c, J, s: pgmc.tanh(pgmc.Sum(pgmc.exp(v[i] * W[i, j] * b[k]), i)), "not clear"),
        (lambda v, h, W, b, c, J, s: pgmc.logsumexp(v[i] * W[i, j] * b[k], i), "not clear"),
        # nothing says how far the index runs
        (lambda v, h, W, b, c, J, s: pgmc.Sum(v[i], i, where=i < j), "index j stands on no array"),
    ],
)
def test_missing_sums_are_refused(make: Make, message: str) -> None:
    m, handles = declare()
    expression = make(*handles)
    with pytest.raises(pgmc.NotationError, match=message):
        m.energy(expression)
    assert "0 terms" in repr(m)


def test_every_message_names_the_place_and_a_remedy() -> None:
    m, (v, h, W, b, *_) = declare()
    with pytest.raises(pgmc.NotationError) as caught:
        m.energy(v[i] * (W[i, j] * h[j] + b[i]))
    assert "test_sums.py:" in str(caught.value) and "Write pgmc.Sum(" in str(caught.value)
