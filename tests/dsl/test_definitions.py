"""Named intermediate values: both notations, their axes, what they are used in, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import pgmc
from pgmc.dsl.model import Model
from pgmc.errors import CheckpointError, ModelError, ModelWarning, NotationError
from pgmc.ir.canonical import digest
from pgmc.ir.deserialise import model_from_data
from pgmc.ir.serialise import model_to_data
from pgmc.ir.symbols import Intermediate, shape_of

d, i, j, k = pgmc.indices("d i j k")


def _net() -> Model:
    m = pgmc.Model("net")
    m.binary("x", 5)
    m.binary("h", 4)
    for name, shape in {"V": (3, 4), "c": 3, "U": (5, 3), "b": 5}.items():
        m.param(name, shape)
    m.directed(m["h"], pgmc.Bernoulli(logits=0))
    return m


def _array_net() -> Model:
    m = _net()
    a = m.define("a", pgmc.tanh(m["V"] @ m["h"] + m["c"]))
    m.directed(m["x"], pgmc.Bernoulli(logits=m["U"] @ a + m["b"]))
    return m


def test_both_notations_give_the_same_model() -> None:
    m = _net()
    a = m.define("a", pgmc.tanh(pgmc.Sum(m["V"][j, k] * m["h"][k], k) + m["c"][j]))
    m.directed(m["x"][i], pgmc.Bernoulli(logits=m["U"][i, j] * a[j] + m["b"][i]))
    assert digest(m.build()) == digest(_array_net().build())
    (definition,) = m.build().definitions
    assert definition.symbol.per_example and shape_of(definition.symbol) == (3,)


def test_axes_fix_the_order_and_sum_what_is_left_out() -> None:
    m = pgmc.Model("axes")
    V, z = m.param("V", (3, 4, 2)), m.binary("z", 4)
    assert m.define("a", V[d, k, j] * z[k], axes=(j, d)).shape == (2, 3)
    assert m.define("b", V[d, k, j] * z[k], axes=()).shape == ()
    assert m.define("c", V[d, k, j] * z[k], axes=(d, k, j)).shape == (3, 4, 2)
    with pytest.raises(NotationError, match=r"test_definitions.*in which order.*axes=\(d, k, j\)"):
        m.define("e", V[d, k, j] * z[k])
    with pytest.raises(NotationError, match="not different open indices"):
        m.define("e", V[d, k, j] * z[k], axes=(i,))
    with pytest.raises(NotationError, match="axes= is for index notation"):
        m.define("e", V, axes=(d,))


def test_an_index_of_a_relation_runs_as_far_as_the_other() -> None:
    m = pgmc.Model("prefix")
    x, W = m.binary("x", 5), m.param("W", (3, 5))
    a = m.define("a", pgmc.sigmoid(pgmc.Sum(W[k, j] * x[j], j, where=j < i)), axes=(i, k))
    assert a.shape == (5, 3)
    m.directed(x[i], pgmc.Bernoulli(logits=pgmc.Sum(a[i, k], k)))
    with pytest.raises(NotationError, match="stands alone on no axis"):
        m.define("b", x[i + 1])


def test_a_value_of_parameters_alone_is_the_same_for_all_examples() -> None:
    m = pgmc.Model("product")
    W = m.define("W", m.param("A", (3, 2)) @ m.param("B", (2, 4)))
    assert isinstance(W.symbol, Intermediate) and not W.symbol.per_example


def test_names_are_those_of_symbols() -> None:
    m = _array_net()
    with pytest.raises(ModelError, match="definition 'x': the name 'x' is already declared"):
        m.define("x", m["h"])
    with pytest.raises(ModelError, match="'a' is already declared"):
        m.param("a", 3)
    q = m.guide()
    q.define("g", pgmc.tanh(m["x"].sum()))
    with pytest.raises(ModelError, match="the guide has declared 'g'"):
        m.define("g", m["h"])


def test_a_definition_is_no_target_and_no_other_models() -> None:
    m, other = _array_net(), _array_net()
    with pytest.raises(ModelError, match="no variable"):
        m.directed(m["a"], pgmc.Normal(mean=0))
    with pytest.raises(ModelError, match="belongs to another model"):
        other.energy(m["a"].sum())


def test_factors_see_through_definitions() -> None:
    m = pgmc.Model("circle")
    x, y = m.binary("x", 3), m.binary("y", 3)
    a, b = m.define("a", pgmc.tanh(x)), m.define("b", pgmc.tanh(y))
    m.directed(y, pgmc.Bernoulli(logits=a))
    with pytest.raises(ModelError, match="in a circle"):
        m.directed(x, pgmc.Bernoulli(logits=b))
    with pytest.raises(ModelError, match="a directed factor and a term of the energy"):
        m.energy(b.sum())
    other = pgmc.Model("energy")
    z = other.binary("z", 3)
    other.energy(other.define("t", pgmc.tanh(z)).sum())
    with pytest.raises(ModelError, match="a directed factor and a term of the energy"):
        other.directed(z, pgmc.Bernoulli(logits=0))


def test_an_unused_definition_is_doubtful() -> None:
    m = pgmc.Model("unused")
    x = m.binary("x", 3)
    m.energy(x.sum())
    m.define("a", pgmc.tanh(x))
    with pytest.warns(ModelWarning, match="definition 'a'.*no term of the energy uses it"):
        m.build()


def test_the_model_prints_its_names() -> None:
    text = str(_array_net())
    assert "a: definition (3,)" in text
    assert "Σ_j U[i,j]·a[j]" in text


def test_files_hold_definitions() -> None:
    m = _array_net()
    z = m.real("z", 2)
    m.directed(z, pgmc.Normal(mean=0, scale=2.0))
    q = m.guide()
    q.directed(z, pgmc.Normal(mean=q.define("g", pgmc.tanh(q.param("R", (2, 5)) @ m["x"])), scale=3.0))
    data, arrays = model_to_data(m.build())
    read = model_from_data(data, arrays)
    assert digest(read) == digest(m.build())
    assert read.guide is not None and digest(read.guide) == digest(m.build().guide)


def _edited(edit: Callable[[dict[str, object]], None]) -> dict[str, object]:
    data, _ = model_to_data(_array_net().build())
    edit(data["definitions"][0])
    return data


def test_files_with_wrong_definitions_are_refused() -> None:
    def circular(definition: dict[str, object]) -> None:
        definition["term"]["body"][1][1][2] = ["Access", "a", [0]]  # type: ignore[index]

    def other_name(definition: dict[str, object]) -> None:
        definition["name"] = "x"

    def no_equation(definition: dict[str, object]) -> None:
        definition["term"]["body"] = ["Number", "1"]  # type: ignore[index]

    for edit, text in ((circular, "speaks of itself"), (other_name, "same name"), (no_equation, "no equation")):
        with pytest.raises(CheckpointError, match=text):
            model_from_data(_edited(edit), {})
