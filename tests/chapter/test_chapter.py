"""What pgmc derives equals the equations of chapter 20 of *Deep Learning*."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

import pgmc
from chapter_table import CHAPTER, SIZES, Row
from symbolic import SYMBOLIC

HERE = Path(__file__).parent
MODELS = HERE.parents[1] / "models"
EXAMPLES = 5


@cache
def program(name: str, sizes: tuple[tuple[str, int], ...]) -> pgmc.Program:
    """The interpreted program: what was derived, without the rounding of generated single-precision kernels."""
    model = importlib.import_module(f"pgmc_models.{name}").model(**dict(sizes))
    return pgmc.compile(model, dtype="float64", backend="numpy")


def draw_params(p: pgmc.Program, generator: np.random.Generator, zero: tuple[str, ...]) -> dict[str, Any]:
    """Parameters far from their initial values, that keep their constraints."""
    params = {}
    for parameter in (*p.model.parameters, *(p.model.guide.parameters if p.model.guide else ())):
        held = parameter.constraint
        value = generator.normal(size=[axis.size for axis in parameter.axes])
        value = 1 + np.abs(value) if held.positive else 0.7 * value
        if held.symmetric:
            value = (value + value.T) / 2
        if held.zero_diagonal:
            value = value - np.diag(np.diag(value))
        params[parameter.name] = 0 * value if parameter.name in zero else value
    return params


def draw_state(p: pgmc.Program, generator: np.random.Generator) -> dict[str, Any]:
    """Examples of every variable and input."""
    state = {}
    for symbol in (*p.model.variables, *p.model.inputs):
        shape = (EXAMPLES, *(axis.size for axis in symbol.axes))
        match str(symbol.domain):
            case "binary":
                value = generator.integers(2, size=shape)
            case "positive":
                value = np.exp(generator.normal(size=shape))
            case _:
                value = generator.normal(size=shape)
        state[symbol.name] = 0 * value if getattr(symbol, "exclusive", ()) else value
    return state


def evaluate_formula(row: Row, params: dict[str, Any], state: Any) -> Any:
    """The equation of the chapter, for every example."""
    names = inspect.signature(row.formula).parameters
    found = []
    for n in range(EXAMPLES):
        values = {**params, **{name: value[n] for name, value in state.items()}}
        found.append(row.formula(**{name: values[name] for name in names}))
    return np.array(found)


def name_of(row: Row) -> str:
    return f"{row.label}-{row.formula.__name__}".replace(", ", "+").replace(" ", "-")


@pytest.mark.parametrize("row", CHAPTER, ids=name_of)
def test_the_derived_equation_is_that_of_the_chapter(row: Row) -> None:
    p = program(row.model, tuple({**SIZES[row.model], **row.sizes}.items()))
    generator = np.random.default_rng(20)
    params, state = draw_params(p, generator, row.zero), draw_state(p, generator)
    constants = {constant.name: constant.value for constant in p.model.constants}
    found, evaluated_at = row.asked.evaluates(p, params, state)
    expected = evaluate_formula(row, {**constants, **params}, evaluated_at)
    assert np.any(expected != 0)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("number", "model", "variable", "expected"), SYMBOLIC, ids=lambda value: str(value)[:24])
def test_the_derived_equation_is_that_of_the_chapter_as_symbols(
    number: str, model: str, variable: str, expected: Any
) -> None:
    found = program(model, tuple(SIZES[model].items())).conditional(variable).sympy()
    lengths = {s: sympy.Symbol("n") for s in found.free_symbols if s.name.startswith("n_")}
    assert sympy.simplify(found.subs(lengths) - expected) == 0


def cited_numbers(text: str) -> set[str]:
    """The equation numbers in a text: (20.17), and those of a range such as (20.17) to (20.19)."""
    found = {f"20.{number}" for number in re.findall(r"\(20\.(\d+)\)", text)}
    for first, last in re.findall(r"\(20\.(\d+)\)\s+to\s+\(20\.(\d+)\)", text):
        found |= {f"20.{number}" for number in range(int(first), int(last) + 1)}
    return found


NOT_COMPARED = {
    "20.18": "a deep belief net of three hidden layers or more",
    "20.40": "a term that the specification leaves out, as the chapter does",
    "20.41": "a term that the specification leaves out, as the chapter may",
    **{
        f"20.{number}": "an estimator or a bound, which training is tested for"
        for number in range(54, 85)
        if number not in (60, 61, 70, 76, 77, 79)
    },
}
"""Numbers that docstrings may cite without a row, and why."""


def test_every_number_that_a_specification_cites_is_compared() -> None:
    compared = {number for row in CHAPTER for number in row.numbers}
    for path in MODELS.glob("*.py"):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        missing = cited_numbers(docstring) - compared - NOT_COMPARED.keys()
        assert not missing, f"{path.name} cites {sorted(missing)}: add rows to chapter_table.py"


def test_ranges_of_numbers_are_read() -> None:
    assert cited_numbers("equations (20.17) to (20.19), and (20.5)") == {"20.5", "20.17", "20.18", "20.19"}


def test_the_rows_stand_in_the_order_of_the_chapter() -> None:
    sections = [tuple(map(int, row.section.split("."))) for row in CHAPTER]
    assert sections == sorted(sections)
    numbers = [int(number.removeprefix("20.")) for row in CHAPTER for number in row.numbers]
    assert numbers == sorted(numbers)


def test_the_formulas_know_nothing_of_pgmc() -> None:
    """Each says which equation it is, and is made of NumPy alone."""
    for path in (HERE / "formulas").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert [alias.name for alias in node.names] == ["numpy"], path.name
            if isinstance(node, ast.ImportFrom):
                assert node.module in ("__future__", "collections.abc", "itertools", "typing", "formulas.common")
        cited = " ".join(ast.get_docstring(node) or "" for node in tree.body if isinstance(node, ast.FunctionDef))
        assert path.stem in ("__init__", "common") or "20." in cited
    for row in CHAPTER:
        said = inspect.getdoc(row.formula) or ""
        assert all(f"({number})" in said for number in row.numbers[:1]), row.label
