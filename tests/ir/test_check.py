"""Each check finds the one thing it looks for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.errors import InternalError
from pgmc.ir.check import (
    check_bound_once,
    check_declared,
    check_model,
    check_names,
    check_nodes,
    check_positions,
    check_sizes,
    check_symbols,
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
    Mul,
    Position,
    Pow,
    Scalar,
    Sum,
    Unit,
    at,
)
from pgmc.ir.symbols import (
    Axis,
    Binary,
    Categorical,
    Constant,
    Constraint,
    Parameter,
    SourceLine,
    Symbol,
    Variable,
)

i, j = Index(1, "i"), Index(2, "j")
v = Variable("v", (Axis(4),), Binary())
y = Variable("y", (), Categorical(3))
W = Parameter("W", (Axis(4), Axis(3)))
k = Constant("k", (Axis(2),), np.ones(2))


def get(symbol: Symbol, *positions: Index | int) -> Access:
    return Access(symbol, tuple(at(p) if isinstance(p, Index) else Position((), p) for p in positions))


GOOD = EnergyTerm(Mul((get(v, i), get(W, i, j), get(y, j))), (i, j))


def model(*terms: EnergyTerm, **fields: Any) -> Model:
    whole = Model("m", (v, y), (), (W,), (k,), terms or (GOOD,))
    return replace(whole, **fields)


def term(body: Scalar, *over: Index) -> EnergyTerm:
    return EnergyTerm(body, over, origin=SourceLine("spec.py", 7))


def test_a_good_model_passes() -> None:
    check_model(model())
    check_model(model(GOOD, term(get(k, 1)), term(Sum(get(v, i), (i,)))))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (model(name="a b"), "'a b' is not a name"),
        (model(variables=(v, replace(v, name="class"))), "'class' is not a name"),
        (model(variables=(v, y, v)), r"\['v'\] stand for more than one symbol"),
        (model(parameters=(W, replace(W, name="v"))), "more than one symbol"),
        (model(replace(GOOD, name="x;y")), "'x;y' is not a name"),
        (model(term(get(v, Index(5, "")), Index(5, ""))), "'' is not a name"),
        (model(term(Sum(get(v, Index(5, "\n")), (Index(5, "\n"),)))), "is not a name"),
    ],
)
def test_names(bad: Model, message: str) -> None:
    with pytest.raises(InternalError, match=message):
        check_names(bad)
    with pytest.raises(InternalError):
        check_model(bad)


@pytest.mark.parametrize(
    "symbol",
    [
        {"variables": (replace(v, axes=(Axis(0),)),)},
        {"variables": (replace(y, domain=Categorical(1)),)},
        {"constants": (replace(k, value=np.ones(3)),)},
        {"constants": (replace(k, value=None),)},
        {"parameters": (replace(W, constraint=Constraint(symmetric=True)),)},
        {"parameters": (replace(W, constraint=Constraint(zero_diagonal=True)),)},
        {"parameters": (replace(W, constraint=Constraint(masked=True, mask=np.ones((3, 4)))),)},
        {"parameters": (replace(W, constraint=Constraint(masked=True)),)},
    ],
)
def test_symbols(symbol: dict[str, Any]) -> None:
    with pytest.raises(InternalError, match="report"):
        check_symbols(model(**symbol))


@pytest.mark.parametrize("changed", [{"variables": (y,)}, {"parameters": (replace(W, axes=(Axis(4), Axis(2))),)}])
def test_declared(changed: dict[str, Any]) -> None:
    with pytest.raises(InternalError, match="is not declared"):
        check_declared(model(**changed))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (Mul((Unit(), get(v, 0))), "Unit does not belong into a model"),
        (BatchMean(get(v, 0)), "BatchMean does not belong"),
        (Call("erf", get(v, 0)), "the function 'erf' is not known"),
        (Add(()), "empty"),
        (Mul((get(v, 0), Mul(()))), "empty"),
        (Pow(get(v, 0), Fraction(0)), "exponent is zero"),
        (Mul((get(v, 0), Bracket((Compare(at(i), ">", at(j)),)))), "relation is not known"),
    ],
)
def test_nodes(body: Scalar, message: str) -> None:
    with pytest.raises(InternalError, match=f"spec.py:7 .*{message}"):
        check_nodes(term(body))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (get(v), "v has 1 axes and 0 positions"),
        (get(v, 0, 1), "v has 1 axes and 2 positions"),
        (get(y), "y has 1 axes and 0 positions"),
        (get(v, 4), "no position 4"),
        (get(y, -1), "no position -1"),
    ],
)
def test_positions(body: Scalar, message: str) -> None:
    with pytest.raises(InternalError, match=message):
        check_positions(term(body))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (term(get(v, i)), "the index i is not bound"),
        (term(get(v, i), i, i), "bound twice"),
        (term(Mul((get(v, i), Sum(get(W, i, j), (i,)))), i, j), "bound twice"),
        (term(Mul((Sum(get(v, i), (i,)), Sum(get(v, i), (i,))))), "bound twice"),
        (term(Mul((get(v, i), Bracket((Compare(at(i), "<", at(j)),)))), i), "the index j is not bound"),
    ],
)
def test_bound_once(bad: EnergyTerm, message: str) -> None:
    with pytest.raises(InternalError, match=message):
        check_bound_once(bad)
    with pytest.raises(InternalError):
        check_model(model(bad))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (term(Mul((get(v, i), get(W, j, i))), i, j), "index i runs over axes of the sizes 4 and 3"),
        (term(get(W, i, i), i), "sizes 4 and 3"),
        (term(get(v, i), i, j), "nothing says how far the index j runs"),
        (term(Mul((get(v, i), Sum(get(v, i), (j,)))), i), "nothing says how far the index j runs"),
    ],
)
def test_sizes(bad: EnergyTerm, message: str) -> None:
    with pytest.raises(InternalError, match=message):
        check_sizes(bad)


def test_an_extent_says_how_far_an_index_runs() -> None:
    extended = Index(9, "n", ("v", 0))
    check_sizes(term(get(v, i), i, extended))


def test_everything_that_the_language_builds_is_well_formed() -> None:
    m = pgmc.Model("m")
    x, z = m.binary("x", 4), m.categorical("z", 2, states=3)
    U = m.param("U", (4, 4), symmetric=True, mask=np.ones((4, 4)))
    run, other = pgmc.indices("run other")
    m.energy(pgmc.Sum(x[run] * U[run, other] * x[other], run, other, where=run < other) * 0.5)
    m.energy(pgmc.softplus(x @ U).sum() + pgmc.logsumexp(z * np.ones((2, 3)), axis=1).sum() + (x + 1).sum())
    check_model(m.build())


AFTER = Position(((i, 1),), 1)
LAST = Position(((Length("v", 0), 1),))


def test_places_lie_inside() -> None:
    """Alone, a place after another may be outside; by its size or a bracket around it, it is not."""
    inside = Bracket((Compare(AFTER, "<", LAST),))
    with pytest.raises(InternalError, match=r"v\[i\+1\] may lie outside axis 0 of v, which has 4 places"):
        check_model(model(term(Mul((get(v, i), Access(v, (AFTER,)))), i)))
    with pytest.raises(InternalError, match="may lie outside"):
        check_model(model(term(Mul((get(v, i), Add((inside, Access(v, (AFTER,)))))), i)))
    check_model(model(term(Mul((get(v, i), inside, Access(v, (AFTER,)))), i)))
    check_model(model(term(Mul((get(W, j, i), Access(v, (AFTER,)))), i, j)))
