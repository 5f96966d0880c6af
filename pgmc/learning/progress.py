"""Showing how a fit gets on. Anything with the methods of ``Progress`` can take the place of what is here."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol, TextIO, runtime_checkable

from pgmc.errors import ArgumentError


@runtime_checkable
class Progress(Protocol):
    """What ``fit`` tells of its progress."""

    def start(self, epochs: int, steps: int, done: int) -> None:
        """A fit of ``epochs`` epochs of ``steps`` steps begins, ``done`` epochs of which an earlier run has done."""
        ...

    def step(self) -> None:
        """One gradient step is done."""
        ...

    def epoch(self, row: Mapping[str, float]) -> None:
        """An epoch is done; ``row`` is its row of the history."""
        ...

    def stop(self) -> None:
        """The fit has ended, in whatever way."""
        ...


SHOWN = ("gradient_norm", "free_energy_gap", "energy_gap", "log_likelihood")
"""Metrics that are shown, and those of the validation set."""


def describe(row: Mapping[str, float]) -> str:
    """The shown metrics of an epoch, in one line."""
    names = [name for name in row if name in SHOWN or name.startswith("validation_")]
    return "  ".join(f"{name.replace('_', ' ')} {row[name]:.4g}" for name in names)


class Silent:
    """Shows nothing."""

    def start(self, epochs: int, steps: int, done: int) -> None:
        """Nothing."""

    def step(self) -> None:
        """Nothing."""

    def epoch(self, row: Mapping[str, float]) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


class Lines:
    """One plain line per epoch, for logs and pipes."""

    def __init__(self, file: TextIO | None = None) -> None:
        self.file = file

    def start(self, epochs: int, steps: int, done: int) -> None:
        """Remember when the fit began."""
        self.epochs, self.first, self.began = epochs, done, time.perf_counter()

    def step(self) -> None:
        """Nothing: lines are for epochs."""

    def epoch(self, row: Mapping[str, float]) -> None:
        """Print the line."""
        done = int(row["epoch"])
        each = (time.perf_counter() - self.began) / max(done - self.first, 1)
        left = f"{each * (self.epochs - done):.0f} s left"
        line = f"epoch {done}/{self.epochs}  {describe(row)}  {row['seconds']:.2f} s  {left}"
        print(line, file=self.file or sys.stderr, flush=True)

    def stop(self) -> None:
        """Nothing."""


class Bar:
    """A bar with the time left and the metrics of the last epoch, drawn by rich."""

    def start(self, epochs: int, steps: int, done: int) -> None:
        """Draw the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress
        from rich.table import Column

        self.epochs = epochs
        self.bar: Any = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(16, table_column=Column(no_wrap=True)),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            TextColumn("left"),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[metrics]}", table_column=Column()),  # what wraps in a narrow terminal
            console=Console(stderr=True),
        )
        self.task = self.bar.add_task(
            f"epoch {done}/{epochs}", total=epochs * steps, completed=done * steps, metrics=""
        )
        self.bar.start()

    def step(self) -> None:
        """Move the bar on."""
        self.bar.advance(self.task)

    def epoch(self, row: Mapping[str, float]) -> None:
        """Show the metrics."""
        text = f"epoch {int(row['epoch'])}/{self.epochs}"
        self.bar.update(self.task, description=text, metrics=describe(row))

    def stop(self) -> None:
        """Leave the bar as it is."""
        self.bar.stop()


def choose_progress(progress: bool | Progress) -> Progress:
    """A bar on a terminal, lines elsewhere, nothing for False, or the object given.

    Raises
    ------
    ArgumentError
        If it is neither a truth value nor has the methods of ``Progress``.
    """
    if progress is False:
        return Silent()
    if progress is True:
        return Bar() if sys.stderr.isatty() else Lines()
    if not isinstance(progress, Progress):
        raise ArgumentError(f"progress must be True, False, or have the methods of Progress, got {progress!r}.")
    return progress
