"""Lengths of axes and places looked up in tables, through every pass that reads positions."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from pgmc.codegen.kernel_module import build_kernel_module
from pgmc.derivation.energy import derive_energy
from pgmc.errors import InternalError
from pgmc.inspection.latex import latex_scalar
from pgmc.inspection.sympy_form import to_sympy
from pgmc.ir.canonical import canonical_model, canonical_text
from pgmc.ir.check import check_model
from pgmc.ir.deserialise import model_from_data
from pgmc.ir.fresh_indices import freshen_model
from pgmc.ir.interpret import interpret, interpret_energy
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import (
    Access,
    Bracket,
    Compare,
    Index,
    Length,
    Lookup,
    Mul,
    Number,
    Position,
    Scalar,
    Sum,
    at,
    fresh_index,
)
from pgmc.ir.printer import print_scalar
from pgmc.ir.rewrite import accesses, affine, free_indices, position_indices, replace_symbols, substitute
from pgmc.ir.serialise import model_to_data
from pgmc.ir.symbols import Axis, Constant, Parameter, Spin, Variable

STARTS, ENDS = np.array([0.0, 1, 2, 3]), np.array([1.0, 2, 3, 0])
s = Variable("s", (Axis(4),), Spin())
J = Parameter("J", (Axis(4),))
a = Constant("a", (Axis(4),), STARTS)
b = Constant("b", (Axis(4),), ENDS)


def looked_up(table: Constant, index: Index) -> Position:
    return Position(((Lookup(table, (at(index),)), 1),))


def edges(first: Constant = a, second: Constant = b, name: str = "e") -> Model:
    """-Σ_e J[e] s[a[e]] s[b[e]]"""
    e = fresh_index(name)
    factors = (Access(J, (at(e),)), Access(s, (looked_up(first, e),)), Access(s, (looked_up(second, e),)))
    return Model("edges", (s,), (), (J,), (a, b), (EnergyTerm(Mul((Number(Fraction(-1)), *factors)), (e,)),))


def shortened() -> tuple[Index, Scalar]:
    """Σ_x [x + 1 < |s|] J[x + 1]"""
    x = fresh_index("x", ("s", 0))
    after = affine({x: 1}, 1)
    inside = Bracket((Compare(after, "<", affine({Length("s", 0): 1})),))
    return x, Mul((inside, Access(J, (after,))))


def test_indices_and_accesses_are_found_in_lookups() -> None:
    e, f = fresh_index("e"), fresh_index("f")
    node = Access(s, (looked_up(a, e),))
    assert free_indices(node) == position_indices(node.positions[0]) == (e,)
    assert accesses(node) == (node, Access(a, (at(e),)))
    assert substitute(node, {e: at(f)}) == Access(s, (looked_up(a, f),))
    assert replace_symbols(node, {"a": b}) == Access(s, (looked_up(b, e),))


def test_positions_are_equal_whatever_the_order_of_their_terms() -> None:
    x, y = fresh_index("x"), fresh_index("y")
    assert affine({x: 1, y: 2, Length("s", 0): -1}, 3) == affine({Length("s", 0): -1, y: 2, x: 1}, 3)
    assert affine({x: 0}) == Position()


def test_energy_of_edges() -> None:
    values, spins = np.arange(1.0, 5), np.array([[1, 1, 1, 1], [1, -1, 1, 1], [1, -1, 1, -1.0]])
    wanted = -(values * spins[:, STARTS.astype(int)] * spins[:, ENDS.astype(int)]).sum(axis=1)
    np.testing.assert_array_equal(interpret_energy(edges(), {"J": values}, {"s": spins}), wanted)


def test_the_length_of_an_axis_bounds_an_index() -> None:
    x, body = shortened()
    value = interpret(Sum(body, (x,)), {"J": np.arange(1.0, 5), "s": np.ones((1, 4))}, symbols=(s, J))
    assert value == 2 + 3 + 4


def test_texts() -> None:
    x, body = shortened()
    assert print_scalar(Sum(body, (x,))) == "Σ_x [x+1 < |s|]·J[x+1]"
    assert latex_scalar(Sum(body, (x,))) == r"\sum_{x} \left[x+1 < |s|\right] \, J_{x+1}"
    assert str(to_sympy(Bracket((Compare(at(x), "<", affine({Length("s", 1): 1})),)))).count("n_s_1") == 1
    assert print_scalar(Access(s, (looked_up(a, x),))) == "s[a[x]]"
    assert latex_scalar(Access(s, (looked_up(a, x),))) == "s_{a_{x}}"
    assert print_scalar(Access(J, (affine({x: 1, fresh_index("t"): -1}, 1),))) == "J[x+1-t]"


def test_canonical_text_depends_on_tables_and_not_on_names() -> None:
    assert canonical_text(edges()) == canonical_text(edges(name="f"))
    assert canonical_text(edges()) == canonical_text(edges(b, a))  # a product has no order
    assert canonical_text(edges()) != canonical_text(edges(a, a))


def test_a_saved_model_comes_back() -> None:
    model = canonical_model(edges())
    data, arrays = model_to_data(model)
    assert model_from_data(json.loads(json.dumps(data)), arrays).terms == model.terms


@pytest.mark.parametrize(
    ("values", "message"),
    [([0, 1, 2, 4], "places outside the axis of 4 of s"), ([0, 1, 2, 0.5], "entries that are no integers")],
)
def test_tables_are_checked(values: list[float], message: str) -> None:
    table = Constant("a", (Axis(4),), np.array(values))
    e = fresh_index("e")
    term = EnergyTerm(Access(s, (looked_up(table, e),)), (e,))
    with pytest.raises(InternalError, match=message):
        check_model(Model("m", (s,), (), (), (table,), (term,)))


def test_lengths_stand_in_relations_only() -> None:
    x = fresh_index("x")
    term = EnergyTerm(Access(s, (affine({Length("s", 0): 1, x: -1}),)), (x,))
    with pytest.raises(InternalError, match="length of an axis"):
        check_model(Model("m", (s,), (), (), (), (term,)))


def test_generated_code_looks_places_up() -> None:
    model = freshen_model(edges())
    source = build_kernel_module(model, "energy", derive_energy(model), "float64").module.source
    assert "s[n, np.int64(a[e])]" in source
