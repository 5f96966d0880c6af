"""Lists of edges against energies written down a second time, brute force and exact transition matrices."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import oracle
import pgmc
from generated import compile_sweeps_alone
from pgmc.analysis.shrink import shrink_model
from pgmc.ir.canonical import canonical_text
from pgmc.ir.queries import Sweep
from pgmc.ir.symbols import shape_of
from transitions import faults, transitions, units_of_blocks

Arrays = dict[str, Any]
Energy = Callable[[Arrays, Arrays], Any]
BINARY, SPIN, THREE = (0, 1), (-1, 1), (0, 1, 2)

HOUSE = np.array([(0, 1), (1, 2), (2, 3), (3, 0), (2, 4), (3, 4)])
ODD = np.array([(0, 1), (1, 0), (2, 2), (3, 1), (0, 1)])  # repeated, turned, joined to itself


def glass(m: pgmc.Model) -> tuple[Any, Energy]:
    s, i = m.spin("s", 5), pgmc.indices("i")
    e, a, b = m.edges(HOUSE)
    J, h = m.param("J", 6), m.param("h", 5)
    m.energy(-J[e] * s[a] * s[b] - h[i] * s[i])
    return {"s": SPIN}, lambda x, t: (
        -(x["s"][:, HOUSE[:, 0]] * x["s"][:, HOUSE[:, 1]]) @ t["J"] - x["s"] @ t["h"]
    )  # fmt: skip


def repeated(m: pgmc.Model) -> tuple[Any, Energy]:
    s = m.spin("s", 4)
    e, a, b = m.edges(ODD)
    J = m.param("J", 5)
    m.energy(-J[e] * s[a] * s[b])
    return {"s": SPIN}, lambda x, t: -(x["s"][:, ODD[:, 0]] * x["s"][:, ODD[:, 1]]) @ t["J"]


def repeated_binary(m: pgmc.Model) -> tuple[Any, Energy]:
    s = m.binary("s", 4)
    e, a, b = m.edges(ODD)
    J = m.param("J", 5)
    m.energy(-J[e] * s[a] * s[b])
    return {"s": BINARY}, lambda x, t: -(x["s"][:, ODD[:, 0]] * x["s"][:, ODD[:, 1]]) @ t["J"]


def triples(m: pgmc.Model) -> tuple[Any, Energy]:
    rows = np.array([(0, 1, 2), (1, 2, 3), (0, 3, 4), (2, 2, 4)])
    s = m.spin("s", 5)
    e, a, b, c = m.edges(rows)
    J = m.param("J", 4)
    m.energy(-J[e] * s[a] * s[b] * s[c])
    return {"s": SPIN}, lambda x, t: -np.prod(x["s"][:, rows], axis=2) @ t["J"]


def between_layers(m: pgmc.Model) -> tuple[Any, Energy]:
    rows = np.array([(0, 1), (1, 0), (2, 1), (2, 0), (3, 2)])
    v, h = m.binary("v", 4), m.binary("h", 3)
    j = pgmc.indices("j")
    e, a, b = m.edges(rows)
    W, c = m.param("W", 5), m.param("c", 3)
    m.energy(-W[e] * v[a] * h[b] - c[j] * h[j])
    return {"v": BINARY, "h": BINARY}, lambda x, t: (
        -(x["v"][:, rows[:, 0]] * x["h"][:, rows[:, 1]]) @ t["W"] - x["h"] @ t["c"]
    )  # fmt: skip


def two_lists(m: pgmc.Model) -> tuple[Any, Energy]:
    one, two = HOUSE[:3], np.array([(0, 2), (4, 1)])
    s = m.spin("s", 5)
    e, a, b = m.edges(one)
    _f, c, d = m.edges(two)
    J, K = m.param("J", 3), m.param("K")
    m.energy(-J[e] * s[a] * s[b])
    m.energy(-K * s[c] * s[d])
    return {"s": SPIN}, lambda x, t: (
        -(x["s"][:, one[:, 0]] * x["s"][:, one[:, 1]]) @ t["J"]
        - t["K"] * (x["s"][:, two[:, 0]] * x["s"][:, two[:, 1]]).sum(1)
    )  # fmt: skip


def extra_axis(m: pgmc.Model) -> tuple[Any, Energy]:
    rows = HOUSE[:2]
    s, k = m.spin("s", (3, 2)), pgmc.indices("k")
    e, a, b = m.edges(rows)
    J = m.param("J", (2, 2))
    m.energy(-J[e, k] * s[a, k] * s[b, k])
    return {"s": SPIN}, lambda x, t: (
        -np.einsum("nek,nek,ek->n", x["s"][:, rows[:, 0]], x["s"][:, rows[:, 1]], t["J"])
    )  # fmt: skip


def sites_of_a_plane(m: pgmc.Model) -> tuple[Any, Energy]:
    """Bonds of a plane given by the coordinates of both ends."""
    rows = np.array([(0, 0, 0, 1), (0, 0, 1, 0), (0, 1, 1, 1), (1, 0, 1, 2)])
    s = m.spin("s", (2, 3))
    e, a, b, c, d = m.edges(rows)
    J = m.param("J", 4)
    m.energy(-J[e] * s[a, b] * s[c, d])
    return {"s": SPIN}, lambda x, t: (
        -(x["s"][:, rows[:, 0], rows[:, 1]] * x["s"][:, rows[:, 2], rows[:, 3]]) @ t["J"]
    )  # fmt: skip


def labels(m: pgmc.Model) -> tuple[Any, Energy]:
    rows = np.array([(0, 1), (1, 2), (0, 2)])
    y, (k, n) = m.categorical("s", 3, states=3), pgmc.indices("k n")
    e, a, b = m.edges(rows)
    J, K = m.param("J", 3), m.param("K", (3, 3))
    m.energy(-J[e] * y[a, k] * y[b, k] - K[k, n] * y[a, k] * y[b, n])
    return {"s": THREE}, lambda x, t: (
        -np.equal(x["s"][:, rows[:, 0]], x["s"][:, rows[:, 1]]).astype(float) @ t["J"]
        - t["K"][x["s"][:, rows[:, 0]].astype(int), x["s"][:, rows[:, 1]].astype(int)].sum(1)
    )  # fmt: skip


def inside_a_function(m: pgmc.Model) -> tuple[Any, Energy]:
    rows = HOUSE[:3]
    s = m.spin("s", 4)
    e, a, b = m.edges(rows)
    J = m.param("J", 3)
    m.energy(pgmc.softplus(J[e] * s[a] + s[b]))
    return {"s": SPIN}, lambda x, t: (
        np.logaddexp(0.0, t["J"] * x["s"][:, rows[:, 0]] + x["s"][:, rows[:, 1]]).sum(1)
    )  # fmt: skip


def weights_at_ends(m: pgmc.Model) -> tuple[Any, Energy]:
    rows = HOUSE[:4]
    s = m.spin("s", 4)
    _e, a, b = m.edges(rows)
    w = m.param("w", 4)
    m.energy(-w[a] * w[b] * s[a] * s[b])
    return {"s": SPIN}, lambda x, t: (
        -(x["s"][:, rows[:, 0]] * x["s"][:, rows[:, 1]]) @ (t["w"][rows[:, 0]] * t["w"][rows[:, 1]])
    )  # fmt: skip


def no_edges(m: pgmc.Model) -> tuple[Any, Energy]:
    s, i = m.spin("s", 3), pgmc.indices("i")
    _e, a, b = m.edges([])
    J, h = m.param("J"), m.param("h", 3)
    m.energy(-J * s[a] * s[b] - h[i] * s[i])
    return {"s": SPIN}, lambda x, t: -x["s"] @ t["h"]


MODELS = (
    glass, repeated, repeated_binary, triples, between_layers, two_lists, extra_axis, sites_of_a_plane, labels,
    inside_a_function, weights_at_ends, no_edges,
)  # fmt: skip


def solved(declare: Any, backend: Any = "numpy") -> tuple[pgmc.Program, Arrays, oracle.Exact]:
    m = pgmc.Model(declare.__name__)
    domains, energy = declare(m)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = pgmc.compile(m, dtype="float64", backend=backend)
    generator = np.random.default_rng(3)
    params = {p.name: generator.normal(size=shape_of(p)) for p in program.model.parameters}
    spec = {v.name: (shape_of(v), domains[v.name]) for v in program.model.variables}
    return program, params, oracle.Exact(spec, lambda x: energy(x, params))


@pytest.mark.parametrize("declare", MODELS, ids=lambda declare: declare.__name__)
def test_programs_agree_with_brute_force(declare: Any) -> None:
    program, params, exact = solved(declare)
    states = exact.states(exact.codes)
    np.testing.assert_allclose(program.energy(params, states), exact.E, atol=1e-10)
    assert program.log_partition(params).value == pytest.approx(exact.log_z, abs=1e-9)
    program.verify()


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("declare", [glass, repeated, between_layers, labels, sites_of_a_plane])
def test_emitted_sweeps_have_the_exact_transition_matrix(declare: Any, backward: bool) -> None:
    program, params, exact = solved(declare)
    query = Sweep(tuple(v.name for v in program.model.variables), backward=backward)
    found = transitions(program.compiler, query, exact, params)
    assert faults(found, exact, units_of_blocks(program.compiler, query, exact)) == set()


@pytest.mark.parametrize("declare", [glass, triples])
def test_compiled_kernels_prove_themselves(declare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of one model are all compiled, of the other the sweeps."""
    if declare is triples:
        compile_sweeps_alone(monkeypatch)
    program, *_ = solved(declare, "numba")
    program.verify()


