"""What is cut out of parameters and states for pictures."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pgmc.cli.datasets import Encoding
from pgmc.cli.pictures import find_filters, strongest, thumbnails
from pgmc.dsl.model import Model


def task_of(m: Model) -> Any:
    model = m.build()
    return SimpleNamespace(encoding=Encoding(model.variables[0]), program=SimpleNamespace(model=model))


def test_thumbnails_put_two_rows_in_a_line() -> None:
    image = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 1]], dtype=float).reshape(1, 9)
    assert thumbnails(np.repeat(image, 3, axis=0), (3, 3), width=8) == ["█▄▀  █▄▀", "  ▀    ▀"]


def test_filters_are_the_weights_of_the_image() -> None:
    m = Model()
    v, h, g = m.binary("v", 4), m.binary("h", 3), m.binary("g", 2)
    b, U, W = m.param("b", 4), m.param("U", (3, 2)), m.param("W", (4, 3))
    m.energy(-(v @ W @ h) - h @ U @ g - b @ v)
    params = {"b": np.zeros(4), "U": np.ones((3, 2)), "W": np.arange(12.0).reshape(4, 3)}
    found = find_filters(task_of(m), params)
    assert found is not None and found[0] == "W"
    np.testing.assert_array_equal(found[1], params["W"])


def test_filters_of_a_categorical_image_are_slopes() -> None:
    import pgmc

    i, k, j = pgmc.indices("i k j")
    m = Model()
    v, h = m.categorical("v", 2, states=3), m.binary("h", 2)
    b, W = m.param("b", (2, 3)), m.param("W", (2, 3, 2))
    m.energy(-v[i, k] * W[i, k, j] * h[j] - b[i, k] * v[i, k])
    slopes = np.array([[1.0, -2.0], [0.5, 3.0]])
    weights = 7.0 + slopes[:, None, :] * np.array([0.0, 0.5, 1.0])[:, None]
    found = find_filters(task_of(m), {"b": np.zeros((2, 3)), "W": weights})
    assert found is not None
    np.testing.assert_allclose(found[1], slopes, atol=1e-12)


def test_no_filters_without_weights() -> None:
    m = Model()
    m.energy(-(m.param("b", 4) @ m.binary("v", 4)))
    assert find_filters(task_of(m), {"b": np.zeros(4)}) is None


def test_the_strongest_filters_stay_in_order() -> None:
    filters = np.array([[1.0, 5.0, 2.0, 4.0]])
    assert strongest(filters, 2).tolist() == [[5.0, 4.0]]
    assert strongest(filters, 4) is filters


@pytest.mark.parametrize("rows", [2, 3])
def test_thumbnails_of_blank_images(rows: int) -> None:
    assert set("".join(thumbnails(np.zeros((2, rows * 2)), (rows, 2), 80))) <= {" "}
