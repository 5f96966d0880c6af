"""Plain values of a description that nobody vouches for, each checked before it is used."""

from __future__ import annotations

import keyword
import re
from fractions import Fraction

from pgmc.errors import CheckpointError
from pgmc.ir.check import NAME
from pgmc.ir.serialise import Json

MAX_NODES = 1_000_000

_FRACTION = re.compile(r"-?[0-9]{1,400}(/[1-9][0-9]{0,399})?", re.ASCII)


def read_fields(item: Json, what: str, names: tuple[str, ...]) -> dict[str, Json]:
    """The fields of a description, if it has these and no others."""
    if not isinstance(item, dict) or set(item) != set(names):
        raise CheckpointError(f"The description of a {what} must have the fields {', '.join(names)}.")
    return item


def read_list(item: Json, what: str, longest: int = MAX_NODES) -> list[Json]:
    """A list that is not too long."""
    if not isinstance(item, list) or len(item) > longest:
        raise CheckpointError(f"The {what} must be a list of at most {longest} items.")
    return item


def read_pair(item: Json) -> tuple[Json, Json]:
    """A list of two."""
    pair = read_list(item, "pair")
    if len(pair) != 2:
        raise CheckpointError("A pair must have two items.")
    return pair[0], pair[1]


def read_integer(item: Json, low: int, high: int, what: str) -> int:
    """A whole number within bounds."""
    if type(item) is not int or not low <= item <= high:
        raise CheckpointError(f"The {what} must be an integer from {low} to {high}.")
    return item


def read_name(item: Json, what: str) -> str:
    """The name of a symbol or of the like."""
    if not isinstance(item, str) or NAME.fullmatch(item) is None or keyword.iskeyword(item):
        raise CheckpointError(f"The name of a {what} is not allowed.")
    return item


def read_fraction(item: Json) -> Fraction:
    """An exact number."""
    if not isinstance(item, str) or _FRACTION.fullmatch(item) is None:
        raise CheckpointError("A number must be an integer or a fraction.")
    return Fraction(item)
