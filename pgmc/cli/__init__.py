"""The command line. What is slow to import is imported by the command that needs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command of the arguments (by default those of the process), and exit with its status."""
    from pgmc.cli.app import run

    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run_spec(file: str) -> None:
    """What a specification does when it is run as a script: ``pgmc train`` on itself.

    With no arguments it trains for a few epochs on the packaged digits and writes no files; with arguments they are
    those of ``pgmc train`` from the data on.
    """
    main(["train", file, *(sys.argv[1:] or ["digits", "--epochs", "40", "--no-write"])])
