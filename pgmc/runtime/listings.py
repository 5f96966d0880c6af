"""Lists that kernels go through: the edges at each unit, the entries of a sparse mask in each row or column."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.errors import InternalError
from pgmc.ir.symbols import Constant, Parameter, Symbol

Array = npt.NDArray[Any]


def make_listing(symbol: Symbol, axis: int, places: int) -> tuple[Array, Array]:
    """What stands at each place: ``members[starts[k]:starts[k + 1]]`` at place k, in ascending order.

    Parameters
    ----------
    symbol
        A table of places, whose members are the positions of its entries; or a parameter with a mask, whose members
        are the positions of the ones along the other axis.
    axis
        The axis of the mask that the places are on.
    places
        How many places there are at most.

    Returns
    -------
    starts : ndarray of shape (places + 1,), int64
    members : ndarray, int64
    """
    match symbol:
        case Constant(value=value):
            at = np.rint(np.asarray(value)).astype(np.int64)
            members = np.argsort(at, kind="stable")
        case Parameter(constraint=constraint):
            at, members = np.nonzero(np.moveaxis(np.asarray(constraint.mask), axis, 0))
        case _:
            raise InternalError(f"{symbol.name} lists nothing. Please report this.")
    starts = np.append(0, np.cumsum(np.bincount(at, minlength=places)))
    return starts.astype(np.int64), np.ascontiguousarray(members, dtype=np.int64)
