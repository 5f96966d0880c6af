"""What an expression consists of: a scalar node, the axes of array notation, and how it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType

from pgmc.dsl.location import complaint, shorten
from pgmc.errors import NotationError
from pgmc.ir.nodes import Access, Add, Index, Mul, Number, Pow, Scalar
from pgmc.ir.symbols import Constant, Input, Parameter, Symbol, Variable, access_axes

# How tightly the outermost operator of a text binds, for parentheses.
ADDITION, MULTIPLICATION, SIGN, POWER, ATOM = range(5)

_LONGEST_TEXT = 160


@dataclass(frozen=True, slots=True)
class Range:
    """What an index runs over: one axis of a symbol or, where ``symbol`` is None, of an expression.

    ``shifted`` where it stands with an offset or in a sum: the axis has neighbours of its places.
    """

    size: int
    axis: int
    owner: str
    symbol: Symbol | None = field(default=None, compare=False)
    shifted: bool = False

    def __str__(self) -> str:
        return f"axis {self.axis} of {self.owner} ({self.size})"


Ranges = Mapping[Index, tuple[Range, ...]]
NO_RANGES: Ranges = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Operand:
    """A scalar ``node`` over the positional ``axes`` of array notation and the user's own free indices.

    ``ranges`` holds, for each of the user's free indices, one range of every size it was seen with: more than
    one only in a sum of terms, where each term may give an index another size.
    """

    node: Scalar
    axes: tuple[Index, ...] = ()
    shape: tuple[int, ...] = ()
    ranges: Ranges = field(default_factory=lambda: NO_RANGES)
    text: str = ""
    binding: int = ATOM

    def wrapped(self, level: int) -> str:
        """The text, in parentheses if it binds less tightly than ``level``."""
        return f"({self.text})" if self.binding < level else self.text


def merge_ranges(*parts: Ranges) -> Ranges:
    """The ranges of all parts: per index, one range of every size."""
    filled = [part for part in parts if part]
    if len(filled) <= 1:
        return filled[0] if filled else NO_RANGES
    merged: dict[Index, tuple[Range, ...]] = {}
    for part in filled:
        for index, ranges in part.items():
            known = merged.get(index, ())
            sizes = {(r.size, r.shifted) for r in known}
            merged[index] = known + tuple(r for r in ranges if (r.size, r.shifted) not in sizes)
    return merged


def check_ranges(ranges: Ranges, subject: str, more_to_come: bool = False) -> None:
    """Every index has one size; on longer axes it has neighbours, or gets some if there is ``more_to_come``.

    Raises
    ------
    NotationError
        Naming both arrays, their axes and sizes.
    """
    for index, found in ranges.items():
        alone = [r for r in found if not r.shifted]
        least = min((r.size for r in alone), default=0)
        allowed = {least, *(r.size for r in found if r.shifted and _is_open(r))}
        for r in alone:
            if r.size not in allowed and not (more_to_come and _has_room(r) and all(a.symbol for a in alone)):
                other = next(a for a in alone if a.size != r.size)
                first, second = sorted((r, other), key=alone.index)
                raise size_conflict(subject, index, first, second)


def _has_room(r: Range) -> bool:
    """Whether units may stand on the axis that have neighbours."""
    return isinstance(r.symbol, Variable | Input) and r.axis < len(r.symbol.axes) and _is_open(r)


def _is_open(r: Range) -> bool:
    return r.symbol is not None and access_axes(r.symbol)[r.axis].boundary == "open"


def size_conflict(subject: str, index: Index, first: Range, second: Range) -> NotationError:
    """The error about an index that runs over axes of two sizes."""
    if isinstance(second.symbol, Parameter) and not isinstance(first.symbol, Parameter):
        first, second = second, first
    reason = f"index {index.name} runs over {first} and {second}"
    if first.symbol is None:
        return complaint(NotationError, subject, reason, "Use another index for one of them.")
    shape = [axis.size for axis in access_axes(first.symbol)]
    shape[first.axis] = second.size
    remedy = f"Give {first.owner} the shape {tuple(shape)}, or use another index."
    return complaint(NotationError, subject, reason, remedy)


def is_literal(node: Scalar) -> bool:
    """Whether the node is a number written in place: multiplying by it leaves terms what they are."""
    match node:
        case Number():
            return True
        case Access(Constant(shown=str()), ()):
            return True
        case Pow(base, _):
            return is_literal(base)
        case Mul(factors):
            return all(is_literal(factor) for factor in factors)
        case _:
            return False


def product(*nodes: Scalar) -> Scalar:
    """A product; products among the factors are merged into it."""
    factors: list[Scalar] = []
    for node in nodes:
        factors.extend(node.factors if isinstance(node, Mul) else (node,))
    return Mul(tuple(factors))


def addition(*nodes: Scalar) -> Scalar:
    """A sum; sums among the terms are merged into it, so that long sums do not nest."""
    terms: tuple[Scalar, ...] = ()
    for node in nodes:
        terms += node.terms if isinstance(node, Add) else (node,)
    return Add(terms)


def negative(node: Scalar) -> Scalar:
    """Minus the node."""
    if isinstance(node, Number):
        return Number(-node.value)
    return product(Number(Fraction(-1)), node)


def written(text: str) -> str:
    """The text of an expression at a bounded length, so that building long expressions stays cheap."""
    return shorten(text, _LONGEST_TEXT)
