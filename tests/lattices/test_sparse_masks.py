"""Parameters with few entries: units are coloured by the mask, and sums go through its entries."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest

import oracle
import pgmc
from pgmc.ir.queries import Sweep
from transitions import faults, transitions, units_of_blocks

PETERSEN = nx.to_numpy_array(nx.petersen_graph()) != 0
PATH = np.eye(6, k=1, dtype=bool)


def coupled(mask: Any, units: str = "spin", **how: Any) -> pgmc.Model:
    m, size = pgmc.Model("coupled"), len(mask)
    s = m.spin("s", size) if units == "spin" else m.binary("s", size)
    J, h = m.param("J", mask.shape, mask=mask, **how), m.param("h", size)
    m.energy(-(s @ J @ s) / 2 - h @ s)
    return m


def oracle_of(model: pgmc.Model, params: dict[str, Any], values: tuple[int, ...]) -> oracle.Exact:
    (s,) = model.build().variables
    size = s.axes[0].size

    def energy(x: Any) -> Any:
        return -np.einsum("ni,ij,nj->n", x["s"], params["J"], x["s"]) / 2 - x["s"] @ params["h"]

    return oracle.Exact({"s": ((size,), values)}, energy)


def random_params(model: pgmc.Model, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    J, h = model.build().parameters
    values = rng.normal(size=J.constraint.mask.shape) * J.constraint.mask
    return {"J": values + values.T if J.constraint.symmetric else values, "h": rng.normal(size=h.axes[0].size)}


@pytest.mark.parametrize("units", ["spin", "binary"])
def test_a_one_sided_mask(units: str) -> None:
    model = coupled(PATH, units)
    params, program = random_params(model), pgmc.compile(model, dtype="float64", backend="numpy")
    exact = oracle_of(model, params, (-1, 1) if units == "spin" else (0, 1))
    query = Sweep(("s",))
    found = transitions(program.compiler, query, exact, params)
    assert faults(found, exact, units_of_blocks(program.compiler, query, exact)) == set()
    assert [str(b) for b in program.blocks] == [
        "[s] parallel (colour 1 of 2, 3 units)",
        "[s] parallel (colour 2 of 2, 3 units)",
    ]


def test_the_sum_goes_through_the_entries_of_the_mask() -> None:
    program = pgmc.compile(coupled(PATH))
    source = program.source(Sweep(("s",)))
    assert "in range(starts_J[i], starts_J[i + 1])" in source
    assert "in range(starts_J_columns[i], starts_J_columns[i + 1])" in source
    assert "for j in range" not in source


def test_programs_prove_themselves() -> None:
    for how in ({"symmetric": True, "zero_diagonal": True}, {}):
        report = str(pgmc.compile(coupled(np.kron(np.eye(3), PETERSEN) != 0, **how), backend="numpy").verify())
        assert "small instance: s 6 spin" in report
        assert "units of s that interact have different colours" in report


def test_structure_and_colours() -> None:
    program = pgmc.compile(coupled(np.kron(np.eye(2), PETERSEN) != 0, symmetric=True))
    assert program.structure == "sparse"
    assert len(program.blocks) in (3, 4)
    assert sum(b.part.units for b in program.blocks if b.part) == 20


def test_a_mask_with_many_entries_is_no_sparse_one() -> None:
    """Density 1/3: every entry is gone through, in the order of memory."""
    program = pgmc.compile(coupled(PETERSEN, symmetric=True))
    assert PETERSEN.mean() > 0.25 and program.structure == "dense"
    assert "starts_J" not in program.source(Sweep(("s",)))


def test_masks_are_data() -> None:
    one = np.kron(np.eye(2), PETERSEN) != 0
    other = np.eye(50, k=1) + np.eye(50, k=7) != 0
    first, second = (pgmc.compile(coupled(mask)).source(Sweep(("s",))) for mask in (one, other))
    assert first == second


def test_rows_of_labels() -> None:
    """A mask over units and a full matrix over states."""
    mask, (i, j, k, n) = PATH[:4, :4].copy(), pgmc.indices("i j k n")
    mask[2, 3] = False
    m = pgmc.Model("labels")
    y = m.categorical("y", 4, states=2)
    J, K = m.param("J", (4, 4), mask=mask), m.param("K", (2, 2))
    m.energy(-J[i, j] * y[i, k] * K[k, n] * y[j, n])
    program = pgmc.compile(m, backend="numpy")
    assert program.structure == "sparse" and len(program.blocks) == 2
    program.verify()


def test_between_layers_the_product_stays_a_matrix_product() -> None:
    m = pgmc.Model("layers")
    v, h = m.binary("v", 12), m.binary("h", 6)
    W = m.param("W", (12, 6), mask=np.eye(12, 6, dtype=bool))
    m.energy(-(v @ W @ h))
    program = pgmc.compile(m, backend="numpy")
    assert program.structure == "bipartite"
    assert "np.dot" in program.source(Sweep(("v", "h")))
    program.verify()
