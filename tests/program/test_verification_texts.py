"""Faults in the text of compiled sweeps do not pass verification."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pgmc
import pgmc.codegen.kernel_module as kernel_module
from pgmc.compiler import Compiler
from pgmc.ir.queries import Sweep
from pgmc.runtime.interpreted import InterpretedKernel


def edited(source: str, pattern: str, new: str) -> str:
    changed, found = re.subn(pattern, new, source)
    assert found, f"{pattern!r} does not occur in\n{source}"
    return changed


def stale_field(source: str) -> str:
    """The field of the second block is computed at the beginning of the sweep."""
    line = re.search(r"^ *np\.dot\(v, W, .*\n", source, re.M)
    loop = re.search(r"^    for sweep in range.*\n", source, re.M)
    assert line and loop, source
    cut = source[: line.start()] + source[line.end() :]
    return cut[: loop.end()] + line.group() + cut[loop.end() :]


TEXTS: dict[str, Callable[[str], str]] = {
    "a stale field": stale_field,
    "the last unit is never updated": lambda text: edited(text, r"range\(n_v\)", "range(n_v - 1)"),
    "two blocks share random numbers": lambda text: edited(text, r"site_h \+ j\)", "site_v + j)"),
}


@pytest.mark.parametrize("fault", TEXTS)
def test_faults_of_compiled_sweeps_are_found(fault: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Other queries are interpreted, which saves compiling them."""
    build, make = kernel_module.build_kernel_module, Compiler.make_kernel

    def wrong(*given: Any) -> Any:
        stages = build(*given)
        module = dataclasses.replace(stages.module, source=TEXTS[fault](stages.module.source))
        return dataclasses.replace(stages, module=module)

    def compile_sweeps(self: Compiler, query: Any) -> Any:
        if isinstance(query, Sweep):
            return make(self, query)
        return InterpretedKernel(self.answer(query), self.model_of(query), self.dtype)

    monkeypatch.setenv("PGMC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(kernel_module, "build_kernel_module", wrong)
    monkeypatch.setattr(Compiler, "make_kernel", compile_sweeps)
    m = pgmc.Model("two_layers")
    v, h = m.binary("v", 3), m.binary("h", 3)
    m.energy(-(v @ m.param("W", (3, 3)) @ h) - m.param("b", 3) @ v - m.param("c", 3) @ h)
    with pytest.raises(pgmc.VerificationError, match="sweep, draw by draw: forward"):
        pgmc.compile(m, dtype="float64").verify()