def test_a_sweep_goes_through_the_edges_of_a_unit_only() -> None:
    source = solved(glass)[0].source(Sweep(("s",)))
    assert "in range(starts_edges_1_0[i], starts_edges_1_0[i + 1])" in source
    assert "range(n_J)" not in source


def test_free_energy_of_a_sparse_layer() -> None:
    program, params, exact = solved(between_layers)
    v = np.array(np.meshgrid(*[BINARY] * 4, indexing="ij")).reshape(4, -1).T
    states = exact.states(exact.codes)
    wanted = [-np.logaddexp.reduce(-exact.E[(states["v"] == row).all(1)]) for row in v]
    np.testing.assert_allclose(program.free_energy(params, {"v": v}), wanted, atol=1e-10)
    assert program.structure == "bipartite"
    assert str(program.conditional("h")) == "P(h[i] = 1 | v) = σ(Σ_e W[e]·v[a[e]]·[b[e] = i] + c[i])"


def test_gradient_of_every_edge() -> None:
    program, params, exact = solved(glass)
    states = exact.states(exact.codes[:7])
    wanted = -(states["s"][:, HOUSE[:, 0]] * states["s"][:, HOUSE[:, 1]]).mean(0)
    np.testing.assert_allclose(program.energy_gradient(params, states)["J"], wanted, atol=1e-12)


