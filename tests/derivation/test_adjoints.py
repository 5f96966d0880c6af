"""Reverse mode: equations as back-propagation is written, and numbers as differences give them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import pgmc
from pgmc.codegen.array_program import Contract, Map, Reduce
from pgmc.compiler import Compiler
from pgmc.dsl.model import Model
from pgmc.ir.answers import Computation
from pgmc.ir.interpret import interpret_computation
from pgmc.ir.nodes import Sum
from pgmc.ir.queries import Energy, Gradient
from pgmc.ir.rewrite import walk

i, j, k = pgmc.indices("i j k")


def _two_layers(sizes: tuple[int, ...] = (5, 3, 4)) -> Model:
    x_size, a_size, h_size = sizes
    m = pgmc.Model("two_layers")
    x, h = m.binary("x", x_size), m.binary("h", h_size)
    V, c, U, b = (
        m.param(name, shape)
        for name, shape in (("V", (a_size, h_size)), ("c", a_size), ("U", (x_size, a_size)), ("b", x_size))
    )
    a = m.define("a", pgmc.tanh(pgmc.Sum(V[j, k] * h[k], k) + c[j]))
    m.directed(h, pgmc.Bernoulli(logits=0))
    m.directed(x[i], pgmc.Bernoulli(logits=U[i, j] * a[j] + b[i]))
    return m


def _residual() -> Model:
    m = pgmc.Model("residual")
    x, h = m.binary("x", 3), m.binary("h", 4)
    W1, W2, U = m.param("W1", (4, 4)), m.param("W2", (4, 4)), m.param("U", (3, 4))
    a = m.define("a", h + pgmc.tanh(W1 @ h))
    b = m.define("b", a + pgmc.softplus(W2 @ a))
    m.directed(h, pgmc.Bernoulli(logits=0))
    m.directed(x, pgmc.Bernoulli(logits=U @ b))
    return m


def _weights_of_two() -> Model:
    """A value of parameters alone, whose adjoint is a mean over the examples."""
    m = pgmc.Model("low_rank")
    x, h = m.spin("x", 3), m.binary("h", 4)
    W = m.define("W", m.param("A", (3, 2)) @ m.param("B", (2, 4)))
    m.energy(-(x @ W @ h))
    m.energy(pgmc.tanh(x @ W).sum())
    return m


def _ring() -> Model:
    m = pgmc.Model("ring")
    s, K, b = m.spin("s", 4, boundary="periodic"), m.param("K", 4), m.param("b")
    a = m.define("a", pgmc.tanh(K[i] * s[i] * s[i + 1] + b))
    m.energy(-a[i] * a[i + 1])
    return m


def _chain() -> Model:
    m = pgmc.Model("chain")
    s, K = m.spin("s", 5), m.param("K", 5)
    a = m.define("a", pgmc.tanh(K[i] * s[i]))
    m.energy(-a[i] * a[i + 1] * K[i])
    return m


def _states() -> Model:
    m = pgmc.Model("states")
    x, z = m.categorical("x", 3, states=3), m.binary("z", 4)
    V, U = m.param("V", (3, 4, 2)), m.param("U", (3, 3, 2))
    a = m.define("a", pgmc.sigmoid(pgmc.Sum(V[i, k, j] * z[k], k)), axes=(j, i))
    state = pgmc.indices("l")
    m.directed(z, pgmc.Bernoulli(logits=0.3))
    m.directed(x[i, state], pgmc.Categorical(logits=U[i, state, j] * a[j, i]))
    return m


def _powers() -> Model:
    m = pgmc.Model("powers")
    s, W, w = m.spin("s", 4), m.param("W", (4, 3)), m.param("w", 4)
    t = m.define("t", w @ s)
    u = m.define("u", t * t)
    a = m.define("a", pgmc.exp(s @ W))
    m.energy(pgmc.exp(-u) - 0.5 * t**2 + pgmc.logsumexp(a) - pgmc.sqrt(1 + a).sum())
    return m


def _inline() -> Model:
    m = pgmc.Model("inline")
    x, h = m.binary("x", 3), m.binary("h", 4)
    W1, W2, U = m.param("W1", (3, 4)), m.param("W2", (4, 3)), m.param("U", (3, 4))
    m.directed(h, pgmc.Bernoulli(logits=0))
    m.directed(x, pgmc.Bernoulli(logits=U @ pgmc.relu(W2 @ pgmc.tanh(W1 @ h))))
    return m


def _prefix() -> Model:
    m = pgmc.Model("prefix")
    x, W, V = m.binary("x", 4), m.param("W", (3, 4)), m.param("V", (4, 3))
    a = m.define("a", pgmc.sigmoid(pgmc.Sum(W[k, j] * x[j], j, where=j < i)), axes=(i, k))
    m.directed(x[i], pgmc.Bernoulli(logits=V[i, k] * a[i, k]))
    return m


def _query(m: Model) -> Gradient:
    return Gradient(Energy(), tuple(parameter.name for parameter in m.build().parameters))


def test_equations_read_as_back_propagation() -> None:
    equations = pgmc.compile(_two_layers()).gradient_equations()
    assert [str(equations[name]) for name in ("a", "logits_x", "delta_logits_x", "delta_a", "gradient(V)")] == [
        "a[j] = tanh(c[j] + Σ_k V[j,k]·h[k])",
        "logits_x[i] = b[i] + Σ_j U[i,j]·a[j]",
        "δ_logits_x[i] = σ(logits_x[i]) - x[i]",
        "δ_a[j] = Σ_i δ_logits_x[i]·U[i,j]",
        "∂⟨E⟩/∂V[j,k] = ⟨δ_a[j]·(1 - a[j]²)·h[k]⟩",
    ]
    assert str(equations["gradient(U)"]) == "∂⟨E⟩/∂U[i,j] = ⟨δ_logits_x[i]·a[j]⟩"


def test_layers_without_names_get_some() -> None:
    equations = pgmc.compile(_inline()).gradient_equations()
    assert str(equations["relu_1"]) == "relu_1[j] = relu(Σ_k W2[j,k]·tanh_1[k])"
    assert str(equations["gradient(W1)"]) == "∂⟨E⟩/∂W1[k,l] = ⟨δ_tanh_1[k]·(1 - tanh_1[k]²)·h[l]⟩"


def test_every_layer_is_a_product_of_matrices_forward_and_back() -> None:
    """Two products forward, one back, and one for each matrix of weights; what is left is element by element."""
    m = _two_layers()
    program = Compiler(m.build()).stages(_query(m)).array_program
    products = [step for step in program.steps if isinstance(step, Contract)]
    assert len(products) == 5
    others = [step.body for step in program.steps if isinstance(step, Map | Reduce)]
    assert not any(isinstance(node, Sum) for body in others for node in walk(body))


@pytest.mark.parametrize(
    "make",
    [_two_layers, _residual, _weights_of_two, _ring, _chain, _states, _powers, _inline, _prefix],
    ids=lambda make: make.__name__[1:],
)
def test_gradients_are_those_of_differences(make: Callable[[], Model]) -> None:
    """Central differences of the energy as it was declared, at random states with random weights: 1e-7 relative."""
    m = make()
    compiler = Compiler(m.build(), dtype="float64", backend="numpy")
    rng = np.random.default_rng(3)
    params = {name: rng.normal(size=np.shape(value)) for name, value in m.init(dtype="float64").items()}
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    states = {}
    for variable in compiler.model.variables:
        size = (6, *(axis.size for axis in variable.axes))
        values = {"binary": [0, 1], "spin": [-1, 1]}.get(str(variable.domain), [0, 1, 2])
        states[variable.name] = rng.choice(values, size=size)
    weights = rng.uniform(size=6)
    answer = compiler.answer(_query(m))
    assert isinstance(answer, Computation)
    found = interpret_computation(
        answer, {**params, **states}, symbols=compiler.shared().symbols, weights=weights, examples=6
    )
    for name, value in params.items():
        for place in np.ndindex(*value.shape):
            energies = []
            for step in (1e-5, -1e-5):
                moved = value.copy()
                moved[place] += step
                energies.append(weights @ program.energy({**params, name: moved}, states))
            assert found[name][place] == pytest.approx((energies[0] - energies[1]) / 2e-5, rel=1e-6, abs=1e-8)
