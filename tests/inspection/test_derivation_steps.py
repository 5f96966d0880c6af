"""The steps of a derivation: what they show, and that their local energy is that of the energy."""

import numpy as np
import pytest

import pgmc
from pgmc.inspection.derivation_steps import explain_conditional
from pgmc.ir.answers import ConditionalLaw, Quantity
from pgmc.ir.interpret import interpret_quantity
from pgmc.ir.queries import Ensemble


@pytest.fixture
def machine() -> pgmc.Program:
    m = pgmc.Model("machine")
    v, h = m.binary("v", 3), m.binary("h", 2)
    W, R, b, c = m.param("W", (3, 2)), m.param("R", (3, 3)), m.param("b", 3), m.param("c", 2)
    m.energy(-(v @ W @ h) - v @ R @ v - b @ v - c @ h)
    return pgmc.compile(m, backend="numpy", dtype="float64")


def test_steps_of_a_binary_unit(machine):
    text = str(machine.conditional("h").explain())
    assert text.splitlines() == [
        "1. the terms that hold h (2 others cancel)",
        "   E = -Σ_ij W[i,j]·v[i]·h[j] - Σ_j c[j]·h[j]",
        "2. the local energy of one unit (every sum split at the unit)",
        "   L[j] = -Σ_i W[i,j]·v[i]·h[j] - c[j]·h[j]",
        "3. its law is Bernoulli (a unit with two values: the local energy is affine in it, the logit is minus the "
        "slope)",
        "   P(h[j] = 1 | v) = σ(Σ_i W[i,j]·v[i] + c[j])",
    ]


def test_local_energies_differ_as_the_energy_does(machine):
    """E(v_i = 1) - E(v_i = 0) is that of the local energy in step 2, same-layer products included."""
    derivation = explain_conditional(machine.compiler.ensemble(Ensemble.PLAIN), machine.conditional("v").law)
    local = derivation.steps[1].answer
    assert isinstance(local, Quantity)
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=np.shape(value)) for name, value in machine.init().items()}
    state = {"v": rng.integers(0, 2, (5, 3)), "h": rng.integers(0, 2, (5, 2))}
    for i in range(3):
        on, off = ({**state, "v": np.where(np.arange(3) == i, value, state["v"])} for value in (1, 0))
        whole = machine.energy(params, on) - machine.energy(params, off)
        part = [
            interpret_quantity(local, {**params, **{k: np.asarray(x, float) for k, x in s.items()}}) for s in (on, off)
        ]
        np.testing.assert_allclose((part[0] - part[1])[:, i], whole, atol=1e-12)


def test_latex_and_html_hold_every_step(machine):
    derivation = machine.conditional("v").explain()
    assert derivation.latex().count(" \\\\\n") == 2
    html = derivation._repr_html_()
    assert html.count("<tr>") == len(derivation.steps) == 3
    assert isinstance(derivation.steps[-1].answer, ConditionalLaw)
