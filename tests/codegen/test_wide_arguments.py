"""Energies add up in float64, so that helpers of float32 programs meet numbers of both types."""

from __future__ import annotations

import numpy as np
import pytest

import pgmc


@pytest.mark.parametrize("observed", [("s", "y"), ("a", "y")])
def test_free_energy_of_a_unit_whose_field_is_a_wide_number(observed: tuple[str, ...]) -> None:
    m = pgmc.Model("wide")
    a, s, y = m.binary("a"), m.spin("s"), m.categorical("y", states=3)
    w, r = m.param("w"), m.param("r", 3)
    m.energy(-w * a * s + (y @ r) * a - (y @ r) * s)
    params = {"w": 0.5, "r": np.array([0.1, -0.6, 0.9])}
    states = {"a": np.array([0, 1, 1, 0]), "s": np.array([-1, 1, 1, -1]), "y": np.array([0, 1, 2, 2])}
    given = {name: states[name] for name in observed}
    compiled, plain = (pgmc.compile(m, backend=b).free_energy(params, given) for b in ("numba", "numpy"))
    np.testing.assert_allclose(compiled, plain, rtol=1e-6)
