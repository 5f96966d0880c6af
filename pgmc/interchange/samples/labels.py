"""Names for the units of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


def columns_of(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """One column for each unit of ``(chains, draws, *shape)`` arrays, chain by chain: ``v[3]``, ``s[0, 2]``, ``y``."""
    columns: dict[str, Array] = {}
    for name, array in arrays.items():
        for place in np.ndindex(array.shape[2:]):
            label = f"{name}[{', '.join(map(str, place))}]" if place else name
            columns[label] = array[(slice(None), slice(None), *place)].ravel()
    return columns
