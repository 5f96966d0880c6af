"""Sweeps that are known to be wrong must be found out: the tests of the tests.

Each mutant is the emitted text with one mistake put in, of the kinds that samplers have had. What each criterion sees
of it is part of the expectation, so that it stays known why no criterion may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pytest

from cases import (
    Case,
    build_case,
    coupled_labels,
    one_layer_of_spins,
    one_layer_with_a_diagonal,
    spins_and_binary,
    three_layers,
    two_layers,
)
from oracle import Exact
from pgmc.ir.queries import Ensemble, Sweep
from transitions import faults, transitions, units_of_blocks

Edit = Callable[[str], str]


def swap(old: str, new: str, count: int = 0) -> Edit:
    """Replaces every match of a pattern, or the first ``count``; the pattern must occur."""

    def edit(source: str) -> str:
        changed, found = re.subn(old, new, source, count=count)
        assert found, f"{old!r} does not occur in\n{source}"
        return changed

    return edit


def to_top_of_sweep(pattern: str) -> Edit:
    """Moves a line to the beginning of the sweep: what it computes is then out of date where it is read."""

    def edit(source: str) -> str:
        line = re.search(rf"^ *{pattern}.*\n", source, re.M)
        loop = re.search(r"^    for sweep in range.*\n", source, re.M)
        assert line and loop, source
        cut = source[: line.start()] + source[line.end() :]
        return cut[: loop.end()] + line.group() + cut[loop.end() :]

    return edit


def before_the_sweeps(pattern: str) -> Edit:
    """Moves a line in front of the loop over the sweeps."""

    def edit(source: str) -> str:
        line = re.search(rf"^ *{pattern}.*\n", source, re.M)
        loop = re.search(r"^    for sweep in range.*\n", source, re.M)
        assert line and loop, source
        cut = source[: line.start()] + source[line.end() :]
        return cut[: loop.start()] + "    " + line.group().lstrip() + cut[loop.start() :]

    return edit


def both(*edits: Edit) -> Edit:
    """One edit after the other."""
    return lambda source: reduce(lambda text, edit: edit(text), edits, source)


SMALL_BLOCKS = swap(r"\b24\b", "2")
FORWARD = both(
    swap(r"for last in range\((\w+), 0, -2\)", r"for first in range(0, \1, 2)"),
    swap(r"first = max\(last - 2, 0\)", "last = min(first + 2, n_s)"),
    swap(r"range\(last - 1, first - 1, -1\)", "range(first, last)"),
    swap(r"range\(first, i\)", "range(i + 1, last)"),
)
BACKWARD = both(
    swap(r"for first in range\(0, (\w+), 2\)", r"for last in range(\1, 0, -2)"),
    swap(r"last = min\(first \+ 2, \w+\)", "first = max(last - 2, 0)"),
    swap(r"for i in range\(first, last\):\n(.*for n)", r"for i in range(last - 1, first - 1, -1):\n\1"),
    swap(r"range\(i \+ 1, last\)", "range(first, i)"),
)


@dataclass(frozen=True)
class Mutant:
    """A mistake, the model and the sweep it is put in, and a criterion that must see it or must not."""

    name: str
    declare: Callable[..., Any]
    edit: Edit
    seen_by: tuple[str, ...] = ("joint law",)
    unseen_by: tuple[str, ...] = ()
    backward: bool = False
    masked: bool = False
    tempered: bool = False
    sweeps: int = 1


MUTANTS = (
    # -- order and completeness
    Mutant(
        "a block is skipped",
        two_layers,
        swap(r"h\[n, j\] = draw", "draw"),
        ("joint law", "reach"),
        unseen_by=("invariance",),
    ),
    Mutant("the last unit is never updated", two_layers, swap(r"range\(n_v\)", "range(n_v - 1)"), ("units", "reach")),
    Mutant("the first unit is never updated", two_layers, swap(r"range\(n_v\)", "range(1, n_v)"), ("units", "reach")),
    Mutant(
        "neighbours are updated at once",
        two_layers,
        to_top_of_sweep(r"np\.dot\(v, W, "),
        ("joint law", "unit by unit", "invariance"),
        unseen_by=("reach", "units"),
    ),
    Mutant(
        "units of one layer are updated at once",
        one_layer_of_spins,
        swap(r"field_s\[j, n\] \+= .*", "pass"),
        ("joint law", "invariance"),
    ),
    Mutant(
        "a block does not see the one before",
        one_layer_of_spins,
        both(SMALL_BLOCKS, swap(r"(for n in .*\n.*\n.*)units_s\[n, i\] = turned_s.*", r"\1pass", 1)),
        ("joint law", "invariance"),
    ),
    Mutant(
        "the unit after the next is corrected first",
        one_layer_of_spins,
        swap(r"range\(i \+ 1, last\)", "range(i + 2, last)"),
        ("joint law", "invariance"),
    ),
    Mutant(
        "a unit that changes counts from zero",
        one_layer_of_spins,
        swap(r"\(drawn_s\[n\] - turned_s\[i, n\]\)", "drawn_s[n]"),
        ("joint law", "invariance"),
    ),
    Mutant(
        "a field is computed before the first sweep only",
        two_layers,
        before_the_sweeps(r"np\.dot\(h, W\.T, "),
        ("joint law",),
        masked=True,
        sweeps=2,
    ),
    Mutant(
        "a backward sweep goes forward",
        one_layer_of_spins,
        both(SMALL_BLOCKS, FORWARD),
        ("joint law",),
        unseen_by=("invariance", "reach", "units"),
        backward=True,
    ),
    Mutant(
        "a forward sweep goes backward",
        one_layer_of_spins,
        both(SMALL_BLOCKS, BACKWARD),
        ("joint law",),
        unseen_by=("invariance",),
    ),
    Mutant(
        "a layer is updated twice, another never",
        three_layers,
        swap(r"g\[n, (\w+)\] = draw_bernoulli", r"v[n, \1] = draw_bernoulli"),
        ("joint law", "reach"),
    ),
    # -- fields
    Mutant("the sign of the weights", two_layers, swap(r"draw_bernoulli\(field_h_W\[", "draw_bernoulli(-field_h_W[")),
    Mutant("weights one hundredth too small", two_layers, swap(r"\(field_h_W\[", "(0.99 * field_h_W[")),
    Mutant("weights a millionth too large", two_layers, swap(r"\(field_h_W\[", "(1.000001 * field_h_W[")),
    Mutant("a bias is dropped", two_layers, swap(r" \+ b\[i\]", "")),
    Mutant("the bias of another unit", two_layers, swap(r"b\[i\]", "b[n_v - 1 - i]")),
    Mutant("a bias counts twice", two_layers, swap(r"\+ c\[j\]", "+ 2.0 * c[j]")),
    Mutant("the weights are transposed", three_layers, swap(r"np\.dot\(v, W, ", "np.dot(v, W.T, ")),
    Mutant("a spin's field without its factor 2", spins_and_binary, swap(r"2\.0 \* b\[i\]", "b[i]")),
    Mutant(
        "one direction of a coupling is left out",
        one_layer_of_spins,
        swap(r" \+ 2\.0 \* J\[j, i\].*", ""),
        ("joint law", "invariance"),
    ),
    Mutant("a unit couples to itself", one_layer_of_spins, swap(r"if j != i", "if True", 1)),
    Mutant("the diagonal is left out", one_layer_with_a_diagonal, swap(r" \+ U\[i, i\]", "")),
    Mutant("another chain's field", two_layers, swap(r"field_h_W\[n, i\]", "field_h_W[0, i]")),
    Mutant("two states of a label are exchanged", coupled_labels, swap(r"x\[n, i\] == k", "x[n, i] == 2 - k")),
    # -- draws
    Mutant(
        "one random number for a whole block",
        two_layers,
        swap(r"site_v \+ i\)", "site_v)"),
        ("random numbers",),
        unseen_by=("joint law", "invariance"),
    ),
    Mutant(
        "two blocks share random numbers",
        two_layers,
        swap(r"site_h \+ j\)", "site_v + j)"),
        ("random numbers", "units"),
        unseen_by=("joint law", "invariance"),
    ),
    Mutant(
        "a probability in the place of a sample",
        two_layers,
        swap(r"v\[n, i\] = draw_bernoulli\((.*), r0, r1, (.*)\)", r"v[n, i] = 1.0 if \1 > 0 else 0.0"),
        ("joint law", "invariance", "units"),
    ),
    # -- clamps and temperatures
    Mutant("masks are ignored", two_layers, swap(r"if not keep_v\[n, i\]:", "if True:"), ("kept units",), masked=True),
    Mutant("masks are inverted", two_layers, swap(r"if not keep", "if keep"), ("kept units",), masked=True),
    Mutant("the mask of another unit", two_layers, swap(r"keep_v\[n, i\]", "keep_v[n, i - 1]"), masked=True),
    Mutant("a temperature is left out", two_layers, swap(r"inverse_temperature\[n\] \* b\[i\]", "b[i]"), tempered=True),
    Mutant(
        "a temperature counts twice",
        two_layers,
        swap(r"inverse_temperature\[n\] \* field_v_W", "inverse_temperature[n] ** 2 * field_v_W"),
        tempered=True,
    ),
)


def faults_of(mutant: Mutant, edit: Edit) -> set[str]:
    case: Case = build_case(mutant.declare)
    masks = {"v": np.array([True, True, False])} if mutant.masked else None
    query = Sweep(
        case.free,
        masked=tuple(masks or ()),
        backward=mutant.backward,
        ensemble=Ensemble.TEMPERED if mutant.tempered else Ensemble.PLAIN,
    )
    exact: Exact = case.exact
    given: dict[str, float] = {}
    if mutant.tempered:
        exact, given = case.law(lambda x: 0.4 * case.energy(x)), {"inverse_temperature": 0.4}
    found = transitions(
        case.compiler,
        query,
        exact,
        case.params,
        given=given,
        masks=masks,
        sweeps=mutant.sweeps,
        edit=edit,
    )
    return faults(found, exact, units_of_blocks(case.compiler, query, exact, masks), sweeps=mutant.sweeps)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_known_bad_sweeps_are_rejected(mutant: Mutant) -> None:
    assert faults_of(mutant, lambda source: source) == set()
    found = faults_of(mutant, mutant.edit)
    assert set(mutant.seen_by) <= found
    assert not set(mutant.unseen_by) & found


def test_one_temperature_for_all_chains_is_rejected() -> None:
    case = build_case(two_layers)
    query = Sweep(case.free, ensemble=Ensemble.TEMPERED)
    betas = {"inverse_temperature": np.where(np.arange(case.exact.S) == 0, 0.4, 1.0)}
    wrong = swap(r"inverse_temperature\[n\]", "inverse_temperature[0]")
    right = transitions(case.compiler, query, case.exact, case.params, given=betas)
    found = transitions(case.compiler, query, case.exact, case.params, given=betas, edit=wrong)
    assert np.abs(found.matrix - right.matrix)[1:].max(1).min() > 1e-3
