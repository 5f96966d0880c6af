"""Canonical form of random models: independent of names, keys and order, and with the same meaning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pgmc.ir.canonical import canonical_model, canonical_term, canonical_text
from pgmc.ir.check import check_model
from pgmc.ir.interpret import interpret_energy
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import (
    Access,
    Add,
    Bracket,
    Call,
    Compare,
    Index,
    LogSumExp,
    Mul,
    Position,
    Pow,
    Scalar,
    Sum,
    at,
    fresh_index,
    number,
)
from pgmc.ir.rewrite import walk
from pgmc.ir.symbols import Axis, Binary, Categorical, Parameter, Symbol, Variable

A, B = Parameter("A", (Axis(4), Axis(4))), Parameter("B", (Axis(4),))
X, Y = Variable("x", (Axis(4),), Binary()), Variable("y", (Axis(4),), Categorical(4))


def get(symbol: Symbol, *positions: Index | int) -> Access:
    return Access(symbol, tuple(at(p) if isinstance(p, Index) else Position((), p) for p in positions))


@st.composite
def scalars(draw: st.DrawFn, scope: tuple[Index, ...], depth: int) -> Scalar:
    """An expression over the indices in scope."""

    def place() -> Index | int:
        return draw(st.sampled_from(scope)) if scope and draw(st.integers(0, 9)) else draw(st.integers(0, 3))

    kind = draw(st.integers(0, 9 if depth else 3))
    if kind == 0:
        return get(A, place(), place())
    if kind == 1:
        return get(X, place())
    if kind == 2:
        return draw(st.sampled_from([get(B, place()), number(draw(st.integers(-2, 2)))]))
    if kind == 3:
        return get(Y, place(), place())
    if kind in (4, 5):
        return Add(tuple(draw(st.lists(scalars(scope, depth - 1), min_size=1, max_size=3))))
    if kind in (6, 7):
        return Mul(tuple(draw(st.lists(scalars(scope, depth - 1), min_size=1, max_size=3))))
    if kind == 8:
        body = draw(scalars(scope, depth - 1))
        return draw(st.sampled_from([Call("tanh", body), Pow(body, number(2).value)]))
    new = fresh_index(draw(st.sampled_from(["", "i", "j"])))
    inner = Mul((get(draw(st.sampled_from([X, B])), new), draw(scalars((*scope, new), depth - 1))))
    relation = Bracket((Compare(at(new), draw(st.sampled_from(["<", "!=", "=="])), Position((), 2)),))
    return draw(st.sampled_from([Sum(inner, (new,)), Sum(Mul((inner, relation)), (new,)), LogSumExp(inner, (new,))]))


@st.composite
def models(draw: st.DrawFn) -> Model:
    terms = []
    for _ in range(draw(st.integers(1, 3))):
        over = tuple(fresh_index(draw(st.sampled_from(["", "i", "n"]))) for _ in range(draw(st.integers(0, 3))))
        carrier = [get(draw(st.sampled_from([X, B])), index) for index in over]
        terms.append(EnergyTerm(Mul((*carrier, draw(scalars(over, 3)))), over))
    return Model("m", (X, Y), (), (A, B), (), tuple(terms))


def shuffled(node: Scalar, random: Any, new: dict[Index, Index]) -> Scalar:
    """The same expression with other keys and names of indices, and terms and factors in another order."""
    match node:
        case Access(symbol, positions):
            return Access(symbol, tuple(moved(p, new) for p in positions))
        case Bracket(relations):
            turned = tuple(Compare(moved(r.left, new), r.operator, moved(r.right, new)) for r in relations)
            return Bracket(tuple(random.sample(turned, len(turned))))
        case Add(parts) | Mul(parts):
            mixed = [shuffled(part, random, new) for part in parts]
            random.shuffle(mixed)
            return type(node)(tuple(mixed))
        case Sum(body, over) | LogSumExp(body, over):
            inner = {**new, **{index: renamed(random) for index in over}}
            return type(node)(shuffled(body, random, inner), tuple(inner[index] for index in over))
        case Call(name, argument):
            return Call(name, shuffled(argument, random, new))
        case Pow(base, exponent):
            return Pow(shuffled(base, random, new), exponent)
        case _:
            return node


def renamed(random: Any) -> Index:
    index = fresh_index(random.choice("abxyz"))
    return replace(index, key=index.key + 10**9 * random.randrange(1000))


def moved(position: Position, new: dict[Index, Index]) -> Position:
    return Position(tuple((new[index], c) for index, c in position.terms), position.offset)


def shuffled_model(model: Model, random: Any) -> Model:
    terms = []
    for term in model.terms:
        new = {index: renamed(random) for index in term.over}
        over = random.sample(list(new.values()), len(new))
        terms.append(replace(term, body=shuffled(term.body, random, new), over=tuple(over)))
    random.shuffle(terms)
    return replace(model, terms=tuple(terms))


RNG = np.random.default_rng(5)
PARAMS = {"A": RNG.normal(size=(4, 4)), "B": RNG.normal(size=4)}
STATES = {"x": RNG.integers(0, 2, (6, 4)).astype(float), "y": RNG.integers(0, 4, (6, 4))}


@settings(max_examples=300, deadline=None)
@given(models(), st.randoms(use_true_random=False))
def test_names_keys_and_order_do_not_matter(model: Model, random: Any) -> None:
    first, second = canonical_model(model), canonical_model(shuffled_model(model, random))
    assert first == second, f"\n{canonical_text(first)}\n{canonical_text(second)}"
    assert canonical_text(first) == canonical_text(second)


@settings(max_examples=300, deadline=None)
@given(models())
def test_the_meaning_is_kept(model: Model) -> None:
    canonical = canonical_model(model)
    check_model(canonical)
    assert canonical_model(canonical) == canonical
    before = interpret_energy(model, PARAMS, STATES)
    after = interpret_energy(canonical, PARAMS, STATES)
    np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9)


def test_indices_that_may_be_exchanged_are_cheap() -> None:
    over = tuple(fresh_index("") for _ in range(9))
    body = Mul(tuple(get(X, index) for index in over))
    (term,) = canonical_term(EnergyTerm(body, over))
    assert len(term.over) == 9 and len(walk_indices(term.body)) == 9


def walk_indices(node: Scalar) -> set[Index]:
    return {
        position.index
        for part in walk(node)
        if isinstance(part, Access)
        for position in part.positions
        if position.index is not None
    }
