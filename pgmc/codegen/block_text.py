"""The text of loops over blocks of units: from ``first`` up to, and without, ``last``."""

from __future__ import annotations

BLOCK = 24
"""Units of a block: a multiple of the six rows that ``multiply`` takes together. Each unit corrects those after it in
its block, so that a block of twice as many needs twice as many corrections."""


def block_head(length: str, backward: bool) -> tuple[str, str]:
    """The line that opens the loop, and the first line within."""
    if backward:
        return f"for last in range({length}, 0, -{BLOCK}):", f"first = max(last - {BLOCK}, 0)"
    return f"for first in range(0, {length}, {BLOCK}):", f"last = min(first + {BLOCK}, {length})"


def range_in_block(after: str | None, backward: bool) -> str:
    """The units of the block, or those of it that come after one of them."""
    if after is None:
        return "range(last - 1, first - 1, -1)" if backward else "range(first, last)"
    return f"range(first, {after})" if backward else f"range({after} + 1, last)"
