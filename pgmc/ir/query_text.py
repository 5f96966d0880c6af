"""Queries in words."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass

from pgmc.ir.queries import Query


def describe_query(query: Query) -> str:
    """A query as text, with what differs from its defaults: ``Sweep(v, h; first=h; backward)``."""
    return _describe(query)


def _describe(query: object) -> str:
    parts = []
    assert is_dataclass(query)
    for entry in fields(query):
        value = getattr(query, entry.name)
        if is_dataclass(value):
            parts.append(_describe(value))
        elif isinstance(value, tuple) and value:
            text = ", ".join(value)
            parts.append(text if entry.default is MISSING else f"{entry.name}={text}")
        elif value not in (entry.default, ()):
            parts.append(entry.name if value is True else str(getattr(value, "value", value)))
    return f"{type(query).__name__}({'; '.join(parts)})"
