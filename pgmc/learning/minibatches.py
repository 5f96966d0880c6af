"""The order in which training examples are seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


def count_batches(rows: int, batch_size: int) -> int:
    """Minibatches in an epoch, a last smaller one included."""
    return -(-rows // batch_size)


def minibatches(
    data: Mapping[str, Array], batch_size: int, generator: np.random.Generator
) -> Iterator[dict[str, Array]]:
    """Every row of the data once, in random order, ``batch_size`` at a time; the last batch has what is left."""
    rows = len(next(iter(data.values())))
    order = generator.permutation(rows)
    for first in range(0, rows, batch_size):
        chosen = order[first : first + batch_size]
        yield {name: values[chosen] for name, values in data.items()}
