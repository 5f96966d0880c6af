"""NumPy texts against the interpreter of the ir, and as they read."""

from __future__ import annotations

import ast
import textwrap

import pytest

from energies import ENERGIES, build
from generated import all_queries, numpy_disagreement, random_data
from pgmc.codegen.numpy_printer import build_numpy_text, print_numpy
from pgmc.compiler import Compiler
from pgmc.ir.queries import Conditional, Energy, Ensemble, FreeEnergy, Gradient, Query, Sweep, kernel_name
from pgmc.ir.signatures import Role
from random_energies import random_model, random_nonlinear_model

TOLERANCE = 1e-12


def errors(compiler: Compiler, queries: list[Query]) -> dict[Query, float]:
    data = random_data(compiler.model)
    found = {query: numpy_disagreement(compiler, query, data) for query in queries}
    return {query: error for query, error in found.items() if not error <= TOLERANCE}


def text_of(name: str, query: Query) -> str:
    compiler = Compiler(build(name), "float64")
    return print_numpy(compiler.model_of(query), kernel_name(query), compiler.answer(query))


@pytest.mark.parametrize("name", ENERGIES)
def test_texts_agree_with_the_interpreter(name: str) -> None:
    compiler = Compiler(build(name), "float64")
    assert errors(compiler, all_queries(compiler)) == {}


@pytest.mark.parametrize("ensemble", [Ensemble.TEMPERED, Ensemble.ANNEALED])
@pytest.mark.parametrize("name", ["two_layers", "labels", "coupled_spins", "scalar_variables"])
def test_texts_of_ensembles(name: str, ensemble: Ensemble) -> None:
    compiler = Compiler(build(name), "float64")
    assert errors(compiler, all_queries(compiler, ensemble)) == {}


@pytest.mark.parametrize("seed", range(30))
def test_texts_of_random_models(seed: int) -> None:
    model = random_model(seed)
    if model is not None:
        names = tuple(variable.name for variable in model.variables)
        parameters = tuple(parameter.name for parameter in model.parameters)
        queries: list[Query] = [Energy(), Sweep(names), Gradient(Energy(), parameters), Conditional(names[0])]
        assert errors(Compiler(model, "float64"), queries) == {}


@pytest.mark.parametrize("seed", range(60, 120))
def test_texts_of_random_expressions(seed: int) -> None:
    model = random_nonlinear_model(seed)
    queries: list[Query] = [Energy(), Conditional("y"), Sweep(("v", "y")), Gradient(Energy(), ("b", "W", "a"))]
    assert errors(Compiler(model, "float64"), queries) == {}


# ---- how they read -----------------------------------------------------------------------------------------------


def function(text: str) -> str:
    """The text from the last function on."""
    return text[text.rindex("\ndef ") + 1 :].rstrip() + "\n"


def test_a_sweep_of_two_layers() -> None:
    assert function(text_of("two_layers", Sweep(("v", "h")))) == textwrap.dedent(
        '''\
        def sweep(v, h, W, b, c, site_v, site_h, uniform, first_sweep=0, sweeps=1):
            """1. update v (parallel)
              P(v[i] = 1 | h) = σ(Σ_j W[i,j]·h[j] + b[i])
            2. update h (parallel)
              P(h[j] = 1 | v) = σ(Σ_i W[i,j]·v[i] + c[j])"""
            for sweep in range(first_sweep, first_sweep + sweeps):
                # field_h_W[n, i] = Σ_j h[n, j] · W[i, j]   (matrix product)
                field_h_W = h @ W.T
                # P(v[i] = 1 | h) = σ(Σ_j W[i,j]·h[j] + b[i])
                u_v = uniform(sweep, site_v + np.arange(v.shape[1])).reshape(v.shape)
                v = (u_v < sigmoid(field_h_W + b)).astype(v.dtype)
                # field_v_W[n, j] = Σ_i v[n, i] · W[i, j]   (matrix product)
                field_v_W = v @ W
                # P(h[j] = 1 | v) = σ(Σ_i W[i,j]·v[i] + c[j])
                u_h = uniform(sweep, site_h + np.arange(h.shape[1])).reshape(h.shape)
                h = (u_h < sigmoid(field_v_W + c)).astype(h.dtype)
            return {"v": v, "h": h}
        '''
    )


