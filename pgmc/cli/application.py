"""The application that the commands are registered with, and how they talk."""

from __future__ import annotations

import sys
from pathlib import Path

from cyclopts import App

from pgmc.errors import ArgumentError, PgmcError

INTERRUPTED = 130
"""The exit status after Ctrl-C."""

app = App(
    name="pgmc",
    help="From the energy of a model to its conditionals, samplers, gradients and code.",
    suppress_keyboard_interrupt=False,
)


def version() -> str:
    """The installed version."""
    from importlib.metadata import version

    return version("pgmc")


app.version = version


def say(text: str) -> None:
    """Write one text and a newline to the standard output."""
    sys.stdout.write(f"{text}\n")


def cannot_write(path: Path, error: OSError) -> PgmcError:
    """The complaint about a file that cannot be written."""
    return ArgumentError(f"{path} cannot be written: {error.strerror}.")
