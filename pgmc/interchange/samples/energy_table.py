"""Draws as a table of pandas: one row each, with its energy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.interchange.optional import need
from pgmc.interchange.samples.labels import columns_of

Array: TypeAlias = npt.NDArray[Any]


def to_pandas(arrays: Mapping[str, Array], energies: Array | None, units: bool) -> Any:
    """The draws as a ``pandas.DataFrame`` with the index ``(chain, draw)``.

    Parameters
    ----------
    arrays
        Name -> ``(chains, draws, *shape)``.
    energies
        ``(chains, draws)`` in nats, the column ``energy``; None if they are not known.
    units
        Whether every unit has a column: ``v[3]``, ``s[0, 2]``.

    Raises
    ------
    ArgumentError
        If pandas is not installed.
    """
    pandas = need("pandas", "diag", "to_pandas")
    chains, draws = next(iter(arrays.values())).shape[:2]
    index = pandas.MultiIndex.from_product([range(chains), range(draws)], names=["chain", "draw"])
    columns: dict[str, Array] = {} if energies is None else {"energy": np.ravel(energies)}
    if units:
        columns |= columns_of(arrays)
    return pandas.DataFrame(columns, index=index)
