"""One registry of names per kernel, so that no two things in the source share one."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable

from pgmc.codegen.prelude import helper_names

_KERNEL_WORDS = {"np", "math", "njit", "helper", "sweep", "color", "r0", "r1", "first", "last", "summing", "leap"}
KERNEL_ARGUMENTS = ("key_0", "key_1", "first_chain", "first_sweep", "sweeps", "weights")


class NameRegistry:
    """Hands out identifiers: the wished one if it is free, else with a number.

    ``reserved`` are names that nobody gets; ``locals`` are the names that hold a number rather than an array.
    """

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._taken = {*reserved, *_KERNEL_WORDS, *KERNEL_ARGUMENTS, *keyword.kwlist, *dir(builtins)}
        self._taken |= {*helper_names("float32"), *helper_names("float64")}
        self.locals: set[str] = set()

    def claim_local(self, wish: str) -> str:
        """A name for a number."""
        name = self.claim(wish)
        self.locals.add(name)
        return name

    def claim(self, wish: str) -> str:
        """A name nobody has, as close to the wish as possible."""
        name, k = wish, 1
        while name in self._taken:
            k += 1
            name = f"{wish}_{k}"
        self._taken.add(name)
        return name
