"""The cheat sheet: the equations of chapter 20, each beside what pgmc derives from the specification.

It is made from the table that the tests compare (``tests/chapter``), so that every row of it has been checked.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pgmc
from typeset import formula

CHECKED = Path(__file__).parents[2] / "tests" / "chapter"


def table() -> Any:
    """The module of the table."""
    if str(CHECKED) not in sys.path:
        sys.path.append(str(CHECKED))
    return importlib.import_module("chapter_table")


@cache
def program(name: str, depth: int | None) -> pgmc.Program:
    """A specification at its default sizes, of which nothing that is derived knows."""
    model = importlib.import_module(f"pgmc_models.{name}").model
    return pgmc.compile(model() if depth is None else model(depth=depth))


def cheat_sheet() -> str:
    """The page."""
    return "\n\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    yield "# Cheat sheet: chapter 20 and what pgmc derives"
    yield (
        "Above an equation of chapter 20 of *Deep Learning* [goodfellow2016]_, below what pgmc derives from the "
        "specification in `models/` that says the same. A test evaluates both in random states and finds them equal. "
        "Where the chapter leaves biases out, they are zero there. A row without a number is what the chapter says in "
        "words."
    )
    section = ""
    for row in table().CHAPTER:
        if row.section != section:
            section = row.section
            yield f"## Section {section}"
        yield pair(row)


def pair(row: Any) -> str:
    """A row of the table, as one block of HTML."""
    derived = row.asked.shows(program(row.model, row.sizes.get("depth")))
    without = f", {' = '.join(row.zero)} = 0" if row.zero else ""
    head = f'<div class="pair-head"><b>{row.label}</b> <a href="../models/{row.model}/">{row.model}</a>{without}</div>'
    chapter, own = formula(row.latex, row.label), formula(latex_of(derived), str(derived))
    return f'<div class="pair">{head}<span>chapter</span>{chapter}<span>pgmc</span>{own}</div>'


def latex_of(derived: Any) -> str:
    """What was derived, in LaTeX."""
    from pgmc.inspection.latex import latex_quantity

    return str(derived.latex()) if hasattr(derived, "latex") else latex_quantity(derived)
