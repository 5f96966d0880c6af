"""Models that say the same become equal; what a model means does not change."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.ir.canonical import canonical_model, canonical_text, digest
from pgmc.ir.check import check_model
from pgmc.ir.interpret import interpret_energy
from pgmc.ir.model import Model
from pgmc.ir.nodes import (
    Call,
    Sum,
)

i, j, k, n = pgmc.indices("i j k n")
Spec = Callable[[pgmc.Model], None]


def built(spec: Spec) -> Model:
    m = pgmc.Model("m")
    spec(m)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pgmc.ModelWarning)
        model = m.build()
    check_model(model)
    return model


# ---- one meaning, many spellings ---------------------------------------------------------------------------


def two_layers(m: pgmc.Model) -> tuple[Any, ...]:
    v, h = m.binary("v", 6), m.binary("h", 4)
    return v, h, m.param("W", (6, 4)), m.param("b", 6), m.param("c", 4)


def layers_in_arrays(m: pgmc.Model) -> None:
    v, h, W, b, c = two_layers(m)
    m.energy(-(v @ W @ h) - b @ v - c @ h)


def layers_from_the_other_side(m: pgmc.Model) -> None:
    v, h, W, b, c = two_layers(m)
    m.energy(-(c @ h + h @ W.T @ v))
    m.energy((-v * b).sum())


def layers_in_indices(m: pgmc.Model) -> None:
    v, h, W, b, c = two_layers(m)
    m.energy(-v[i] * W[i, j] * h[j] - b[i] * v[i] - c[j] * h[j])


def layers_in_other_indices(m: pgmc.Model) -> None:
    v, h, W, b, c = two_layers(m)
    m.energy(-c[n] * h[n])
    m.energy(-(b[j] * v[j]))
    m.energy(h[i] * (-1 * W[n, i]) * v[n])


def layers_in_einsum(m: pgmc.Model) -> None:
    v, h, W, b, c = two_layers(m)
    m.energy(-pgmc.einsum("a,ab,b->", v, W, h))
    m.energy(-pgmc.einsum("z,z->", v, b) - pgmc.einsum("ba->ab", W.T)[0, :].sum() * 0 - c @ h)


def layers_in_written_sums(m: pgmc.Model) -> None:
    v, h, W, b, c = two_layers(m)
    m.energy(-pgmc.Sum(v[i] * pgmc.Sum(W[i, j] * h[j], j), i))
    m.energy(-pgmc.Sum(b[k] * v[k], k) - pgmc.Sum(c[i] * h[i], i))


def deep(m: pgmc.Model) -> tuple[Any, ...]:
    layers = [m.binary(f"h{d}", size) for d, size in enumerate((5, 4, 4, 3))]
    weights = [m.param(f"W{d}", (5 - d if d < 1 else 4, (4, 4, 3)[d])) for d in range(3)]
    return layers, weights


def deep_in_arrays(m: pgmc.Model) -> None:
    layers, weights = deep(m)
    m.energy(-sum(a @ W @ b for a, W, b in zip(layers, weights, layers[1:], strict=False)))


def deep_in_indices(m: pgmc.Model) -> None:
    layers, weights = deep(m)
    for a, W, b in reversed(list(zip(layers, weights, layers[1:], strict=False))):
        m.energy(-b[i] * a[j] * W[j, i])


def square_matrix(m: pgmc.Model) -> tuple[Any, ...]:
    return m.spin("x", 5), m.param("U", (5, 5), symmetric=True, zero_diagonal=True), m.param("b", 5)


def machine_in_arrays(m: pgmc.Model) -> None:
    x, U, b = square_matrix(m)
    m.energy(-(x @ U @ x) / 2 - b @ x)


def machine_in_indices(m: pgmc.Model) -> None:
    x, U, b = square_matrix(m)
    m.energy(-x[j] * b[j] - x[j] * x[i] / 2 * U[i, j])


def three(m: pgmc.Model) -> tuple[Any, ...]:
    return (
        m.binary("x", 2),
        m.binary("y", 3),
        m.binary("h", 4),
        m.param("W", (2, 3, 4)),
        m.param("S", (4, 4, 4)),
    )


def third_order_in_arrays(m: pgmc.Model) -> None:
    x, y, h, W, S = three(m)
    m.energy(-pgmc.einsum("i,j,k,ijk->", x, y, h, W) + pgmc.einsum("i,j,k,kji->", h, h, h, S))


def third_order_in_indices(m: pgmc.Model) -> None:
    x, y, h, W, S = three(m)
    m.energy(h[n] * S[i, j, n] * h[i] * h[j])
    m.energy(-W[j, i, k] * y[i] * x[j] * h[k])


def states(m: pgmc.Model) -> tuple[Any, ...]:
    y, h = m.categorical("y", 3, states=4), m.binary("h", 2)
    return y, h, m.param("W", (3, 4, 2)), m.param("b", (3, 4)), m.param("V", (4, 4))


def categories_in_arrays(m: pgmc.Model) -> None:
    y, h, W, b, V = states(m)
    m.energy(-pgmc.einsum("ik,ikj,j->", y, W, h) - (b * y).sum() - y[0, :] @ V @ y[1, :])


def categories_in_indices(m: pgmc.Model) -> None:
    y, h, W, b, V = states(m)
    m.energy(-h[n] * y[i, k] * W[i, k, n])
    m.energy(-y[0, j] * V[j, i] * y[1, i] - y[j, i] * b[j, i])


def squares_in_arrays(m: pgmc.Model) -> None:
    v, _, W, b, _ = two_layers(m)
    m.energy(((v @ W) ** 2).sum() + (v * v).sum() + (W * W).sum() + ((v - b) ** 2).sum())


def squares_in_indices(m: pgmc.Model) -> None:
    v, _, W, b, _ = two_layers(m)
    m.energy(pgmc.square(pgmc.Sum(W[j, n] * v[j], j)) + v[n] * v[n] + W[i, j] ** 2 + (-b[i] + v[i]) ** 2)


def nested_in_arrays(m: pgmc.Model) -> None:
    v, h, W, b, c = two_layers(m)
    t = pgmc.tanh(c + v @ W)
    m.energy(-pgmc.softplus(b + W @ t).sum() + (t * t) @ h + pgmc.logsumexp(W * 2, axis=0) @ h)


def nested_in_indices(m: pgmc.Model) -> None:
    v, h, W, b, c = two_layers(m)

    def t(index: Any) -> Any:
        return pgmc.tanh(pgmc.Sum(v[n] * W[n, index], n) + c[index])

    m.energy(-pgmc.softplus(pgmc.Sum(t(k) * W[i, k], k) + b[i]))
    m.energy(pgmc.logsumexp(2 * W[k, i], k) * h[i] + h[j] * t(j) * t(j))


def products_in_arrays(m: pgmc.Model) -> None:
    v, h, _, b, c = two_layers(m)
    m.energy((b @ v) * (c @ h) * (b @ v) + 3 * (v * (b + 2)).sum())


def products_in_indices(m: pgmc.Model) -> None:
    v, h, _, b, c = two_layers(m)
    m.energy(v[i] * v[k] * b[k] * b[i] * c[j] * h[j] + v[i] * (2 + b[i]) * 3)


def relations_one_way(m: pgmc.Model) -> None:
    x, U, b = square_matrix(m)
    m.energy(pgmc.Sum(U[i, j] * x[i] * x[j], i, j, where=(i < j) & i.ne(2)) + b[k] * x[k])


def relations_the_other_way(m: pgmc.Model) -> None:
    x, U, b = square_matrix(m)
    m.energy(x[n] * b[n])
    m.energy(pgmc.Sum(x[k] * pgmc.Sum(U[k, n] * x[n], n, where=n > k), k, where=k.ne(2)))


def constants_in_arrays(m: pgmc.Model) -> None:
    v, h, W, _, _ = two_layers(m)
    m.energy(0.5 * (v @ W @ h) + np.arange(6.0) @ v)


def constants_in_indices(m: pgmc.Model) -> None:
    v, h, W, _, _ = two_layers(m)
    half = 0.5 * v[i]
    m.energy(half * h[j] * W[i, j])
    m.energy((v * np.arange(6.0))[j])


FAMILIES: list[list[Spec]] = [
    [
        layers_in_arrays,
        layers_from_the_other_side,
        layers_in_indices,
        layers_in_other_indices,
        layers_in_einsum,
        layers_in_written_sums,
    ],
    [deep_in_arrays, deep_in_indices],
    [machine_in_arrays, machine_in_indices],
    [third_order_in_arrays, third_order_in_indices],
    [categories_in_arrays, categories_in_indices],
    [squares_in_arrays, squares_in_indices],
    [nested_in_arrays, nested_in_indices],
    [products_in_arrays, products_in_indices],
    [relations_one_way, relations_the_other_way],
    [constants_in_arrays, constants_in_indices],
]
SPECS = [spec for family in FAMILIES for spec in family]


@pytest.mark.parametrize(
    ("first", "second"),
    [pair for family in FAMILIES for pair in itertools.combinations(family, 2)],
    ids=lambda spec: spec.__name__,
)
def test_every_spelling_gives_the_same_model(first: Spec, second: Spec) -> None:
    a, b = built(first), built(second)
    assert a == b, f"\n{a}\n{b}"
    assert canonical_text(a) == canonical_text(b) and digest(a) == digest(b)


def test_different_models_stay_different() -> None:
    digests = {digest(built(family[0])) for family in FAMILIES}
    assert len(digests) == len(FAMILIES)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.__name__)
def test_canonical_form_is_a_fixed_point(spec: Spec) -> None:
    model = built(spec)
    again = canonical_model(model)
    assert again == model and canonical_text(again) == canonical_text(model)
    assert [term.origin for term in again.terms] == [term.origin for term in model.terms]
    assert str(again) == str(model)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda x, U: x @ U @ x, lambda x, U: x @ U.T @ x * 2),
        (lambda x, U: x[i] * U[i, j] * x[j], lambda x, U: x[i] * U[i, i] * x[i]),
        (lambda x, U: U[i, j] * U[i, k] * U[j, k], lambda x, U: U[i, j] * U[j, k] * U[k, i]),
        (lambda x, U: pgmc.Sum(x[i], i) ** 2, lambda x, U: pgmc.Sum(x[i] ** 2, i)),
        (lambda x, U: x[0] * x[1], lambda x, U: x[0] * x[2]),
        (lambda x, U: pgmc.tanh(x[i]), lambda x, U: pgmc.sigmoid(x[i])),
        (lambda x, U: pgmc.Sum(x[i] * U[i, j], i, j, where=i < j), lambda x, U: x[i] * U[i, j]),
        (
            lambda x, U: pgmc.Sum(x[i] * U[i, j], i, j, where=i < j),
            lambda x, U: pgmc.Sum(x[i] * U[i, j], i, j, where=i <= j),
        ),
        (
            lambda x, U: pgmc.Sum(x[i] * U[i, j], i, j, where=i < j),
            lambda x, U: pgmc.Sum(x[i] * U[i, j], i, j, where=j < i),
        ),
    ],
)
def test_what_differs_stays_apart(one: Callable[..., Any], other: Callable[..., Any]) -> None:
    def spec(make: Callable[..., Any]) -> Spec:
        return lambda m: m.energy(make(m.binary("x", 4), m.param("U", (4, 4))))

    a, b = built(spec(one)), built(spec(other))
    assert a.terms != b.terms and digest(a) != digest(b)


def test_a_pair_may_be_read_in_either_direction() -> None:
    """Exchanging the two indices of a quadratic form does not change what it means."""
    transposed = built(lambda m: m.energy(m.binary("x", 4) @ m.param("U", (4, 4)).T @ m["x"]))
    straight = built(lambda m: m.energy(m.binary("x", 4) @ m.param("U", (4, 4)) @ m["x"]))
    assert transposed == straight


# ---- indices -----------------------------------------------------------------------------------------------


def test_letters_of_the_user_are_kept_and_others_are_pleasant() -> None:
    arrays, indexed = built(layers_in_arrays), built(layers_in_other_indices)
    assert str(arrays) == "E(v, h) = -Σ_ij W[i,j]·v[i]·h[j] - Σ_i b[i]·v[i] - Σ_j c[j]·h[j]"
    assert str(indexed) == "E(v, h) = -Σ_ni W[n,i]·v[n]·h[i] - Σ_j b[j]·v[j] - Σ_n c[n]·h[n]"
    assert arrays == indexed


def test_names_in_one_term_differ() -> None:
    model = built(lambda m: m.energy(pgmc.Sum(m.binary("x", 3)[i], i) * pgmc.Sum(m.binary("y", 2)[i], i)))
    names = [index.name for index in model.terms[0].over]
    assert len(set(names)) == 2


def test_canonical_keys_are_no_fresh_keys() -> None:
    keys = [index.key for term in built(layers_in_arrays).terms for index in term.over]
    assert keys == [-1, -2, -1, -1]


def test_an_index_without_array_keeps_its_extent() -> None:
    model = built(lambda m: m.energy((0 * m.binary("v", 3) + 1).sum() + m["v"] @ m["v"]))
    (index,) = model.terms[1].over
    assert index.extent == ("v", 0) and "[0:v:0]" in canonical_text(model)
    energy = interpret_energy(model, {}, {"v": np.ones((1, 3))})
    np.testing.assert_allclose(energy, [6.0])


# ---- normal form -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda x, b: 2 * (3 * x[0]) * 4, "24·x[0]"),
        (lambda x, b: x[0] - x[0] * 0 + 0, "x[0]"),
        (lambda x, b: x[0] * x[0] * x[0] ** 2, "x[0]⁴"),
        (lambda x, b: (x[0] ** 2) ** 3, "x[0]⁶"),
        (lambda x, b: (x[0] ** 2) ** 0.5, "√(x[0]²)"),
        (lambda x, b: x[0] / b[0] / b[0], "x[0]/(b[0]·b[0])"),
        (lambda x, b: pgmc.Sum(x[i], i) * b[0] * 2, "2·Σ_i b[0]·x[i]"),
        (lambda x, b: pgmc.tanh(1 + x[0] + 2), "tanh(3 + x[0])"),
        (lambda x, b: pgmc.Sum(x[i] + b[i], i) * b[0], None),
        (lambda x, b: b[0] * (x[0] + x[1]), "b[0]·(x[0] + x[1])"),
        (lambda x, b: pgmc.Sum(pgmc.Sum(x[i] * b[j], j, where=j < i), i, where=i < 2), None),
    ],
)
def test_normal_form(make: Callable[..., Any], text: str | None) -> None:
    model = built(lambda m: m.energy(make(m.binary("x", 3), m.param("b", 3))))
    assert text is None or str(model).partition(" = ")[2] == text


def test_zero_terms_vanish() -> None:
    assert built(lambda m: m.energy(0 * m.binary("x", 3).sum() + 0)).terms == ()


def test_sums_are_never_pulled_out_of_functions() -> None:
    model = built(lambda m: m.energy(pgmc.softplus(m.binary("x", 3) @ m.param("W", (3, 2))).sum()))
    (term,) = model.terms
    assert isinstance(term.body, Call) and isinstance(term.body.argument, Sum) and len(term.over) == 1