def test_structure_blocks_and_report() -> None:
    program = solved(glass)[0]
    assert program.structure == "sparse"
    assert "along edges or the entries of a sparse mask, through -Σ_e J[e]·s[a[e]]·s[b[e]]" in str(
        program.compiler.structure
    )
    assert len(program.blocks) == 3 and program.graph.edges["s", "s"]["coupling"] == "sparse"
    assert str(program.conditional("s")).startswith("P(s[i] = +1 | s[≠i]) = σ(2·Σ_e J[e]·s[b[e]]·[a[e] = i]·[b[e] ≠ i]")


@pytest.mark.parametrize("edges", [10, 1000])
def test_edges_are_data(edges: int) -> None:
    """Text, cache key and generated source are those of any other list."""
    program = pgmc.compile(random_glass(edges, 0))
    other = pgmc.compile(random_glass(37, 5))
    assert canonical_text(program.model) == canonical_text(other.model)
    assert program.source(Sweep(("s",))) == other.source(Sweep(("s",)))


def random_glass(edges: int, seed: int) -> pgmc.Model:
    m, units = pgmc.Model("random"), edges
    e, a, b = m.edges(np.random.default_rng(seed).integers(units, size=(edges, 2)))
    s, J = m.spin("s", units), m.param("J", edges)
    m.energy(-J[e] * s[a] * s[b])
    return m


