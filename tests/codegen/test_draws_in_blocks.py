"""Sequential updates in blocks: which laws take them, the exact transition matrix, and the product by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import pgmc
from cases import Case, build_case, one_layer_of_spins, one_layer_with_a_diagonal
from generated import random_data, run_as_python
from pgmc.codegen.array_program import DrawInBlocks
from pgmc.codegen.prelude import IMPORTS, prelude
from pgmc.compiler import Compiler
from pgmc.ir.queries import Ensemble, Sweep
from pgmc.runtime.kernels import CompiledKernel, Launch, Panel
from transitions import faults, transitions, units_of_blocks


def small_blocks(source: str) -> str:
    """Blocks of two units, so that a few units make several."""
    changed, found = re.subn(r"\b24\b", "2", source)
    assert found
    return changed


@pytest.mark.parametrize("ensemble", [Ensemble.PLAIN, Ensemble.TEMPERED])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("declare", [one_layer_of_spins, one_layer_with_a_diagonal])
def test_several_blocks_make_the_same_transitions(
    declare: Callable[..., Any], masked: bool, backward: bool, ensemble: Ensemble
) -> None:
    case: Case = build_case(declare)
    name, (shape, _) = next(iter(case.exact.spec.items()))
    masks = {name: np.arange(np.prod(shape)).reshape(shape) == 1} if masked else None
    query = Sweep(case.free, masked=tuple(masks or ()), backward=backward, ensemble=ensemble)
    exact, given = case.exact, {}
    if ensemble is Ensemble.TEMPERED:
        exact, given = case.law(lambda x: 0.4 * case.energy(x)), {"inverse_temperature": 0.4}
    found = transitions(case.compiler, query, exact, case.params, given=given, masks=masks, edit=small_blocks)
    assert faults(found, exact, units_of_blocks(case.compiler, query, exact, masks)) == set()


def dense(units: int = 60) -> pgmc.Model:
    m = pgmc.Model("dense")
    x, J, b = m.spin("x", units), m.param("J", (units, units)), m.param("b", units)
    m.energy(-(x @ J @ x) - b @ x)
    return m


def compiler_of(model: pgmc.Model, **options: Any) -> Compiler:
    return Compiler(pgmc.compile(model, backend="numpy").executable.model, **options)


@pytest.mark.parametrize("backward", [False, True])
def test_the_same_units_as_one_after_the_other(backward: bool) -> None:
    """60 units are two blocks of 24 and one of 12; the text runs as Python, against the interpreter."""
    from pgmc.runtime.interpreted import InterpretedKernel

    compiler, query = compiler_of(dense(), dtype="float64"), Sweep(("x",), backward=backward)
    stages, data = compiler.stages(query), random_data(compiler.model)
    launch = Launch(key=(1, 2), first_chain=0, first_sweep=0, sweeps=2)
    states = []
    for kernel in (
        CompiledKernel(stages.module, run_as_python(stages.module.source, "sweep"), compiler.model),
        InterpretedKernel(stages.answer, compiler.model, "float64"),
    ):
        panel: Panel = data.panel(compiler.model)
        kernel.sweep(replace(panel, params={"J": 0.2 * data.params["J"], "b": data.params["b"]}), launch)
        states.append(panel.state["x"])
    assert np.array_equal(*states)
    assert not np.array_equal(states[0], data.state["x"])


def steps_of(compiler: Compiler, *names: str) -> list[type]:
    return [type(step) for step in compiler.stages(Sweep(names)).array_program.steps]


def test_sums_with_the_same_factor_share_a_field() -> None:
    compiler = compiler_of(dense())
    tempered = Sweep(("x",), ensemble=Ensemble.TEMPERED)
    (step,) = compiler.stages(tempered).array_program.steps
    assert isinstance(step, DrawInBlocks)
    assert len(step.own) == 1


def test_a_coupling_that_is_a_product_of_parameters() -> None:
    m = pgmc.Model("factors")
    x, W, g = m.binary("x", 5), m.param("W", (5, 3)), m.param("g", 3)
    i, j, f = pgmc.indices("i j f")
    m.energy(-x[i] * W[i, f] * g[f] * W[j, f] * x[j])
    compiler = compiler_of(m)
    assert DrawInBlocks in steps_of(compiler, "x")
    assert len(compiler.stages(Sweep(("x",))).array_program.once) > 0


def test_what_depends_on_the_chain_stays_out() -> None:
    """Couplings that differ from chain to chain are not one matrix; third-order terms are not linear."""
    m = pgmc.Model("given")
    x, y, A = m.binary("x", 4), m.input("y", 4), m.param("A", (4, 4, 4))
    m.energy(-pgmc.einsum("i,j,k,ijk->", x, x, y, A))
    assert DrawInBlocks not in steps_of(compiler_of(m), "x")
    m = pgmc.Model("cubic")
    x, A = m.binary("x", 4), m.param("A", (4, 4, 4))
    m.energy(-pgmc.einsum("i,j,k,ijk->", x, x, x, A))
    assert DrawInBlocks not in steps_of(compiler_of(m), "x")


def test_a_sum_within_another_is_no_field() -> None:
    """The square of Σ_i x_i·R_ij has a sum over units for every j."""
    m = pgmc.Model("squares")
    x, R = m.binary("x", 4), m.param("R", (4, 3))
    m.energy(((x @ R) ** 2).sum())
    assert DrawInBlocks not in steps_of(compiler_of(m), "x")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (6, 2, 3), (7, 3, 40), (24, 5, 17)])
def test_multiply(dtype: str, shape: tuple[int, int, int]) -> None:
    rows, chains, columns = shape
    space: dict[str, Any] = {}
    text = IMPORTS + prelude(["multiply", "aligned_zeros"], dtype)  # type: ignore[arg-type]
    exec(compile(text.replace("from numba import njit", "njit = lambda **_: lambda f: f"), "text", "exec"), space)  # noqa: S102
    rng = np.random.default_rng(0)
    weights, units = space["aligned_zeros"](rows, columns), space["aligned_zeros"](chains, columns)
    assert weights.dtype == dtype and weights.ctypes.data % 64 == 0 == weights.strides[0] % 64
    weights[:, :columns], units[:, :columns] = rng.random((rows, columns)), rng.random((chains, columns))
    fields = np.full((rows, chains), np.nan, dtype)
    space["multiply"](weights, units, fields)
    assert np.allclose(fields, weights.astype(float) @ units.T, rtol=1e-5)
