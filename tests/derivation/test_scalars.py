"""The bridge to sympy: every function of a two-valued unit is brought to base + slope · unit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy

from expressions import Expressions, W, a, arrays, b, new_index, v, value
from pgmc.derivation.scalars import (
    UNIT,
    Placeholders,
    at_value,
    from_sympy,
    mentions_unit,
    reduce_to_affine,
    to_sympy,
)
from pgmc.ir.nodes import ZERO, Access, Add, Call, LogSumExp, Mul, Number, Pow, Scalar, Sum, Unit, at, number
from pgmc.ir.printer import print_scalar

i, j = new_index("i"), new_index("j")
FUNCTIONS = ("exp", "log", "sigmoid", "softplus", "tanh", "relu", "sqrt", "cos", "sin", "lgamma")
w, c = Access(b, (at(i),)), Access(a, ())
x = Unit()


@pytest.mark.parametrize("values", [(0, 1), (-1, 1)])
@pytest.mark.parametrize("seed", range(150))
def test_random_functions_are_reduced_exactly(seed: int, values: tuple[int, int]) -> None:
    node = Expressions(seed, unit=True).draw((i,), depth=4)
    affine = reduce_to_affine(node, values)
    data = arrays(seed)
    base, slope = value(affine.base, data, (i,)), value(affine.slope, data, (i,))
    assert not mentions_unit(affine.base) and not mentions_unit(affine.slope)
    for unit in values:
        wanted = value(node, data, (i,), unit=unit)
        scale = 1 + np.abs(wanted).max() + np.abs(base).max() + np.abs(slope).max()
        np.testing.assert_allclose((base + slope * unit) / scale, wanted / scale, rtol=0, atol=1e-12)


@pytest.mark.parametrize("values", [(0, 1), (-1, 1)])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_is_reduced(function: str, values: tuple[int, int]) -> None:
    inside = Add((number(4), Mul((x, Call("tanh", w))), Call("cos", c)))
    node = Mul((c, Call(function, inside), Add((x, w))))
    affine = reduce_to_affine(node, values)
    data = arrays(3)
    for unit in values:
        got = value(affine.base, data, (i,)) + unit * value(affine.slope, data, (i,))
        np.testing.assert_allclose(got, value(node, data, (i,), unit=unit), rtol=1e-12)


REDUCTIONS: list[tuple[Scalar, tuple[int, int], str, str]] = [
    (Mul((w, x)), (0, 1), "0", "b[i]"),
    (Pow(x, Fraction(2)), (0, 1), "0", "1"),
    (Pow(x, Fraction(2)), (-1, 1), "1", "0"),
    (Pow(x, Fraction(3)), (-1, 1), "0", "1"),
    (Sum(Mul((Access(W, (at(i), at(j))), Access(v, (at(j),)), x)), (j,)), (0, 1), "0", "Σ_j W[i,j]·v[j]"),
    (Call("softplus", Mul((w, x))), (0, 1), "softplus(0)", "-softplus(0) + softplus(b[i])"),
    (w, (0, 1), "b[i]", "0"),
]


@pytest.mark.parametrize(("node", "values", "base", "slope"), REDUCTIONS)
def test_reductions_as_text(node: Scalar, values: tuple[int, int], base: str, slope: str) -> None:
    affine = reduce_to_affine(node, values)
    assert print_scalar(affine.base) == base
    assert print_scalar(affine.slope) == slope


def test_a_square_keeps_the_coefficients_of_the_user() -> None:
    """(w x + c)² = c² + (w² + 2 w c) x for x in {0, 1}: nothing is evaluated at both values and subtracted."""
    affine = reduce_to_affine(Pow(Add((Mul((w, x)), c)), Fraction(2)), (0, 1))
    assert print_scalar(affine.base) == "a²"
    assert print_scalar(affine.slope) == "b[i]² + 2·b[i]·a"


@pytest.mark.parametrize("exponent", [3, 4, 5, 12, 31, 200])
def test_high_powers_lose_no_digits(exponent: int) -> None:
    """(c - 2 c x)^n is c^n at both values for even n: multiplied out, its terms are 3^n times larger."""
    node = Pow(Add((c, Mul((number(-2), c, x)))), Fraction(exponent))
    affine, data = reduce_to_affine(node, (0, 1)), {**arrays(1), "a": np.array(1.1)}
    for unit in (0, 1):
        got = value(affine.base, data) + unit * value(affine.slope, data)
        np.testing.assert_allclose(got, value(node, data, unit=float(unit)), rtol=1e-13)


def test_a_unit_under_a_logsumexp() -> None:
    node = LogSumExp(Mul((Access(W, (at(i), at(j))), Add((x, c)))), (j,))
    affine, data = reduce_to_affine(node, (-1, 1)), arrays(5)
    for unit in (-1, 1):
        got = value(affine.base, data, (i,)) + unit * value(affine.slope, data, (i,))
        np.testing.assert_allclose(got, value(node, data, (i,), unit=unit), rtol=1e-12)


def test_a_root_of_a_square_stays() -> None:
    node = Call("sqrt", Pow(Add((Mul((w, x)), c)), Fraction(2)))
    affine, data = reduce_to_affine(node, (0, 1)), arrays(1)
    got = value(affine.base, data, (i,)) + value(affine.slope, data, (i,))
    np.testing.assert_allclose(got, np.abs(data["b"] + data["a"])[None].repeat(len(got), 0), rtol=1e-12)


@pytest.mark.parametrize("seed", range(100))
def test_there_and_back(seed: int) -> None:
    """sympy may rearrange what goes through it, but not change it."""
    node = Expressions(seed, unit=True).draw((i,), depth=3)
    data = arrays(seed)
    for unit in (0, 1):
        placeholders = Placeholders()
        expression = to_sympy(node, placeholders, (0, 1))
        back = from_sympy(sympy.sympify(expression).subs(UNIT, unit), placeholders)
        wanted = value(node, data, (i,), unit=float(unit))
        scale = 1 + np.abs(wanted).max()
        np.testing.assert_allclose(value(back, data, (i,)) / scale, wanted / scale, rtol=0, atol=1e-12)
        np.testing.assert_allclose(value(at_value(node, unit), data, (i,)) / scale, wanted / scale, atol=1e-12)


def test_equal_parts_share_a_placeholder() -> None:
    placeholders = Placeholders()
    to_sympy(Add((Mul((w, x)), Mul((w, Pow(x, Fraction(2)))))), placeholders, (0, 1))
    assert placeholders.parts == [w]


def test_the_number_e_comes_back() -> None:
    affine = reduce_to_affine(Call("exp", x), (0, 1))
    assert affine.base == Number(Fraction(1))
    assert print_scalar(affine.slope) == "exp(1) - 1"


def test_nothing_is_reduced_without_the_unit() -> None:
    assert reduce_to_affine(w, (0, 1)).slope == ZERO
