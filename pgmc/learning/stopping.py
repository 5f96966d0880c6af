"""Stopping before the last epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.learning.objective import check_count
from pgmc.learning.report import EpochReport


@dataclass(frozen=True)
class EarlyStopping:
    """A callback that ends the fit when a column of the history has not improved for ``patience`` epochs.

    Parameters
    ----------
    column
        Name of the column, such as ``"validation_log_likelihood"``.
    patience
        Epochs to wait for a better value.
    minimise
        Whether smaller is better.

    Raises
    ------
    ArgumentError
        If patience is below 1, or the history has no such column.
    """

    column: str
    patience: int = 5
    minimise: bool = True

    def __post_init__(self) -> None:
        check_count("EarlyStopping: patience", self.patience)

    def __call__(self, report: EpochReport) -> bool:
        """Whether to stop."""
        if self.column not in report.history:
            columns = ", ".join(report.history)
            raise ArgumentError(f"EarlyStopping: the history has no column {self.column!r}; it has {columns}.")
        values = report.history[self.column] * (1.0 if self.minimise else -1.0)
        best = int(np.argmin(np.where(np.isnan(values), np.inf, values)))
        return len(values) - 1 - best >= self.patience
