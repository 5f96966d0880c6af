"""Running a command. Each imports what it needs, so that help costs nothing."""

from __future__ import annotations

import os
import sys

from cyclopts import CycloptsError
from rich.console import Console

# Importing a module of commands registers them.
from pgmc.cli import house_commands, report_command, saved_commands, show_commands, train_command  # noqa: F401
from pgmc.cli.application import INTERRUPTED, app, version
from pgmc.errors import PgmcError

GREETING = """\
pgmc {version}: write the energy of a model, get its conditionals, samplers, gradients and the code of each.

  pgmc models              the models that come with it, and their energies
  pgmc show rbm            what is derived from one: conditionals, free energy, gradients
  pgmc compile rbm         the generated code
  pgmc train rbm digits    train it on handwritten digits and measure it
  pgmc sample FILE         draw from what was trained, and pgmc evaluate FILE measures it again
  pgmc report RUN          one page of HTML about a specification, a saved model or a run
  pgmc verify rbm          the generated code against brute force, on a small instance
  pgmc doctor              what it runs on

In place of the name of a model you may give a file of your own: a function model(**sizes) that returns a pgmc.Model.
"""


def run(arguments: list[str]) -> int:
    """Run a command; the exit status."""
    if not arguments:
        sys.stdout.write(GREETING.format(version=version()))
        return 0
    try:
        status = app(arguments, result_action="return_value", exit_on_error=False, print_error=True)
    except CycloptsError:
        return 2
    except PgmcError as error:
        Console(stderr=True).print(f"pgmc: {error}", soft_wrap=True, highlight=False, markup=False)
        return 1
    except KeyboardInterrupt:
        Console(stderr=True).print("pgmc: interrupted; nothing was written.")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status if isinstance(status, int) else 0
