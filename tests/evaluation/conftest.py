"""Small models of every kind, with parameters, compiled on the reference backend."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from pgmc.compiler import Compiler
from pgmc.dsl.model import Model


def bipartite() -> Model:
    m = Model("bipartite")
    v, h = m.binary("v", 5), m.binary("h", 3)
    m.energy(-(v @ m.param("W", (5, 3)) @ h) - m.param("b", 5) @ v - m.param("c", 3) @ h)
    return m


def deep() -> Model:
    m = Model("deep")
    v, h, g = m.binary("v", 4), m.spin("h", 3), m.binary("g", 2)
    m.energy(-(v @ m.param("W", (4, 3)) @ h) - h @ m.param("U", (3, 2)) @ g - m.param("b", 4) @ v)
    return m


def dense() -> Model:
    m = Model("dense")
    s = m.spin("s", 6)
    m.energy(-(s @ m.param("J", (6, 6), symmetric=True, zero_diagonal=True) @ s) - m.param("b", 6) @ s)
    return m


def mixed() -> Model:
    m = Model("mixed")
    x, h = m.categorical("x", 2, states=3), m.binary("h", 3)
    import pgmc.dsl.functions as functions

    m.energy(-functions.einsum("ik,j,ikj->", x, h, m.param("W", (2, 3, 3))))
    m.energy(-functions.einsum("ik,ik->", x, m.param("b", (2, 3))))
    return m


def independent() -> Model:
    m = Model("independent")
    v, s = m.binary("v", 3), m.spin("s", 2)
    m.energy(-m.param("b", 3) @ v - m.param("c", 2) @ s)
    return m


def conditional() -> Model:
    m = Model("conditional")
    u, v, h = m.input("u", 2), m.binary("v", 4), m.binary("h", 2)
    m.energy(-(v @ m.param("W", (4, 2)) @ h) - u @ m.param("A", (2, 4)) @ v - u @ m.param("B", (2, 2)) @ h)
    return m


UNDIRECTED = (bipartite, deep, dense, mixed, independent)


def case(declare: Callable[[], Model], seed: int = 0, scale: float = 1.0, backend: str = "numpy") -> SimpleNamespace:
    """The model, its program and random parameters that keep the constraints."""
    m = declare()
    model = m.build()
    rng = np.random.default_rng(seed)
    params = {p.name: scale * rng.normal(size=[a.size for a in p.axes]) for p in model.parameters}
    if "J" in params:
        params["J"] = (params["J"] + params["J"].T) / 4
        np.fill_diagonal(params["J"], 0)
    executable = Compiler(model, "float64", backend).executable()  # type: ignore[arg-type]
    return SimpleNamespace(model=model, params=params, executable=executable)


@pytest.fixture(params=UNDIRECTED, ids=lambda declare: declare.__name__)
def small(request: pytest.FixtureRequest) -> SimpleNamespace:
    return case(request.param)


@pytest.fixture
def rbm() -> SimpleNamespace:
    return case(bipartite)


@pytest.fixture
def with_inputs() -> SimpleNamespace:
    return case(conditional)


@pytest.fixture
def make_case() -> SimpleNamespace:
    return SimpleNamespace(
        make=case,
        bipartite=bipartite,
        deep=deep,
        dense=dense,
        mixed=mixed,
        independent=independent,
        conditional=conditional,
    )
