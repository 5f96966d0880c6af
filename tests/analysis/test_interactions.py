"""Interactions and the interaction graph against mixed differences of the energy over all joint states."""

from __future__ import annotations

import itertools
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

from energies import ENERGIES, build
from enumeration import States, random_params
from pgmc.analysis.interaction_graph import (
    build_interaction_graph,
    markov_blanket,
    markov_blankets,
    untouched_variables,
)
from pgmc.analysis.interactions import find_interactions, unit_positions, variables_in
from pgmc.ir.model import Model
from pgmc.ir.nodes import Access, Call, Mul, Number, Pow, Sum, at, fresh_index
from pgmc.ir.rewrite import accesses
from pgmc.ir.symbols import Variable
from random_energies import random_model, random_nonlinear_model

Edges = set[tuple[str, str]]


def real_interactions(model: Model) -> Edges:
    """Pairs of variables with two units whose mixed difference of the energy is not zero somewhere."""
    states = States(model, random_params(model))
    found: Edges = set()
    for a, b in itertools.combinations(range(len(states.sites)), 2):
        mixed = np.diff(np.diff(states.energies, axis=a), axis=b)
        scale = 1 + np.abs(states.energies).max()
        if mixed.size and np.abs(mixed).max() > 1e-11 * scale:
            first, second = sorted((states.sites[a][0].name, states.sites[b][0].name))
            found.add((first, second))
    return found


def edges(model: Model) -> Edges:
    return {(min(pair), max(pair)) for pair in build_interaction_graph(model).edges}


CONSERVATIVE: dict[str, Edges] = {
    # log Σ_j exp(f_j + x) = x + log Σ_j exp(f_j), which the analysis does not see
    "log_sum_of_labels": {("x", "y")},
}


@pytest.mark.parametrize("name", ENERGIES)
def test_the_graph_is_that_of_the_energy(name: str) -> None:
    model = build(name)
    assert edges(model) == real_interactions(model) | CONSERVATIVE.get(name, set())


@pytest.mark.parametrize("seed", range(40))
def test_the_graph_of_random_models(seed: int) -> None:
    """A group of one unit cannot interact with itself, whatever its terms look like."""
    model = random_model(seed)
    if model is None:
        return
    single = {v.name for v in model.variables if all(axis.size == 1 for axis in v.axes)}
    assert {pair for pair in edges(model) if not (pair[0] == pair[1] and pair[0] in single)} >= real_interactions(model)


@pytest.mark.parametrize("seed", range(100))
def test_no_interaction_is_missed_in_any_expression(seed: int) -> None:
    model = random_nonlinear_model(seed)
    assert edges(model) >= real_interactions(model)


def test_nodes_and_edges_say_what_they_are() -> None:
    graph = build_interaction_graph(build("labels"))
    assert graph.nodes["y"] == {"kind": "categorical(3)", "shape": (2,)}
    assert graph.nodes["s"] == {"kind": "spin", "shape": (3,)}
    edge = graph.edges["y", "s"]
    assert edge["parameters"] == ["R"]
    assert len(edge["terms"]) == 1 and "R[" in edge["terms"][0]


def test_markov_blankets() -> None:
    graph = build_interaction_graph(build("coupled_hidden_layer"))
    assert markov_blanket(graph, "v") == {"h"}
    assert markov_blanket(graph, "h") == {"v", "h"}
    assert markov_blankets(graph) == {"v": {"h"}, "h": {"v", "h"}}


def test_untouched_variables() -> None:
    assert untouched_variables(build("untouched_variable")) == ("free", "idle", "loose")


@pytest.mark.parametrize("name", ENERGIES)
def test_the_graph_has_every_variable_once(name: str) -> None:
    model = build(name)
    graph = build_interaction_graph(model)
    assert isinstance(graph, nx.Graph)
    assert list(graph.nodes) == [variable.name for variable in model.variables]


def test_variables_in_reading_order() -> None:
    model = build("triple_of_three_variables")
    assert set(variables_in(model.terms[0].body)) == {"x", "y", "h"}


def test_occurrences_are_every_access_of_a_variable() -> None:
    for name in ("potts", "products_of_sums", "nested_functions"):
        for term in build(name).terms:
            wanted = [a.symbol.name for a in accesses(term.body) if isinstance(a.symbol, Variable)]
            assert sorted(a.symbol.name for a in find_interactions(term.body).occurrences) == sorted(wanted)


def test_the_state_of_a_one_hot_access_is_no_unit() -> None:
    model = build("label_with_itself")
    found = find_interactions(model.terms[0].body)
    assert {len(unit_positions(a)) for a in found.occurrences} == {1}
    assert found.pairs == frozenset()


def test_the_same_sum_twice_in_a_product_couples_units() -> None:
    """Even where both factors share the very same index."""
    model = build("two_layers")
    v, i = model.variable("v"), fresh_index("i")
    inner = Sum(Access(v, (at(i),)), (i,))
    assert find_interactions(Mul((inner, inner))).pairs == {("v", "v")}


def test_a_first_power_and_a_number_couple_nothing() -> None:
    model = build("two_layers")
    v, i = model.variable("v"), fresh_index("i")
    x = Access(v, (at(i),))
    assert find_interactions(Pow(Sum(x, (i,)), Fraction(1))).pairs == frozenset()
    assert find_interactions(Mul((Number(Fraction(2)), Call("exp", x)))).pairs == frozenset()
