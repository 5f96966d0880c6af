"""What reading another library's model gives."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy.typing as npt

from pgmc.dsl.model import Model


class Imported(NamedTuple):
    """A model and its parameters, made from those of another library: ``m, params, labels = pgmc.from_dimod(bqm)``.

    Attributes
    ----------
    model
        The specification; it can be extended, compiled and trained as any other.
    params
        Name -> array of the declared shape.
    labels
        Name of each variable -> what the other library calls its units, in order; for a file of Bayesian networks, what
        it calls the states of the variable.
    """

    model: Model
    params: dict[str, npt.NDArray[Any]]
    labels: dict[str, tuple[Hashable, ...]]
