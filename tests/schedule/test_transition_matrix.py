"""The transition matrix of the emitted sweep, computed path by path, against brute force.

No sampling: every criterion is exact. Of the criteria, invariance alone would accept a unit that is never updated,
marginal laws alone neighbours that are updated at once; ``test_bad_schedules`` shows that together they see both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from cases import HAND_WRITTEN, Case, build_case, one_hot, random_case
from energies import ENERGIES, build
from enumeration import random_inputs, random_params, values_of
from oracle import Exact
from pgmc.compiler import Compiler
from pgmc.ir.interpret import interpret_energy
from pgmc.ir.model import Model
from pgmc.ir.queries import Ensemble, Sweep
from pgmc.ir.symbols import shape_of
from transitions import TOLERANCE, faults, transitions, units_of_blocks

BETAS = (0.0, 0.4, 1.0, 1.7)
RANDOM_MODELS = 64


@pytest.fixture(scope="module", params=HAND_WRITTEN, ids=lambda declare: declare.__name__)
def case(request: pytest.FixtureRequest) -> Case:
    return build_case(request.param)


def check(case: Case, query: Sweep, exact: Exact | None = None, **options: Any) -> np.ndarray:
    """The matrix of a sweep, after every criterion has been applied to it."""
    exact = case.exact if exact is None else exact
    params = {**case.params, **options.pop("params", {})}
    found = transitions(case.compiler, query, exact, params, **options)
    groups = units_of_blocks(case.compiler, query, exact, options.get("masks"))
    assert faults(found, exact, groups, sweeps=options.get("sweeps", 1)) == set()
    return found.matrix


def check_reversal(case: Case, query: Sweep, exact: Exact | None = None, **options: Any) -> None:
    """The backward sweep is the forward one seen in reverse."""
    exact = case.exact if exact is None else exact
    forward = check(case, query, exact, **dict(options))
    backward = check(case, Sweep(query.free, query.first, query.masked, True, query.ensemble), exact, **options)
    assert np.abs(backward - exact.reverse(forward)).max() < 1e-10


def subsets(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    chosen = product((False, True), repeat=len(names))
    return [tuple(n for n, c in zip(names, choice, strict=True) if c) for choice in chosen if any(choice)]


# ---- hand-written models -------------------------------------------------------------------------------------------


def test_forward_and_backward(case: Case) -> None:
    check_reversal(case, Sweep(case.free))


def test_single_blocks_are_reversible(case: Case) -> None:
    for block in case.compiler.blocks():
        if block.mode == "parallel":
            matrix = check(case, Sweep(block.variables))
            assert case.exact.check(matrix)["balance"] < 1e-14


def test_every_subset_of_the_variables(case: Case) -> None:
    for free in subsets(case.free):
        check_reversal(case, Sweep(free))


def test_every_choice_of_what_comes_first(case: Case) -> None:
    for first in subsets(case.free):
        check(case, Sweep(case.free, first=first))


def test_two_sweeps_are_two_steps(case: Case) -> None:
    """With all but the first unit of each variable kept, for two sweeps have the square of the paths of one."""
    masks = {name: np.arange(np.prod(shape)).reshape(shape) > 0 for name, (shape, _) in case.exact.spec.items()}
    check(case, Sweep(case.free, masked=case.free), sweeps=2, masks=masks)


def test_float32_text(case: Case) -> None:
    single = Compiler(case.compiler.model, "float32")
    params = {name: np.asarray(value, dtype=np.float32) for name, value in case.params.items()}
    query = Sweep(case.free)
    found = transitions(single, query, case.exact, params)
    wanted = case.exact.sweep(units_of_blocks(single, query, case.exact))
    assert np.abs(found.matrix - wanted).max() < 2e-6


# ---- clamps --------------------------------------------------------------------------------------------------------


def some_masks(case: Case) -> list[dict[str, np.ndarray]]:
    """No unit, every unit, and random units of each variable."""
    shapes = {name: case.exact.spec[name][0] for name in case.free}
    rng = np.random.default_rng(1)
    chosen = [{name: rng.random(shape) < 0.5 for name, shape in shapes.items()} for _ in range(4)]
    return [
        {name: np.zeros(shape, bool) for name, shape in shapes.items()},
        {name: np.ones(shape, bool) for name, shape in shapes.items()},
        *chosen,
        *({name: mask} for name, mask in chosen[0].items()),
    ]


def test_masked_units_stay_and_the_law_is_the_clamped_one(case: Case) -> None:
    for masks in some_masks(case):
        matrix = check(case, Sweep(case.free, masked=tuple(masks)), masks=masks)
        kept = [k for k, (n, place) in enumerate(case.exact.sites) if n in masks and np.asarray(masks[n])[place]]
        for values in product(*(range(case.exact.card[k]) for k in kept)):
            clamped = case.exact.clamp(dict(zip(kept, values, strict=True)))
            law = clamped.check(matrix)
            assert law["invariance"] < TOLERANCE
            assert law["irreducible"]


# ---- ensembles -----------------------------------------------------------------------------------------------------


def tempered(case: Case, beta: float) -> Exact:
    return case.law(lambda x: beta * case.energy(x))


def base_of(case: Case) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    spec = case.exact.spec
    return {
        name: rng.normal(size=shape if len(values) == 2 else (*shape, len(values)))
        for name, (shape, values) in spec.items()
    }


def annealed(case: Case, beta: float, base: dict[str, np.ndarray]) -> Exact:
    def energy(x: dict[str, np.ndarray]) -> np.ndarray:
        fields = np.zeros(len(next(iter(x.values()))))
        for name, (_, values) in case.exact.spec.items():
            units = x[name] if len(values) == 2 else one_hot(x[name], len(values))
            fields += (units * base[name]).reshape(len(units), -1).sum(1)
        return -(1 - beta) * fields + beta * case.energy(x)

    return case.law(energy)


@pytest.mark.parametrize("beta", BETAS)
def test_tempered_ensemble(case: Case, beta: float) -> None:
    query = Sweep(case.free, ensemble=Ensemble.TEMPERED)
    check_reversal(case, query, tempered(case, beta), given={"inverse_temperature": beta})


def test_tempered_ensemble_at_temperature_one_is_the_plain_one(case: Case) -> None:
    plain = check(case, Sweep(case.free))
    at_one = check(case, Sweep(case.free, ensemble=Ensemble.TEMPERED), given={"inverse_temperature": 1.0})
    np.testing.assert_array_equal(at_one, plain)


@pytest.mark.parametrize("beta", BETAS)
def test_annealed_ensemble(case: Case, beta: float) -> None:
    base = base_of(case)
    query = Sweep(case.free, ensemble=Ensemble.ANNEALED)
    params = {f"base_{name}": field for name, field in base.items()}
    check_reversal(case, query, annealed(case, beta, base), given={"inverse_temperature": beta}, params=params)


def test_each_chain_has_its_own_temperature(case: Case) -> None:
    betas = np.resize(BETAS, case.exact.S)
    query = Sweep(case.free, ensemble=Ensemble.TEMPERED)
    found = transitions(case.compiler, query, case.exact, case.params, given={"inverse_temperature": betas})
    for beta in BETAS:
        wanted = tempered(case, beta).sweep(units_of_blocks(case.compiler, query, case.exact))
        assert np.abs(found.matrix - wanted)[betas == beta].max() < TOLERANCE


# ---- every form an energy can take ---------------------------------------------------------------------------------

MOST_STATES = 64  # runs of the text are as many as states times paths


def spec_of(model: Model) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    return {v.name: (shape_of(v), tuple(int(x) for x in values_of(v))) for v in model.variables}


def count_states(model: Model) -> int:
    return math.prod(len(values) ** math.prod(shape) for shape, values in spec_of(model).values())


def form(name: str) -> tuple[Case, dict[str, np.ndarray]]:
    """A model of the collection with random parameters, and its inputs; its energy is that of the interpreter."""
    model = build(name)
    params, inputs = random_params(model), random_inputs(model, 1)

    def energy(x: dict[str, np.ndarray]) -> np.ndarray:
        rows = len(next(iter(x.values())))
        given = {n: np.repeat(value, rows, axis=0) for n, value in inputs.items()}
        return interpret_energy(model, params, {**x, **given})

    case = Case(Compiler(model, "float64"), Exact(spec_of(model), energy), params, energy)
    return case, {n: value[0] for n, value in inputs.items()}


@pytest.mark.parametrize("name", [name for name in ENERGIES if count_states(build(name)) <= MOST_STATES])
def test_every_form_of_energy(name: str) -> None:
    found, inputs = form(name)
    check_reversal(found, Sweep(found.free), given=inputs)


# ---- random models -------------------------------------------------------------------------------------------------


def variant(seed: int, case: Case) -> Callable[[], None]:
    """One of the special kinds of sweeps, by turns."""
    free, rng = case.free, np.random.default_rng(seed)
    masks = {name: rng.random(case.exact.spec[name][0]) < 0.4 for name in free}
    part = free[: 1 + seed % len(free)]
    beta, base = float(rng.random()), base_of(case)
    heat = {"given": {"inverse_temperature": beta}}
    fields = {"params": {f"base_{name}": field for name, field in base.items()}}
    return (
        lambda: check_reversal(case, Sweep(free, masked=free), masks=masks),
        lambda: check_reversal(case, Sweep(free, ensemble=Ensemble.TEMPERED), tempered(case, beta), **heat),
        lambda: check_reversal(
            case, Sweep(free, ensemble=Ensemble.ANNEALED), annealed(case, beta, base), **heat, **fields
        ),
        lambda: check_reversal(case, Sweep(part)),
        lambda: check_reversal(case, Sweep(free, first=part)),
    )[seed % 5]


@pytest.mark.parametrize("seed", range(RANDOM_MODELS))
def test_random_model(seed: int) -> None:
    case = random_case(seed, max_states=64 if seed % 8 == 0 else 32)
    check_reversal(case, Sweep(case.free))
    if case.exact.S <= 32:
        variant(seed, case)()
