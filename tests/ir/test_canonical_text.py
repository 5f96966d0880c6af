"""The canonical text: the same for every size and value, different for every structure."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.ir.canonical import canonical_text, digest
from pgmc.ir.check import check_model
from pgmc.ir.model import Model

Spec = Callable[[pgmc.Model], None]


def built(spec: Spec) -> Model:
    m = pgmc.Model("m")
    spec(m)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pgmc.ModelWarning)
        model = m.build()
    check_model(model)
    return model


def sized(size: int, value: float, init: float) -> Model:
    m = pgmc.Model("m")
    x, y = m.binary("x", size), m.categorical("y", size, states=size)
    W = m.param("W", (size, size, size), init=init)
    m.energy(pgmc.einsum("i,jk,ijk->", x, y, W) * value + m.constant("k", np.ones(size) * value) @ x)
    return m.build()


def test_text_is_free_of_sizes_values_and_places() -> None:
    a, b = sized(3, 0.5, 1.0), sized(50, 0.7, 2.0)
    assert a != b and canonical_text(a) == canonical_text(b) and digest(a) == digest(b)
    for word in ("0.5", "test_canonical", "50", "(3"):
        assert word not in canonical_text(b)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.spin("x", 3),
        lambda m: m.categorical("x", (), states=3),
        lambda m: m.input("x", 3),
        lambda m: m.param("x", 3),
        lambda m: m.constant("x", [1, 2, 3]),
        lambda m: m.binary("z", 3),
    ],
)
def test_text_tells_kinds_and_names_apart(change: Callable[[pgmc.Model], Any]) -> None:
    def spec(declare: Callable[[pgmc.Model], Any]) -> Spec:
        return lambda m: m.energy(m.binary("other") * declare(m).sum())

    assert digest(built(spec(change))) != digest(built(spec(lambda m: m.binary("x", 3))))


def test_text_has_the_constraints_that_derivations_use() -> None:
    def text(**how: Any) -> str:
        return digest(built(lambda m: m.energy(m.binary("x", 3) @ m.param("U", (3, 3), **how) @ m["x"])))

    assert text() == text(positive=True) == text(init=2.0)
    assert len({text(), text(symmetric=True), text(zero_diagonal=True), text(mask=np.eye(3))}) == 4
    assert text(mask=np.eye(3)) == text(mask=np.ones((3, 3)))


def test_digest_does_not_depend_on_the_process() -> None:
    code = (
        "import pgmc; from pgmc.ir.canonical import digest\n"
        "m = pgmc.Model('m'); v, h = m.binary('v', 3), m.binary('h', 2)\n"
        "m.energy(v @ m.param('W', (3, 2)) @ h + pgmc.tanh(v).sum() * h.sum()); print(digest(m.build()))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "42")
    }
    assert len(found) == 1
