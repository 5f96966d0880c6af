"""The bound through latent variables made of noise: what it is, and its gradient through the draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.analysis.shrink import shrink_model
from pgmc.compiler import Compiler
from pgmc.derivation.reparametrise import noise_of
from pgmc.ir.answers import Refusal
from pgmc.ir.definitions import expand_factors
from pgmc.ir.dependencies import sort_factors
from pgmc.ir.factors import factor_law
from pgmc.ir.interpret import interpret_energy, interpret_law
from pgmc.ir.queries import Energy, Gradient
from pgmc.program.verification.instance import TOLERANCES, candidate_params, random_inputs
from pgmc.program.verification.report import Case, Ledger
from pgmc.program.verification.values import STEP, directions
from pgmc.runtime.executable import Executable
from pgmc.runtime.streams import Stream

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

ROWS = 8


def check_bound(compiler: Compiler, executable: Executable, stream: Stream, ledger: Ledger) -> None:
    """log p - log q at draws made of noise, and, with divergences in closed form, the slope of its mean over rows."""
    if compiler.model.guide is None:
        return
    draws, bound = compiler.reparametrised(analytic=False), compiler.reparametrised()
    if isinstance(bound, Refusal) or isinstance(draws, Refusal):
        ledger.skip("bound through draws", str(bound))
        return
    tolerances = TOLERANCES[compiler.dtype]
    params, given = _random(draws, stream.child("bound"))
    got = executable.bound(analytic=False).evaluate(Energy(), params, given)["energy"]
    expected = _by_definition(compiler, _wide(params), _wide(given))
    scale = 1.0 + np.abs(expected)
    ledger.compare(
        "bound through draws", "log q - log p at what the guide makes of noise", got, expected,
        tolerances["free energy"], scale=scale, case=_row,
    )  # fmt: skip
    small = Compiler(shrink_model(bound.model, 1), compiler.dtype, compiler.backend)
    _check_slopes(small, stream.child("small bound"), tolerances["gradient"], ledger)


def _check_slopes(small: Compiler, stream: Stream, tolerance: float, ledger: Ledger) -> None:
    """The gradient of the small bound against differences of its interpreted mean."""
    params, given = _random(small, stream)
    names = tuple(p.name for p in small.model.parameters)
    found = small.executable().evaluate(Gradient(Energy(), names), params, given)
    wide, rows = _wide(params), _wide(given)

    def mean(moved: Arrays) -> float:
        return float(interpret_energy(small.model, moved, rows).mean())

    for parameter in small.model.parameters:
        name, (places, along) = parameter.name, directions(parameter, stream.generator())
        ends = [[mean({**wide, name: wide[name] + sign * STEP * d}) for sign in (1.0, -1.0)] for d in along]
        slopes = np.array([(above - below) / (2.0 * STEP) for above, below in ends])
        got = np.array([float(np.sum(np.asarray(found[name], dtype=np.float64) * d)) for d in along])

        def case(place: tuple[int, ...], places: list[str] = places) -> Case:
            return Case((("direction", places[place[0]]),))

        ledger.compare(
            "bound through draws", f"∂L/∂{name}, through the draws", got, slopes, tolerance,
            scale=1.0 + np.abs(slopes), case=case, note="central differences",
        )  # fmt: skip


def _random(bound: Compiler, stream: Stream) -> tuple[dict[str, Array], dict[str, Array]]:
    """Parameters, and rows of data and of noise."""
    params = next(iter(candidate_params(bound.model, stream, bound.dtype)))
    return params, random_inputs(bound.model, ROWS, stream, bound.dtype)


def _by_definition(compiler: Compiler, params: Arrays, given: Arrays) -> Array:
    """The same from the model and the guide as they were declared, draw after draw."""
    model, guide = compiler.model, compiler.model.guide
    assert guide is not None
    state = {name: values for name, values in given.items() if name in {s.name for s in model.symbols}}
    for factor in sort_factors(expand_factors(guide.factors, guide.definitions)):
        law = interpret_law(factor_law(factor), {**params, **state}, symbols=guide.symbols, examples=ROWS)
        target, noise = factor.target, given[noise_of(factor.target).name]
        state[target.name] = law["mean"] + noise / np.sqrt(law["precision"])
    own = {name: value for name, value in state.items() if name in {s.name for s in guide.symbols}}
    return interpret_energy(model, params, state) - interpret_energy(guide, params, own)


def _wide(arrays: Arrays) -> dict[str, Array]:
    return {name: np.asarray(value, dtype=np.float64) for name, value in arrays.items()}


def _row(place: tuple[int, ...]) -> Case:
    return Case((("row", str(place[0])),))
