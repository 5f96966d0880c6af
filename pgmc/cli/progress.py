"""What a run shows while it works: a bar or a spinner on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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


@contextmanager
def phase(console: Console, name: str) -> Iterator[Callable[[str], None]]:
    """A named part of a run; it yields a function that is told what goes on."""
    if console.is_terminal:
        with console.status(name) as status:
            yield lambda text: status.update(f"{name:<{HEAD}}{text}")
    else:
        yield lambda text: console.print(f"{name:<{HEAD}}{text}", soft_wrap=True, highlight=False)


@contextmanager
def timed(console: Console, name: str, done: Callable[[], str]) -> Iterator[Callable[[str], None]]:
    """A phase that ends with a line of what was done and how long it took."""
    began = time.perf_counter()
    with phase(console, name) as tell:
        yield tell
    seconds = time.perf_counter() - began
    console.print(f"{name:<{HEAD}}{done()} in {seconds:.1f} s", soft_wrap=True, highlight=False)
