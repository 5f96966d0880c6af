"""Misuse of expressions, and values from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.ir.nodes import Access, Mul, Number
from pgmc.ir.rewrite import accesses


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda v: bool(v), pgmc.NotationError, "v: an expression has no truth value"),
        (lambda v: v if v[0] else 0, pgmc.NotationError, "no truth value"),
        (lambda v: list(v), pgmc.NotationError, "cannot be iterated over"),
        (lambda v: sum(v), pgmc.NotationError, "cannot be iterated over"),
        (lambda v: 1 in v, pgmc.NotationError, "cannot be iterated over"),
        (lambda v: v == 1, pgmc.NotationError, "cannot be compared"),
        (lambda v: v != 1, pgmc.NotationError, "cannot be compared"),
        (lambda v: v < 1, pgmc.NotationError, "cannot be compared"),
        (lambda v: 1 >= v, pgmc.NotationError, "cannot be compared"),  # noqa: SIM300
        (lambda v: np.ones(3) == v, pgmc.NotationError, "NumPy cannot take an expression"),
        (lambda v: np.exp(v), pgmc.NotationError, "such as pgmc.exp"),
        (lambda v: np.dot(v, v), pgmc.NotationError, "NumPy cannot take an expression"),
        (
            lambda v: np.einsum("i,i->", v, np.ones(3)),
            pgmc.NotationError,
            "NumPy cannot take an expression",
        ),
        (lambda v: np.asarray(v), pgmc.NotationError, "NumPy cannot take an expression"),
        (lambda v: np.array([v, v]), pgmc.NotationError, "NumPy cannot take an expression"),
        (lambda v: np.add.reduce([v, v]), pgmc.NotationError, "NumPy cannot take an expression"),
        (lambda v: v + "x", pgmc.NotationError, "str is neither an expression"),
        (lambda v: v + None, pgmc.NotationError, "NoneType is neither an expression"),
        (lambda v: v * [1, 2, 3], pgmc.NotationError, "list is neither an expression"),
        (lambda v: v * 1j, pgmc.NotationError, "complex is neither an expression"),
        (lambda v: v * np.array([1j, 0, 0]), pgmc.NotationError, "dtype complex128"),
        (lambda v: v * np.array(["a", "b", "c"]), pgmc.NotationError, "dtype <U1"),
        (lambda v: v * np.ones((0,)), pgmc.NotationError, "no entries"),
        (lambda v: v * np.nan, pgmc.NumericsError, "must be finite"),
        (lambda v: v * np.array([1, np.nan, 0]), pgmc.NumericsError, r"nan at position \(1,\)"),
    ],
)
def test_misuse(make: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        make(pgmc.Model("m").binary("v", 3))
    assert "test_expression.py:" in str(caught.value)


def test_in_place_operators_of_arrays_are_refused() -> None:
    array = np.ones(3)
    with pytest.raises(pgmc.NotationError):
        array += pgmc.Model("m").binary("v", 3)


def test_identity_still_compares() -> None:
    v = pgmc.Model("m").binary("v", 3)
    assert v == v and v in {v: 1} and hash(v) == hash(v)


def literals(expression: Any) -> list[Any]:
    factors = expression.node.factors if isinstance(expression.node, Mul) else (expression.node,)
    return [f.value if isinstance(f, Number) else f.symbol for f in factors]


@pytest.mark.parametrize("value", [2, 2.0, np.int8(2), np.float32(2), np.array(2), True + 1])
def test_whole_numbers_are_exact(value: Any) -> None:
    v = pgmc.Model("m").spin("v")
    assert literals(v * value)[1] == 2 and literals(value * v)[0] == 2


def test_other_numbers_are_constants_that_show_themselves() -> None:
    m = pgmc.Model("m")
    v = m.spin("v", 3)
    half = 0.5 * v
    m.energy(half.sum())
    m.energy((half * v).sum())
    m.energy(np.array([1.5, 2.5, 3.0]) @ v)
    m.energy(0.25 * v[0])
    constants = m.build().constants
    assert [c.name for c in constants] == ["constant_1", "constant_2", "constant_3"]
    assert [c.shown for c in constants] == ["0.5", None, "0.25"]
    assert constants[1].value.tolist() == [1.5, 2.5, 3.0] and constants[0].value.shape == ()
    assert "0.5·v[i]" in str(m.build())


def test_equal_numbers_are_not_shared_so_that_values_do_not_shape_the_program() -> None:
    def structure(a: float, b: float) -> Any:
        m = pgmc.Model("m")
        v = m.spin("v", 3)
        m.energy(a * v.sum() + b * v[0])
        return m.build()

    assert structure(0.5, 0.5) == structure(0.5, 0.7)


def test_handles_are_accesses() -> None:
    m = pgmc.Model("m")
    y = m.categorical("y", 2, states=3)
    assert isinstance(y.node, Access) and y.name == "y" and y.shape == (2, 3)
    assert accesses((y @ np.ones(3)).node)[0].symbol is y.symbol
    assert repr(y) == "<y, shape (2, 3)>"
