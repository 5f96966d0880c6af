"""What a run shows while it works: a bar or a spinner on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgmc.learning.progress import Bar, Lines, Progress

if TYPE_CHECKING:
    from rich.console import Console

HEAD = 14
"""The width of the heads of lines, that of a program's report."""

MILESTONES = 10


class Milestones(Lines):
    """A line for every tenth of the epochs: what a log has room for."""

    def epoch(self, row: Mapping[str, float]) -> None:
        """Print the line, if it is one of those."""
        every = max(1, -(-self.epochs // MILESTONES))
        if int(row["epoch"]) % every == 0 or int(row["epoch"]) == self.epochs:
            super().epoch(row)


def choose_progress() -> Progress:
    """How training is shown."""
    return Bar() if sys.stderr.isatty() else Milestones()


@dataclass
class Teller:
    """Says what goes on in a part of a run: one line that changes on a terminal, a line each elsewhere."""

    write: Callable[[str], None]
    changes: bool
    doing: str = ""

    def say(self, doing: str) -> None:
        """Something else begins."""
        self.doing = doing
        self.write(doing)

    def step(self, done: int, total: int) -> None:
        """So much of it is done; shown only where the line can change."""
        if self.changes:
            self.write(f"{self.doing}, {100 * done // total} %")


SILENT = Teller(lambda text: None, changes=False)


@contextmanager
def phase(console: Console, name: str, done: Callable[[], str]) -> Iterator[Teller]:
    """A named part of a run, that ends with a line of what was done and how long it took."""
    began = time.perf_counter()
    if console.is_terminal:
        with console.status(name) as status:
            yield Teller(lambda text: status.update(f"{name:<{HEAD}}{text}"), changes=True)
    else:
        yield Teller(
            lambda text: console.print(f"{name:<{HEAD}}{text}", soft_wrap=True, highlight=False), changes=False
        )
    seconds = time.perf_counter() - began
    console.print(f"{name:<{HEAD}}{done()} in {seconds:.1f} s", soft_wrap=True, highlight=False)
