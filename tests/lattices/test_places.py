"""Open lattices and convolutions against their energies as plain loops, by enumeration."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np
import pytest

import pgmc
from generated import compile_sweeps_alone
from pgmc.analysis.shrink import shrink_model
from pgmc.ir.canonical import canonical_text
from place_cases import CASES

COMPILED = (
    "square_with_a_sum_of_neighbours", "functions_of_neighbours", "sum_of_neighbours_in_a_function",
    "convolution", "convolution_of_the_same_size", "strides", "labels_on_a_chain", "convolution_round_a_ring",
)  # fmt: skip
VALUES = {"binary": [0, 1], "spin": [-1, 1]}


@cache
def states_of(name: str) -> tuple[dict[str, Any], Any]:
    """Every joint state, ``(n, *shape)`` by variable, and parameters by name."""
    model = CASES[name].model().build()
    shapes = {v.name: tuple(axis.size for axis in v.axes) for v in model.variables}
    ranges = {v.name: VALUES.get(str(v.domain), range(getattr(v.domain, "states", 2))) for v in model.variables}
    units = [ranges[v] for v, shape in shapes.items() for _ in range(int(np.prod(shape)))]
    table = np.array(list(itertools.product(*units)))
    splits = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])[:-1]
    states = {v: part.reshape(-1, *shapes[v]) for v, part in zip(shapes, np.split(table, splits, axis=1), strict=True)}
    rng = np.random.default_rng(0)
    return states, {p.name: rng.normal(size=[axis.size for axis in p.axes]) for p in model.parameters}


def energies(name: str, params: Any, states: dict[str, Any]) -> Any:
    n = len(next(iter(states.values())))
    return np.array([CASES[name].energy(params, {v: states[v][row] for v in states}) for row in range(n)])


@cache
def solved(name: str, backend: str) -> tuple[pgmc.Program, Any, dict[str, Any], Any]:
    states, params = states_of(name)
    program = pgmc.compile(CASES[name].model(), dtype="float64", backend=backend)  # type: ignore[arg-type]
    return program, params, states, energies(name, params, states)


BOTH = [(name, "numpy") for name in CASES] + [(name, "numba") for name in COMPILED]


@pytest.mark.parametrize(("name", "backend"), BOTH)
def test_energies(name: str, backend: str) -> None:
    program, params, states, wanted = solved(name, backend)
    np.testing.assert_allclose(program.energy(params, states), wanted, atol=1e-10)


@pytest.mark.parametrize(("name", "backend"), BOTH)
def test_conditionals(name: str, backend: str) -> None:
    """P(value | rest) from the energies of the states that differ in one unit."""
    program, params, states, found = solved(name, backend)
    table = np.concatenate([part.reshape(len(part), -1) for part in states.values()], axis=1)
    first = 0
    for v, part in states.items():
        probs = program.conditional(v).evaluate(params, states)["probs"]
        width = part[0].size
        probs = probs.reshape(len(part), width, -1)
        for unit in range(width):
            column = table[:, first + unit]
            others = np.delete(table, first + unit, axis=1)
            _, group = np.unique(others, axis=0, return_inverse=True)
            weights = np.exp(-found)
            total = np.bincount(group, weights)[group]
            values = np.unique(column)
            for rank, value in enumerate(values if probs.shape[-1] > 1 else values[1:]):
                share = np.bincount(group, weights * (column == value))[group] / total
                np.testing.assert_allclose(probs[:, unit, rank], share, atol=1e-10)
        first += width


@pytest.mark.parametrize(("name", "backend"), BOTH)
def test_gradients(name: str, backend: str) -> None:
    program, params, states, _ = solved(name, backend)
    some = {v: part[:: max(1, len(part) // 40)] for v, part in states.items()}
    gradient = program.energy_gradient(params, some)
    for parameter, value in params.items():
        for place in np.ndindex(np.shape(value)):
            step = np.zeros(np.shape(value))
            step[place] = 1e-5
            above, below = (energies(name, {**params, parameter: value + s}, some).mean() for s in (step, -step))
            assert gradient[parameter][place] == pytest.approx((above - below) / 2e-5, abs=1e-7)


@pytest.mark.parametrize(
    ("name", "backend"), [(n, b) for n, b in BOTH if "h" in states_of(n)[0] and "v" in states_of(n)[0]]
)
def test_free_energies(name: str, backend: str) -> None:
    program, params, states, found = solved(name, backend)
    rows, group = np.unique(states["v"].reshape(len(found), -1), axis=0, return_inverse=True)
    wanted = -np.log(np.bincount(group, np.exp(-found)))
    observed = {"v": rows.reshape(-1, *states["v"].shape[1:])}
    np.testing.assert_allclose(program.free_energy(params, observed), wanted, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        *(
            (name, "numpy")
            for name in ("cylinder", "labels_on_a_chain", "windows", "strides", "distances_round_a_ring")
        ),
        *((name, "numba") for name in ("convolution", "functions_of_neighbours")),
    ],
)
def test_verified(name: str, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the convolution all kernels are compiled."""
    if name != "convolution":
        compile_sweeps_alone(monkeypatch)
    assert solved(name, backend)[0].verify(seed=1).checks


def test_the_instance_keeps_what_decided_on_brackets() -> None:
    """h + K - 1 ≤ v, an axis longer than the couplings along it, axes that keep their relation to a stride."""
    m, (x, dx) = pgmc.Model("m"), pgmc.indices("x dx")
    v, h, K, J = m.binary("v", 28), m.binary("h", 12), m.param("K", 6), m.param("J", 27)
    m.energy(-h[x] * K[dx] * v[2 * x + dx] - J[x] * v[x] * v[x + 1])
    model = m.build()
    small = shrink_model(model, 1 << 12)
    sizes = {s.name: s.axes[0].size for s in small.symbols}
    assert canonical_text(small) == canonical_text(model)
    assert sizes["v"] >= 2 * (sizes["h"] - 1) + sizes["K"] and sizes["v"] > sizes["J"] > 1


@pytest.mark.parametrize(("size", "boundary", "factor"), [(4, "periodic", 1), (6, "open", 1), (3, "periodic", 2)])
def test_one_index_goes_round_a_periodic_axis(size: int, boundary: Any, factor: int) -> None:
    m, (x, dx) = pgmc.Model("m"), pgmc.indices("x dx")
    v, h, K = m.binary("v", 6, boundary="periodic"), m.binary("h", size, boundary=boundary), m.param("K", 3)
    with pytest.raises(pgmc.ModelError, match=r"no index of the place goes round axis 0 of v \(6\) once"):
        m.energy(-h[x] * K[dx] * v[factor * x + dx])


def test_places_that_are_never_inside() -> None:
    m, x = pgmc.Model("m"), pgmc.indices("x")
    s = m.spin("s", 4)
    with pytest.raises(pgmc.ModelError, match="never inside axis 0 of s"):
        m.energy(-s[x] * s[x + 4])


def test_axes_of_other_lengths_need_neighbours() -> None:
    m, x = pgmc.Model("m"), pgmc.indices("x")
    s, J = m.spin("s", 4), m.param("J", 3)
    with pytest.raises(pgmc.NotationError, match=r"index x runs over axis 0 of J \(3\) and axis 0 of s \(4\)"):
        m.energy(-J[x] * s[x])
