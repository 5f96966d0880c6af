"""Models as plain data: the same model comes back, and nothing else is ever accepted."""

import contextlib
import copy
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pgmc.dsl.functions as f
from pgmc.dsl.index_notation import indices
from pgmc.dsl.model import Model
from pgmc.errors import CheckpointError
from pgmc.ir.canonical import canonical_text
from pgmc.ir.deserialise import MAX_DEPTH, model_from_data
from pgmc.ir.interpret import interpret_energy
from pgmc.ir.serialise import model_to_data


def bipartite() -> Model:
    m = Model("bipartite")
    v, h = m.binary("v", 3), m.spin("h", 2)
    m.energy(-(v @ m.param("W", (3, 2), mask=[[1, 0], [1, 1], [0, 1]]) @ h), name="pairs")
    m.energy(-m.param("b", 3, init=0.5) @ v * 0.3)
    return m


def lattice() -> Model:
    m = Model("lattice")
    s = m.spin("s", (3, 4))
    i, j = indices("i j")
    m.energy(-m.param("J") * s[i, j] * s[i, 2] - m.param("K", positive=True, init=2) * s[i, j] * s[0, j])
    return m


def rich() -> Model:
    m = Model("rich")
    x, u = m.categorical("x", 3, states=4), m.input("u", 2, states=3)
    y = m.input("y", 3)
    W = m.param("W", (3, 4, 2, 3), init=np.linspace(-1, 1, 72).reshape(3, 4, 2, 3))
    S = m.param("S", (3, 3), symmetric=True, zero_diagonal=True)
    t = m.constant("t", [0.25, -1.5, 3.0])
    i, j, a = indices("i j a")
    m.energy(-f.einsum("ik,jl,ikjl->", x, u, W))
    m.energy(-f.softplus(f.Sum(S[i, j] * x[j, 0] * y[j], j, where=j < i)) * t[i] ** 2)
    m.energy(f.Sum(x[i, a] * y[i], (i, a)) / 3)
    return m


MODELS = (bipartite, lattice, rich)


def through_text(data: Any) -> Any:
    return json.loads(json.dumps(data))


@pytest.mark.parametrize("declare", MODELS)
def test_the_same_model_comes_back(declare: Callable[[], Model]) -> None:
    model = declare().build()
    data, arrays = model_to_data(model)
    back = model_from_data(through_text(data), arrays)
    assert canonical_text(back) == canonical_text(model)
    assert back == model
    assert str(back) == str(model)
    assert (back.variables, back.inputs, back.parameters, back.constants) == (
        model.variables,
        model.inputs,
        model.parameters,
        model.constants,
    )
    for one, other in zip(model.parameters, back.parameters, strict=True):
        assert np.array_equal(one.constraint.mask, other.constraint.mask)
        assert np.array_equal(one.init, other.init)
    again, _ = model_to_data(back)
    assert again == data


@pytest.mark.parametrize("declare", MODELS)
def test_the_energy_is_the_same(declare: Callable[[], Model]) -> None:
    model = declare().build()
    data, arrays = model_to_data(model)
    back = model_from_data(through_text(data), arrays)
    rng = np.random.default_rng(0)
    params = {p.name: rng.normal(size=[a.size for a in p.axes]) for p in model.parameters}
    state = {}
    for symbol in (*model.variables, *model.inputs):
        states = getattr(symbol.domain, "states", 2)
        state[symbol.name] = rng.integers(0, states, (5, *(a.size for a in symbol.axes)))
    assert np.array_equal(interpret_energy(model, params, state), interpret_energy(back, params, state))


def test_files_from_before_values_had_names() -> None:
    model = bipartite().build()
    data, arrays = model_to_data(model)
    assert model_from_data({k: v for k, v in data.items() if k != "definitions"}, arrays) == model


def test_initialisers_that_are_functions_are_not_kept() -> None:
    m = Model("m")
    m.energy(m.param("b", 2, init=lambda shape, rng: rng.normal(size=shape)) @ m.binary("v", 2))
    data, arrays = model_to_data(m.build())
    assert model_from_data(through_text(data), arrays).parameters[0].init is None


# ---- what is refused -------------------------------------------------------------------------------------


