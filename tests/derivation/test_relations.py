"""Simplified relations hold exactly where all of the given ones do."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import numpy as np
import pytest

from expressions import new_index
from pgmc.derivation.relations import simplify_relations
from pgmc.ir.nodes import Compare, Index, Position, at

i, j, k = (new_index(name) for name in "ijk")
SIDES = (at(i), at(j), at(k), Position((), 0), Position((), 2), Position(((i, 1),), 1))
OPERATORS = ("==", "!=", "<", "<=")


def holds(relations: Iterable[Compare], values: Mapping[Index, int]) -> bool:
    def number(position: Position) -> int:
        return position.offset + sum(c * values[index] for index, c in position.terms)

    truth = {"==": int.__eq__, "!=": int.__ne__, "<": int.__lt__, "<=": int.__le__}
    return all(truth[r.operator](number(r.left), number(r.right)) for r in relations)


@pytest.mark.parametrize("seed", range(300))
def test_simplified_relations_mean_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    given = [
        Compare(SIDES[rng.integers(len(SIDES))], OPERATORS[rng.integers(4)], SIDES[rng.integers(len(SIDES))])
        for _ in range(rng.integers(1, 5))
    ]
    simple = simplify_relations(given)
    for values in itertools.product(range(4), repeat=3):
        where = dict(zip((i, j, k), values, strict=True))
        assert holds(given, where) == (simple is not None and holds(simple, where)), (given, simple)
    if simple is not None:
        assert set(simple) <= set(given)
        assert simplify_relations(simple) == simple


@pytest.mark.parametrize(
    ("given", "simple"),
    [
        ([Compare(at(i), "<", at(j)), Compare(at(j), "!=", at(i))], (Compare(at(i), "<", at(j)),)),
        ([Compare(at(i), "==", at(j)), Compare(at(j), "==", at(i))], (Compare(at(i), "==", at(j)),)),
        ([Compare(at(i), "<", at(j)), Compare(at(i), "<=", at(j))], (Compare(at(i), "<", at(j)),)),
        ([Compare(at(i), "<=", at(i))], ()),
        ([Compare(at(i), "!=", at(i))], None),
        ([Compare(at(i), "<", at(j)), Compare(at(j), "<", at(i))], None),
        ([Compare(at(i), "==", at(j)), Compare(at(j), "!=", at(i))], None),
        ([Compare(Position((), 1), "<", Position((), 0))], None),
    ],
)
def test_what_follows_is_dropped(given: list[Compare], simple: tuple[Compare, ...] | None) -> None:
    assert simplify_relations(given) == simple