def test_a_free_energy_and_its_gradient() -> None:
    free_energy = FreeEnergy(("v",))
    assert function(text_of("two_layers", free_energy)) == textwrap.dedent(
        '''\
        def free_energy(v, W, b, c):
            """F(v) = -Σ_i b[i]·v[i] - Σ_j softplus(Σ_i W[i,j]·v[i] + c[j])"""
            # field_v_W[n, j] = Σ_i v[n, i] · W[i, j]   (matrix product)
            field_v_W = v @ W
            # out_free_energy[n] = -Σ_i b[i]·v[i] - Σ_j softplus(field_v_W[j] + c[j])
            out_free_energy = -(b * v).sum(axis=1) - softplus(field_v_W + c).sum(axis=1)
            return {"free_energy": out_free_energy}
        '''
    )
    gradient = function(text_of("two_layers", Gradient(free_energy, ("W", "c"))))
    assert "part_c = -weights[:, None] * sigmoid(field_v_W + c)" in gradient
    assert "grad_W = v.T @ part_c" in gradient
    assert "grad_c = part_c.sum(axis=0)" in gradient


def test_units_in_turn_are_a_loop() -> None:
    forward = function(text_of("coupled_binary", Sweep(("v",))))
    backward = function(text_of("coupled_binary", Sweep(("v",), backward=True, masked=("v",))))
    assert "v = v.copy()" in forward
    assert "for i in range(v.shape[1]):" in forward
    assert "for i in range(v.shape[1] - 1, -1, -1):" in backward
    assert "np.where(keep_v[:, i], v[:, i], " in backward


def test_labels_are_compared_with_the_numbers_of_states() -> None:
    text = function(text_of("labels", Sweep(("y", "s"))))
    assert "np.arange(" in text
    assert "draw_categorical(" in text
    assert 'np.einsum("nj,ikj->nik", s, R)' in text
    assert "np.where(u_s < sigmoid(" in text


@pytest.mark.parametrize("name", ENERGIES)
def test_a_text_needs_numpy_alone_and_fits_the_page(name: str) -> None:
    compiler = Compiler(build(name), "float64")
    variables = tuple(variable.name for variable in compiler.model.variables)
    for query in (Energy(), Sweep(variables)):
        tree = ast.parse(print_numpy(compiler.model, kernel_name(query), compiler.answer(query)))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert imported <= {"numpy", "math"}
        assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))


@pytest.mark.parametrize("name", ENERGIES)
def test_arguments_are_those_the_function_takes(name: str) -> None:
    compiler = Compiler(build(name), "float64")
    for query in (Energy(), Sweep(tuple(variable.name for variable in compiler.model.variables))):
        text = build_numpy_text(compiler.model, kernel_name(query), compiler.answer(query))
        (main,) = [
            node
            for node in ast.parse(text.source).body
            if isinstance(node, ast.FunctionDef) and node.name == kernel_name(query)
        ][-1:]
        rest = ["uniform", "first_sweep", "sweeps"] if isinstance(query, Sweep) else []
        assert [argument.arg for argument in main.args.args] == [a.name for a in text.arguments] + rest


def test_unused_parameters_are_not_arguments() -> None:
    compiler = Compiler(build("untouched_variable"), "float64")
    text = build_numpy_text(compiler.model, "energy", compiler.answer(Energy()))
    assert [a.symbol for a in text.arguments] == ["x", "b"]
    assert [a.role for a in text.arguments] == [Role.STATE, Role.PARAMETER]
