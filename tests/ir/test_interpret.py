"""The interpreter against the same formulas written by hand in NumPy."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pgmc.errors import DataError, InternalError
from pgmc.ir import interpret as module
from pgmc.ir.answers import Computation, ConditionalLaw, Quantity
from pgmc.ir.interpret import (
    interpret,
    interpret_computation,
    interpret_energy,
    interpret_law,
    interpret_quantity,
)
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import (
    Access,
    Add,
    BatchMean,
    Bracket,
    Call,
    Compare,
    Index,
    Length,
    LogSumExp,
    Mul,
    Position,
    Pow,
    Scalar,
    Sum,
    Unit,
    at,
    fresh_index,
    number,
)
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

N, M, J, K, L = 6, 4, 3, 5, 2
i, j, k, d = (fresh_index(name) for name in "ijkd")
v = Variable("v", (Axis(M),), Binary())
h = Variable("h", (Axis(J),), Binary())
s = Variable("s", (Axis(M),), Spin())
y = Variable("y", (Axis(L),), Categorical(K))
x = Input("x", (Axis(L),))
W = Parameter("W", (Axis(M), Axis(J)))
U = Parameter("U", (Axis(M), Axis(M)))
b = Parameter("b", (Axis(M),))
c = Parameter("c", (Axis(J),))
R = Parameter("R", (Axis(L), Axis(K), Axis(J)))
a = Parameter("a", ())


def get(symbol: Symbol, *positions: Index | Position) -> Access:
    return Access(symbol, tuple(at(p) if isinstance(p, Index) else p for p in positions))


def shifted(index: Index, by: int) -> Position:
    return Position(((index, 1),), by)


@pytest.fixture
def data() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    arrays = {p.name: rng.normal(size=[axis.size for axis in p.axes]) for p in (W, U, b, c, R)}
    return arrays | {
        "a": np.array(0.7),
        "v": rng.integers(0, 2, (N, M)).astype(np.float32),
        "h": rng.integers(0, 2, (N, J)).astype(np.float32),
        "s": rng.choice([-1.0, 1.0], (N, M)),
        "y": rng.integers(0, K, (N, L)),
        "x": rng.normal(size=(N, L)),
    }


def energy_terms() -> tuple[EnergyTerm, ...]:
    minus = number(-1)
    return (
        EnergyTerm(Mul((minus, get(v, i), get(W, i, j), get(h, j))), (i, j)),
        EnergyTerm(Mul((minus, get(b, i), get(v, i))), (i,)),
        EnergyTerm(Mul((minus, get(c, j), get(h, j))), (j,)),
    )


def test_two_layer_energy(data: dict[str, Any]) -> None:
    model = Model("m", (v, h), (), (W, b, c), (), energy_terms())
    params = {name: data[name] for name in "Wbc"}
    expected = (
        -np.einsum("ni,ij,nj->n", data["v"], data["W"], data["h"]) - data["v"] @ data["b"] - data["h"] @ data["c"]
    )
    energy = interpret_energy(model, params, {"v": data["v"], "h": data["h"]})
    assert energy.dtype == np.float64
    np.testing.assert_allclose(energy, expected, rtol=1e-12)


def test_pieces_do_not_change_the_value(data: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    m = fresh_index("m")
    inner = LogSumExp(Mul((get(R, k, d, m), get(c, m))), (m, d))
    node = Sum(Mul((get(v, i), get(W, i, j), get(h, j), inner)), (i, j))
    node = Sum(Mul((get(x, k), node)), (k,))
    node = BatchMean(node)
    whole = interpret(node, data)
    monkeypatch.setattr(module, "MAX_ELEMENTS", 1)
    np.testing.assert_allclose(interpret(node, data), whole, rtol=1e-12)
    assert whole.shape == (1,)


def test_third_order_with_a_one_hot_variable_and_an_input(data: dict[str, Any]) -> None:
    node = Sum(Mul((get(x, d), get(y, d, k), get(R, d, k, j), get(h, j))), (d, k, j))
    hot = np.eye(K)[data["y"]]
    expected = np.einsum("nl,nlk,lkj,nj->n", data["x"], hot, data["R"], data["h"])
    np.testing.assert_allclose(interpret(node, data), expected, rtol=1e-12)


def test_free_indices_are_axes_in_the_order_of_the_scope(data: dict[str, Any]) -> None:
    node = Sum(Mul((get(y, d, k), get(R, d, k, j))), (k,))
    hot = np.eye(K)[data["y"]]
    expected = np.einsum("nlk,lkj->njl", hot, data["R"])
    np.testing.assert_allclose(interpret(node, data, (j, d)), expected, rtol=1e-12)


def test_same_layer_coupling_without_its_diagonal(data: dict[str, Any]) -> None:
    bracket = Bracket((Compare(at(i), "!=", at(k)),))
    node = Sum(Mul((bracket, get(s, i), get(U, i, k), get(s, k))), (i, k))
    off = data["U"] - np.diag(np.diag(data["U"]))
    np.testing.assert_allclose(interpret(node, data), np.einsum("ni,ik,nk->n", data["s"], off, data["s"]))


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<="])
def test_relations(data: dict[str, Any], operator: str) -> None:
    node = Mul((Bracket((Compare(at(i), operator, shifted(k, 1)),)), get(U, i, k)))
    rows, columns = np.indices((M, M))
    holds = {
        "==": rows == columns + 1,
        "!=": rows != columns + 1,
        "<": rows < columns + 1,
        "<=": rows <= columns + 1,
    }[operator]
    np.testing.assert_array_equal(interpret(node, data, (i, k)), (holds * data["U"])[None])


def test_nested_sum_inside_a_function(data: dict[str, Any]) -> None:
    inner = Sum(Mul((get(W, i, j), get(v, i))), (i,))
    node = Sum(Mul((number(-1), Call("softplus", Add((get(c, j), inner))))), (j,))
    expected = -np.log1p(np.exp(data["c"] + data["v"] @ data["W"])).sum(axis=1)
    np.testing.assert_allclose(interpret(node, data), expected, rtol=1e-6)


def test_log_sum_exp_over_states(data: dict[str, Any]) -> None:
    logits = Sum(Mul((get(R, d, k, j), get(h, j))), (j,))
    value = interpret(LogSumExp(logits, (k,)), data, (d,))
    expected = np.log(np.exp(np.einsum("lkj,nj->nlk", data["R"], data["h"])).sum(axis=2))
    np.testing.assert_allclose(value, expected, rtol=1e-12)


def test_log_sum_exp_does_not_overflow() -> None:
    node = LogSumExp(get(b, i), (i,))
    value = interpret(node, {"b": np.array([1e4, 1e4, -1e4, -np.inf])})
    np.testing.assert_allclose(value, [1e4 + np.log(2.0)])


def test_batch_mean_is_the_weighted_sum(data: dict[str, Any]) -> None:
    gradient = Quantity("W", (i, j), BatchMean(Mul((number(-1), get(v, i), get(h, j)))), per_example=False)
    weights = np.linspace(0.0, 1.0, N)
    expected = -np.einsum("n,ni,nj->ij", weights, data["v"], data["h"])
    np.testing.assert_allclose(interpret_quantity(gradient, data, weights=weights), expected)
    np.testing.assert_allclose(interpret_quantity(gradient, data), -data["v"].T @ data["h"] / N, rtol=1e-6)


def test_a_gradient_has_the_shape_of_its_parameter(data: dict[str, Any]) -> None:
    gradient = Quantity("W", (i, j), BatchMean(number(2)), per_example=False)
    np.testing.assert_allclose(interpret_quantity(gradient, data), np.full((M, J), 2.0))


def test_computation_gives_every_quantity_by_name(data: dict[str, Any]) -> None:
    computation = Computation(
        (
            Quantity("energy", (), Mul((get(a), Sum(get(v, i), (i,))))),
            Quantity("constant", (), get(a)),
            Quantity("c", (j,), BatchMean(get(h, j)), per_example=False),
        )
    )
    values = interpret_computation(computation, data)
    np.testing.assert_allclose(values["energy"], 0.7 * data["v"].sum(axis=1))
    np.testing.assert_allclose(values["constant"], np.full(N, 0.7))
    np.testing.assert_allclose(values["c"], data["h"].mean(axis=0))


def test_law_of_a_binary_unit(data: dict[str, Any]) -> None:
    law = ConditionalLaw(
        h, (j,), None, "Bernoulli", (("logits", Add((get(c, j), Sum(Mul((get(v, i), get(W, i, j))), (i,))))),)
    )
    np.testing.assert_allclose(interpret_law(law, data)["logits"], data["c"] + data["v"] @ data["W"])


def test_law_of_a_categorical_unit_that_is_constant(data: dict[str, Any]) -> None:
    law = ConditionalLaw(y, (d,), k, "Categorical", (("logits", get(a)),))
    np.testing.assert_allclose(interpret_law(law, data)["logits"], np.full((N, L, K), 0.7))
    del data["y"]
    assert interpret_law(law, data, examples=3)["logits"].shape == (3, L, K)


def test_functions_and_powers() -> None:
    extreme = np.array([-1000.0, -2.5, 0.0, 1000.0])
    arrays = {"b": extreme}

    def value(name: str) -> Any:
        return interpret(Call(name, get(b, i)), arrays, (i,))[0]

    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_allclose(value("sigmoid"), [0.0, 1 / (1 + np.exp(2.5)), 0.5, 1.0], rtol=1e-12)
        np.testing.assert_allclose(value("softplus"), [0.0, np.log1p(np.exp(-2.5)), np.log(2.0), 1000.0])
        np.testing.assert_allclose(value("relu"), [0.0, 0.0, 0.0, 1000.0])
        np.testing.assert_allclose(value("tanh"), np.tanh(extreme))
        np.testing.assert_allclose(value("cos"), np.cos(extreme))
        np.testing.assert_allclose(value("sin"), np.sin(extreme))
    powers = {Fraction(2): 16.0, Fraction(-1): 0.25, Fraction(1, 2): 2.0, Fraction(0): 1.0}
    for exponent, expected in powers.items():
        assert interpret(Pow(get(a), exponent), {"a": np.array(4.0)}) == expected
    assert interpret(Call("lgamma", get(a)), {"a": np.array(5.0)}) == pytest.approx(np.log(24.0))
    assert interpret(Call("sqrt", Call("exp", Call("log", get(a)))), {"a": np.array(9.0)}) == pytest.approx(3.0)


def inside(position: Position, symbol: Symbol, axis: int = 0) -> Bracket:
    """[0 ≤ position < |symbol|]"""
    end = Position(((Length(symbol.name, axis), 1),))
    return Bracket((Compare(Position(), "<=", position), Compare(position, "<", end)))


def test_a_bracket_drops_instances_outside_an_axis(data: dict[str, Any]) -> None:
    after, minus = shifted(i, 1), number(-1)
    bonds = Sum(Mul((inside(after, s), get(s, i), get(s, after))), (i,))
    np.testing.assert_allclose(interpret(bonds, data), (data["s"][:, :-1] * data["s"][:, 1:]).sum(axis=1))
    squared = Pow(Add((get(s, i), Mul((minus, get(s, after))))), Fraction(2))
    difference = Sum(Mul((inside(after, s), squared)), (i,))
    np.testing.assert_allclose(interpret(difference, data), (np.diff(data["s"], axis=1) ** 2).sum(axis=1))


def test_a_bracket_drops_the_summand_of_a_free_index(data: dict[str, Any]) -> None:
    sides = tuple(Mul((inside(shifted(i, by), s), get(s, shifted(i, by)))) for by in (1, -1))
    node = Add((get(b, i), Mul((get(a), Add(sides)))))
    padded = np.pad(data["s"], ((0, 0), (1, 1)))
    expected = data["b"] + 0.7 * (padded[:, 2:] + padded[:, :-2])
    np.testing.assert_allclose(interpret(node, data, (i,)), expected)


def test_where_a_bracket_is_zero_the_rest_may_be_anything(data: dict[str, Any]) -> None:
    first = Bracket((Compare(at(i), "<", Position((), 1)),))
    node = Sum(Mul((first, get(b, i), Call("log", Mul((number(0), get(c, i)))))), (i,))
    never = Bracket((Compare(at(i), "<", at(i)),))
    assert interpret(Sum(Mul((never, *node.body.factors)), (i,)), data | {"c": np.ones(M)}) == 0.0  # and not 0 · log 0


def test_relations_around_an_axis(data: dict[str, Any]) -> None:
    relation = Compare(shifted(i, -1), "==", at(k), ("s", 0))
    node = Mul((Bracket((relation,)), get(U, i, k)))
    wanted = data["U"] * (np.arange(M)[None] == (np.arange(M)[:, None] - 1) % M)
    np.testing.assert_array_equal(interpret(node, data, (i, k), symbols=(s,)), wanted[None])


def test_periodic_axis_wraps(data: dict[str, Any]) -> None:
    ring = Variable("s", (Axis(M, "periodic"),), Spin())
    bonds = Sum(Mul((get(ring, i), get(ring, shifted(i, -1)))), (i,))
    expected = (data["s"] * np.roll(data["s"], 1, axis=1)).sum(axis=1)
    np.testing.assert_allclose(interpret(bonds, data), expected)
    fresh = fresh_index("i", ("s", 0))
    alone = Sum(Mul((get(ring, shifted(fresh, 3)), get(ring, shifted(fresh, 1)))), (fresh,))
    wanted = (data["s"] * np.roll(data["s"], 2, axis=1)).sum(axis=1)
    np.testing.assert_allclose(interpret(alone, data), wanted)


def test_convolution() -> None:
    rng = np.random.default_rng(1)
    image = Variable("v", (Axis(7), Axis(6)), Binary())
    kernel = Parameter("F", (Axis(3), Axis(2)))
    arrays = {"v": rng.integers(0, 2, (2, 7, 6)), "F": rng.normal(size=(3, 2))}
    moved = (Position(((i, 1), (k, 1))), Position(((j, 1), (d, 1))))
    node = Sum(Mul((get(kernel, k, d), Access(image, moved))), (k, d))
    windows = np.lib.stride_tricks.sliding_window_view(arrays["v"], (3, 2), axis=(1, 2))
    expected = np.einsum("nijkl,kl->nij", windows, arrays["F"])
    np.testing.assert_allclose(interpret(node, arrays, (i, j), sizes={i: 5, j: 5}), expected)


def test_constants_bring_their_own_value() -> None:
    constant = Constant("const_0", (Axis(3),), value=np.array([1.0, 2.0, 3.0]), shown="A")
    assert interpret(Sum(get(constant, i), (i,)), {}) == 6.0
    assert interpret(Sum(get(constant, i), (i,)), {"const_0": np.ones(3)}) == 3.0


def test_unit_of_a_local_energy(data: dict[str, Any]) -> None:
    node: Scalar = Mul((Unit(), get(a)))
    assert interpret(node, data, unit=2.0) == pytest.approx(1.4)
    with pytest.raises(InternalError, match="the unit x has no value here"):
        interpret(node, data)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(DataError, match="b: no array was given for it"):
        interpret(get(b, i), {}, (i,))
    with pytest.raises(InternalError, match="how far the index j runs"):
        interpret(get(b, i), {"b": np.zeros(M)}, (i, j))


def test_sizes_are_those_of_the_arrays() -> None:
    assert interpret(Sum(get(b, i), (i,)), {"b": np.ones(100)}) == 100.0


def test_the_extent_of_an_index_that_stands_nowhere(data: dict[str, Any]) -> None:
    unit, state = fresh_index("j", ("h", 0)), fresh_index("k", ("y", -1))
    node = Sum(Call("softplus", get(a)), (unit,))
    free = Add((node, LogSumExp(get(a), (state,))))
    expected = J * np.log1p(np.exp(0.7)) + np.log(K * np.exp(0.7))
    np.testing.assert_allclose(interpret(free, {"a": data["a"]}, symbols=(h, y)), [expected])
    term = EnergyTerm(get(a), (unit,))
    np.testing.assert_allclose(
        interpret_energy(Model("m", (h,), (), (a,), (), (term,)), {"a": data["a"]}, {"h": np.zeros((2, 9))}),
        [9 * 0.7] * 2,
    )
