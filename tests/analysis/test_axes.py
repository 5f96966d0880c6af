"""Axes that are one axis, by the indices they share."""

from __future__ import annotations

import pytest

from energies import ENERGIES, build
from pgmc.analysis.axes import axis_name, index_axes, unify_axes
from pgmc.ir.model import Model
from pgmc.ir.rewrite import accesses
from pgmc.ir.symbols import access_axes
from random_energies import random_models


def sizes(model: Model) -> dict[tuple[str, int], int]:
    """The length of every axis, under the name that the analysis gives it."""
    found: dict[tuple[str, int], int] = {}
    for symbol in model.symbols:
        axes = access_axes(symbol)
        names = [(symbol.name, k) for k in range(len(symbol.axes))]
        names += [(symbol.name, -1)] * (len(axes) - len(names))
        found |= {name: axis.size for name, axis in zip(names, axes, strict=True)}
    return found


def assert_sound(model: Model) -> None:
    axes, lengths = unify_axes(model), sizes(model)
    assert set(axes) == set(lengths)
    for axis, representative in axes.items():
        assert lengths[axis] == lengths[representative]
        assert axes[representative] == representative
        assert list(axes).index(representative) <= list(axes).index(axis), "the first declared stands for all"
    for term in model.terms:
        seen: dict[object, tuple[str, int]] = {}
        for index, name in index_axes(term.body):
            assert axes[seen.setdefault(index, name)] == axes[name]


@pytest.mark.parametrize("name", ENERGIES)
def test_axes_of_models(name: str) -> None:
    assert_sound(build(name))


def test_axes_of_random_models() -> None:
    for model in random_models(range(60)):
        assert_sound(model)


def test_weights_take_the_axes_of_the_units() -> None:
    axes = unify_axes(build("two_layers"))
    assert axes["W", 0] == axes["b", 0] == ("v", 0)
    assert axes["W", 1] == axes["c", 0] == ("h", 0)


def test_states_are_an_axis() -> None:
    axes = unify_axes(build("labels"))
    assert axes["R", 1] == axes["b", 1] == ("y", -1)
    assert axes["R", 0] == ("y", 0)


def test_equal_lengths_alone_unify_nothing() -> None:
    axes = unify_axes(build("coupled_hidden_layer"))
    assert axes["v", 0] != axes["h", 0]
    assert axes["L", 0] == axes["L", 1] == ("h", 0)


def test_unused_axes_stand_for_themselves() -> None:
    axes = unify_axes(build("untouched_variable"))
    assert axes["unused", 0] == ("unused", 0)
    assert axes["unused", 1] == ("unused", 1)
    assert axes["idle", -1] == ("idle", -1)


def test_the_name_of_an_axis() -> None:
    for term in build("labels").terms:
        for access in accesses(term.body):
            names = [axis_name(access, k) for k in range(len(access.positions))]
            wanted = {"y": [("y", 0), ("y", -1)], "s": [("s", 0)], "R": [("R", 0), ("R", 1), ("R", 2)]}
            assert names == wanted.get(access.symbol.name, [("b", 0), ("b", 1)])
