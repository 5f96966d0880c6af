"""Small models of every form an energy can take, declared through the public notation.

Each function returns a model with few joint states, so that everything derived from it can be checked by enumeration.
The names say what is peculiar about the energy.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from fractions import Fraction

import numpy as np

import pgmc
from pgmc.analysis.periodic_axes import spread_periodicity
from pgmc.ir.fresh_indices import freshen_model
from pgmc.ir.model import Model

Declare = Callable[[pgmc.Model], None]

ENERGIES: dict[str, Declare] = {}


def energy(declare: Declare) -> Declare:
    """Add a declaration to the collection."""
    ENERGIES[declare.__name__] = declare
    return declare


def build(name: str) -> Model:
    """The model of that name, its indices fresh as the compiler has them."""
    return built(ENERGIES[name], name)


def built(declare: Declare, name: str = "model") -> Model:
    """The ir model of a declaration."""
    m = pgmc.Model(name)
    declare(m)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pgmc.ModelWarning)
        return freshen_model(spread_periodicity(m.build()))


# ---- products ----------------------------------------------------------------------------------------------------


@energy
def two_layers(m: pgmc.Model) -> None:
    v, h = m.binary("v", 4), m.binary("h", 3)
    W, b, c = m.param("W", (4, 3)), m.param("b", 4), m.param("c", 3)
    m.energy(-(v @ W @ h) - b @ v - c @ h)


@energy
def two_layers_of_spins(m: pgmc.Model) -> None:
    v, h = m.spin("v", 3), m.spin("h", 4)
    W, b, c = m.param("W", (3, 4)), m.param("b", 3), m.param("c", 4)
    m.energy(-(v @ W @ h) - b @ v - c @ h)


@energy
def transposed_weights(m: pgmc.Model) -> None:
    v, h = m.binary("v", 4), m.spin("h", 3)
    W = m.param("W", (3, 4))
    m.energy(-(h @ W @ v))


@energy
def three_layers(m: pgmc.Model) -> None:
    v, h, g = m.binary("v", 3), m.binary("h", 3), m.binary("g", 2)
    W, U, b = m.param("W", (3, 3)), m.param("U", (3, 2)), m.param("b", 3)
    m.energy(-(v @ W @ h) - h @ U @ g - b @ h)


@energy
def coupled_binary(m: pgmc.Model) -> None:
    v = m.binary("v", 5)
    U = m.param("U", (5, 5))
    m.energy(-(v @ U @ v))


@energy
def coupled_spins(m: pgmc.Model) -> None:
    s = m.spin("s", 5)
    J, b = m.param("J", (5, 5), symmetric=True, zero_diagonal=True), m.param("b", 5)
    m.energy(-0.5 * (s @ J @ s) - b @ s)


@energy
def coupled_hidden_layer(m: pgmc.Model) -> None:
    v, h = m.binary("v", 3), m.spin("h", 3)
    W, L = m.param("W", (3, 3)), m.param("L", (3, 3))
    i, j = pgmc.indices("i j")
    m.energy(-v[i] * W[i, j] * h[j])
    m.energy(-pgmc.Sum(h[i] * L[i, j] * h[j], i, j, where=i < j))


@energy
def triple_of_one_variable(m: pgmc.Model) -> None:
    x = m.binary("x", 4)
    U = m.param("U", (4, 4, 4))
    i, j, k = pgmc.indices("i j k")
    m.energy(x[i] * x[j] * x[k] * U[i, j, k])


@energy
def triple_of_spins(m: pgmc.Model) -> None:
    s = m.spin("s", 4)
    U = m.param("U", (4, 4, 4))
    m.energy(pgmc.einsum("i,j,k,kij->", s, s, s, U))


@energy
def triple_of_three_variables(m: pgmc.Model) -> None:
    x, y, h = m.binary("x", 2), m.spin("y", 3), m.binary("h", 2)
    U = m.param("U", (3, 2, 2))
    m.energy(pgmc.einsum("i,j,k,jki->", x, y, h, U))


@energy
def factored_triple(m: pgmc.Model) -> None:
    x, y, h = m.binary("x", 3), m.binary("y", 2), m.binary("h", 3)
    A, B, C = m.param("A", (3, 4)), m.param("B", (2, 4)), m.param("C", (3, 4))
    i, j, k, f = pgmc.indices("i j k f")
    m.energy(-x[i] * A[i, f] * y[j] * B[j, f] * h[k] * C[k, f])


@energy
def matrix_chain(m: pgmc.Model) -> None:
    v, h = m.binary("v", 4), m.binary("h", 3)
    A, B = m.param("A", (4, 2)), m.param("B", (2, 3))
    m.energy(-(v @ A @ B @ h))


@energy
def elementwise_product(m: pgmc.Model) -> None:
    x, y = m.binary("x", 4), m.spin("y", 4)
    w = m.param("w", 4)
    i = pgmc.indices("i")
    m.energy(-x[i] * y[i] * w[i])


@energy
def diagonal_weights(m: pgmc.Model) -> None:
    x, y = m.binary("x", 4), m.spin("y", 4)
    W = m.param("W", (4, 4))
    i, j = pgmc.indices("i j")
    m.energy(-x[i] * y[i] * W[i, i] - x[j] * W[i, j] * W[j, i])


@energy
def scalar_variables(m: pgmc.Model) -> None:
    a, s, y = m.binary("a"), m.spin("s"), m.categorical("y", states=3)
    w, u, r = m.param("w"), m.param("u"), m.param("r", 3)
    m.energy(-w * a * s - u * s + (y @ r) * a - y @ r)


@energy
def scalar_and_vector(m: pgmc.Model) -> None:
    a, x = m.binary("a"), m.binary("x", 4)
    w, b, t = m.param("w", 4), m.param("b"), m.param("t")
    m.energy(-a * (w @ x) - b * a - t * x.sum())


@energy
def matrix_of_units(m: pgmc.Model) -> None:
    x, h = m.binary("x", (2, 3)), m.spin("h", 2)
    W, K = m.param("W", (2, 2, 3)), m.param("K", (2, 3))
    i, j, k = pgmc.indices("i j k")
    m.energy(-x[i, j] * h[k] * W[k, i, j] - K[i, j] * x[i, j])


@energy
def matrix_with_its_transpose(m: pgmc.Model) -> None:
    x = m.spin("x", (3, 3))
    w = m.param("w", (3, 3))
    i, j = pgmc.indices("i j")
    m.energy(-x[i, j] * x[j, i] * w[i, j])


@energy
def rows_of_a_matrix(m: pgmc.Model) -> None:
    x = m.binary("x", (3, 2))
    w = m.param("w", (2, 2))
    i, j, k = pgmc.indices("i j k")
    m.energy(-x[i, j] * w[j, k] * x[i, k])


@energy
def tensor_of_units(m: pgmc.Model) -> None:
    x, h = m.spin("x", (2, 1, 3)), m.binary("h", (1, 2))
    W = m.param("W", (3, 2, 1, 2))
    i, j, k, p = pgmc.indices("i j k p")
    m.energy(-x[i, j, k] * W[k, i, j, p] * h[j, p])


@energy
def shared_weights(m: pgmc.Model) -> None:
    x, h = m.binary("x", (2, 3)), m.binary("h", (2, 2))
    W = m.param("W", (3, 2))
    i, j, k = pgmc.indices("i j k")
    m.energy(-x[i, j] * W[j, k] * h[i, k])


@energy
def weight_used_twice(m: pgmc.Model) -> None:
    v, h, g = m.binary("v", 3), m.binary("h", 2), m.spin("g", 3)
    W = m.param("W", (3, 2))
    m.energy(-(v @ W @ h) - g @ W @ h - v @ W @ W.T @ g)


@energy
def product_of_weights(m: pgmc.Model) -> None:
    x = m.binary("x", 4)
    a, t = m.param("a", 4), m.param("t")
    i = pgmc.indices("i")
    m.energy(-x[i] * a[i] ** 2 * t**3 + x[i] / (1 + a[i] ** 2))


@energy
def integer_positions(m: pgmc.Model) -> None:
    x = m.binary("x", 4)
    W, a = m.param("W", (3, 4)), m.param("a")
    i = pgmc.indices("i")
    m.energy(-W[1, i] * x[i] + a * x[0] * x[3] - x[0] * x[i] * W[0, i] + W[2, 2] * x[1])


@energy
def single_units(m: pgmc.Model) -> None:
    x, h = m.spin("x", 1), m.binary("h", 1)
    W = m.param("W", (1, 1))
    m.energy(-(x @ W @ h))


@energy
def untouched_variable(m: pgmc.Model) -> None:
    x = m.binary("x", 2)
    m.spin("free", 2)
    m.categorical("idle", 1, states=3)
    m.binary("loose")
    b = m.param("b", 2)
    m.param("unused", (2, 3))
    m.energy(-b @ x)


@energy
def constants(m: pgmc.Model) -> None:
    x = m.binary("x", 3)
    A = m.constant("A", np.arange(9).reshape(3, 3) / 7)
    t = m.param("t")
    m.energy(-1e-3 * (x @ A @ x) - x @ np.array([0.5, -1.5, 2.0]) * t + 3 + Fraction(1, 3) * x.sum())


@energy
def tiny_and_large_numbers(m: pgmc.Model) -> None:
    x = m.binary("x", 3)
    w = m.param("w", 3)
    m.energy(Fraction(1, 100000) * (w @ x) + Fraction(7, 30000000) * x.sum() - Fraction(10**9) * (w @ x) / 10**9)


@energy
def no_term(m: pgmc.Model) -> None:
    m.binary("x", 3)
    m.param("w", 3)
    m.energy(0)


# ---- one-hot variables -------------------------------------------------------------------------------------------


@energy
def labels(m: pgmc.Model) -> None:
    y, s = m.categorical("y", 2, states=3), m.spin("s", 3)
    R, b = m.param("R", (2, 3, 3)), m.param("b", (2, 3))
    i, k, j = pgmc.indices("i k j")
    m.energy(-y[i, k] * R[i, k, j] * s[j] - b[i, k] * y[i, k])


@energy
def one_label(m: pgmc.Model) -> None:
    y, h, x = m.categorical("y", states=3), m.binary("h", 3), m.binary("x", 3)
    U, W, d = m.param("U", (3, 3)), m.param("W", (3, 3)), m.param("d", 3)
    m.energy(-(y @ U @ h) - x @ W @ h - d @ y)


@energy
def coupled_labels(m: pgmc.Model) -> None:
    y = m.categorical("y", 3, states=3)
    T = m.param("T", (3, 3, 3, 3))
    i, j, k, p = pgmc.indices("i j k p")
    m.energy(-y[i, k] * T[k, i, p, j] * y[j, p])


@energy
def agreeing_labels(m: pgmc.Model) -> None:
    y, z = m.categorical("y", 2, states=3), m.categorical("z", 2, states=3)
    J = m.param("J", (2, 2))
    i, j, k = pgmc.indices("i j k")
    m.energy(-J[i, j] * y[i, k] * z[j, k])


@energy
def potts(m: pgmc.Model) -> None:
    y = m.categorical("y", 4, states=3)
    J, b = m.param("J", (4, 4)), m.param("b", 3)
    i, j, k = pgmc.indices("i j k")
    m.energy(-pgmc.Sum(J[i, j] * y[i, k] * y[j, k], i, j, k, where=i < j))
    m.energy(-b[k] * y[i, k])


@energy
def mixture_of_components(m: pgmc.Model) -> None:
    y, z, x = m.categorical("y", states=3), m.categorical("z", 3, states=2), m.binary("x", 2)
    C = m.param("C", (2, 2))
    k, p, i = pgmc.indices("k p i")
    m.energy(-y[k] * z[k, p] * C[p, i] * x[i])


@energy
def labels_that_choose_labels(m: pgmc.Model) -> None:
    y, z, w = m.categorical("y", states=2), m.categorical("z", 2, states=3), m.categorical("w", 3, states=2)
    c = m.param("c", 2)
    k, p, q = pgmc.indices("k p q")
    m.energy(-y[k] * z[k, p] * w[p, q] * c[q])


@energy
def labels_that_choose_each_other(m: pgmc.Model) -> None:
    y, z = m.categorical("y", 2, states=3), m.categorical("z", 3, states=2)
    c = m.param("c", (2, 3))
    k, p = pgmc.indices("k p")
    m.energy(-y[k, p] * z[p, k] * c[k, p] - y[k, p] * z[p, k])


@energy
def gated_by_a_label(m: pgmc.Model) -> None:
    y, x, h = m.categorical("y", states=2), m.binary("x", 3), m.spin("h", 2)
    W = m.param("W", (3, 2, 2))
    i, j, k = pgmc.indices("i j k")
    m.energy(-y[k] * x[i] * W[i, k, j] * h[j])


@energy
def one_state_of_a_label(m: pgmc.Model) -> None:
    y, x = m.categorical("y", 2, states=4), m.binary("x", 2)
    w, u = m.param("w", (2, 2)), m.param("u")
    i, j, k = pgmc.indices("i j k")
    m.energy(-y[i, 2] * w[i, j] * x[j] + u * y[0, 0] * y[1, 1] - y[0, k] * y[1, k] * w[0, 1])


@energy
def label_with_itself(m: pgmc.Model) -> None:
    y = m.categorical("y", 2, states=3)
    T = m.param("T", (3, 3))
    i, k, p = pgmc.indices("i k p")
    m.energy(-y[i, k] * T[k, p] * y[i, p])


# ---- inputs ------------------------------------------------------------------------------------------------------


@energy
def real_inputs(m: pgmc.Model) -> None:
    u, t = m.input("u", 3), m.input("t")
    v, h = m.binary("v", 3), m.spin("h", 2)
    A, W = m.param("A", (3, 2)), m.param("W", (3, 2))
    m.energy(-(u @ A @ h) - t * (v @ W @ h) + pgmc.tanh(t) * v.sum())


@energy
def gated_by_inputs(m: pgmc.Model) -> None:
    u, v, h = m.input("u", 2), m.binary("v", 3), m.binary("h", 2)
    W = m.param("W", (2, 3, 2))
    m.energy(-pgmc.einsum("a,i,j,aij->", u, v, h, W))


@energy
def categorical_inputs(m: pgmc.Model) -> None:
    c, x, y = m.input("c", 2, states=3), m.binary("x", 3), m.categorical("y", states=2)
    W, V = m.param("W", (2, 3, 3)), m.param("V", (2, 3, 2))
    i, j, k, p = pgmc.indices("i j k p")
    m.energy(-c[i, k] * W[i, k, j] * x[j] - c[i, k] * V[i, k, p] * y[p])


@energy
def inputs_alone(m: pgmc.Model) -> None:
    u, x = m.input("u", 3), m.binary("x", 3)
    a, b = m.param("a", 3), m.param("b", 3)
    m.energy(-((a @ u) ** 2) - (b * u) @ x)


# ---- functions ---------------------------------------------------------------------------------------------------


@energy
def square_of_a_sum(m: pgmc.Model) -> None:
    x = m.binary("x", 4)
    R, w = m.param("R", (4, 3)), m.param("w", 3)
    i, j = pgmc.indices("i j")
    m.energy(w[j] * pgmc.Sum(x[i] * R[i, j], i) ** 2)


@energy
def square_of_a_sum_of_spins(m: pgmc.Model) -> None:
    s, h = m.spin("s", 3), m.binary("h", 2)
    R, W = m.param("R", (3, 2)), m.param("W", (3, 2))
    m.energy(((s @ R) ** 2).sum() - s @ W @ h)


@energy
def cube_of_a_sum(m: pgmc.Model) -> None:
    s, x = m.spin("s", 3), m.binary("x", 2)
    a, b, t = m.param("a", 3), m.param("b", 2), m.param("t")
    m.energy((a @ s + b @ x + t) ** 3 / 10)


@energy
def powers_of_units(m: pgmc.Model) -> None:
    s, x = m.spin("s", 3), m.binary("x", 3)
    a, b = m.param("a", 3), m.param("b", 3)
    i = pgmc.indices("i")
    m.energy(a[i] * s[i] ** 2 + b[i] * s[i] ** 3 + a[i] * x[i] ** 2 - ((x[i] - b[i]) / (1 + a[i] ** 2)) ** 2)


@energy
def hidden_in_closed_form(m: pgmc.Model) -> None:
    v, b = m.binary("v", 4), m.param("b", 4)
    W, c = m.param("W", (4, 3)), m.param("c", 3)
    m.energy(-(b @ v) - pgmc.softplus(v @ W + c).sum())


@energy
def functions_of_sums(m: pgmc.Model) -> None:
    x, s = m.binary("x", 3), m.spin("s", 3)
    W, a = m.param("W", (3, 3)), m.param("a", 3)
    m.energy(a @ pgmc.tanh(x @ W) + pgmc.exp(s @ W.T / 4).sum() + pgmc.cos(x @ a + s @ a))
    m.energy(pgmc.sigmoid(s @ W + a) @ a + pgmc.log(3 + (x @ W) ** 2).sum() + pgmc.sqrt(1 + (a @ s) ** 2))


@energy
def functions_of_units(m: pgmc.Model) -> None:
    x, s = m.binary("x", 3), m.spin("s", 2)
    a, b = m.param("a", 3), m.param("b", 2)
    m.energy(pgmc.exp(a * x).sum() + pgmc.softplus(b * s).sum() - pgmc.tanh(s * b + 1).sum())


@energy
def kinks(m: pgmc.Model) -> None:
    x, s = m.binary("x", 4), m.spin("s", 2)
    W, b, a = m.param("W", (4, 3)), m.param("b", 3), m.param("a", 2)
    m.energy(-pgmc.relu(x @ W + b).sum() + pgmc.relu(a * s).sum())


@energy
def absolute_value(m: pgmc.Model) -> None:
    x, a = m.binary("x", 4), m.param("a", 4)
    m.energy(pgmc.sqrt(pgmc.square(a @ x)) + pgmc.sqrt(pgmc.exp(2 * (a @ x))))


@energy
def log_gamma(m: pgmc.Model) -> None:
    x, s = m.binary("x", 3), m.spin("s", 2)
    b = m.param("b", 3)
    m.energy(pgmc.lgamma(2 + x.sum()) + pgmc.lgamma(4 + s.sum()) - b @ x)


@energy
def quotient(m: pgmc.Model) -> None:
    x, h = m.binary("x", 3), m.spin("h", 3)
    a, b = m.param("a", 3), m.param("b", 3)
    m.energy((x @ a) / (1 + (h @ b) ** 2) + 1 / (5 + x.sum()) - (3 + h.sum()) ** Fraction(1, 2))


@energy
def function_of_one_label(m: pgmc.Model) -> None:
    y, x = m.categorical("y", 3, states=3), m.binary("x", 2)
    a, W = m.param("a", 3), m.param("W", (3, 2))
    i, k, j = pgmc.indices("i k j")
    m.energy(pgmc.softplus(pgmc.Sum(y[i, k] * a[k], k)) - pgmc.tanh(pgmc.Sum(y[i, k] * W[k, j], i, k)) * x[j])


@energy
def function_of_labels_and_units(m: pgmc.Model) -> None:
    y, x = m.categorical("y", 2, states=3), m.binary("x", 3)
    R, W, c = m.param("R", (2, 3, 2)), m.param("W", (3, 2)), m.param("c", 2)
    m.energy(-pgmc.softplus(pgmc.einsum("ik,ikj->j", y, R) + x @ W + c).sum())


@energy
def nested_functions(m: pgmc.Model) -> None:
    z, x = m.binary("z", 4), m.binary("x", 2)
    V, W, b = m.param("V", (4, 3)), m.param("W", (3, 2)), m.param("b", 2)
    m.energy(-(pgmc.sigmoid(pgmc.tanh(z @ V) @ W + b) @ x))


@energy
def deeply_nested_functions(m: pgmc.Model) -> None:
    s = m.spin("s", 4)
    A, B, c = m.param("A", (4, 3)), m.param("B", (3, 2)), m.param("c", 2)
    m.energy(pgmc.exp(pgmc.tanh((s @ A) ** 2 / 4) @ B / 3).sum() + (s[0] * pgmc.sigmoid(s @ A) @ B) @ c)


@energy
def products_of_sums(m: pgmc.Model) -> None:
    x, h = m.binary("x", 3), m.spin("h", 3)
    a, b, c = m.param("a", 3), m.param("b", 3), m.param("c", 3)
    m.energy((a @ x) * (b @ h) + (a @ x) * (c @ x) - (b @ h) * (c @ h) * (a @ x))


@energy
def products_of_brackets(m: pgmc.Model) -> None:
    x = m.binary("x", 4)
    U, V = m.param("U", (4, 4)), m.param("V", (4, 4, 4))
    i, j, k = pgmc.indices("i j k")
    m.energy(-pgmc.Sum(x[i] * x[j] * U[i, j], i, j, where=i < j))
    m.energy(pgmc.Sum(x[i] * x[j] * x[k] * V[i, j, k], i, j, k, where=(i < j) & (j <= k)))
    m.energy(pgmc.Sum(x[i] * U[i, j], i, j, where=i.ne(j)) + pgmc.Sum(x[i] * U[i, j], i, j, where=i.eq(j)))
    m.energy(pgmc.Sum(x[i] * U[i, i], i, where=i >= 2) - pgmc.Sum(x[i] * U[0, i], i, where=i.ne(1)))


@energy
def function_of_a_prefix(m: pgmc.Model) -> None:
    s = m.spin("s", 4)
    W, b = m.param("W", (4, 4)), m.param("b", 4)
    i, j = pgmc.indices("i j")
    m.energy(pgmc.softplus(b[i] + pgmc.Sum(W[i, j] * s[j], j, where=j < i)))


@energy
def unit_inside_and_outside(m: pgmc.Model) -> None:
    x = m.binary("x", 4)
    W = m.param("W", (4, 4))
    i, j = pgmc.indices("i j")
    m.energy(x[i] * pgmc.tanh(pgmc.Sum(W[i, j] * x[j], j)) + pgmc.exp(x[i] * W[i, i] / 3))


@energy
def log_sum_of_parameters(m: pgmc.Model) -> None:
    x = m.binary("x", 3)
    W = m.param("W", (3, 4))
    m.energy(x @ pgmc.logsumexp(W, axis=1) - pgmc.logsumexp(W))


@energy
def log_sum_of_fields(m: pgmc.Model) -> None:
    x, s = m.binary("x", 3), m.spin("s", 2)
    W, b = m.param("W", (3, 4)), m.param("b", 2)
    m.energy(-pgmc.logsumexp(x @ W) - pgmc.logsumexp(b * s))


@energy
def field_that_two_blocks_need(m: pgmc.Model) -> None:
    h, x, y = m.binary("h", 2), m.binary("x", 2), m.spin("y", 2)  # x is drawn between h and y
    W = m.param("W", (2, 2))
    m.energy(-pgmc.einsum("i,ij,j,j->", x, W, h, y))


@energy
def log_sum_times_the_units(m: pgmc.Model) -> None:
    x = m.binary("x", 3)
    V, U = m.param("V", (3, 2)), m.param("U", 3)
    m.energy(pgmc.logsumexp(x @ V) * (x @ U))


@energy
def log_sum_of_labels(m: pgmc.Model) -> None:
    y, x = m.categorical("y", 2, states=3), m.binary("x", 2)
    W = m.param("W", (3, 4))
    i, j, k = pgmc.indices("i j k")
    m.energy(-pgmc.logsumexp(pgmc.Sum(y[i, k] * W[k, j], k) + x[i], j))


@energy
def constant_summands(m: pgmc.Model) -> None:
    s, x = m.spin("s", 3), m.binary("x", 2)
    c, w = m.param("c"), m.param("w", 3)
    i = pgmc.indices("i")
    m.energy(c * s[i] ** 2 + 2 * s[i] ** 4 - w[i] * s[i] + c**2 * x.sum())


@energy
def outer_parameter(m: pgmc.Model) -> None:
    x, h = m.binary("x", 3), m.binary("h", 2)
    W, a = m.param("W", (3, 2)), m.param("a")
    m.energy(-a * (x @ W @ h) + (a * (x @ W)).sum() ** 2 - pgmc.softplus(a * (x @ W)).sum())


# ---- neighbours on periodic axes -----------------------------------------------------------------------------------


@energy
def ring(m: pgmc.Model) -> None:
    s, J, h = m.spin("s", 5, boundary="periodic"), m.param("J", 5), m.param("h")
    x = pgmc.indices("x")
    m.energy(-J[x] * s[x] * s[x + 1] - h * s[x])


@energy
def torus(m: pgmc.Model) -> None:
    s, J = m.binary("s", (2, 3), boundary="periodic"), m.param("J", (2, 3))
    x, y = pgmc.indices("x y")
    m.energy(-J[x, y] * s[x, y] * (s[x + 1, y] + s[x, y + 1]) + J[0, 1] * s[x, y] * s[x, y - 1])


@energy
def labels_on_a_ring(m: pgmc.Model) -> None:
    y, J, b = m.categorical("y", 4, states=3, boundary="periodic"), m.param("J", 4), m.param("b", (4, 3))
    x, k = pgmc.indices("x k")
    m.energy(-J[x] * y[x, k] * y[x + 1, k] - b[x, k] * y[x, k])


@energy
def shifted_layers(m: pgmc.Model) -> None:
    v, h = m.binary("v", 4, boundary="periodic"), m.spin("h", 4, boundary="periodic")
    W, u = m.param("W", 4), m.param("u")
    x = pgmc.indices("x")
    m.energy(-W[x] * v[x] * h[x + 1] - u * v[x - 1] * h[x] - W[x] * h[x])


@energy
def functions_of_neighbours(m: pgmc.Model) -> None:
    s, J = m.spin("s", 4, boundary="periodic"), m.param("J", 4)
    x = pgmc.indices("x")
    m.energy(pgmc.softplus(J[x] * s[x] + s[x + 1] * J[x]) - pgmc.tanh(pgmc.Sum(s[x + 1] * s[x - 1] * J[x], x)))


@energy
def far_offsets(m: pgmc.Model) -> None:
    s, J = m.spin("s", 4, boundary="periodic"), m.param("J", 4, boundary="periodic")
    x = pgmc.indices("x")
    m.energy(-J[x] * s[x + 100] + J[x + 3] * s[x - 3] * s[x - 4])


@energy
def offsets_of_two_indices(m: pgmc.Model) -> None:
    s, K = m.spin("s", 4, boundary="periodic"), m.param("K", (4, 4), boundary="periodic")
    x, y = pgmc.indices("x y")
    m.energy(-s[x] * K[x, y] * s[y + 1] - s[x] * K[x, x + 1] * s[x + 2])
    m.energy(pgmc.Sum(s[x + 1] * K[x, y] * s[y - 1], x, y, where=x < y))


# ---- names ---------------------------------------------------------------------------------------------------------


@energy
def names_of_the_compiler(m: pgmc.Model) -> None:
    n, examples = m.binary("n", 2), m.spin("examples", 2)
    np_, sweep = m.param("np", (2, 2)), m.param("sweep", 2)
    r0, weights, total = m.input("r0", 2), m.param("weights"), m.param("total", 2)
    i, total_2 = m.param("i", 2), m.param("total_2", 2)
    m.energy(-(n @ np_ @ examples) - sweep @ n - weights * (r0 @ n) - pgmc.softplus(total * examples + i).sum())
    m.energy(-(n @ total) - examples @ total_2)


@energy
def names_of_buffers(m: pgmc.Model) -> None:
    v, h = m.binary("v", 3), m.binary("h", 2)
    W, field, part = m.param("W", (3, 2)), m.param("field_v_W", 2), m.param("part_v", 3)
    out, grad, logits = m.param("out_energy"), m.param("grad_W", 2), m.param("logits")
    m.energy(-(v @ W @ h) - field @ h - part @ v - out * v.sum() - grad @ h - logits * h.sum())


@energy
def names_of_helpers(m: pgmc.Model) -> None:
    sigmoid, softplus, y = m.binary("sigmoid", 2), m.spin("softplus", 2), m.categorical("logits_y", 2, states=2)
    mix, max_, range_ = m.param("mix", (2, 2)), m.param("max", 2), m.param("range", (2, 2))
    math, float32 = m.param("math", 2), m.param("float32")
    m.energy(-(sigmoid @ mix @ softplus) - pgmc.softplus(sigmoid * max_).sum() - pgmc.einsum("ik,ik->", y, range_))
    m.energy(-(y @ math @ sigmoid) * float32 + pgmc.logsumexp(math * softplus))


@energy
def names_of_arguments(m: pgmc.Model) -> None:
    key_0, site_v, n_v = m.binary("key_0", 2), m.spin("site_v", 2), m.param("n_v", (2, 2))
    v, keep_v, states_y = m.categorical("v", 2, states=2), m.param("keep_v", 2), m.param("states_v", 2)
    first, uniform, n_0 = m.param("first_sweep", 2), m.param("uniform"), m.param("n_key_0", 2)
    i, examples, sweep = pgmc.indices("i examples sweep")
    m.energy(-key_0[i] * n_v[i, examples] * site_v[examples] - keep_v[sweep] * key_0[sweep])
    m.energy(-v[i, sweep] * states_y[i] * first[sweep] - uniform * key_0[i] - n_0[i] * site_v[i])


@energy
def names_of_indices(m: pgmc.Model) -> None:
    v, i_ = m.binary("v", 3), m.spin("i", 2)
    j_, W = m.param("j", 3), m.param("k", (3, 2))
    i, j, v_i, n = pgmc.indices("i j v n")
    m.energy(-v[i] * W[i, j] * i_[j] - j_[v_i] * v[v_i] + pgmc.Sum(v[n] * j_[n] * v[j], n, j, where=n < j))
    m.energy(pgmc.softplus(pgmc.Sum(v[n] * W[n, i], n)))
