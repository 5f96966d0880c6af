"""Every file of models/ with real units against an energy that is written down independently of it."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import pgmc
from real_specifications import REAL_SPECIFICATIONS, RealSpecification


def build(spec: RealSpecification) -> tuple[pgmc.Model, dict[str, Any], dict[str, Any]]:
    """The small model, random parameters, and random states."""
    model = importlib.import_module(f"pgmc_models.{spec.name}").model(**spec.sizes)
    generator = np.random.default_rng(3)
    built = model.build()
    params = {}
    for p in built.parameters:
        value = generator.normal(size=[axis.size for axis in p.axes])
        params[p.name] = np.exp(value / 2) if p.constraint.positive else value / 2
    states = {}
    for v in built.variables:
        shape = (6, *(axis.size for axis in v.axes))
        states[v.name] = (
            generator.integers(2, size=shape) if str(v.domain) == "binary" else generator.normal(size=shape)
        )
        if str(v.domain) == "positive":
            states[v.name] = np.exp(states[v.name])
    return model, params, states


@pytest.mark.parametrize("spec", REAL_SPECIFICATIONS, ids=lambda spec: spec.name)
def test_default_sizes_build(spec: RealSpecification) -> None:
    model = importlib.import_module(f"pgmc_models.{spec.name}").model()
    assert model.name == spec.name
    assert sum(np.prod([axis.size for axis in v.axes]) for v in model.build().variables) > 500


@pytest.mark.parametrize("spec", REAL_SPECIFICATIONS, ids=lambda spec: spec.name)
def test_energy_and_families(spec: RealSpecification) -> None:
    model, params, states = build(spec)
    program = pgmc.compile(model, dtype="float64", backend="numpy")
    np.testing.assert_allclose(program.energy(params, states), spec.energy(states, params), rtol=1e-12)
    assert {v.name: program.conditional(v.name).family for v in model.build().variables} == spec.families


@pytest.mark.parametrize("spec", REAL_SPECIFICATIONS, ids=lambda spec: spec.name)
def test_every_specification_proves_itself(spec: RealSpecification) -> None:
    model, _, _ = build(spec)
    report = pgmc.compile(model, dtype="float64", backend="numpy").verify()
    wanted = {"conditionals", "sweep, draw by draw", "gradients"}
    if set(spec.families.values()) != {"Generic"}:
        wanted.add("free energies")
    assert wanted <= {c.name for c in report.checks}
