"""Everything that changes during a fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy.typing as npt

from pgmc.learning.history import History

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]


@dataclass
class RunState:
    """What a fit has come to; a checkpoint is a copy of it.

    Attributes
    ----------
    values
        The coordinates of the parameters, which steps move in place.
    memory
        What the optimiser remembers.
    objective
        What the objective remembers.
    step, epoch
        Steps and epochs done. Random draws are keyed by them, so that no generator has a state to save.
    rows
        The history, one dict per epoch.
    sound
        The last parameters of a model with real units at which a gradient could be estimated; not in checkpoints.
    """

    values: Arrays
    memory: Arrays
    objective: Arrays
    step: int = 0
    epoch: int = 0
    rows: list[dict[str, float]] = field(default_factory=list)
    sound: Arrays = field(default_factory=dict)

    @property
    def history(self) -> History:
        """The rows so far, as columns."""
        return History.of_rows(self.rows)