def whole() -> tuple[Any, dict[str, Any]]:
    data, arrays = model_to_data(rich().build())
    return through_text(data), arrays


def refused(data: Any, arrays: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError):
        model_from_data(data, arrays)


NAMES = [
    "",
    "_x",
    "1x",
    "a b",
    "x;import os",
    "__import__",
    "lambda",
    "ﬁ",
    "a" * 65,
    "x\n",
    "base_v",
    "pgmc_x",
    3,
    None,
    ["v"],
]


@pytest.mark.parametrize("name", [*NAMES, "inverse_temperature", "constant_7", "W"])
def test_names_outside_the_rule(name: Any) -> None:
    data, arrays = whole()
    data["variables"][0]["name"] = name
    refused(data, arrays)


EDITS: dict[str, Callable[[Any], Any]] = {
    "not a dict": lambda d: [d],
    "field missing": lambda d: {k: v for k, v in d.items() if k != "terms"},
    "field too many": lambda d: d | {"extra": 1},
    "no variables": lambda d: d | {"variables": []},
    "unknown domain": lambda d: _set(d, ["variables", 0, "domain"], "quantum"),
    "one state": lambda d: _set(d, ["variables", 0, "domain"], ["categorical", 1]),
    "states not whole": lambda d: _set(d, ["variables", 0, "domain"], ["categorical", 2.0]),
    "states a truth value": lambda d: _set(d, ["variables", 0, "domain"], ["categorical", True]),
    "size zero": lambda d: _set(d, ["variables", 0, "axes", 0, 0], 0),
    "size negative": lambda d: _set(d, ["variables", 0, "axes", 0, 0], -3),
    "size huge": lambda d: _set(d, ["variables", 0, "axes", 0, 0], 10**30),
    "product of sizes huge": lambda d: _set(d, ["variables", 0, "axes"], [[2**30, "open"], [2**30, "open"]]),
    "rank huge": lambda d: _set(d, ["variables", 0, "axes"], [[1, "open"]] * 40),
    "unknown boundary": lambda d: _set(d, ["variables", 0, "axes", 0, 1], "twisted"),
    "unknown constraint": lambda d: _set(d, ["parameters", 0, "constraint"], ["shiny"]),
    "symmetric but not square": lambda d: _set(d, ["parameters", 0, "constraint"], ["symmetric"]),
    "mask missing": lambda d: _set(d, ["parameters", 1, "constraint"], ["masked"]),
    "shown not text": lambda d: _set(d, ["constants", 0, "shown"], {"$": 1}),
    "shown with a newline": lambda d: _set(d, ["constants", 0, "shown"], "1\nimport os"),
    "index name": lambda d: _set(d, ["terms", 0, "indices", 0, 0], "i]; boom["),
    "index over nothing": lambda d: _set(d, ["terms", 0, "indices", 0, 1], ["nobody", 0]),
    "index over no axis": lambda d: _set(d, ["terms", 0, "indices", 0, 1], ["x", 7]),
    "index over no states": lambda d: _set(d, ["terms", 0, "indices", 0, 1], ["y", -1]),
    "index over an unknown range": lambda d: _term(d, [0], ["Number", "1"]),
    "outside an axis": lambda d: _term(d, [], ["Access", "y", [[7]]]),
    "sizes that differ": lambda d: _term(d, [0], ["Mul", [["Access", "y", [0]], ["Access", "u", [0, [1]]]]]),
    "exponent zero": lambda d: _term(d, [0], ["Pow", ["Access", "y", [0]], "0"]),
    "empty sum": lambda d: _term(d, [], ["Add", []]),
    "child without a factor": lambda d: _set(d, ["terms", 0, "child"], "x"),
    "factor of nobody": lambda d: _set(d, ["factors"], [{"target": "nobody", "family": "Bernoulli", "parameters": []}]),
    "factor without parameters": lambda d: _set(d, ["factors"], [{"target": "x", "family": "Spin", "parameters": []}]),
    "term name": lambda d: _set(d, ["terms", 0, "name"], "a-b"),
    "unknown node": lambda d: _set(d, ["terms", 0, "body"], ["Exec", "import os"]),
    "node that energies lack": lambda d: _set(d, ["terms", 0, "body"], ["BatchMean", ["Number", "1"]]),
    "unknown function": lambda d: _set(d, ["terms", 0, "body"], ["Call", "system", ["Number", "1"]]),
    "unknown symbol": lambda d: _set(d, ["terms", 0, "body"], ["Access", "nobody", []]),
    "wrong rank": lambda d: _set(d, ["terms", 0, "body"], ["Access", "x", []]),
    "index not bound": lambda d: _term(d, [], ["Access", "y", [0]]),
    "index number huge": lambda d: _set(d, ["terms", 0, "over"], [10**9]),
    "index bound twice": lambda d: _term(d, [0], ["Sum", [0], ["Access", "y", [0]]]),
    "coefficient huge": lambda d: _term(d, [0], ["Access", "y", [[0, [0, 2**40]]]]),
    "position empty": lambda d: _term(d, [0], ["Access", "y", [[]]]),
    "number as float": lambda d: _set(d, ["terms", 0, "body"], ["Number", 1.5]),
    "number not a number": lambda d: _set(d, ["terms", 0, "body"], ["Number", "nan"]),
    "division by zero": lambda d: _set(d, ["terms", 0, "body"], ["Number", "1/0"]),
    "number too long": lambda d: _set(d, ["terms", 0, "body"], ["Number", "9" * 5000]),
    "relation": lambda d: _set(d, ["terms", 0, "body"], ["Bracket", [[[0], "is", [1]]]]),
    "parts missing": lambda d: _set(d, ["terms", 0, "body"], ["Mul"]),
    "empty node": lambda d: _set(d, ["terms", 0, "body"], []),
}


