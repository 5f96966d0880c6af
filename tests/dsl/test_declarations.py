"""What a declaration refuses, and what it keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.ir.symbols import Axis, Binary, Categorical, Constraint, Real, Spin

SQUARE = (3, 3)


@pytest.fixture
def m() -> pgmc.Model:
    return pgmc.Model("m")


def test_domains_and_shapes(m: pgmc.Model) -> None:
    m.binary("v", 4)
    m.spin("s", (2, np.int64(3)))
    m.categorical("y", 2, states=5)
    m.input("u", [2, 2])  # type: ignore[arg-type]
    m.input("c", states=3)
    v, s, y, u, c = (m[name].symbol for name in "vsyuc")
    assert (v.axes, v.domain) == ((Axis(4),), Binary())
    assert (s.axes, s.domain) == ((Axis(2), Axis(3)), Spin())
    assert (y.axes, y.domain) == ((Axis(2),), Categorical(5))
    assert (u.axes, u.domain) == ((Axis(2), Axis(2)), Real())
    assert (c.axes, c.domain) == ((), Categorical(3))
    assert m["y"].shape == (2, 5) and m["c"].shape == (3,) and m["v"].shape == (4,)
    assert type(s.axes[1].size) is int


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (0, "group 'h' has size 0"),
        ((3, 0), "group 'h' has size 0"),
        (-1, "the size -1 is negative"),
        (2.0, "not made of integers"),
        ("3", "not made of integers"),
        (None, "not made of integers"),
        (True, "not made of integers"),
        ((2, (3,)), "not made of integers"),
        ((10**7, 10**7), "needs 400000000000000 bytes"),
        (2**63, "bytes"),
    ],
)
def test_bad_shapes(m: pgmc.Model, shape: Any, message: str) -> None:
    with pytest.raises(pgmc.ModelError, match=message):
        m.binary("h", shape)
    with pytest.raises(pgmc.ModelError):
        m.param("W", shape)
    with pytest.raises(pgmc.ModelError):
        m.input("u", shape)


@pytest.mark.parametrize("states", [1, 0, -3, 2.0, None, "3", True])
def test_bad_numbers_of_states(m: pgmc.Model, states: Any) -> None:
    with pytest.raises(pgmc.ModelError, match="states"):
        m.categorical("y", 3, states=states)


def test_many_states_are_fine(m: pgmc.Model) -> None:
    assert m.categorical("y", states=300).shape == (300,)


@pytest.mark.parametrize(
    ("shape", "how", "message"),
    [
        ((2, 3), {"symmetric": True}, r"needs a square matrix, and the shape is \(2, 3\)"),
        (3, {"zero_diagonal": True}, "needs a square matrix"),
        ((2, 2, 2), {"symmetric": True}, "needs a square matrix"),
        ((2, 3), {"mask": np.ones((3, 2))}, r"mask has the shape \(3, 2\), and the parameter \(2, 3\)"),
        ((2, 3), {"mask": np.full((2, 3), 0.5)}, r"the mask is 0.5 at position \(0, 0\)"),
        ((2, 3), {"mask": np.full((2, 3), "x")}, "dtype <U1"),
        ((2, 3), {"mask": np.full((2, 3), 1j)}, "dtype complex128"),
        ((2, 3), {"mask": np.full((2, 3), None)}, "dtype object"),
        ((2, 3), {"mask": [[1, 2], [3]]}, "rows of the array differ in length"),
        ((2, 2), {"mask": [[1, 1], [0, 1]], "symmetric": True}, "mask of a symmetric parameter"),
        (SQUARE, {"positive": True, "zero_diagonal": True}, "positive=True excludes"),
        (2, {"positive": True, "mask": [0, 1]}, "positive=True excludes"),
        (SQUARE, {"symmetric": "yes"}, "symmetric is 'yes'"),
        (
            (2, 3),
            {"init": np.ones((3, 2))},
            r"initial value has the shape \(3, 2\), and the parameter \(2, 3\)",
        ),
        (2, {"init": "zeros"}, "dtype"),
        (2, {"init": [1j, 0]}, "dtype complex128"),
        (2, {"init": [1, -1], "positive": True}, "not positive"),
        (2, {"init": 0, "positive": True}, "not positive"),
        ((2, 2), {"init": [[0, 1], [2, 0]], "symmetric": True}, "is not symmetric"),
        ((2, 2), {"init": np.eye(2), "zero_diagonal": True}, "diagonal that is not zero"),
        (2, {"init": [1, 1], "mask": [1, 0]}, "not zero where the mask is"),
    ],
)
def test_bad_parameters(m: pgmc.Model, shape: Any, how: dict[str, Any], message: str) -> None:
    with pytest.raises(pgmc.ModelError, match=message) as caught:
        m.param("W", shape, **how)
    assert "parameter 'W'" in str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, [0.0, -np.inf]])
def test_values_are_finite(m: pgmc.Model, value: Any) -> None:
    with pytest.raises(pgmc.NumericsError, match=r"parameter 'b'.*Every entry must be finite"):
        m.param("b", 2, init=value)
    with pytest.raises(pgmc.NumericsError, match="constant 'k'"):
        m.constant("k", value)


@pytest.mark.parametrize("value", ["x", None, [1, [2]], 1j, np.array([object()])])
def test_constants_are_real(m: pgmc.Model, value: Any) -> None:
    with pytest.raises(pgmc.ModelError, match="constant 'k'"):
        m.constant("k", value)


def test_constants_are_copied_and_read_only(m: pgmc.Model) -> None:
    value = np.arange(3)
    m.constant("k", value)
    value[0] = 7
    kept = m["k"].symbol.value
    assert kept.tolist() == [0.0, 1.0, 2.0] and kept.dtype == np.float64 and not kept.flags.writeable
    with pytest.raises(pgmc.ModelError, match="size 0"):
        m.constant("none", np.ones(0))


def test_constraints_are_recorded(m: pgmc.Model) -> None:
    mask = np.array([[0, 1], [1, 0]])
    W = m.param("W", (2, 2), symmetric=True, zero_diagonal=True, mask=mask)
    mask[0, 0] = 1
    constraint = W.symbol.constraint
    assert constraint == Constraint(symmetric=True, zero_diagonal=True, masked=True)
    assert constraint.mask.dtype == np.bool_ and constraint.mask.tolist() == [[False, True], [True, False]]
    assert not constraint.mask.flags.writeable
    assert m.param("p", positive=True, init=2).symbol.init == 2.0


def test_declarations_fail_before_anything_is_kept(m: pgmc.Model) -> None:
    with pytest.raises(pgmc.ModelError):
        m.param("W", (2, 3), symmetric=True)
    m.param("W", (2, 2), symmetric=True)
