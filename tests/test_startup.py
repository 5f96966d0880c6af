"""What starting costs, in imports and in compiled kernels, and that results do not depend on how a process starts.

Times are for the benchmarks; here only what must never creep in is counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HEAVY = ("sympy", "networkx", "numba", "scipy", "sklearn", "matplotlib", "rich", "cyclopts")

FIRST_USE = """
import hashlib, json, sys
import numpy as np
import pgmc
visible, hidden = int(sys.argv[1]), int(sys.argv[2])
m = pgmc.Model("machine")
v, h = m.binary("v", visible), m.binary("h", hidden)
W, b, c = m.param("W", (visible, hidden)), m.param("b", visible), m.param("c", hidden)
m.energy(-(v @ W @ h) - b @ v - c @ h)
p = pgmc.compile(m)
params = m.init(0)
params["W"] = 30 * params["W"]
samples = p.sample(params, chains=600, sweeps=3, seed=1, threads=int(sys.argv[3]))
data = {"v": samples["v"][:, 0], "h": samples["h"][:, 0]}
gradient = p.energy_gradient(params, data)
arrays = [samples["v"], samples["h"], p.free_energy(params, {"v": data["v"]}), *gradient.values()]
print(json.dumps({
    "sha": hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest(),
    "modules": [name for name in ("sympy", "networkx") if name in sys.modules],
}))
"""


def run(code: str, *arguments: object, **environment: str) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=True
    ).stdout  # fmt: skip


def first_use(cache: Path, visible: int, hidden: int, threads: int = 1, **environment: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(
        run(FIRST_USE, visible, hidden, threads, PGMC_CACHE_DIR=str(cache), **environment)
    )
    answer["entries"] = sum((path / "kernel.py").exists() for path in cache.iterdir())
    return answer


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    cache = tmp_path_factory.mktemp("kernels") / "cache"
    return cache, first_use(cache, 20, 12)


def test_importing_brings_nothing_heavy() -> None:
    look = "import sys, pgmc; print(*[name for name in {!r} if name in sys.modules])"
    assert run(look.format(HEAVY)).split() == []


def test_declaring_brings_nothing_heavy() -> None:
    declare = "import pgmc, sys; m = pgmc.Model('m'); v = m.binary('v', 3); m.energy(-(v @ m.param('b', 3))); m.build()"
    look = "; print(*[name for name in {!r} if name in sys.modules])"
    assert run(declare + look.format(HEAVY)).split() == []


def test_every_public_name_can_be_imported() -> None:
    import pgmc

    for name in dir(pgmc):
        assert getattr(pgmc, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pgmc.nothing  # noqa: B018


def test_a_warm_start_imports_neither_sympy_nor_networkx(cold: tuple[Path, dict[str, Any]]) -> None:
    cache, first = cold
    warm = first_use(cache, 20, 12)
    assert set(first["modules"]) == {"sympy", "networkx"}
    assert warm["modules"] == []
    assert warm["entries"] == first["entries"] == 3


def test_another_size_compiles_nothing(cold: tuple[Path, dict[str, Any]]) -> None:
    cache, first = cold
    other = first_use(cache, 33, 7)
    assert other["entries"] == first["entries"]
    assert other["modules"] == []
    assert other["sha"] != first["sha"]


@pytest.mark.parametrize(
    "start",
    [
        {"threads": 1},
        {"threads": 2},
        {"threads": 5},
        {"PYTHONHASHSEED": "0"},
        {"PYTHONHASHSEED": "42"},
        {"OPENBLAS_NUM_THREADS": "1"},
        {"OPENBLAS_NUM_THREADS": "2"},
    ],
    ids=str,
)
def test_results_are_the_same_bits(cold: tuple[Path, dict[str, Any]], start: dict[str, Any]) -> None:
    """Cold and warm, for any number of threads, any order of sets, whatever BLAS was told."""
    cache, first = cold
    assert first_use(cache, 20, 12, **start)["sha"] == first["sha"]


def test_the_hash_seed_does_not_change_the_generated_source() -> None:
    source = (
        "import pgmc; m = pgmc.Model('m'); v, s, y = m.binary('v', 3), m.spin('s', 2), m.categorical('y', states=3)\n"
        "m.energy(-(v @ m.param('W', (3, 2)) @ s) - s @ m.param('U', (2, 3)) @ y - v @ m.param('J', (3, 3)) @ v)\n"
        "print(pgmc.compile(m).source())"
    )
    texts = {run(source, PYTHONHASHSEED=seed, PGMC_CACHE="off") for seed in ("0", "1", "42")}
    assert len(texts) == 1
