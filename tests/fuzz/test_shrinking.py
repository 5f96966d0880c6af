"""The tests of the fuzzer: what it draws, and what it makes of a fault that is planted in pgmc."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from fuzzing import Failure, failure, random_case, shrunk
from generation import MOST_STATES, random_specification
from language import Function, LogSumExp, Power, Specification, Sum, reads, walk
from pgmc.derivation import families
from pgmc.schedule import sweeps
from spelling import build, code

SEEDS = range(300)


def features(spec: Specification) -> set[str]:
    """The words and signs that a specification uses."""
    found = {word for a in spec.arrays for word in (a.kind, *(f"{option} weights" for option in a.options))}
    found |= {"exclusive" for a in spec.arrays if a.exclusive}
    found |= {f"total {'given' if a.given else 'fixed'}" for a in spec.arrays if a.total}
    found |= {f.family for f in spec.factors} | {f"{f.family} of the guide" for f in spec.guide}
    found |= {f"{name} of {f.family}" for f in spec.factors for name, _ in f.parameters}
    found |= {"a cause without a factor" for _ in spec.factors[:1] if spec.terms}
    found |= {"mask" for a in spec.arrays if a.mask} | {"periodic" for a in spec.arrays if a.periodic}
    for node in (node for term in spec.expressions for node in walk(term)):
        match node:
            case Function(name, _):
                found.add(name)
            case Power(_, exponent):
                found.add(f"**{exponent}")
            case Sum(_, _, where):
                found |= {relation for _, relation, _ in where}
            case LogSumExp():
                found.add("logsumexp")
            case _:
                pass
        for read in reads(node):
            found |= {"pooled"} if read.pooled else set()
            found |= {"edges" for place in read.places if place.end}
            found |= {"convolution" for place in read.places if len(place.letters) > 1}
            plain = [place for place in read.places if not place.end]
            found |= {"offset" if p.letters else "position" for p in plain if p.offset or not p.letters}
    return found


def test_every_feature_is_drawn() -> None:
    drawn = [features(random_specification(seed)) for seed in SEEDS]
    wanted = {"binary", "spin", "categorical", "input", "param", "constant", "mask", "periodic", "offset", "position"}
    wanted |= {
        "exclusive",
        "pooled",
        "convolution",
        "symmetric weights",
        "zero_diagonal weights",
        "positive weights",
        "positive",
        "**2",
        "**3",
        "logsumexp",
        "<",
        "<=",
        "!=",
        "==",
    }
    wanted |= {"edges", "count", "total given", "total fixed", "real", "Bernoulli", "Categorical", "Normal"}
    wanted |= {"mean of Normal", "precision of Normal", "Bernoulli of the guide", "Categorical of the guide"}
    wanted |= {"a cause without a factor"}
    wanted |= {"exp", "sigmoid", "softplus", "tanh", "relu", "cos", "square", "log", "sqrt", "lgamma"}
    assert wanted <= set().union(*drawn)


def test_specifications_are_small_and_depend_on_the_seed_alone() -> None:
    drawn = [random_specification(seed) for seed in SEEDS]
    assert all((2 if spec.discrete else 1) <= spec.joint_states <= MOST_STATES for spec in drawn)
    assert drawn == [random_specification(seed) for seed in SEEDS]
    assert len(set(drawn)) == len(drawn)


def test_the_code_declares_the_model() -> None:
    spec = random_specification(0)
    space: dict[str, Any] = {}
    exec(code(spec), space)  # noqa: S102 - a person would paste it
    assert space["m"].build().symbols == build(spec).build().symbols


def first_failure(seeds: range, checks: tuple[str, ...]) -> Failure:
    cases = (random_case(seed) for seed in seeds)
    return next(found for found in (failure(case, checks) for case in cases) if found is not None)


def test_a_wrong_factor_is_reduced_to_one_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The field of a spin counts once in place of twice."""
    right = families._scaled_slope
    monkeypatch.setattr(
        families, "_scaled_slope", lambda local, values, factor: right(local, values, max(factor, Fraction(-1)))
    )
    found = first_failure(SEEDS, ("spellings", "energy", "conditionals"))
    assert len(found.case.spec.terms) > 1
    smallest = shrunk(found)
    assert smallest.check == "conditionals"
    assert [(a.kind, a.joint_states) for a in smallest.case.spec.units] == [("spin", 2)]
    assert len(smallest.case.spec.terms) == 1 and len(reads(smallest.case.spec.terms[0])) <= 2
    text = str(smallest)
    assert 'm.spin("' in text and "m.energy(" in text and "off by" in text and f"seed {found.case.seed}" in text


def test_neighbours_at_once_are_reduced_to_one_coupling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Units of a group that interact are drawn at once."""
    right = sweeps._block_update

    def at_once(*arguments: Any) -> Any:
        return replace(right(*arguments), mode="parallel", coloring=None)

    monkeypatch.setattr(sweeps, "_block_update", at_once)
    smallest = shrunk(first_failure(SEEDS, ("sweeps",)))
    assert "sweep" in smallest.what
    assert len(smallest.case.spec.terms) == 1
    assert smallest.case.spec.joint_states <= 9


def test_an_error_is_a_failure_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(families, "_scaled_slope", broken)
    smallest = shrunk(first_failure(SEEDS, ("conditionals",)))
    assert smallest.kind == "ZeroDivisionError" and "planted" in str(smallest)
