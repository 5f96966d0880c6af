"""A loop program for people: one line a statement, what stands inside a loop indented."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from pgmc.codegen.draw_statements import ColorRow, Member
from pgmc.codegen.loop_program import Comment, Listing, MatrixView, Statement
from pgmc.ir.nodes import Access, Compare, Index, Position, Scalar
from pgmc.ir.printer import Printer
from pgmc.ir.symbols import Constant, Input, Parameter, Variable

INDENT = "    "
LEFT_OUT = ("body", "loop", "draw", "extent", "extents", "locals", "precision", "per_example")
"""Fields that a reader can do without."""


class _Names(dict[Index, str]):
    """Names of indices: those that no statement binds keep their own."""

    def __missing__(self, index: Index) -> str:
        return index.name


def outline(statements: Iterable[Statement]) -> str:
    """The statements, each by its kind and what it reads and writes."""
    return "\n".join(_lines(statements, 0, _Names()))


def _lines(statements: Iterable[Any], depth: int, names: _Names) -> Iterator[str]:
    for statement in statements:
        bound = [entry for entry in (getattr(statement, "index", None), *getattr(statement, "indices", ())) if entry]
        inside = _Names(Printer().bind([index for index in bound if index not in names], names))
        yield INDENT * depth + _line(statement, inside)
        yield from _lines(_nested(statement), depth + 1, inside)


def _nested(statement: Any) -> tuple[Statement, ...]:
    """The statements inside another; of a row of one colour its loop, which holds the draw."""
    return (statement.loop,) if isinstance(statement, ColorRow) else getattr(statement, "body", ())


def _line(statement: Any, names: _Names) -> str:
    if isinstance(statement, Comment):
        return f"# {statement.text}"
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(statement).__name__).lower()
    details = (_detail(entry.name, getattr(statement, entry.name), names) for entry in fields(statement))
    return f"{words} {', '.join(text for text in details if text)}".rstrip()


def _detail(name: str, value: Any, names: _Names) -> str:
    """A field in words; nothing for one that says nothing."""
    if name in LEFT_OUT or value in ("plain", None, False):
        return ""
    if value is True:
        return name
    match value:
        case MatrixView(symbol, transposed=transposed):
            return f"{name} {symbol.name}{'ᵀ' if transposed else ''}"
        case Listing(symbol):
            return f"those of {symbol}"
        case Variable() | Input() | Parameter() | Constant():
            return value.name
        case tuple():
            return ", ".join(filter(None, (_detail("", item, names) for item in value)))
        case str() | int():
            return f"{name} {value}".strip()
    return _place(value, names)


def _place(value: Any, names: _Names) -> str:
    """What has indices in it."""
    match value:
        case Index():
            return names[value]
        case Member(index):
            return names[index]
        case Position():
            return Printer().position(value, names)
        case Compare(left, operator, right):
            return f"{Printer().position(left, names)} {operator} {Printer().position(right, names)}"
        case Access(symbol, positions):
            places = ", ".join(Printer().position(position, names) for position in positions)
            return f"{symbol.name}[{places}]" if places else symbol.name
    return Printer().text(value, names) if isinstance(value, Scalar) else str(value)
