"""Named values in kernels: computed once, and again when what they are made of has changed."""

from __future__ import annotations

import numpy as np

import pgmc
from pgmc.codegen.array_program import Contract, Draw, Map
from pgmc.compiler import Compiler
from pgmc.dsl.model import Model
from pgmc.ir.queries import Ancestral, Energy


def _net() -> Model:
    """Three layers, the last made of a value of the second and of one of the first."""
    m = pgmc.Model("layers")
    x, y, z = m.binary("x", 4), m.binary("y", 3), m.binary("z", 2)
    a = m.define("a", pgmc.tanh(m.param("A", (3, 2)) @ z))
    b = m.define("b", pgmc.sigmoid(m.param("B", (4, 3)) @ y) + m.param("C", (4, 3)) @ a)
    m.directed(z, pgmc.Bernoulli(logits=0))
    m.directed(y, pgmc.Bernoulli(logits=3 * a))
    m.directed(x, pgmc.Bernoulli(logits=4 * b))
    return m


def test_a_value_is_computed_once_and_after_what_it_is_made_of() -> None:
    program = Compiler(_net().build()).stages(Ancestral(("x", "y", "z"))).array_program
    order = [
        step.law.target.name if isinstance(step, Draw) else step.target.symbol.name
        for step in program.steps
        if isinstance(step, Draw | Map | Contract)
    ]
    assert [order.count(name) for name in ("a", "b")] == [1, 1]
    assert order.index("z") < order.index("a") < order.index("y") < order.index("b") < order.index("x")


def test_compiled_and_interpreted_passes_draw_the_same() -> None:
    """Several passes in one launch: a value of the last pass would give other draws."""
    m = _net()
    params = {name: 2 * np.random.default_rng(1).normal(size=value.shape) for name, value in m.init().items()}
    drawn = [
        pgmc.compile(m, dtype="float64", backend=backend).sample(params, chains=64, sweeps=3, keep=3, seed=5)
        for backend in ("numba", "numpy")
    ]
    assert all((drawn[0][name] == drawn[1][name]).all() for name in drawn[0])


def test_energies_share_their_layers() -> None:
    steps = Compiler(_net().build()).stages(Energy()).array_program.steps
    assert len([step for step in steps if isinstance(step, Contract)]) == 3
