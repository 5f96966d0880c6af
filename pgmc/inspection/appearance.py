"""What drawings have in common: the colours of blocks and the words for a shape."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

Colours = tuple[str, str, str]  # fill, outline, text
PALETTE: tuple[Colours, ...] = (
    ("#e3effb", "#3b7dc4", "#173f6b"),
    ("#fdebd9", "#d9822b", "#7a4310"),
    ("#e1f4e8", "#35955f", "#164a2e"),
    ("#f2e6f8", "#8e55b3", "#4a2363"),
    ("#fbe3e6", "#c9485b", "#6e1c2a"),
    ("#dff3f4", "#2b8f98", "#0f4a50"),
    ("#f6f0d2", "#a88f1d", "#574a0a"),
)
GIVEN: Colours = ("#eceef1", "#8a94a3", "#3c4654")


def describe_shape(shape: Sequence[int]) -> str:
    """A shape for people: ``784 units``, ``28 × 28``, ``1 unit``."""
    if len(shape) < 2:
        return f"{prod(shape)} unit{'' if prod(shape) == 1 else 's'}"
    return " × ".join(map(str, shape))
