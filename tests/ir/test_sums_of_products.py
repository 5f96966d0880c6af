"""Sums of products two arrays at a time are those of the array of all products."""

from __future__ import annotations

import numpy as np
import pytest

import pgmc.ir.interpret as module
from pgmc.ir.interpret import interpret
from pgmc.ir.nodes import Access, Bracket, Call, Compare, Mul, Scalar, Sum, at, fresh_index
from pgmc.ir.sums_of_products import sum_of_products
from pgmc.ir.symbols import Axis, Binary, Parameter, Variable

SHAPE = (2, 3, 4, 1, 5)


@pytest.mark.parametrize("kept", range(len(SHAPE) + 1))
@pytest.mark.parametrize("seed", range(8))
def test_random_factors(seed: int, kept: int) -> None:
    generator = np.random.default_rng(seed)
    factors = [
        generator.normal(size=[n if generator.random() < 0.5 else 1 for n in SHAPE])
        for _ in range(generator.integers(1, 5))
    ]
    everywhere = np.broadcast_to(np.prod([np.broadcast_to(f, SHAPE) for f in factors], axis=0), SHAPE)
    found = sum_of_products(factors, kept, SHAPE)
    assert found.ndim == kept
    expected = everywhere.sum(axis=tuple(range(kept, len(SHAPE))))
    np.testing.assert_allclose(np.broadcast_to(found, expected.shape), expected, rtol=1e-12, atol=1e-12)


V = Variable("v", (Axis(6),), Binary())
W = Parameter("W", (Axis(6), Axis(6)))
C = Parameter("c", (Axis(6),))
L, J, K = (fresh_index(name) for name in "ijk")


def others(i: object, j: object) -> Scalar:
    return Bracket((Compare(at(i), "!=", at(j)),))


def access(symbol: object, *indices: object) -> Scalar:
    return Access(symbol, tuple(map(at, indices)))


SUMS = {
    "a quadratic form": Sum(Mul((access(V, L), access(W, L, J), access(V, J))), (L, J)),
    "all but one": Sum(Mul((others(J, K), access(W, L, J), access(V, J))), (J,)),
    "a sum within": Sum(Mul((access(V, L), Call("exp", Sum(Mul((access(W, L, J), access(V, J))), (J,))))), (L,)),
    "logarithms of 0 where a bracket is 0": Sum(
        Mul((others(J, K), Call("log", access(C, J)), access(W, L, J), access(V, J))), (J,)
    ),
}


@pytest.mark.parametrize("largest", [1, 100, 1 << 22])
@pytest.mark.parametrize("name", SUMS)
def test_expressions(name: str, largest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(3)
    arrays = {"v": generator.integers(0, 2, (5, 6)), "W": generator.normal(size=(6, 6)), "c": np.arange(6.0)}
    scope = [index for index in (L, K) if index in module.free_indices(SUMS[name])]
    monkeypatch.setattr(module, "MAX_ELEMENTS", largest)
    found = []
    for many in (1, 1 << 40):
        monkeypatch.setattr(module, "MANY_PRODUCTS", many)
        with np.errstate(all="ignore"):
            found.append(interpret(SUMS[name], arrays, scope, sizes={index: 6 for index in scope}))
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-12)
