"""What a fit recorded: one number per epoch in each column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


class History(dict[str, npt.NDArray[Any]]):
    """Name of a column -> ``(epochs,)`` values. ``pandas.DataFrame(history)`` makes a table of it."""

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, float]]) -> History:
        """Columns from one mapping per epoch; NaN where an epoch has no value."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = {name: np.array([row.get(name, np.nan) for row in rows], dtype=np.float64) for name in names}
        if "epoch" in columns:
            columns["epoch"] = columns["epoch"].astype(np.int64)
        return cls(columns)

    def rows(self) -> list[dict[str, float]]:
        """One dict per epoch, the inverse of ``of_rows``."""
        return [{name: values[k].item() for name, values in self.items()} for k in range(self.epochs)]

    @property
    def epochs(self) -> int:
        """The number of epochs recorded."""
        return len(next(iter(self.values()))) if self else 0

    def __str__(self) -> str:
        """A table; of a long history the first and the last epochs."""
        if not self:
            return "(no epochs)"
        shown = list(range(self.epochs))
        if self.epochs > 20:
            shown = [*shown[:5], -1, *shown[-14:]]
        lines = [[name.replace("_", " ") for name in self]]
        lines += [["…"] * len(self) if k < 0 else [_cell(v[k]) for v in self.values()] for k in shown]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in lines)

    __repr__ = __str__


def _cell(value: Any) -> str:
    return str(value) if isinstance(value, np.integer) else f"{value:.4g}"
