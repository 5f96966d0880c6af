"""Generated Numba texts, run as plain Python, against the interpreter of the ir."""

from __future__ import annotations

import numpy as np
import pytest

from energies import ENERGIES, build
from expressions import ROUND
from generated import Potential, all_queries, disagreement, free_energies, python_kernel, random_data
from pgmc.compiler import Compiler
from pgmc.ir.queries import Conditional, Energy, Ensemble, Gradient, Query, Sweep
from random_energies import random_model, random_nonlinear_model

TOLERANCE = {"float64": 1e-12, "float32": 2e-5}
ENSEMBLES_OF = ("two_layers", "coupled_spins", "labels", "scalar_variables", "function_of_labels_and_units")


def errors(compiler: Compiler, queries: list[Query]) -> dict[Query, float]:
    """The queries whose kernel disagrees with the reference, with the largest error."""
    data = random_data(compiler.model, compiler.dtype)
    found = {query: disagreement(compiler, query, python_kernel(compiler, query), data) for query in queries}
    return {query: error for query, error in found.items() if not error <= TOLERANCE[compiler.dtype]}


@pytest.mark.parametrize("name", ENERGIES)
def test_kernels_agree_with_the_interpreter(name: str) -> None:
    compiler = Compiler(build(name), "float64")
    assert errors(compiler, all_queries(compiler)) == {}


@pytest.mark.parametrize("name", ENERGIES)
def test_float32_kernels_agree_with_the_interpreter(name: str) -> None:
    compiler = Compiler(build(name), "float32")
    assert errors(compiler, few_queries(compiler)) == {}


@pytest.mark.parametrize("ensemble", [Ensemble.TEMPERED, Ensemble.ANNEALED])
@pytest.mark.parametrize("name", ENSEMBLES_OF)
def test_kernels_of_ensembles(name: str, ensemble: Ensemble) -> None:
    compiler = Compiler(build(name), "float64")
    assert errors(compiler, all_queries(compiler, ensemble)) == {}


@pytest.mark.parametrize("seed", range(110))
def test_kernels_of_random_models(seed: int) -> None:
    model = random_model(seed)
    if model is not None:
        compiler = Compiler(model, "float64")
        assert errors(compiler, few_queries(compiler)) == {}


@pytest.mark.parametrize("seed", range(60))
def test_kernels_of_random_expressions(seed: int) -> None:
    compiler = Compiler(random_nonlinear_model(seed), "float64")
    assert errors(compiler, few_queries(compiler)) == {}


@pytest.mark.parametrize("seed", range(20))
def test_kernels_of_random_expressions_on_a_ring(seed: int) -> None:
    compiler = Compiler(random_nonlinear_model(seed, alphabet=ROUND), "float64")
    assert errors(compiler, few_queries(compiler)) == {}


def test_a_sweep_over_nothing_does_nothing() -> None:
    compiler = Compiler(build("labels"), "float64")
    assert errors(compiler, [Sweep(()), Sweep((), backward=True)]) == {}


def few_queries(compiler: Compiler) -> list[Query]:
    """An energy, its gradient, the gradient of a free energy, and a sweep."""
    names = tuple(variable.name for variable in compiler.model.variables)
    parameters = tuple(parameter.name for parameter in compiler.model.parameters)
    potentials: list[Potential] = [Energy(), *free_energies(compiler)[:1]]
    gradients = [Gradient(of, parameters) for of in potentials if parameters]
    return [Energy(), Sweep(names), *gradients]


@pytest.mark.parametrize("name", ["two_layers", "labels", "coupled_spins", "gated_by_inputs"])
def test_one_example_and_none_of_the_sizes_are_in_the_text(name: str) -> None:
    """The same source serves every size: nothing in it depends on a length."""
    source = Compiler(build(name)).stages(Energy()).module.source
    body = source[source.rindex("def energy(") :]
    assert not any(f"range({size})" in body for size in range(10))


def test_a_kernel_leaves_its_inputs_alone() -> None:
    compiler = Compiler(build("labels"), "float64")
    for query in all_queries(compiler):
        if isinstance(query, Energy | Conditional):
            data = random_data(compiler.model)
            panel = data.panel(compiler.model)
            python_kernel(compiler, query).evaluate(panel)
            assert all(np.array_equal(panel.state[name], array) for name, array in data.state.items())
