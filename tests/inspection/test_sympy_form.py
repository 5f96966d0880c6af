"""The sympy form, compared with sympy's own objects and evaluated."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from pgmc.inspection.sympy_form import to_sympy
from pgmc.ir import nodes
from pgmc.ir.interpret import interpret
from pgmc.ir.nodes import (
    Access,
    Add,
    BatchMean,
    Bracket,
    Call,
    Compare,
    LogSumExp,
    Mul,
    Position,
    Pow,
    Sum,
    Unit,
    at,
    fresh_index,
    number,
)
from pgmc.ir.symbols import Axis, Parameter

i, j, i2 = fresh_index("i"), fresh_index("j"), fresh_index("i")
a, b = (Parameter(name, (Axis(size),)) for name, size in (("a", 3), ("b", 4)))
p = Access(Parameter("p", ()), ())
row, column = sympy.symbols("i j", integer=True)
n_i, n_j = sympy.symbols("n_i n_j", integer=True, positive=True)


def test_a_conditional(derived: Any) -> None:
    v, W, c = (sympy.IndexedBase(name) for name in "vWc")
    expected = c[column] + sympy.Sum(v[row] * W[row, column], (row, 0, n_i - 1))
    assert to_sympy(derived.laws[1].logits) == expected


def test_an_energy_keeps_every_limit(derived: Any) -> None:
    v, W, h = (sympy.IndexedBase(name) for name in "vWh")
    term = derived.model.terms[0]
    expected = sympy.Sum(-v[row] * W[row, column] * h[column], (row, 0, n_i - 1), (column, 0, n_j - 1))
    assert to_sympy(Sum(term.body, term.over)) == expected


def test_one_name_on_axes_of_different_sizes() -> None:
    node = Add((Sum(Access(a, (at(i),)), (i,)), Sum(Access(b, (at(i2),)), (i2,))))
    other = sympy.Symbol("n_i_1", integer=True, positive=True)
    base_a, base_b = sympy.IndexedBase("a"), sympy.IndexedBase("b")
    assert to_sympy(node) == sympy.Sum(base_a[row], (row, 0, n_i - 1)) + sympy.Sum(base_b[row], (row, 0, other - 1))


def test_nested_indices_of_one_name() -> None:
    node = Sum(Mul((Access(a, (at(i),)), Sum(Access(a, (Position(((i2, 1),), 1),)), (i2,)))), (i,))
    inner = sympy.Symbol("i_1", integer=True)
    result = to_sympy(node)
    assert result.limits[0][0] == row
    assert sympy.IndexedBase("a")[inner + 1] in result.atoms(sympy.Indexed)


def test_functions() -> None:
    s = sympy.Symbol("p")
    assert to_sympy(Call("sigmoid", p)) == 1 / (1 + sympy.exp(-s))
    assert to_sympy(Call("softplus", p)) == sympy.log(1 + sympy.exp(s))
    assert to_sympy(Call("relu", p)) == sympy.Max(0, s)
    assert to_sympy(Call("lgamma", p)) == sympy.loggamma(s)
    assert to_sympy(Pow(p, Fraction(-1, 2))) == 1 / sympy.sqrt(s)
    assert to_sympy(Add((number(2), Unit("x")))) == 2 + sympy.Symbol("x")
    assert to_sympy(BatchMean(p)) == sympy.Function("mean")(s)
    bracket = to_sympy(Bracket((Compare(at(i), "!=", at(j)),)))
    assert bracket.subs({row: 1, column: 1}) == 0
    assert bracket.subs({row: 1, column: 2}) == 1
    soft = to_sympy(LogSumExp(p, (fresh_index("k", ("y", -1)),)))
    assert soft.subs(sympy.Symbol("n_k", integer=True, positive=True), 4).doit() == sympy.log(4 * sympy.exp(s))


@pytest.mark.parametrize("function", nodes.FUNCTIONS)
def test_every_function_agrees_with_the_interpreter(function: str) -> None:
    node = Call(function, p)
    for value in (0.3, 2.5):
        ours = interpret(node, {"p": np.array(value)})
        assert float(to_sympy(node).subs(sympy.Symbol("p"), value)) == pytest.approx(float(ours[0]))
