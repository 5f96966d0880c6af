"""A helper function of generated modules, as text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Helper:
    """One piece of text and the names of the pieces that it uses."""

    text: str
    uses: tuple[str, ...] = ()
