"""Small models and their programs on the reference backend."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import pgmc.dsl.functions as functions
from pgmc.compiler import Compiler
from pgmc.dsl.model import Model
from pgmc.learning.fit import fit


def bipartite(**how: Any) -> Model:
    m = Model("bipartite")
    v, h = m.binary("v", 4), m.binary("h", 3)
    m.energy(-(v @ m.param("W", (4, 3), **how) @ h) - m.param("b", 4) @ v - m.param("c", 3) @ h)
    return m


def deep() -> Model:
    m = Model("deep")
    v, h, g = m.binary("v", 4), m.spin("h", 2), m.binary("g", 2)
    m.energy(-(v @ m.param("W", (4, 2)) @ h) - h @ m.param("U", (2, 2)) @ g - m.param("b", 4) @ v)
    return m


def coupled() -> Model:
    """Latents that interact within their own layer: no free energy."""
    m = Model("coupled")
    v, h = m.binary("v", 3), m.spin("h", 3)
    m.energy(-(v @ m.param("W", (3, 3)) @ h) - h @ m.param("J", (3, 3), symmetric=True, zero_diagonal=True) @ h)
    return m


def visible() -> Model:
    m = Model("visible")
    v = m.spin("v", 4)
    m.energy(-(v @ m.param("J", (4, 4), symmetric=True, zero_diagonal=True) @ v) - m.param("b", 4) @ v)
    return m


def mixed() -> Model:
    m = Model("mixed")
    x, h = m.categorical("x", 2, states=3), m.binary("h", 2)
    m.energy(-functions.einsum("ik,j,ikj->", x, h, m.param("W", (2, 3, 2))) - m.param("c", 2) @ h)
    return m


def conditional() -> Model:
    m = Model("conditional")
    u, v, h = m.input("u", 2), m.binary("v", 3), m.binary("h", 2)
    m.energy(-(v @ m.param("W", (3, 2)) @ h) - u @ m.param("A", (2, 3)) @ v)
    return m


def positive() -> Model:
    m = Model("positive")
    v, h = m.binary("v", 3), m.binary("h", 2)
    m.energy(-(v @ m.param("W", (3, 2), positive=True) @ h) + m.param("b", 3) @ v)
    return m


KINDS = {f.__name__: f for f in (bipartite, deep, coupled, visible, mixed, conditional, positive)}


def make(
    kind: str | Callable[[], Model], dtype: str = "float64", seed: int = 0, backend: str = "numpy", **how: Any
) -> SimpleNamespace:
    """A model, its program, random parameters that keep the constraints, and some data."""
    declare = KINDS[kind] if isinstance(kind, str) else kind
    model = declare(**how).build()
    rng = np.random.default_rng(seed)
    params = {}
    for p in model.parameters:
        value = 0.7 * rng.normal(size=[a.size for a in p.axes])
        if p.constraint.symmetric:
            value = (value + value.T) / 2
            np.fill_diagonal(value, 0)
        if p.constraint.masked:
            value = value * p.constraint.mask
        params[p.name] = (np.abs(value) + 0.1 if p.constraint.positive else value).astype(dtype)
    n = 12
    first = model.variables[0]
    shape = (n, *(a.size for a in first.axes))
    low, high = {"binary": (0, 2), "spin": (0, 2)}.get(str(first.domain), (0, 3))
    values = rng.integers(low, high, shape)
    data: dict[str, Any] = {first.name: 2 * values - 1 if str(first.domain) == "spin" else values}
    for symbol in model.inputs:
        data[symbol.name] = rng.integers(0, 2, (n, *(a.size for a in symbol.axes))) * 1.5
    executable = Compiler(model, dtype, backend).executable()  # type: ignore[arg-type]
    return SimpleNamespace(model=model, params=params, data=data, executable=executable)


@pytest.fixture(name="make")
def make_fixture() -> Callable[..., SimpleNamespace]:
    return make


@pytest.fixture
def train() -> Callable[..., Any]:
    """``fit`` of such a case, without showing progress."""

    def run(case: SimpleNamespace, *args: Any, **kwargs: Any) -> Any:
        return fit(case.executable, case.params, case.data, *args, **{"progress": False, **kwargs})

    return run
