"""Printed mathematics, compared character by character."""

from __future__ import annotations

from fractions import Fraction

import pytest

import pgmc
from pgmc.ir.answers import BlockUpdate, Computation, ConditionalLaw, Quantity
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import (
    Access,
    Add,
    BatchMean,
    Bracket,
    Call,
    Compare,
    Index,
    LogSumExp,
    Mul,
    Number,
    Position,
    Pow,
    Scalar,
    Sum,
    Unit,
    at,
    fresh_index,
    number,
)
from pgmc.ir.printer import print_model, print_quantity, print_scalar, print_term
from pgmc.ir.symbols import (
    Axis,
    Binary,
    Categorical,
    Constant,
    Input,
    Parameter,
    Spin,
    Symbol,
    Variable,
)

i, j, k, d = (fresh_index(name) for name in "ijkd")
i2 = fresh_index("i")
dx, dy = fresh_index("dx"), fresh_index("dy")
v, h = (Variable(name, (Axis(4),), Binary()) for name in "vh")
s = Variable("s", (Axis(4), Axis(4)), Spin())
y = Variable("y", (Axis(2),), Categorical(3))
z = Variable("z", (), Binary())
u = Input("u", (Axis(4),))
W, U, b, c = (Parameter(name, (Axis(4),) * rank) for name, rank in zip("WUbc", (2, 2, 1, 1), strict=True))
R = Parameter("R", (Axis(2), Axis(3), Axis(4)))
p, q, r = (Access(Parameter(name, ()), ()) for name in "pqr")


def get(symbol: Symbol, *positions: Index | Position) -> Access:
    return Access(symbol, tuple(at(x) if isinstance(x, Index) else x for x in positions))


def minus(*factors: Scalar) -> Mul:
    return Mul((number(-1), *factors))


def rational(a: int, b: int = 1) -> Number:
    return Number(Fraction(a, b))


def inverse(node: Scalar, exponent: int | Fraction = 1) -> Pow:
    return Pow(node, -Fraction(exponent))


field = Add((get(c, j), Sum(Mul((get(v, i), get(W, i, j))), (i,))))
terms = (
    EnergyTerm(minus(get(v, i), get(W, i, j), get(h, j)), (i, j)),
    EnergyTerm(minus(get(b, i2), get(v, i2)), (i2,)),
    EnergyTerm(minus(get(c, j), get(h, j)), (j,)),
)