def _set(data: Any, path: list[Any], value: Any) -> Any:
    data = copy.deepcopy(data)
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return data


def _term(data: Any, over: list[int], body: Any) -> Any:
    indices = [["i", None], ["j", None]]
    return _set(data, ["terms", 0], {"name": None, "child": None, "indices": indices, "over": over, "body": body})


def test_the_edited_term_is_whole_otherwise() -> None:
    data, arrays = whole()
    model_from_data(_term(data, [0], ["Pow", ["Access", "y", [0]], "2"]), arrays)
    model_from_data(_term(data, [], ["Access", "y", [[2]]]), arrays)


@pytest.mark.parametrize("edit", EDITS)
def test_data_that_describe_no_model(edit: str) -> None:
    data, arrays = whole()
    refused(EDITS[edit](data), arrays)


def test_expressions_nested_too_deeply() -> None:
    data, arrays = whole()
    body: Any = ["Number", "1"]
    for _ in range(MAX_DEPTH + 1):
        body = ["Call", "tanh", body]
    refused(_term(data, [], body), arrays)


def test_arrays_that_do_not_fit() -> None:
    data, arrays = whole()
    refused(data, {k: v for k, v in arrays.items() if k != "init.W"} | {"init.nobody": np.zeros(3)})
    refused(data, {k: v for k, v in arrays.items() if k != "constant.t"})
    refused(data, arrays | {"constant.t": np.zeros(4)})
    refused(data, arrays | {"constant.t": np.array([0.0, np.nan, 1.0])})
    refused(data, arrays | {"constant.t": np.array([1, 2, 3])})
    refused(data, arrays | {"init.W": np.zeros((3, 4, 2))})


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_any_change_gives_a_model_or_the_declared_error(data: st.DataObject) -> None:
    plain, arrays = whole()
    places: list[tuple[Any, Any]] = []

    def collect(item: Any) -> None:
        for key in item.keys() if isinstance(item, dict) else range(len(item)):
            places.append((item, key))
            if isinstance(item[key], dict | list):
                collect(item[key])

    collect(plain)
    holder, key = data.draw(st.sampled_from(places))
    junk = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([]), st.just({})
    )
    holder[key] = data.draw(junk)
    with contextlib.suppress(CheckpointError):
        model_from_data(plain, arrays)


def test_numbers_are_exact() -> None:
    m = Model("m")
    v = m.binary("v")
    m.energy(v * Fraction(-7, 3))
    data, arrays = model_to_data(m.build())
    assert '"-7/3"' in json.dumps(data) and arrays == {}
