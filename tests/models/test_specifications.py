"""Every file of models/ against brute force over an energy that is written down independently of it."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

import pgmc
from grouped_specifications import GROUPED_SPECIFICATIONS
from pgmc.cli.catalogue import list_names
from real_specifications import REAL_SPECIFICATIONS
from specifications import SPECIFICATIONS, Specification

PACKAGE = Path(pgmc.__file__).parent

# The numpy backend evaluates what was derived; one model of each kind of unit also goes through generated kernels.
CASES = [
    pytest.param(spec, backend, id=f"{spec.name}-{backend}")
    for spec in SPECIFICATIONS
    for backend in ("numpy", "numba")
    if backend == "numpy" or spec.name in ("rbm", "softmax_rbm")
]


def test_every_specification_is_checked() -> None:
    assert list_names() == sorted(
        spec.name for spec in (*SPECIFICATIONS, *REAL_SPECIFICATIONS, *GROUPED_SPECIFICATIONS)
    )


@pytest.mark.parametrize("spec", SPECIFICATIONS, ids=lambda spec: spec.name)
def test_default_sizes_build(spec: Specification) -> None:
    model = importlib.import_module(f"pgmc_models.{spec.name}").model()
    assert model.name == spec.name
    assert sum(np.prod([axis.size for axis in v.axes]) for v in model.build().variables) > 500


FOUND = {
    "boltzmann_machine": ("dense", [["v"], ["h"]]),
    "centred_boltzmann_machine": ("dense", [["x"]]),
    "centred_deep_boltzmann_machine": ("layered", [["v", "h2"], ["h1", "h3"]]),
    "class_gated_rbm": ("k-partite", [["v"], ["y"], ["h"]]),
    "class_rbm": ("layered", [["v", "y"], ["h"]]),
    "conditional_boltzmann_machine": ("dense", [["y"], ["h"]]),
    "conditional_rbm": ("bipartite", [["v"], ["h"]]),
    "deep_belief_net": ("hybrid", [["v", "h2"], ["h1"]]),
    "deep_boltzmann_machine": ("layered", [["v", "h2"], ["h1", "h3"]]),
    "cubic_lattice": ("lattice", None),
    "factored_three_way": ("k-partite", [["x"], ["y"], ["h"]]),
    "fully_visible_belief_net": ("directed", [["x"]]),
    "helmholtz_machine": ("directed", [["v"], ["h"]]),
    "lattice": ("lattice", None),
    "point_wise_gated_rbm": ("k-partite", [["v"], ["z"], ["h", "g"]]),
    "potts": ("lattice", None),
    "rbm": ("bipartite", [["v"], ["h"]]),
    "sigmoid_belief_net": ("directed", [["v"], ["h"]]),
    "softmax_rbm": ("bipartite", [["v"], ["h"]]),
    "spin_glass": ("sparse", None),
    "spin_rbm": ("bipartite", [["s"], ["t"]]),
    "three_way": ("k-partite", [["x"], ["y"], ["h"]]),
    "two_group_class_rbm": ("layered", [["v", "y"], ["h", "g"]]),
    "visible_boltzmann_machine": ("dense", [["x"]]),
}
"""The structure that is found in each, and the variables of each block; blocks of lattices are tested with these."""


@pytest.mark.parametrize("spec", SPECIFICATIONS, ids=lambda spec: spec.name)
def test_structure_and_blocks_are_found(spec: Specification) -> None:
    program = pgmc.compile(spec.model())
    structure, blocks = FOUND[spec.name]
    assert program.structure == structure
    if blocks is not None:
        assert [list(block.variables) for block in program.blocks] == blocks
        coupled = [block.variables for block in program.blocks if block.mode == "sequential"]
        assert all(len(names) == 1 for names in coupled)
        assert bool(coupled) == (structure in ("dense", "directed", "hybrid"))


@pytest.mark.parametrize(("spec", "backend"), CASES)
def test_energy_and_partition(spec: Specification, backend: Any) -> None:
    model = spec.model()
    program, params, states = (
        pgmc.compile(model, dtype="float64", backend=backend),
        spec.params(model),
        spec.whole_states(model),
    )
    expected = spec.evaluate(states, params)
    np.testing.assert_allclose(program.energy(params, states), expected, rtol=0, atol=1e-12)
    log_partition = program.log_partition(params, spec.given() or None, method="exact")
    assert log_partition.value == pytest.approx(logsumexp(-expected), abs=1e-12)


@pytest.mark.parametrize(("spec", "backend"), CASES)
def test_conditionals_are_ratios_of_the_joint(spec: Specification, backend: Any) -> None:
    model = spec.model()
    program, params, states = (
        pgmc.compile(model, dtype="float64", backend=backend),
        spec.params(model),
        spec.whole_states(model),
    )
    for name in spec.values:
        values = states[name]
        probs = program.conditional(name).evaluate(params, states)["probs"]
        choices = spec.choices(name)
        for unit in np.ndindex(values.shape[1:]):
            energies = []
            for value in choices:
                changed = values.copy()
                changed[:, *unit] = value
                energies.append(spec.evaluate({**states, name: changed}, params))
            expected = softmax(-np.array(energies), axis=0)
            found = probs[:, *unit]
            if found.ndim == 1:
                expected = expected[1]
            np.testing.assert_allclose(found, expected.T, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("spec", "backend"), [case for case in CASES if case.values[0].latent])
def test_free_energy_sums_the_latent_variables_out(spec: Specification, backend: Any) -> None:
    model = spec.model()
    program, params, states = (
        pgmc.compile(model, dtype="float64", backend=backend),
        spec.params(model),
        spec.whole_states(model),
    )
    energies = spec.evaluate(states, params)
    observed = {name: values for name, values in states.items() if name not in spec.latent}
    rows = np.concatenate([values.reshape(len(energies), -1) for values in observed.values()], axis=1)
    kinds, which = np.unique(rows, axis=0, return_inverse=True)
    expected = np.array([-logsumexp(-energies[which == kind]) for kind in range(len(kinds))])
    found = program.free_energy(params, observed)
    np.testing.assert_allclose(found, expected[which], rtol=0, atol=1e-12)


def test_the_gradient_of_a_centred_machine_is_the_centred_statistic() -> None:
    program = pgmc.compile(importlib.import_module("pgmc_models.centred_boltzmann_machine").model(5), backend="numpy")
    equation = str(program.gradient_equations()["gradient(U)"])
    assert equation == "∂⟨E⟩/∂U[i,j] = -⟨(x[i] - mu[i])·(x[j] - mu[j])⟩"


def test_a_centred_machine_has_the_conditionals_of_one_with_other_biases() -> None:
    """b - (U + Uᵀ)µ in the place of b."""
    centred, plain = (
        pgmc.compile(importlib.import_module(f"pgmc_models.{name}").model(5), dtype="float64", backend="numpy")
        for name in ("centred_boltzmann_machine", "visible_boltzmann_machine")
    )
    generator = np.random.default_rng(0)
    U = generator.normal(size=(5, 5))
    U = U + U.T
    np.fill_diagonal(U, 0.0)
    b, mu = generator.normal(size=5), generator.uniform(size=5)
    x = {"x": generator.integers(2, size=(20, 5))}
    found = centred.conditional("x").evaluate({"U": U, "b": b, "mu": mu}, x)["logits"]
    expected = plain.conditional("x").evaluate({"U": U, "b": b - (U + U.T) @ mu}, x)["logits"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("spec", SPECIFICATIONS, ids=lambda spec: spec.name)
def test_every_specification_proves_itself(spec: Specification) -> None:
    """Interpreted; with generated kernels `python -m benchmarks.catalogue` does it."""
    report = pgmc.compile(spec.model(), backend="numpy").verify()
    assert {"conditionals", "transition matrix"} <= {check.name for check in report.checks}


@pytest.mark.parametrize("name", ["boltzmann_machine", "deep_boltzmann_machine"])
def test_latents_that_interact_are_refused_with_the_reason(name: str) -> None:
    spec = next(spec for spec in SPECIFICATIONS if spec.name == name)
    model = spec.model()
    program = pgmc.compile(model, backend="numpy")
    with pytest.raises(pgmc.IntractableError, match="interact"):
        program.free_energy(spec.params(model), {"v": np.zeros((1, spec.sizes["visible"]), dtype=int)})


def test_the_package_names_no_model() -> None:
    """What looks like an optimisation of a model must be a property of its expression."""
    words = ("rbm", "dbm", "boltzmann")
    found = []
    for path in PACKAGE.rglob("*.py"):
        if path.is_relative_to(PACKAGE / "cli"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "name", None)
            if isinstance(name, str) and any(word in name.lower() for word in words):
                found.append(f"{path}: {name}")
    assert found == []
