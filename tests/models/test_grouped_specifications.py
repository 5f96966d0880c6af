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


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_filters_of_a_small_convolution(backend: str) -> None:
    """One map of a 2 × 2 filter on 3 × 3 pixels, pooled to one unit: few enough states to list with a whole filter."""
    model = importlib.import_module("pgmc_models.convolutional_rbm").model(side=3, maps=1, width=2)
    generator = np.random.default_rng(1)
    params = {name: generator.normal(size=value.shape) for name, value in model.init().items()}
    listed = pgmc.enumerate_states(model, params)
    program = pgmc.compile(model, dtype="float64", backend=backend)
    v, weights = listed.states["v"].reshape(-1, 9), np.exp(-listed.energies)
    for row in generator.integers(2, size=(3, 9)):
        same = (v == row).all(axis=1)
        state = {"v": row.reshape(1, 3, 3), "h": np.zeros((1, 1, 2, 2))}
        free_energy = program.free_energy(params, {"v": state["v"]})
        assert free_energy[0] == pytest.approx(-np.log(weights[same].sum()), abs=1e-12)
        expected = weights[same] @ listed.states["h"][same].reshape(-1, 4) / weights[same].sum()
        found = program.conditional("h").evaluate(params, state)["probs"]
        np.testing.assert_allclose(found.ravel(), expected, atol=1e-12)
    h = np.zeros((1, 1, 2, 2))
    h[0, 0, 1, 0] = 1
    same = (listed.states["h"] == h).all(axis=(1, 2, 3))
    expected = weights[same] @ v[same] / weights[same].sum()
    found = program.conditional("v").evaluate(params, {"v": np.zeros((1, 3, 3)), "h": h})["probs"]
    np.testing.assert_allclose(found.ravel(), expected, atol=1e-12)