def test_small_instances_have_the_edges_of_their_units() -> None:
    model = pgmc.compile(random_glass(500, 1)).model
    small = shrink_model(model, 1 << 10)
    (a, b), (s,) = (np.stack([c.value for c in small.constants]), small.variables)
    assert a.size >= shape_of(s)[0] - 1 and max(a.max(), b.max()) < shape_of(s)[0]
    whole = {(int(x), int(y)) for x, y in zip(*(c.value for c in model.constants), strict=True)}
    assert len(whole) > a.size


def test_a_large_glass_proves_itself() -> None:
    report = str(pgmc.compile(random_glass(300, 2), backend="numpy").verify())
    assert "small instance: s 6 spin" in report and "at s 300" in report


def test_saved_edges_come_back(tmp_path: Any) -> None:
    m = pgmc.Model("glass")
    glass(m)
    pgmc.save(tmp_path / "glass.pgmc", m, {"J": np.arange(6.0), "h": np.zeros(5)})
    again, params = pgmc.load(tmp_path / "glass.pgmc")
    assert again.build() == m.build()
    states = np.array([[1, -1, 1, 1, -1]])
    before, after = (pgmc.compile(model, backend="numpy").energy(params, {"s": states}) for model in (m, again))
    np.testing.assert_array_equal(before, after)


def test_a_long_lattice_given_by_edges_is_that_lattice() -> None:
    """Edges or offsets: the same energies, free energies and colours of a ring."""
    m, x, size = pgmc.Model("ring"), pgmc.indices("x"), 6
    s, J = m.spin("s", size, boundary="periodic"), m.param("J", size)
    m.energy(-J[x] * s[x] * s[x + 1])
    n = pgmc.Model("edges")
    t, K = n.spin("s", size), n.param("J", size)
    e, a, b = n.edges([(k, (k + 1) % size) for k in range(size)])
    n.energy(-K[e] * t[a] * t[b])
    params = {"J": np.random.default_rng(0).normal(size=size)}
    ring, edges = (pgmc.compile(model, backend="numpy") for model in (m, n))
    assert ring.log_partition(params).value == pytest.approx(edges.log_partition(params).value, abs=1e-5)
    samples = [p.sample(params, chains=5, sweeps=20, seed=1)["s"] for p in (ring, edges)]
    np.testing.assert_array_equal(*samples)


# ---- errors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([(0, 1), (1,)], "edges: the rows differ in length"),
        ([0, 1, 2], r"edges: the list has the shape \(3,\), not one row for each edge"),
        ([(0, 1.5)], "edges: the entries are float64, not integers"),
        ([(0, 1), (2, -1)], r"edges: edge 1 joins \(2, -1\), and units are numbered from 0"),
        ([("a", "b")], "edges: the entries are <U1, not integers"),
        (np.ones((2, 2), dtype=bool), "edges: the entries are bool, not integers"),
        (np.empty((3, 0), dtype=int), r"edges: the list has the shape \(3, 0\)"),
    ],
)
def test_lists_are_checked(pairs: Any, message: str) -> None:
    with pytest.raises(pgmc.ModelError, match=message):
        pgmc.Model("m").edges(pairs)


def test_ends_lie_inside_the_axis() -> None:
    m = pgmc.Model("m")
    s = m.spin("s", 3)
    _, a, b = m.edges([(0, 1), (2, 7)])
    with pytest.raises(
        pgmc.NotationError, match=r"s\[b\[e\]\]: edge 1 of the list has the unit 7, and axis 0 of s has 3"
    ):
        m.energy(-s[a] * s[b])


def test_couplings_are_as_many_as_edges() -> None:
    m = pgmc.Model("m")
    s, J = m.spin("s", 3), m.param("J", 5)
    e, a, b = m.edges([(0, 1), (1, 2)])
    with pytest.raises(pgmc.NotationError, match="5"):
        m.energy(-J[e] * s[a] * s[b])


def test_a_list_belongs_to_its_model() -> None:
    one, other = pgmc.Model("one"), pgmc.Model("other")
    s = one.spin("s", 3)
    _, a, b = other.edges([(0, 1)])
    with pytest.raises(pgmc.ModelError, match="is not declared in the model 'one'"):
        one.energy(s[a] * s[b])
