"""LaTeX compared character by character, and compiled."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from pgmc.inspection.latex import (
    latex_conditional,
    latex_model,
    latex_name,
    latex_quantity,
    latex_scalar,
    latex_term,
)
from pgmc.ir.answers import ConditionalLaw
from pgmc.ir.nodes import (
    Access,
    Add,
    BatchMean,
    Bracket,
    Call,
    Compare,
    LogSumExp,
    Mul,
    Number,
    Position,
    Pow,
    Scalar,
    Sum,
    at,
    fresh_index,
    number,
)
from pgmc.ir.symbols import Axis, Binary, Categorical, Constant, Parameter, Spin, Symbol, Variable

i, j, k, dx = (fresh_index(name) for name in ("i", "j", "k", "dx"))
i2 = fresh_index("i")
p, q = (Access(Parameter(name, ()), ()) for name in ("p", "q"))
s = Variable("s", (Axis(4), Axis(4)), Spin())
x = Variable("x", (Axis(4),), Binary())
y = Variable("y", (), Categorical(3))
h1 = Variable("h1", (Axis(4),), Binary())
U = Parameter("U", (Axis(4), Axis(4)))
R = Parameter("rates", (Axis(3),))


def get(symbol: Symbol, *positions: Any) -> Access:
    return Access(symbol, tuple(t if isinstance(t, Position) else at(t) for t in positions))


SCALARS: list[tuple[Scalar, str]] = [
    (Number(Fraction(-1, 2)), r"-\frac{1}{2}"),
    (Mul((Number(Fraction(1, 2)), p, q)), r"\frac{1}{2} \, p \, q"),
    (Mul((p, Pow(q, Fraction(-2)))), r"\frac{p}{q^{2}}"),
    (Mul((Add((p, q)), Pow(Add((p, number(-1))), Fraction(-1)))), r"\frac{p + q}{p - 1}"),
    (Mul((p, Add((p, q)))), r"p \, \left(p + q\right)"),
    (Pow(Add((p, q)), Fraction(1, 2)), r"\sqrt{p + q}"),
    (Pow(p, Fraction(3, 2)), "p^{3/2}"),
    (Pow(get(h1, i), Fraction(2)), r"\left(h^{(1)}_{i}\right)^{2}"),
    (Pow(get(x, i), Fraction(2)), "x_{i}^{2}"),
    (Call("sigmoid", p), r"\sigma\left(p\right)"),
    (Call("softplus", p), r"\operatorname{softplus}\left(p\right)"),
    (Call("lgamma", p), r"\log \Gamma\left(p\right)"),
    (Call("tanh", p), r"\tanh\left(p\right)"),
    (Call("sqrt", p), r"\sqrt{p}"),
    (
        Sum(Mul((number(-1), get(x, i), get(U, i, i2), get(x, i2))), (i, i2)),
        r"-\sum_{ii'} x_{i} \, U_{ii'} \, x_{i'}",
    ),
    (Sum(get(s, i, dx), (i, dx)), r"\sum_{i, \mathit{dx}} s_{i, \mathit{dx}}"),
    (Sum(get(s, i, Position(((j, 2),), 1)), (i, j)), r"\sum_{ij} s_{i, 2j+1}"),
    (LogSumExp(get(R, k), (k,)), r"\log \sum_{k} \exp\left(\mathrm{rates}_{k}\right)"),
    (BatchMean(get(x, i)), r"\left\langle x_{i} \right\rangle"),
    (
        Bracket((Compare(at(i), "!=", at(j)), Compare(at(i), "<=", at(k)))),
        r"\left[i \neq j, i \leq k\right]",
    ),
    (Mul((p, get(Constant("const_0", (), shown="0.5")))), r"p \cdot 0.5"),
    (get(Constant("const_0", (), shown="-1e-05")), r"-1 \cdot 10^{-5}"),
]


@pytest.mark.parametrize(("node", "text"), SCALARS, ids=[text for _, text in SCALARS])
def test_scalars(node: Scalar, text: str) -> None:
    assert latex_scalar(node) == text
    compile_latex(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("W", "W"),
        ("theta", r"\theta"),
        ("h1", "h^{(1)}"),
        ("b_v", "b^{v}"),
        ("sigma_v", r"\sigma^{v}"),
        ("beta2", r"\beta^{(2)}"),
        ("b_2", "b^{(2)}"),
        ("b_visible", r"b^{\mathrm{visible}}"),
        ("inverse_temperature", r"\mathrm{inverse\_temperature}"),
    ],
)
def test_names(name: str, text: str) -> None:
    assert latex_name(name) == text
    compile_latex(text)


def test_laws() -> None:
    coupling = Mul((number(2), p, get(s, Position(((i, 1),), 1), j)))
    assert latex_conditional(ConditionalLaw(s, (i, j), None, "Spin", (("logits", coupling),))) == (
        r"P(s_{ij} = +1 \mid s_{\neq (ij)}) = \sigma\left(2 \, p \, s_{i+1, j}\right)"
    )
    assert latex_conditional(ConditionalLaw(y, (), k, "Categorical", (("logits", get(R, k)),))) == (
        r"P(y = k) \propto \exp\left(\mathrm{rates}_{k}\right)"
    )


def test_equations_of_a_model(derived: Any) -> None:
    assert latex_model(derived.model) == (
        r"E(v, h) = -\sum_{ij} v_{i} \, W_{ij} \, h_{j} - \sum_{i} b_{i} \, v_{i} - \sum_{j} c_{j} \, h_{j}"
    )
    assert latex_term(derived.model.terms[1]) == r"-\sum_{i} b_{i} \, v_{i}"
    assert latex_conditional(derived.laws[1]) == (
        r"P(h_{j} = 1 \mid v) = \sigma\left(c_{j} + \sum_{i} v_{i} \, W_{ij}\right)"
    )
    assert latex_quantity(derived.free_energy) == (
        r"F(v) = -\sum_{i} b_{i} \, v_{i} - \sum_{j} "
        r"\operatorname{softplus}\left(c_{j} + \sum_{i} v_{i} \, W_{ij}\right)"
    )
    gradient = latex_quantity(derived.gradients[0], "energy")
    assert gradient == (
        r"\frac{\partial \left\langle E \right\rangle}{\partial W_{ij}} = "
        r"-\left\langle v_{i} \, h_{j} \right\rangle"
    )
    compile_latex(gradient)


def compile_latex(text: str) -> None:
    """Matplotlib's own parser of mathematics accepts the text."""
    from matplotlib.mathtext import MathTextParser

    MathTextParser("path").parse(f"${text}$")
