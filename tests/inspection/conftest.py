"""A model of two layers and everything that is derived from it, written by hand."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import pytest

from pgmc.ir.answers import ConditionalLaw, Quantity, Refusal
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import Access, Add, BatchMean, Call, Index, Mul, Scalar, Sum, at, fresh_index, number
from pgmc.ir.symbols import Axis, Binary, Parameter, Symbol, Variable


def get(symbol: Symbol, *indices: Index) -> Access:
    """The element at the indices."""
    return Access(symbol, tuple(map(at, indices)))


def minus(*factors: Scalar) -> Mul:
    """The negative product."""
    return Mul((number(-1), *factors))


@dataclass(frozen=True)
class Derived:
    """The answers a program has."""

    model: Model
    laws: tuple[ConditionalLaw, ...]
    free_energy: Quantity
    gradients: tuple[Quantity, ...]
    refusals: tuple[Refusal, ...]
    graph: nx.Graph


@pytest.fixture
def derived() -> Derived:
    i, j = fresh_index("i"), fresh_index("j")
    v, h = (Variable(name, (Axis(size),), Binary()) for name, size in (("v", 784), ("h", 500)))
    W = Parameter("W", (Axis(784), Axis(500)))
    b, c = Parameter("b", (Axis(784),)), Parameter("c", (Axis(500),))
    terms = (
        EnergyTerm(minus(get(v, i), get(W, i, j), get(h, j)), (i, j)),
        EnergyTerm(minus(get(b, i), get(v, i)), (i,)),
        EnergyTerm(minus(get(c, j), get(h, j)), (j,)),
    )
    hidden = Add((get(c, j), Sum(Mul((get(v, i), get(W, i, j))), (i,))))
    visible = Add((get(b, i), Sum(Mul((get(W, i, j), get(h, j))), (j,))))
    free = Add((Sum(minus(get(b, i), get(v, i)), (i,)), minus(Sum(Call("softplus", hidden), (j,)))))
    graph = nx.Graph()
    graph.add_node("v", kind="binary", shape=(784,), block=0)
    graph.add_node("h", kind="binary", shape=(500,), block=1)
    graph.add_edge("v", "h", terms=["-Σ_ij v[i]·W[i,j]·h[j]"], parameters=["W"])
    return Derived(
        Model("two_layers", (v, h), (), (W, b, c), (), terms),
        (
            ConditionalLaw(v, (i,), None, "Bernoulli", (("logits", visible),), ("the energy is affine in v[i]",)),
            ConditionalLaw(h, (j,), None, "Bernoulli", (("logits", hidden),), ("the energy is affine in h[j]",)),
        ),
        Quantity("free_energy", (), free),
        (Quantity("W", (i, j), BatchMean(minus(get(v, i), get(h, j))), per_example=False),),
        (Refusal("the partition function", "v and h interact.", "Use log_partition(method='ais')."),),
        graph,
    )
