"""Models as wholes: snapshots, warnings, foreign symbols, printing, initial values."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.ir.check import check_model


def pair(name: str = "m") -> tuple[pgmc.Model, Any, Any]:
    m = pgmc.Model(name)
    v, h = m.binary("v", 4), m.binary("h", 3)
    m.energy(-(v @ m.param("W", (4, 3)) @ h), name="coupling")
    return m, v, h


def test_an_empty_model_has_no_variables() -> None:
    with pytest.raises(pgmc.ModelError, match="no variables"):
        pgmc.Model("m").build()
    m = pgmc.Model("m")
    m.energy(m.param("b", 3).sum())
    with pytest.raises(pgmc.ModelError, match="no variables"):
        m.build()


def test_a_snapshot_does_not_follow_the_model() -> None:
    m, v, _ = pair()
    first = m.build()
    m.energy(v.sum())
    m.binary("late")
    assert len(first.terms) == 1 and len(first.variables) == 2
    with pytest.warns(pgmc.ModelWarning):
        assert len(m.build().terms) == 2


def test_terms_keep_name_and_place() -> None:
    m, v, h = pair()
    m.energy(v.sum() + h.sum(), name="counts")
    model = m.build()
    assert [term.name for term in model.terms] == ["coupling", "counts", "counts"]
    assert all(term.origin is not None for term in model.terms)
    with pytest.raises(pgmc.ModelError, match="another term has this name"):
        m.energy(v.sum(), name="counts")
    with pytest.raises(pgmc.ModelError, match="not a string"):
        m.energy(v.sum(), name=3)  # type: ignore[arg-type]


def test_disconnected_variables_and_unused_symbols_warn_once_each() -> None:
    m, *_ = pair()
    m.binary("alone", 2)
    m.param("unused")
    m.input("u", 2)
    m.constant("fine", 1.5)
    m.energy(0 * m["alone"].sum())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        m.build()
    messages = [str(w.message) for w in caught]
    assert len(messages) == 3
    assert "group 'alone': no term of the energy uses it, so its units are independent and uniform" in messages[0]
    assert "input 'u'" in messages[1] and "parameter 'unused'" in messages[2]


def test_terms_on_unknown_symbols() -> None:
    m, v, _ = pair()
    other, w, _ = pair("other")
    alien = other.binary("alien", 4)
    with pytest.raises(pgmc.ModelError, match=r"alien\.sum\(\): 'alien' is not declared in the model 'm'"):
        m.energy(alien.sum())
    # The other model's v has the same name, shape and domain, and is still another variable.
    with pytest.raises(pgmc.ModelError, match="this 'v' belongs to another model than 'm'"):
        m.energy(w.sum())
    with pytest.raises(pgmc.ModelError, match="belongs to another model"):
        m.energy(v @ w)


@pytest.mark.parametrize("value", [None, "x", [1], {}, object()])
def test_energies_are_expressions(value: Any) -> None:
    with pytest.raises(pgmc.NotationError, match="neither an expression"):
        pgmc.Model("m").energy(value)


def test_a_constant_energy_is_a_term() -> None:
    m, *_ = pair()
    m.energy(3)
    m.energy(m.param("shift"))
    model = m.build()
    check_model(model)
    assert len(model.terms) == 3


def test_printing() -> None:
    m, _, h = pair("example")
    m.energy(-0.5 * h.sum())
    assert str(m) == (
        "model example\n"
        "  v: binary (4,)\n"
        "  h: binary (3,)\n"
        "  W: parameter (4, 3)\n"
        "  constant_1: constant ()\n"
        "  E(v, h) = -Σ_ij W[i,j]·v[i]·h[j] - Σ_j 0.5·h[j]"
    )
    assert repr(m) == "<pgmc.Model example: v binary (4), h binary (3); 1 parameter, 2 terms>"
    assert "model empty" in str(pgmc.Model("empty"))


def test_from_ir_gives_handles_back() -> None:
    m, v, h = pair()
    m.energy(0.5 * v.sum())
    snapshot = m.build()
    again = pgmc.Model.from_ir(snapshot)
    assert again.build() == snapshot
    again.energy(0.25 * again["h"].sum())
    extended = again.build()
    check_model(extended)
    assert [c.name for c in extended.constants] == ["constant_1", "constant_2"]
    m.energy(0.25 * h.sum())
    assert m.build() == extended
    with pytest.raises(pgmc.ModelError, match="already declared"):
        again.binary("v")
    with pytest.raises(KeyError):
        again["nothing"]
    with pytest.raises(TypeError):
        list(again)  # type: ignore[call-overload]


def test_initial_values() -> None:
    m = pgmc.Model("m")
    mask = np.array([[0, 1], [1, 0]])
    m.param("W", (60, 50))
    m.param("b", 3)
    m.param("s", ())
    m.param("p", (2, 2), positive=True)
    m.param("k", 2, init=1.5)
    m.param("a", (2, 2), init=[[1, 2], [3, 4]])
    m.param("f", (2, 2), init=lambda shape, rng: rng.uniform(1, 2, shape), mask=mask)
    m.param("u", (40, 40), symmetric=True, zero_diagonal=True)
    start = m.init(seed=7)
    assert list(start) == ["W", "b", "s", "p", "k", "a", "f", "u"]
    assert all(value.dtype == np.float32 for value in start.values())
    assert abs(start["W"].std() - 0.01) < 0.001 and abs(start["W"].mean()) < 0.001
    assert not start["b"].any() and start["s"].shape == () and (start["p"] == 1).all()
    assert start["k"].tolist() == [1.5, 1.5] and start["a"].tolist() == [[1, 2], [3, 4]]
    assert ((start["f"] == 0) == (mask == 0)).all()
    assert (start["u"] == start["u"].T).all() and not start["u"].diagonal().any() and start["u"].any()
    assert m.init(7, dtype="float64")["W"].dtype == np.float64


def test_initial_values_depend_on_seed_and_name_only() -> None:
    first, second = pgmc.Model("m"), pgmc.Model("other")
    second.param("V", (2, 2))
    for m in (first, second):
        m.param("W", (5, 5))
    assert (first.init(3)["W"] == second.init(3)["W"]).all()
    assert (first.init(3)["W"] != first.init(4)["W"]).all()
    assert (second.init(3)["V"] != second.init(3)["W"][:2, :2]).all()
    assert (first.init(None)["W"] != first.init(None)["W"]).any()
    assert (first.init()["W"] == first.init(0)["W"]).all()


@pytest.mark.parametrize("seed", [-1, 1.5, 2**64, "0", True, np.nan])
def test_bad_seeds(seed: Any) -> None:
    with pytest.raises(ValueError, match=r"from 0 to 2\*\*64 - 1"):
        pgmc.Model("m").init(seed)


@pytest.mark.parametrize("dtype", ["float16", int, "int64", "nonsense", object])
def test_bad_dtypes(dtype: Any) -> None:
    with pytest.raises(pgmc.ArgumentError, match="float32 or float64"):
        pgmc.Model("m").init(dtype=dtype)


def test_too_large_for_memory_is_refused_before_allocation() -> None:
    m = pgmc.Model("m")
    m.param("W", (2**20, 2**20))
    with pytest.raises(pgmc.ModelError, match="parameter 'W': the parameters need 4398046511104 bytes"):
        m.init()


def test_importing_loads_numpy_at_most() -> None:
    code = (
        "import sys, pgmc; pgmc.Model; pgmc.Sum; dir(pgmc)\n"
        "heavy = {'sympy', 'networkx', 'numba', 'scipy', 'matplotlib', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_resolve() -> None:
    for name in dir(pgmc):
        assert getattr(pgmc, name) is not None or name.startswith("__")
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        pgmc.nothing  # noqa: B018
