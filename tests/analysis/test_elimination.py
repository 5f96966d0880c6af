"""The variables to sum out: independent, and with the most joint states, by trying every subset."""

from __future__ import annotations

import itertools
import math

import networkx as nx
import pytest

from energies import ENERGIES, build
from graphs import random_graph
from pgmc.analysis.elimination import EXACT_LIMIT, find_eliminable, is_independent, log_states
from pgmc.analysis.interaction_graph import build_interaction_graph
from pgmc.derivation.free_energy import derive_free_energy
from pgmc.ir.answers import Computation
from pgmc.ir.model import Model
from pgmc.ir.symbols import Axis, Binary, Categorical, Spin, Variable
from random_energies import random_models

SIZES = (1, 2, 3, 5, 8, 13)


def model_of(graph: nx.Graph, seed: int) -> Model:
    domains = (Binary(), Spin(), Categorical(5))
    names = list(graph.nodes)
    variables = (
        Variable(name, (Axis(SIZES[(k + seed) % 6]),), domains[(k * seed) % 3]) for k, name in enumerate(names)
    )
    return Model("random", tuple(variables), (), (), (), ())


def largest(model: Model, graph: nx.Graph) -> float:
    """The most joint states of any set of variables without an edge among them or to themselves."""
    states = {v.name: log_states(v) for v in model.variables}
    subsets = itertools.chain.from_iterable(itertools.combinations(states, k) for k in range(len(states) + 1))
    free = [
        s for s in subsets if not any(graph.has_edge(a, b) for a, b in itertools.combinations_with_replacement(s, 2))
    ]
    return max(sum(states[name] for name in subset) for subset in free)


@pytest.mark.parametrize("seed", range(60))
def test_nothing_better_exists(seed: int) -> None:
    graph = random_graph(seed, 1 + seed % 7)
    model = model_of(graph, seed)
    chosen = find_eliminable(model, graph)
    assert is_independent(graph, chosen)
    weight = {v.name: log_states(v) for v in model.variables}
    assert sum(weight[name] for name in chosen) == pytest.approx(largest(model, graph))
    assert list(chosen) == [name for name in weight if name in chosen]


@pytest.mark.parametrize("seed", range(10))
def test_many_variables_give_an_independent_set(seed: int) -> None:
    graph = random_graph(seed, EXACT_LIMIT + 6)
    chosen = find_eliminable(model_of(graph, seed), graph)
    assert is_independent(graph, chosen)
    simple = [name for name in graph.nodes if not graph.has_edge(name, name)]
    if simple:
        assert chosen
    for name in set(simple) - set(chosen):
        assert any(graph.has_edge(name, other) for other in chosen), "the set can be enlarged"


@pytest.mark.parametrize("name", ENERGIES)
def test_the_free_energy_of_the_rest_exists(name: str) -> None:
    assert_summable(build(name))


def test_the_free_energy_of_the_rest_exists_for_random_models() -> None:
    for model in random_models(range(30)):
        assert_summable(model)


def assert_summable(model: Model) -> None:
    chosen = find_eliminable(model, build_interaction_graph(model))
    observed = tuple(v.name for v in model.variables if v.name not in chosen)
    assert isinstance(derive_free_energy(model, observed), Computation)


def test_the_larger_layer_goes() -> None:
    model = build("two_layers")
    assert find_eliminable(model, build_interaction_graph(model)) == ("v",)


def test_numbers_of_states() -> None:
    assert log_states(Variable("x", (Axis(3), Axis(2)), Binary())) == pytest.approx(6 * math.log(2))
    assert log_states(Variable("y", (), Categorical(5))) == pytest.approx(math.log(5))
    assert log_states(Variable("s", (Axis(4),), Spin())) == pytest.approx(4 * math.log(2))
