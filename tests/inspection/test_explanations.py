"""The steps to free energies, gradients and mean field: what they show, and that their parts add up to the answer."""

from __future__ import annotations

import numpy as np
import pytest

import pgmc
from pgmc.ir.answers import Quantity, Refusal
from pgmc.ir.interpret import interpret_quantity
from pgmc.ir.queries import Sweep


@pytest.fixture(scope="module")
def machine() -> pgmc.Program:
    m = pgmc.Model("machine")
    v, h, y = m.binary("v", 3), m.binary("h", 2), m.categorical("y", states=3)
    W, U, b, c = m.param("W", (3, 2)), m.param("U", (3, 2)), m.param("b", 3), m.param("c", 2)
    m.energy(-(v @ W @ h) - y @ U @ h - b @ v - c @ h)
    return pgmc.compile(m, backend="numpy", dtype="float64")


def test_steps_of_a_free_energy(machine: pgmc.Program) -> None:
    assert str(machine.explain("free_energy(v, y)")).splitlines() == [
        "1. the energy (the sum of what was declared)",
        "   E = -Σ_ij W[i,j]·v[i]·h[j] - Σ_kj U[k,j]·h[j]·y[k] - Σ_i b[i]·v[i] - Σ_j c[j]·h[j]",
        "2. the terms that hold h (one other cancels)",
        "   E = -Σ_ij W[i,j]·v[i]·h[j] - Σ_kj U[k,j]·h[j]·y[k] - Σ_j c[j]·h[j]",
        "3. the local energy of one unit (every sum split at the unit)",
        "   L[j] = -Σ_i W[i,j]·v[i]·h[j] - Σ_k U[k,j]·h[j]·y[k] - c[j]·h[j]",
        "4. all units of h out: G = -log of the sum of exp(-L) over each (Bernoulli: a unit with two values: the local "
        "energy is affine in it, the logit is minus the slope)",
        "   G = -Σ_j softplus(Σ_i W[i,j]·v[i] + Σ_k U[k,j]·y[k] + c[j])",
        "5. the free energy (what is left of the energy, and the sums)",
        "   F(v, y) = -Σ_i b[i]·v[i] - Σ_j softplus(Σ_i W[i,j]·v[i] + Σ_k U[k,j]·y[k] + c[j])",
    ]


def test_the_parts_add_up(machine: pgmc.Program) -> None:
    """F = E with every hidden unit at 0, plus the G of each hidden variable; each as the steps show it."""
    steps = machine.explain("free_energy(h)").steps
    parts = [step.answer for step in steps if isinstance(step.answer, Quantity) and step.answer.name == "G"]
    assert len(parts) == 2
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=np.shape(value)) for name, value in machine.init().items()}
    h = rng.integers(0, 2, (5, 2))
    arrays = {**params, "h": h.astype(float)}
    found = -h @ params["c"] + sum(interpret_quantity(part, arrays) for part in parts)
    np.testing.assert_allclose(found, machine.free_energy(params, {"h": h}), atol=1e-12)


def test_a_free_energy_that_is_refused(machine: pgmc.Program) -> None:
    """The reason, and mean field in its place."""
    steps = machine.explain("free_energy(v)").steps
    refused = [step.answer for step in steps if isinstance(step.answer, Refusal)]
    assert (len(refused) == 1 and "h and y interact" in refused[0].reason) or "y and h interact" in refused[0].reason
    names = [step.answer.name for step in steps if isinstance(step.answer, Quantity)]
    assert sorted(names[1:]) == ["h", "y"]
    html = machine.explain("free_energy(v)")._repr_html_()
    assert "mean field in its place" in html and html.count("<tr>") == len(steps)
    assert "interact" in machine.explain("free_energy(v)").latex()


def test_real_units_are_integrated_out_first() -> None:
    m = pgmc.Model("slabs")
    s, h, x = m.real("s", 3), m.binary("h", 3), m.real("x", 2)
    W = m.param("W", (2, 3))
    m.energy(-(x @ W @ (s * h)) + (s**2).sum() / 2 + (x**2).sum() / 2)
    p = pgmc.compile(m, backend="numpy", dtype="float64")
    titles = [step.title for step in p.explain("free_energy(x)").steps]
    assert titles[1] == "s integrated out first" and titles[-1] == "the free energy"
    assert "/" not in str(p.explain("free_energy(x)").steps[-2]).replace("1/2", "")


def test_gradients(machine: pgmc.Program) -> None:
    text = str(machine.explain("gradient(U)"))
    assert "the terms that hold U" in text and text.endswith("∂⟨E⟩/∂U[k,j] = -⟨h[j]·y[k]⟩")
    from pgmc.ir.queries import FreeEnergy, Gradient

    last = machine.explain(Gradient(FreeEnergy(("v", "y")), ("c",))).steps[-1]
    assert str(last).endswith("∂⟨F⟩/∂c[j] = -⟨σ(Σ_i W[i,j]·v[i] + Σ_k U[k,j]·y[k] + c[j])⟩")
    assert "units summed out stand with their means" in last.reason


def test_mean_field(machine: pgmc.Program) -> None:
    steps = machine.explain("mean_field(v)").steps
    assert [step.title for step in steps[:2]] == ["the energy", "the mean energy under q"]
    assert str(steps[2]).endswith("h[j] = σ(Σ_i W[i,j]·v[i] + Σ_k U[k,j]·y[k] + c[j])")
    m = pgmc.Model("counted")
    m.energy(-m.count("n", 2) @ m.param("b", 2))
    (_, refused) = pgmc.compile(m, backend="numpy").explain("mean_field()").steps
    assert isinstance(refused.answer, Refusal)


def test_conditionals_and_what_is_none(machine: pgmc.Program) -> None:
    assert str(machine.explain("h")) == str(machine.conditional("h").explain())
    with pytest.raises(pgmc.ArgumentError, match="there is no equation 'w'"):
        machine.explain("w")
    with pytest.raises(pgmc.ArgumentError, match="is no derivation"):
        machine.explain(Sweep(("v",)))
    with pytest.raises(pgmc.ArgumentError, match="'q' is not a variable"):
        machine.explain("free_energy(q)")
