"""How the loops of a nest are made, where they do not run over a whole axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol, TypeAlias

from pgmc.codegen.loop_program import Statement
from pgmc.ir.nodes import Index

Body: TypeAlias = tuple[Statement, ...]
LoopKinds: TypeAlias = Mapping[Index, Callable[[Body], Statement]]
"""How the loops over some indices are made."""

PLAIN_LOOPS: LoopKinds = MappingProxyType({})


class Loops(Protocol):
    """Makes a nest of loops; sums met on the way are computed in the outermost loop that determines them."""

    def __call__(
        self,
        indices: tuple[Index, ...],
        innermost: Callable[[], Body],
        backward: bool = False,
        *,
        special: LoopKinds = PLAIN_LOOPS,
    ) -> Body: ...
