"""Importance weights of a temperature step: two energies in one kernel that shares what they have in common."""

from __future__ import annotations

import numpy as np
import pytest

from cases import Case, build_case, coupled_labels, labels, two_layers
from pgmc.compiler import Compiler
from pgmc.ir.answers import Refusal
from pgmc.ir.queries import Energy, Ensemble, FreeEnergy, TemperatureStep

ROWS = 9


def asked(case: Case, names: tuple[str, ...], **temperatures: np.ndarray) -> dict[str, np.ndarray]:
    states = case.exact.states(case.exact.sample(np.random.default_rng(0), ROWS))
    dtypes = {name: np.int64 if len(case.exact.spec[name][1]) == 3 else np.float64 for name in names}
    return {name: np.ascontiguousarray(states[name], dtype=dtypes[name]) for name in names} | temperatures


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("ensemble", [Ensemble.TEMPERED, Ensemble.ANNEALED])
@pytest.mark.parametrize(("declare", "observed"), [(two_layers, ("v",)), (labels, ("h",)), (coupled_labels, ())])
def test_it_is_the_difference_of_both(declare, observed, ensemble, backend):
    case = build_case(declare)
    executable = Compiler(case.compiler.model, "float64", backend).executable()
    of = FreeEnergy(observed, ensemble) if observed else Energy(ensemble)
    names = observed or case.free
    rng = np.random.default_rng(1)
    fields = {
        f"base_{name}": rng.normal(size=shape if len(values) == 2 else (*shape, len(values)))
        for name, (shape, values) in case.exact.spec.items()
    }
    params, here, there = {**case.params, **fields}, rng.random(ROWS), rng.random(ROWS)

    def value(beta: np.ndarray) -> np.ndarray:
        return next(iter(executable.evaluate(of, params, asked(case, names, inverse_temperature=beta)).values()))

    state = asked(case, names, inverse_temperature=here, next_inverse_temperature=there)
    (step,) = executable.evaluate(TemperatureStep(of), params, state).values()
    assert step.dtype == np.float64
    np.testing.assert_allclose(step, value(here) - value(there), atol=1e-12)


def test_products_are_computed_once():
    compiler = build_case(two_layers).compiler
    query = TemperatureStep(FreeEnergy(("v",), Ensemble.ANNEALED))
    assert compiler.stages(query).module.source.count("np.dot(") == 1


def test_what_is_refused_stays_refused():
    assert isinstance(build_case(coupled_labels).compiler.derive(TemperatureStep(FreeEnergy(("s",)))), Refusal)
