"""The independent units that annealing starts from."""

from __future__ import annotations

import numpy as np
import pytest

import pgmc
from pgmc.evaluation.base import base_fields, check_base


def single_units() -> pgmc.Model:
    m = pgmc.Model("single_units")
    a, y, v = m.binary("a"), m.categorical("y", states=3), m.spin("v", 2)
    m.energy(-a * (m.param("w", 2) @ v) - a * (y @ m.param("r", 3)))
    return m


def test_fields_have_the_shapes_of_their_variables() -> None:
    model = single_units().build()
    shapes = {"base_a": (), "base_y": (3,), "base_v": (2,)}
    data = {"a": np.array([0.0, 1.0]), "y": np.array([2, 0])}
    for fields in (
        base_fields(model, "float32"),
        base_fields(model, "float64", data),
        check_base(model, {}, "float64"),
    ):
        assert {name: field.shape for name, field in fields.items()} == shapes


@pytest.mark.parametrize("base", [None, {"a": 0.5}])
def test_annealing_of_single_units(base: dict[str, float] | None) -> None:
    program = pgmc.compile(single_units(), dtype="float64", backend="numpy")
    params = {"w": np.array([0.5, -1.0]), "r": np.array([0.0, 1.0, 2.0])}
    exact = program.log_partition(params, method="exact").value
    found = program.log_partition(params, method="ais", chains=500, betas=50, base=base, seed=1)
    assert abs(found.value - exact) < 5 * found.std_error + 1e-3