SCALARS: list[tuple[Scalar, str]] = [
    (number(0), "0"),
    (number(-3), "-3"),
    (rational(-1, 2), "-1/2"),
    (Add(()), "0"),
    (Mul(()), "1"),
    (Add((p, minus(q))), "p - q"),
    (Add((minus(p), number(-1), q)), "-p - 1 + q"),
    (Add((p, Add((q, minus(r))))), "p + q - r"),
    (Mul((number(2), p)), "2·p"),
    (Mul((p, rational(-1, 2), q)), "-1/2·p·q"),
    (Mul((p, number(-1), minus(q))), "p·q"),
    (Mul((p, Add((q, r)))), "p·(q + r)"),
    (minus(Add((q, r))), "-(q + r)"),
    (Mul((Add((p, minus(q))), Add((q, r)))), "(p - q)·(q + r)"),
    (Pow(p, Fraction(2)), "p²"),
    (Pow(Add((p, q)), Fraction(12)), "(p + q)¹²"),
    (Pow(minus(p), Fraction(2)), "(-p)²"),
    (Pow(Pow(p, Fraction(2)), Fraction(3)), "(p²)³"),
    (Pow(rational(1, 2), Fraction(2)), "(1/2)²"),
    (Pow(number(-2), Fraction(2)), "(-2)²"),
    (Pow(get(v, i), Fraction(2)), "v[i]²"),
    (Pow(Add((p, q)), Fraction(1, 2)), "√(p + q)"),
    (Pow(p, Fraction(3, 2)), "p^(3/2)"),
    (inverse(p), "1/p"),
    (inverse(p, 2), "1/p²"),
    (inverse(p, Fraction(1, 2)), "1/√(p)"),
    (Mul((q, inverse(p), r)), "q·r/p"),
    (Mul((rational(-1, 2), q, inverse(p))), "-q/(2·p)"),
    (Mul((rational(3, 2), inverse(p), inverse(q, 2))), "3/(2·p·q²)"),
    (Mul((Add((p, q)), inverse(Add((p, r))))), "(p + q)/(p + r)"),
    (Mul((Sum(get(v, i), (i,)), inverse(p))), "(Σ_i v[i])/p"),
    (Call("sigmoid", Add((p, minus(q)))), "σ(p - q)"),
    (Call("softplus", minus(p)), "softplus(-p)"),
    (Pow(Call("tanh", p), Fraction(2)), "tanh(p)²"),
    (Call("lgamma", p), "log Γ(p)"),
    (Call("sqrt", p), "√(p)"),
    (Unit("x"), "x"),
    (Sum(Mul((get(v, i), get(W, i, j), get(h, j))), (i, j)), "Σ_ij v[i]·W[i,j]·h[j]"),
    (Sum(minus(get(v, i)), (i,)), "-Σ_i v[i]"),
    (Sum(Mul((rational(1, 2), get(v, i))), (i,)), "1/2·Σ_i v[i]"),
    (Sum(number(3), (i,)), "3·Σ_i 1"),
    (Sum(Add((get(v, i), get(b, i))), (i,)), "Σ_i (v[i] + b[i])"),
    (Sum(get(s, dx, dy), (dx, dy)), "Σ_{dx,dy} s[dx,dy]"),
    (Sum(get(v, dx), (dx,)), "Σ_dx v[dx]"),
    (Sum(p, ()), "p"),
    (Mul((Sum(get(v, i), (i,)), Sum(get(h, i), (i,)))), "(Σ_i v[i])·Σ_i h[i]"),
    (Mul((p, Sum(get(v, i), (i,)), q)), "p·q·Σ_i v[i]"),
    (Add((Sum(get(v, i), (i,)), minus(p))), "Σ_i v[i] - p"),
    (Pow(Sum(get(v, i), (i,)), Fraction(2)), "(Σ_i v[i])²"),
    (Sum(Mul((get(h, j), field)), (j,)), "Σ_j h[j]·(c[j] + Σ_i v[i]·W[i,j])"),
    (Sum(Call("softplus", field), (j,)), "Σ_j softplus(c[j] + Σ_i v[i]·W[i,j])"),
    (minus(Sum(Call("softplus", field), (j,))), "-Σ_j softplus(c[j] + Σ_i v[i]·W[i,j])"),
    (LogSumExp(minus(get(b, i)), (i,)), "log Σ_i exp(-b[i])"),
    (Add((p, minus(LogSumExp(get(b, i), (i,))))), "p - log Σ_i exp(b[i])"),
    (Mul((LogSumExp(get(b, i), (i,)), p)), "p·log Σ_i exp(b[i])"),
    (BatchMean(minus(get(v, i), get(h, j))), "-⟨v[i]·h[j]⟩"),
    (BatchMean(Mul((rational(1, 2), get(v, i)))), "1/2·⟨v[i]⟩"),
    (
        Sum(Mul((Bracket((Compare(at(i), "!=", at(j)),)), get(U, i, j))), (i, j)),
        "Σ_ij [i ≠ j]·U[i,j]",
    ),
    (Bracket((Compare(at(i), "==", at(j)), Compare(at(j), "<", Position((), 3)))), "[i = j, j < 3]"),
    (Bracket((Compare(at(i), "<=", Position(((j, 1),), -1)),)), "[i ≤ j-1]"),
    (get(v, Position(((i, 1),), 1)), "v[i+1]"),
    (get(v, Position(((i, 2), (dx, 1)), -3)), "v[2·i+dx-3]"),
    (get(v, Position(((i, -1), (dx, -2)))), "v[-i-2·dx]"),
    (get(v, Position()), "v[0]"),
    (Mul((get(v, i), Sum(get(b, i2), (i2,)))), "v[i]·Σ_i′ b[i′]"),
    (Sum(Mul((get(v, i), get(U, i, i2), get(v, i2))), (i, i2)), "Σ_ii′ v[i]·U[i,i′]·v[i′]"),
]


@pytest.mark.parametrize(("node", "text"), SCALARS, ids=[text for _, text in SCALARS])
def test_scalars(node: Scalar, text: str) -> None:
    assert print_scalar(node) == text


def test_anonymous_constants_show_their_value() -> None:
    half = get(Constant("const_0", (), shown="0.5"))
    negative = get(Constant("const_1", (), shown="-2.5"))
    array = Constant("const_2", (Axis(4),), shown=None)
    assert print_scalar(Mul((half, p))) == "0.5·p"
    assert print_scalar(Mul((p, negative))) == "-p·2.5"
    assert print_scalar(Pow(negative, Fraction(2))) == "(-2.5)²"
    assert print_scalar(get(array, i)) == "const_2[i]"


