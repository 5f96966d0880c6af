"""Models that are still being declared, as functions take them that want a finished one."""

from __future__ import annotations

from typing import Protocol

from pgmc.ir.model import Model


class Specification(Protocol):
    """What a user declares a model with."""

    def build(self) -> Model:
        """The finished model."""
        ...


def finish(model: Model | Specification) -> Model:
    """The finished model."""
    return model if isinstance(model, Model) else model.build()
