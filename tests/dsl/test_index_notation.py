"""Indices, elements, relations and written sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.dsl.index_notation import RunningIndex
from pgmc.ir.interpret import interpret
from pgmc.ir.rewrite import free_indices

i, j, k = pgmc.indices("i j k")


def test_one_name_gives_one_index() -> None:
    assert isinstance(pgmc.indices("i"), RunningIndex)
    both = pgmc.indices("x, dx")
    assert isinstance(both, tuple) and [repr(index) for index in both] == ["x", "dx"]
    assert pgmc.indices("i").index != pgmc.indices("i").index


@pytest.mark.parametrize("names", ["", " , ", "i i", "1", "i-j", "for", None, 3, ["i"]])
def test_bad_index_names(names: Any) -> None:
    with pytest.raises(pgmc.NotationError, match=r"pgmc\.indices"):
        pgmc.indices(names)


def test_indices_survive_numpy_object_arrays() -> None:
    array = np.atleast_1d(np.array(pgmc.indices("i j"), dtype=object))
    assert [repr(index) for index in array] == ["i", "j"]
    assert np.atleast_1d(np.array(i, dtype=object))[0] is i


def test_elements_have_no_axes() -> None:
    W = pgmc.Model("m").param("W", (4, 3))
    element = W[i, j]
    assert element.shape == () and free_indices(element.node) == (i.index, j.index)
    assert W[:, j].shape == (4,) and W[2, :].shape == (3,) and W[:, :].shape == (4, 3)
    assert free_indices(W[2, j].node) == (j.index,)


def test_one_hot_arrays_have_an_axis_of_states() -> None:
    y = pgmc.Model("m").categorical("y", 4, states=3)
    assert y[i, k].shape == ()
    assert y[:, k].shape == (4,)
    with pytest.raises(pgmc.NotationError, match=r"y has the shape \(4, 3\), and 1 positions were given"):
        y[i]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda v, W, s: W[i], r"shape \(4, 3\), and 1 positions were given"),
        (lambda v, W, s: v[i, j], "2 positions were given"),
        (lambda v, W, s: s[i], "it has no elements"),
        (lambda v, W, s: W[i, j][0], "it has no elements"),
        (lambda v, W, s: v[4], r"position 4 is outside axis 0 of v \(4\). Positions run from 0 to 3"),
        (lambda v, W, s: v[-1], "position -1 is outside"),
        (lambda v, W, s: v[1.0], "a position is float"),
        (lambda v, W, s: v[True], "a position is bool"),
        (lambda v, W, s: v[None], "a position is NoneType"),
        (lambda v, W, s: v[1:3], "a position is slice"),
        (lambda v, W, s: v[...], "a position is ellipsis"),
        (lambda v, W, s: v["i"], "a position is str"),
        (lambda v, W, s: v[v], "a position is Handle"),
        (lambda v, W, s: v[0 < i], "a position is Relation"),  # noqa: SIM300
        (lambda v, W, s: v[i // 2], "sums of indices, multiples of indices and integers"),
        (lambda v, W, s: v[i * 2.0], "an index is multiplied by float"),
        (lambda v, W, s: v[i * j], "an index is multiplied by RunningIndex"),
        (lambda v, W, s: v[i + 0.5], "the offset of an index is float"),
        (lambda v, W, s: i * v, "an index is multiplied by Handle"),
        (lambda v, W, s: v * i, "an index is not a value"),
        (lambda v, W, s: pgmc.exp(i), "an index is not a value"),
        (lambda v, W, s: W[i, i], r"index i runs over axis 0 of W \(4\) and axis 1 of W \(3\)"),
        (lambda v, W, s: W[i, j] * W[0, i], r"i runs over axis 0 of W \(4\) and axis 1 of W \(3\)"),
        (lambda v, W, s: (v @ W)[i] * v[i], r"axis 0 of v @ W \(3\) and axis 0 of v \(4\)"),
        (lambda v, W, s: pgmc.exp(v[i] + W[0, i]), "index i runs over"),
        (lambda v, W, s: (v[i] + W[0, i]) ** 2, "index i runs over"),
        (lambda v, W, s: W[0, 0] * (W[i, 0] + W[0, i]), "index i runs over"),
        (lambda v, W, s: pgmc.Sum(v[i] + W[0, i], i), "index i runs over"),
        (lambda v, W, s: pgmc.logsumexp(v[i] + W[0, i], i), "index i runs over"),
        (lambda v, W, s: pgmc.Sum(v[i], j), r"index j stands nowhere in v\[i\]"),
        (lambda v, W, s: pgmc.Sum(v[i], j, where=j < i), "index j stands nowhere"),
        (lambda v, W, s: pgmc.Sum(v[i]), "no index is named"),
        (lambda v, W, s: pgmc.Sum(v[i], i, i), "index i is named twice"),
        (lambda v, W, s: pgmc.Sum(v[i], "i"), "'i' is not an index"),
        (lambda v, W, s: pgmc.Sum(v, 0), "0 is not an index; *|0 is not an index"),
        (lambda v, W, s: pgmc.Sum(v[i], i, where=i == j), "where= is bool"),
        (lambda v, W, s: pgmc.Sum(v[i], i, where="i<j"), "where= is str"),
        (lambda v, W, s: pgmc.Sum(pgmc.Sum(v[i], i), i), "index i stands nowhere"),
        (lambda v, W, s: pgmc.logsumexp(v[i], j), "index j stands nowhere"),
        (lambda v, W, s: i < 1.5, "compared with float"),
        (lambda v, W, s: i < v, "compared with Handle"),
        (lambda v, W, s: i.eq("a"), "compared with str"),
        (lambda v, W, s: (i < j) & True, "& joins relations, not bool"),
        (lambda v, W, s: 0 < i < j, "no truth value"),
        (lambda v, W, s: (i < j) and (j < k), "no truth value"),
        (lambda v, W, s: not i, "an index has no truth value"),
    ],
)
def test_refused(make: Callable[..., Any], message: str) -> None:
    m = pgmc.Model("m")
    v, W, s = m.binary("v", 4), m.param("W", (4, 3)), m.spin("s")
    with pytest.raises(pgmc.NotationError, match=message):
        make(v, W, s)


@pytest.mark.parametrize(
    ("relation", "holds"),
    [
        (j < i, lambda a, b: b < a),
        (j <= i, lambda a, b: b <= a),
        (j > i, lambda a, b: b > a),
        (j >= i, lambda a, b: b >= a),
        (i > j, lambda a, b: a > b),
        (i.eq(j), lambda a, b: a == b),
        (i.ne(j), lambda a, b: a != b),
        (i < 2, lambda a, b: a < 2),
        (1 < i, lambda a, b: 1 < a),  # noqa: SIM300
        (i >= np.int64(2), lambda a, b: a >= 2),
        (i.eq(2), lambda a, b: a == 2),
        ((j < i) & (i < 3), lambda a, b: (b < a) & (a < 3)),
        ((j < i) & (i < 3) & j.ne(0), lambda a, b: (b < a) & (a < 3) & (b != 0)),
    ],
    ids=lambda value: repr(value) if not callable(value) else "",
)
def test_relations(world: Any, relation: Any, holds: Callable[..., Any]) -> None:
    U, value = world.param("U", (4, 4))
    a, b = np.indices((4, 4))
    total = pgmc.Sum(U[i, j], i, j, where=relation)
    np.testing.assert_allclose(world.value(total), value[holds(a, b)].sum())


def test_sums(world: Any) -> None:
    W, w = world.param("W", (4, 3))
    h, g = world.param("h", (3,))
    inner = pgmc.Sum(W[i, j] * h[j], j)
    assert free_indices(inner.node) == (i.index,)
    np.testing.assert_allclose(interpret(inner.node, world.arrays, (i.index,))[0], w @ g)
    np.testing.assert_allclose(world.value(pgmc.Sum(inner**2, i)), ((w @ g) ** 2).sum())
    np.testing.assert_allclose(world.value(pgmc.Sum(inner, (i,))), (w @ g).sum())
    np.testing.assert_allclose(world.value(pgmc.Sum(h[j], j) * pgmc.Sum(h[j], j)), g.sum() ** 2)
    soft = pgmc.logsumexp(W[i, j], i)
    np.testing.assert_allclose(interpret(soft.node, world.arrays, (j.index,))[0], np.log(np.exp(w).sum(0)))
    np.testing.assert_allclose(world.value(pgmc.logsumexp(W[i, j], (i, j))), np.log(np.exp(w).sum()))


def test_a_bound_letter_may_run_again(world: Any) -> None:
    h, g = world.param("h", (3,))
    b, c = world.param("b", (4,))
    mixed = pgmc.Sum(h[j], j) * b[j]
    np.testing.assert_allclose(interpret(mixed.node, world.arrays, (j.index,))[0], g.sum() * c)


def test_arrays_and_indices_mix(world: Any) -> None:
    W, w = world.param("W", (4, 3))
    h, g = world.param("h", (3,))
    b, c = world.param("b", (4,))
    np.testing.assert_allclose(interpret((W @ h)[i].node, world.arrays, (i.index,))[0], w @ g)
    np.testing.assert_allclose(interpret((W[i, :] @ h * b[i]).node, world.arrays, (i.index,))[0], (w @ g) * c)
    np.testing.assert_allclose(
        interpret((b[0] * W[:, j] * h[j]).sum().node, world.arrays, (j.index,))[0], c[0] * w.sum(0) * g
    )
    np.testing.assert_allclose(interpret(W.T[j, i].node, world.arrays, (i.index, j.index))[0], w)


def test_relations_print_as_written() -> None:
    assert repr((j < i) & (i >= 2) & i.ne(k)) == "j < i & i >= 2 & i != k"
