"""Kernels compiled by Numba: they agree with the interpreter, and float32 kernels stay in float32."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from energies import build
from generated import disagreement, random_data
from pgmc.compiler import Compiler
from pgmc.ir.queries import Energy, FreeEnergy, Gradient, Query, Sweep
from pgmc.runtime.kernels import CompiledKernel

KERNELS: list[tuple[str, str, Query]] = [
    ("two_layers", "float32", Sweep(("v", "h"))),
    ("two_layers", "float64", Gradient(FreeEnergy(("v",)), ("W", "b", "c"))),
    ("labels", "float64", Sweep(("y", "s"), backward=True)),
    ("labels", "float32", FreeEnergy(("s",))),
    ("coupled_spins", "float32", Sweep(("s",), masked=("s",))),
    ("scalar_variables", "float64", Gradient(Energy(), ("w", "u", "r"))),
    ("names_of_the_compiler", "float32", Energy()),
    ("log_sum_of_fields", "float32", Sweep(("x", "s"))),
    ("nested_functions", "float32", Sweep(("z", "x"))),
    ("offsets_of_two_indices", "float32", Sweep(("s",))),
    ("factored_triple", "float64", Sweep(("x", "y", "h"))),
]

DOUBLES = re.compile(
    r"= (?:\w+ )*f(?:add|sub|mul|div|pext|ptrunc) .*\bdouble\b|@llvm\.\w+\.f64|@(?:exp|log|pow|tanh)\("
)


def compiled(source: str, name: str) -> Any:
    """The function of a generated module, compiled and not cached."""
    space: dict[str, Any] = {}
    exec(source.replace("cache=True", "cache=False"), space)  # noqa: S102  the text under test
    return space[name]


def doubles(function: Any) -> list[str]:
    """The instructions on float64 numbers in a compiled kernel, the unpacking of Python's numbers left out."""
    lines = [line.strip() for text in function.inspect_llvm().values() for line in text.splitlines()]
    unpacked = {line.split(" = ")[0] for line in lines if "PyFloat_AsDouble" in line}
    found = [line for line in lines if DOUBLES.search(line)]
    return [line for line in found if not any(line.endswith(f"double {name} to float") for name in unpacked)]


@pytest.mark.parametrize(("name", "dtype", "query"), KERNELS)
def test_compiled_kernels_agree_with_the_interpreter(name: str, dtype: Any, query: Query) -> None:
    compiler = Compiler(build(name), dtype)
    module = compiler.stages(query).module
    function: Callable[..., None] = compiled(module.source, module.name)
    kernel = CompiledKernel(module, function, compiler.model_of(query), compiler.colored.positions)
    tolerance = 1e-12 if dtype == "float64" else 2e-5
    assert disagreement(compiler, query, kernel, random_data(compiler.model, dtype)) <= tolerance
    if dtype == "float32" and isinstance(query, Sweep):
        assert doubles(function) == []


def test_the_search_for_doubles_finds_them() -> None:
    compiler = Compiler(build("two_layers"), "float64")
    module = compiler.stages(Sweep(("v", "h"))).module
    assert doubles(compiled(module.source, module.name))
