"""Which names are accepted, and that nothing else gets anywhere near generated code."""

from __future__ import annotations

import keyword
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pgmc
from pgmc.dsl.names import is_name

GOOD = [
    "v",
    "W1",
    "hidden_2",
    "i",
    "np",
    "numba",
    "print",
    "x" * 64,
    "match",
    "len",
    "self",
    "E",
    "constant_x",
]

_PIECES = [
    "import os",
    "__import__('os').system('id')",
    "eval(input())",
    "x; y",
    "a b",
    "a-b",
    "a.b",
    "a[0]",
    "a()",
    "a=1",
    "lambda: 0",
    "{x}",
    "%s",
    "$(id)",
    "`id`",
    "#",
    "\\",
    "'",
    '"',
    '"""',
    "'''",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\x1b[31m",
    "\u202e",
    "\u200b",
    "\ufeff",
    "<script>",
    "../../etc/passwd",
    "C:\\x",
    "@njit",
    "a,b",
    "*",
    "a:b",
    "a\\\nb",
    "-",
    "1",
    "_",
]
INJECTIONS = [
    *_PIECES,
    *(f"v{piece}" for piece in _PIECES if not is_name(f"v{piece}")),
    *(f"{piece}v" for piece in _PIECES),
    *(f"v{piece}w" for piece in _PIECES if not is_name(f"v{piece}w")),
    *keyword.kwlist,
    *("", " ", "  v", "v ", "v\n", "_v", "__v__", "1v", "x" * 65, "x" * 1_000_000),
    *("ﬁ", "é", "λ", "ｖ", "v²", "vⅣ", "变量", "٣v", "v٣", "K\u212a", "ſ"),
]

WRONG_TYPES = [None, 3, 2.5, b"v", ["v"], ("v",), dict, True]


def test_there_are_enough_injections() -> None:
    assert len(set(INJECTIONS)) >= 200


@pytest.mark.parametrize("name", GOOD)
def test_good_names(name: str) -> None:
    m = pgmc.Model(name)
    assert m.binary(name).name == name
    assert repr(pgmc.indices(name)) == name


@pytest.mark.parametrize("name", INJECTIONS, ids=range(len(INJECTIONS)))
def test_injections_are_refused_everywhere(name: str) -> None:
    m = pgmc.Model("m")
    v = m.binary("v")
    for declare in (m.binary, m.spin, m.input, m.param):
        with pytest.raises(pgmc.ModelError, match="is not a name"):
            declare(name)
    with pytest.raises(pgmc.ModelError, match="is not a name"):
        m.categorical(name, states=2)
    with pytest.raises(pgmc.ModelError, match="is not a name"):
        m.constant(name, 1.5)
    with pytest.raises(pgmc.ModelError, match="is not a name"):
        m.energy(v, name=name)
    with pytest.raises(pgmc.ModelError, match="is not a name"):
        pgmc.Model(name)
    with pytest.raises(pgmc.NotationError):
        pgmc.indices(name + "," + name)


def test_messages_about_names_stay_short_and_plain() -> None:
    for name in INJECTIONS:
        with pytest.raises(pgmc.ModelError) as caught:
            pgmc.Model(name)
        message = str(caught.value)
        assert message.isascii() and message.isprintable() and len(message) < 500


@pytest.mark.parametrize("name", WRONG_TYPES, ids=repr)
def test_names_are_strings(name: object) -> None:
    with pytest.raises(pgmc.ModelError, match="not a string"):
        pgmc.Model("m").binary(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["inverse_temperature", "base_v", "base_", "pgmc_key", "constant_1"])
def test_reserved_names(name: str) -> None:
    with pytest.raises(pgmc.ModelError, match=f"the name '{name}' is reserved"):
        pgmc.Model("m").param(name)


@given(st.text(max_size=80))
def test_only_plain_identifiers_pass(name: str) -> None:
    if is_name(name):
        assert re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,63}", name) and name.isidentifier() and name.isascii()
    else:
        with pytest.raises(pgmc.ModelError):
            pgmc.Model("m").binary(name)


def test_duplicates_say_where_the_first_is() -> None:
    m = pgmc.Model("m")
    m.binary("v")
    with pytest.raises(pgmc.ModelError, match=r"'v' is already declared at .*test_names\.py:\d+"):
        m.param("v")


def test_an_index_may_share_a_name_with_a_variable() -> None:
    m = pgmc.Model("m")
    i = m.binary("i", 3)
    run = pgmc.indices("i")
    m.energy(i[run])
    assert str(m.build()) == "E(i) = Σ_i i[i]"
