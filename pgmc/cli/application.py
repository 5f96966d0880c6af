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
    help="""From the energy of a model to its conditionals, samplers, gradients and code.

    Begin with `pgmc show rbm`, then `pgmc train rbm digits`, and open the report that it wrote. In place of the name of
    a model every command takes a Python file of your own with a function `model(**sizes)` that returns a `pgmc.Model`;
    its sizes are options, such as `--hidden 64`.

    The status is 0 if all went well, 1 if something is wrong with what was asked for, 2 if the command itself was
    not understood, and 130 after Ctrl-C. `PGMC_DEBUG=kernels` tells of each kernel on the standard error,
    `PGMC_CACHE_DIR` names the folder that they are kept in.
    """,
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