def test_indices_without_a_name_get_a_letter() -> None:
    a, b = fresh_index(""), fresh_index("")
    assert print_scalar(Sum(Mul((get(v, a), get(W, a, b))), (a, b))) == "Σ_ij v[i]·W[i,j]"
    assert print_scalar(Mul((get(v, i), Sum(get(W, i, b), (b,))))) == "v[i]·Σ_j W[i,j]"


def test_terms_and_models() -> None:
    assert print_term(terms[0]) == "-Σ_ij v[i]·W[i,j]·h[j]"
    model = Model("m", (v, h), (), (W, b, c), (), terms)
    expected = "E(v, h) = -Σ_ij v[i]·W[i,j]·h[j] - Σ_i b[i]·v[i] - Σ_j c[j]·h[j]"
    assert print_model(model) == str(model) == expected
    with_input = Model("m", (v,), (u,), (), (), (EnergyTerm(Mul((get(u, i), get(v, i))), (i,)),))
    assert print_model(with_input) == "E(v; u) = Σ_i u[i]·v[i]"
    assert print_model(Model("m", (v,), (), (), (), ())) == "E(v) = 0"


def test_laws() -> None:
    assert str(ConditionalLaw(h, (j,), None, "Bernoulli", (("logits", field),))) == (
        "P(h[j] = 1 | v) = σ(c[j] + Σ_i v[i]·W[i,j])"
    )
    coupled = Mul((number(2), Sum(Mul((get(U, i, i2), get(v, i2))), (i2,))))
    assert str(ConditionalLaw(v, (i,), None, "Bernoulli", (("logits", coupled),))) == (
        "P(v[i] = 1 | v[≠i]) = σ(2·Σ_i′ U[i,i′]·v[i′])"
    )
    bond = Mul((number(2), p, get(s, Position(((i, 1),), 1), at(j))))
    assert str(ConditionalLaw(s, (i, j), None, "Spin", (("logits", bond),))) == (
        "P(s[i,j] = +1 | s[≠(i,j)]) = σ(2·p·s[i+1,j])"
    )
    logits = Sum(Mul((get(R, d, k, j), get(h, j), get(u, j))), (j,))
    assert str(ConditionalLaw(y, (d,), k, "Categorical", (("logits", logits),))) == (
        "P(y[d] = k | h, u) ∝ exp(Σ_j R[d,k,j]·h[j]·u[j])"
    )
    assert str(ConditionalLaw(z, (), None, "Bernoulli", (("logits", p),))) == "P(z = 1) = σ(p)"


def test_blocks_and_computations() -> None:
    law = ConditionalLaw(h, (j,), None, "Bernoulli", (("logits", get(c, j)),))
    assert str(BlockUpdate((law,), "parallel")) == "update h (parallel)\n  P(h[j] = 1) = σ(c[j])"
    computation = Computation((Quantity("logits", (j,), get(c, j)), Quantity("free_energy", (), minus(p))))
    assert str(computation) == "logits[j] = c[j]\nF() = -p"


def test_quantities() -> None:
    energy = Quantity("energy", (), Add(tuple(Sum(t.body, t.over) for t in terms)))
    assert print_quantity(energy) == print_model(Model("m", (v, h), (), (W, b, c), (), terms))
    gradient = Quantity("W", (i, j), BatchMean(minus(get(v, i), get(h, j))), per_example=False)
    assert print_quantity(gradient) == "W[i,j] = -⟨v[i]·h[j]⟩"
    assert print_quantity(gradient, derivative_of="energy") == "∂⟨E⟩/∂W[i,j] = -⟨v[i]·h[j]⟩"


def test_units_before_and_behind() -> None:
    """A factor whose units depend on those before them says so; given all others it is any other unit."""
    i, j = pgmc.indices("i j")
    for relation, sign in ((j < i, "<"), (i < j, ">")):
        m = pgmc.Model("ordered")
        x, W = m.binary("x", 4), m.param("W", (4, 4))
        m.directed(x[i], pgmc.Bernoulli(logits=pgmc.Sum(W[i, j] * x[j], j, where=relation)))
        equations = pgmc.compile(m).equations()
        assert str(equations["factor(x)"]).startswith(f"P(x[i] = 1 | x[{sign}i]) = ")
        assert equations["factor(x)"].latex().startswith(rf"P(x_{{i}} = 1 \mid x_{{{sign} i}})")
        assert str(equations["x"]).startswith("P(x[i] = 1 | x[≠i]) = ")
