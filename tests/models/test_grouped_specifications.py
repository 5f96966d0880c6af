"""Models of units that restrict one another: energies, blocks, and proofs on small instances."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import pgmc
from grouped_specifications import GROUPED_SPECIFICATIONS, GroupedSpecification

every = pytest.mark.parametrize("spec", GROUPED_SPECIFICATIONS, ids=lambda spec: spec.name)


@every
def test_energies_of_some_states(spec: GroupedSpecification) -> None:
    model, generator = spec.model(), np.random.default_rng(0)
    params = {name: generator.normal(size=value.shape) for name, value in model.init().items()}
    states = spec.states(generator)
    found = pgmc.compile(model, dtype="float64", backend="numpy").energy(params, states)
    rows = [{name: value[row] for name, value in states.items()} for row in range(len(found))]
    np.testing.assert_allclose(found, [spec.energy(row, params) for row in rows], atol=1e-12)


@every
def test_blocks_and_default_sizes(spec: GroupedSpecification) -> None:
    assert tuple(block.variables for block in pgmc.compile(spec.model()).blocks) == spec.blocks
    model = importlib.import_module(f"pgmc_models.{spec.name}").model()
    assert model.name == spec.name
    assert [block.variables for block in pgmc.compile(model).blocks] == list(spec.blocks)


@every
def test_the_program_is_verified(spec: GroupedSpecification) -> None:
    assert pgmc.compile(spec.model(), dtype="float64", backend="numpy").verify()
