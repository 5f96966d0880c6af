"""Array notation means what NumPy means."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import special

import pgmc
from pgmc.ir.nodes import Sum, fresh_index
from pgmc.ir.rewrite import free_indices

# Each takes a namespace (pgmc or NumPy), vectors a (3), b (4), c (4), matrices A (3, 4), B (4, 5),
# S (4, 4), and numbers s, t.
CASES: list[Callable[..., Any]] = [
    lambda f, a, b, c, A, B, S, s, t: b + c,
    lambda f, a, b, c, A, B, S, s, t: b - c,
    lambda f, a, b, c, A, B, S, s, t: b - (c - b),
    lambda f, a, b, c, A, B, S, s, t: b * c,
    lambda f, a, b, c, A, B, S, s, t: b / c,
    lambda f, a, b, c, A, B, S, s, t: b / (c * b),
    lambda f, a, b, c, A, B, S, s, t: -b,
    lambda f, a, b, c, A, B, S, s, t: +b,
    lambda f, a, b, c, A, B, S, s, t: b * s,
    lambda f, a, b, c, A, B, S, s, t: s * b,
    lambda f, a, b, c, A, B, S, s, t: s + b * t,
    lambda f, a, b, c, A, B, S, s, t: (s - b) / t,
    lambda f, a, b, c, A, B, S, s, t: 2 * b + 3 - b * 2.0 + 0.25 * b - 1 / b,
    lambda f, a, b, c, A, B, S, s, t: 1.5 / b - b / 1.5 - 7 * s / 3,
    lambda f, a, b, c, A, B, S, s, t: b**2 + b**3 - b**-1 + b**0.5,
    lambda f, a, b, c, A, B, S, s, t: b @ c,
    lambda f, a, b, c, A, B, S, s, t: b @ b,
    lambda f, a, b, c, A, B, S, s, t: a @ A,
    lambda f, a, b, c, A, B, S, s, t: A @ b,
    lambda f, a, b, c, A, B, S, s, t: a @ A @ b,
    lambda f, a, b, c, A, B, S, s, t: A @ B,
    lambda f, a, b, c, A, B, S, s, t: S @ S,
    lambda f, a, b, c, A, B, S, s, t: S @ S @ S,
    lambda f, a, b, c, A, B, S, s, t: S @ S.T,
    lambda f, a, b, c, A, B, S, s, t: b @ S @ b,
    lambda f, a, b, c, A, B, S, s, t: S * S.T,
    lambda f, a, b, c, A, B, S, s, t: S.T - S,
    lambda f, a, b, c, A, B, S, s, t: (S - S.T) * (S.T @ S),
    lambda f, a, b, c, A, B, S, s, t: B.T @ A.T,
    lambda f, a, b, c, A, B, S, s, t: A.sum(),
    lambda f, a, b, c, A, B, S, s, t: A.sum(axis=0),
    lambda f, a, b, c, A, B, S, s, t: A.sum(axis=1),
    lambda f, a, b, c, A, B, S, s, t: A.sum(axis=-1),
    lambda f, a, b, c, A, B, S, s, t: A.sum(axis=(0, 1)),
    lambda f, a, b, c, A, B, S, s, t: (a @ A + b).sum() * A.sum(axis=0),
    lambda f, a, b, c, A, B, S, s, t: (b + s).sum(),
    lambda f, a, b, c, A, B, S, s, t: (a @ A) ** 2,
    lambda f, a, b, c, A, B, S, s, t: (a @ A) * (a @ A) * b,
    lambda f, a, b, c, A, B, S, s, t: f.exp(a @ A) / f.log(b + 1),
    lambda f, a, b, c, A, B, S, s, t: f.sigmoid(b - 1) + f.softplus(b) * f.tanh(c),
    lambda f, a, b, c, A, B, S, s, t: f.relu(b - 1) + f.sqrt(b) - f.square(c) + f.cos(b) + f.lgamma(b),
    lambda f, a, b, c, A, B, S, s, t: f.logsumexp(A),
    lambda f, a, b, c, A, B, S, s, t: f.logsumexp(A, axis=0),
    lambda f, a, b, c, A, B, S, s, t: f.logsumexp(A * s, axis=1) * a,
    lambda f, a, b, c, A, B, S, s, t: f.einsum("i,ij,j->", a, A, b),
    lambda f, a, b, c, A, B, S, s, t: f.einsum("i,j->ij", a, b),
    lambda f, a, b, c, A, B, S, s, t: f.einsum("i,j->ji", a, b),
    lambda f, a, b, c, A, B, S, s, t: f.einsum("i,i->i", b, b),
    lambda f, a, b, c, A, B, S, s, t: f.einsum("ii->i", S),
    lambda f, a, b, c, A, B, S, s, t: f.einsum("ii->", S),
    lambda f, a, b, c, A, B, S, s, t: f.einsum("ij->ji", A),
    lambda f, a, b, c, A, B, S, s, t: f.einsum("ij,kj,kl->il", A, S, S),
    lambda f, a, b, c, A, B, S, s, t: f.einsum(",i,->i", s, a, t),
    lambda f, a, b, c, A, B, S, s, t: f.einsum("i,j,k->jik", a, b, b).sum(axis=(0, 2)),
    lambda f, a, b, c, A, B, S, s, t: f.exp(f.einsum("i,j->ij", a, b)) * A,
    lambda f, a, b, c, A, B, S, s, t: A[1, 2] * b[0] + a[2],
    lambda f, a, b, c, A, B, S, s, t: A[1, :] @ b + A[:, 2] @ a,
    lambda f, a, b, c, A, B, S, s, t: (a @ A)[1] * S[:, :] @ b,
    lambda f, a, b, c, A, B, S, s, t: np.arange(4.0) * b,
    lambda f, a, b, c, A, B, S, s, t: np.arange(4.0) @ b + b @ np.ones(4),
    lambda f, a, b, c, A, B, S, s, t: np.arange(12).reshape(3, 4) @ b - a,
    lambda f, a, b, c, A, B, S, s, t: np.ones((3, 3)) @ A @ np.eye(4) / np.full((3, 4), 2.5),
    lambda f, a, b, c, A, B, S, s, t: np.float64(0.3) * b + np.int64(2) - np.float32(0.5) * b,
    lambda f, a, b, c, A, B, S, s, t: np.array(0.3) - b,
    lambda f, a, b, c, A, B, S, s, t: np.ones(4) / b + np.ones(4) - b,
    lambda f, a, b, c, A, B, S, s, t: np.sum(A, axis=0),
]


class Numpy:
    """NumPy under the names of pgmc."""

    exp, log, tanh, sqrt, square, cos, einsum = (
        np.exp,
        np.log,
        np.tanh,
        np.sqrt,
        np.square,
        np.cos,
        np.einsum,
    )
    sigmoid, lgamma, logsumexp = special.expit, special.gammaln, special.logsumexp

    @staticmethod
    def softplus(x: Any) -> Any:
        return np.logaddexp(0, x)

    @staticmethod
    def relu(x: Any) -> Any:
        return np.maximum(x, 0)


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_as_in_numpy(world: Any, case: Callable[..., Any]) -> None:
    shapes = {"a": (3,), "b": (4,), "c": (4,), "A": (3, 4), "B": (4, 5), "S": (4, 4), "s": (), "t": ()}
    pairs = [world.param(name, shape) for name, shape in shapes.items()]
    expression = case(pgmc, *(handle for handle, _ in pairs))
    expected = np.asarray(case(Numpy, *(value for _, value in pairs)))
    assert expression.shape == expected.shape and expression.ndim == expected.ndim
    np.testing.assert_allclose(world.value(expression), expected, rtol=1e-12)
    assert set(free_indices(expression.node)) == set(expression.axes)
    assert len(repr(expression)) < 400


def test_lowered_at_once() -> None:
    m = pgmc.Model("m")
    v, W = m.binary("v", 3), m.param("W", (3, 2))
    lowered = v @ W
    assert isinstance(lowered.node, Sum) and lowered.shape == (2,)
    assert len(lowered.axes) == 1 and lowered.axes[0].key < fresh_index("x").key


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda v, h, W, s: v + h, r"v \+ h: the shapes \(4,\) and \(3,\) differ"),
        (lambda v, h, W, s: v * W, r"v\*W: the shapes \(4,\) and \(4, 3\) differ"),
        (lambda v, h, W, s: W - h, r"W - h: the shapes \(4, 3\) and \(3,\) differ"),
        (lambda v, h, W, s: v @ h, r"v @ h: the shapes \(4,\) and \(3,\) do not match: 4 against 3"),
        (lambda v, h, W, s: W @ v, "3 against 4"),
        (lambda v, h, W, s: s @ v, r"s has the shape \(\)"),
        (lambda v, h, W, s: v @ 2.0, r"2 has the shape \(\)"),
        (lambda v, h, W, s: pgmc.einsum("i,j,k->ijk", v, v, v) @ v, "pgmc.einsum for more axes"),
        (lambda v, h, W, s: v**0, "the power 0 is the number 1"),
        (lambda v, h, W, s: v**0.1, "no simple fraction"),
        (lambda v, h, W, s: v ** float("nan"), "not finite"),
        (lambda v, h, W, s: v**10_000, "no simple fraction"),
        (lambda v, h, W, s: v ** "2", "the exponent is str"),
        (lambda v, h, W, s: v**True, "the exponent is bool"),
        (lambda v, h, W, s: v**h, r"v\*\*h: an expression cannot be an exponent"),
        (lambda v, h, W, s: 2**h, r"2\*\*h: an expression cannot be an exponent"),
        (lambda v, h, W, s: v / 0, "divides by zero"),
        (lambda v, h, W, s: v.sum(axis=1), "axis 1 is not one of the 1 axes"),
        (lambda v, h, W, s: W.sum(axis=(0, 0)), "named twice"),
        (lambda v, h, W, s: W.sum(axis=()), "missing"),
        (lambda v, h, W, s: W.sum(axis="0"), "axis '0'"),
        (lambda v, h, W, s: W.sum(dtype=float), "no dtype"),
        (lambda v, h, W, s: s.sum(), "no positional axes"),
        (lambda v, h, W, s: pgmc.logsumexp(s), "no positional axes"),
        (
            lambda v, h, W, s: pgmc.einsum("i,i->", v, h),
            r"i runs over axis 0 of v \(4\) and axis 0 of h \(3\)",
        ),
        (lambda v, h, W, s: pgmc.einsum("ii->", W), r"axis 0 of W \(4\) and axis 1 of W \(3\)"),
        (lambda v, h, W, s: pgmc.einsum("i,j", v, h), "need one ->"),
        (lambda v, h, W, s: pgmc.einsum("i->", v, h), "1 groups of letters for 2 operands"),
        (lambda v, h, W, s: pgmc.einsum("ij->", v), "not 2 axes"),
        (lambda v, h, W, s: pgmc.einsum("i->ii", v), "output is repeated"),
        (lambda v, h, W, s: pgmc.einsum("i->j", v), "output letter 'j' stands on no operand"),
        (lambda v, h, W, s: pgmc.einsum("...i->...", v), "ASCII letters"),
        (lambda v, h, W, s: pgmc.einsum("λ->", v), "ASCII letters"),
        (lambda v, h, W, s: pgmc.einsum(v, W), "need one ->"),
    ],
)
def test_refused(make: Callable[..., Any], message: str) -> None:
    m = pgmc.Model("m")
    v, h, W, s = m.binary("v", 4), m.binary("h", 3), m.param("W", (4, 3)), m.spin("s")
    with pytest.raises(pgmc.NotationError, match=message):
        make(v, h, W, s)


def test_exponents_are_exact() -> None:
    v = pgmc.Model("m").input("v", 3)
    assert (v**0.5).node == (v ** Fraction(1, 2)).node
    assert (v**2.0).node == (v**2).node == pgmc.square(v).node


def test_long_sums_stay_flat_and_cheap() -> None:
    m = pgmc.Model("m")
    v, b = m.binary("v", 3), m.param("b", 3)
    expression: Any = 0
    for _ in range(5000):
        expression = expression - b @ v
    assert len(expression.operand.text) < 300
    m.energy(expression)
    assert len(m.build().terms) == 5000
