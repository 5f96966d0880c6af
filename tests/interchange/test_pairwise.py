"""Quadratic models and graphs of other libraries: equal energies and log Z; samples go back with labels."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest

import pgmc


def quadratic(vartype: str, dimod: Any) -> Any:
    bqm = dimod.generators.gnm_random_bqm(9, 17, "SPIN", random_state=3)
    bqm.relabel_variables({k: f"unit {k}" for k in range(9)})
    bqm.offset = 1.25
    return bqm.change_vartype(vartype, inplace=False)


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_a_quadratic_model_there_and_back(vartype: str) -> None:
    dimod = pytest.importorskip("dimod")
    bqm = quadratic(vartype, dimod)
    m, params, labels = pgmc.from_dimod(bqm)
    (units,) = labels.values()
    assert units == tuple(bqm.variables)
    p = pgmc.compile(m, dtype="float64", backend="numpy")
    every = dimod.ExactSolver().sample(bqm)
    assert p.log_partition(params).value == pytest.approx(np.logaddexp.reduce(-every.record.energy), abs=1e-12)
    samples = p.sample(params, chains=5, sweeps=8, keep=4, seed=1)
    found = samples.to_dimod(units)
    assert found.vartype is getattr(dimod, vartype) and list(found.variables) == list(units) and len(found) == 20
    np.testing.assert_allclose(found.record.energy, bqm.energies(found), atol=1e-12)
    assert found.info == {"model": "quadratic_model", "seed": 1, "sweeps": 8}
    np.testing.assert_array_equal(found.record.sample.reshape(5, 4, 9), next(iter(samples.values())))


def test_both_kinds_are_one_model() -> None:
    dimod = pytest.importorskip("dimod")
    values = []
    for vartype in ("SPIN", "BINARY"):
        m, params, _ = pgmc.from_dimod(quadratic(vartype, dimod))
        values.append(pgmc.compile(m, dtype="float64", backend="numpy").log_partition(params).value)
    assert values[0] == pytest.approx(values[1], abs=1e-12)


def test_a_quadratic_model_without_couplings() -> None:
    dimod = pytest.importorskip("dimod")
    m, params, labels = pgmc.from_dimod(dimod.BinaryQuadraticModel({"a": 0.5, "b": -1.0}, {}, 0.0, "BINARY"))
    assert labels == {"x": ("a", "b")} and set(params) == {"f"}
    value = pgmc.compile(m, dtype="float64", backend="numpy").log_partition(params).value
    assert value == pytest.approx(np.log1p(np.exp(-0.5)) + np.log1p(np.exp(1.0)), abs=1e-12)


def test_the_compiled_kernels_agree() -> None:
    dimod = pytest.importorskip("dimod")
    m, params, labels = pgmc.from_dimod(quadratic("SPIN", dimod))
    samples = pgmc.compile(m, dtype="float64").sample(params, chains=4, sweeps=3, seed=0)
    np.testing.assert_allclose(
        samples.energies.ravel(), quadratic("SPIN", dimod).energies(samples.to_dimod(labels["s"])), atol=1e-12
    )


@pytest.mark.parametrize("kind", ["spin", "binary"])
def test_a_graph_with_couplings(kind: Any) -> None:
    graph = nx.Graph()
    graph.add_node("lonely")
    graph.add_node("a", bias=0.3)
    graph.add_edge("a", "b", weight=-0.7)
    graph.add_edge("b", "c")
    m, params, labels = pgmc.from_networkx(graph, kind)
    assert set(labels.values()) == {("lonely", "a", "b", "c")}
    p = pgmc.compile(m, dtype="float64", backend="numpy")
    every = pgmc.enumerate_states(m, params)
    _, a, b, c = next(iter(every.states.values())).T.astype(float)
    np.testing.assert_allclose(every.energies, 0.3 * a - 0.7 * a * b + b * c, atol=1e-12)
    assert p.log_partition(params).value == pytest.approx(every.log_partition, abs=1e-12)


def test_a_graph_is_the_quadratic_model_of_dimod() -> None:
    dimod = pytest.importorskip("dimod")
    bqm = quadratic("SPIN", dimod)
    graph = dimod.to_networkx_graph(bqm)
    m, params, _ = pgmc.from_networkx(graph, coupling="bias")
    value = pgmc.compile(m, dtype="float64", backend="numpy").log_partition(params).value
    every = dimod.ExactSolver().sample(bqm)
    assert value == pytest.approx(np.logaddexp.reduce(bqm.offset - every.record.energy), abs=1e-12)


def test_parallel_edges_add_up() -> None:
    graph = nx.MultiGraph([("a", "b", {"weight": 1.0}), ("a", "b", {"weight": 0.5})])
    m, params, _ = pgmc.from_networkx(graph)
    every = pgmc.enumerate_states(m, params)
    np.testing.assert_allclose(every.energies, 1.5 * np.prod(every.states["s"], axis=1), atol=1e-12)


@pytest.mark.parametrize(
    ("graph", "how", "words"),
    [
        (nx.DiGraph([(0, 1)]), {}, "to_undirected"),
        (nx.Graph(), {}, "no nodes"),
        (nx.Graph([(0, 1)]), {"kind": "real"}, "'spin' or 'binary'"),
        (nx.Graph([("a", "b", {"weight": "much"})]), {}, "weight of edge 'a'-'b' is 'much'"),
        ({0: [1]}, {}, "expected a networkx.Graph"),
    ],
)
def test_graphs_that_are_refused(graph: Any, how: dict[str, Any], words: str) -> None:
    with pytest.raises(pgmc.ArgumentError, match=words):
        pgmc.from_networkx(graph, **how)


def test_quadratic_models_that_are_refused() -> None:
    with pytest.raises(pgmc.ArgumentError, match=r"expected a dimod\.BinaryQuadraticModel, got dict"):
        pgmc.from_dimod({})
    dimod = pytest.importorskip("dimod")
    with pytest.raises(pgmc.ArgumentError, match="no variables"):
        pgmc.from_dimod(dimod.BinaryQuadraticModel("SPIN"))
