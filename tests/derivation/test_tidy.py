"""Tidying and the contraction of deltas never change a value."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from expressions import Expressions, W, a, arrays, b, new_index, v, value
from pgmc.derivation.contract_deltas import contract_deltas
from pgmc.derivation.tidy import add, is_free_of, multiply, negate, power, summed, tidy
from pgmc.ir.nodes import (
    ONE,
    ZERO,
    Access,
    Add,
    BatchMean,
    Bracket,
    Compare,
    Index,
    Mul,
    Number,
    Position,
    Pow,
    Sum,
    at,
    number,
)
from pgmc.ir.printer import print_scalar
from pgmc.ir.rewrite import walk
from pgmc.ir.symbols import Symbol

i, j, k = (new_index(name) for name in "ijk")


def get(symbol: Symbol, *indices: Index) -> Access:
    return Access(symbol, tuple(map(at, indices)))


@pytest.mark.parametrize("seed", range(300))
def test_values_stay(seed: int) -> None:
    node = Expressions(seed).draw((i, j), depth=4)
    data = arrays(seed)
    wanted = value(node, data, (i, j))
    scale = 1 + np.abs(wanted).max()
    np.testing.assert_allclose(value(tidy(node), data, (i, j)) / scale, wanted / scale, rtol=1e-12, atol=1e-12)
    contracted = value(contract_deltas(node), data, (i, j))
    np.testing.assert_allclose(contracted / scale, wanted / scale, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(300))
def test_tidying_is_done_once(seed: int) -> None:
    node = tidy(Expressions(seed).draw((i, j), depth=4))
    assert tidy(node) == node


@pytest.mark.parametrize("seed", range(200))
def test_a_tidy_expression_has_no_nested_sums_and_products(seed: int) -> None:
    for node in walk(tidy(Expressions(seed).draw((i,), depth=4))):
        match node:
            case Add(terms):
                assert len(terms) > 1
                assert not any(isinstance(term, Add) for term in terms)
                assert sum(isinstance(term, Number) for term in terms) <= 1
            case Mul(factors):
                assert len(factors) > 1
                assert not any(isinstance(factor, Mul) for factor in factors)
                assert not any(isinstance(factor, Number) for factor in factors[1:])
            case Sum(body, over):
                assert over and not isinstance(body, Sum)
            case _:
                pass


@pytest.mark.parametrize("seed", range(200))
def test_a_delta_in_a_sum_is_contracted(seed: int) -> None:
    """Σ_jk f(i, j, k) [j = i] has no sum over j left."""
    body = Expressions(seed).draw((i, j, k), depth=3)
    node = Sum(Mul((body, Bracket((Compare(at(j), "==", at(i)),)))), (j, k))
    data = arrays(seed)
    wanted = value(node, data, (i,))
    done = contract_deltas(node)
    scale = 1 + np.abs(wanted).max()
    np.testing.assert_allclose(value(done, data, (i,)) / scale, wanted / scale, atol=1e-12)
    assert all(j not in part.over for part in walk(done) if isinstance(part, Sum))


CONTRACTIONS = [
    (Sum(Mul((get(W, i, j), Bracket((Compare(at(i), "==", at(k)),)))), (i, j)), "Σ_j W[k,j]"),
    (Sum(Mul((get(v, i), Bracket((Compare(at(k), "==", at(i)),)))), (i,)), "v[k]"),
    (Sum(Mul((get(v, i), Bracket((Compare(at(i), "==", Position((), 2)),)))), (i,)), "v[2]·[2 < |b|]"),
    (Pow(Bracket((Compare(at(i), "!=", at(j)),)), Fraction(2)), "[i ≠ j]"),
    (Sum(Mul((get(W, i, j), Bracket((Compare(at(i), "==", at(j)),)))), (i, j)), "Σ_i W[i,i]"),
    (Sum(Mul((get(v, i), Bracket((Compare(at(i), "!=", at(k)),)))), (i,)), "Σ_{i≠k} v[i]"),
]


@pytest.mark.parametrize(("node", "text"), CONTRACTIONS)
def test_contractions_as_text(node: Sum, text: str) -> None:
    assert print_scalar(contract_deltas(node)).replace("Σ_j W[j,j]", "Σ_i W[i,i]") == text


def test_two_deltas_on_one_index_leave_a_condition() -> None:
    node = Sum(Mul((get(v, i), Bracket((Compare(at(i), "==", at(j)), Compare(at(i), "==", at(k)))))), (i,))
    assert print_scalar(contract_deltas(node)) in ("v[j]·[j = k]", "v[k]·[k = j]")


def test_constructors_fold_numbers() -> None:
    x = get(b, i)
    assert add() == ZERO
    assert add(number(2), x, number(-2)) == x
    assert multiply() == ONE
    assert multiply(x, ZERO) == ZERO
    assert multiply(number(2), Add((x, ONE))) == Add((Mul((number(2), x)), number(2)))
    assert negate(negate(x)) == x
    assert power(x, Fraction(0)) == ONE
    assert power(x, Fraction(1)) == x
    assert power(number(2), Fraction(-2)) == number(Fraction(1, 4))
    assert summed(ZERO, (i,)) == ZERO
    assert summed(Mul((number(3), x)), (i,)) == Mul((number(3), Sum(x, (i,))))
    assert tidy(BatchMean(Mul((ZERO, x)))) == ZERO
    assert tidy(Bracket(())) == ONE


def test_zero_to_a_negative_power_stays() -> None:
    assert power(ZERO, Fraction(-1)) == Pow(ZERO, Fraction(-1))


def test_a_sum_over_an_index_that_nothing_carries_counts_its_values() -> None:
    data = arrays(0)
    node = tidy(Sum(Mul((number(2), get(a))), (i, j)))
    np.testing.assert_allclose(value(node, data), 18 * data["a"])


def test_free_indices() -> None:
    assert is_free_of(Sum(get(v, i), (i,)), (i,))
    assert not is_free_of(get(W, i, j), (j,))
