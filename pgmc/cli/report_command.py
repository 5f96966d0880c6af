"""``pgmc report``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from pgmc.cli.application import app, cannot_write, say

if TYPE_CHECKING:
    from pgmc.cli.page import Contents

CHAINS, SWEEPS, KEPT = 50, 1000, 200


@app.command
def report(
    source: str,
    data: str | None = None,
    /,
    *,
    out: Annotated[Path, Parameter(alias="-o")] = Path("report.html"),
    seed: int = 0,
    threads: int | None = None,
    **sizes: int,
) -> None:
    """Write one page of HTML about a model: what was derived, its code, and what is known of its parameters.

    The page needs no network. Of a specification it shows the declaration, the graph, the equations with their steps
    and the generated code; of a saved model also how its chains move; with data, or of a run, also likelihoods with
    their errors, samples, reconstructions, filters and learning curves.

    Parameters
    ----------
    source
        A name from `pgmc models`, a Python file, a .pgmc file, or the folder of a run that `pgmc train` wrote.
    data
        For a .pgmc file: `digits`, `mnist5k`, or a .npy, .npz or .csv file to measure it on.
    out
        The file to write to.
    seed
        Of the chains of a .pgmc file.
    threads
        Threads; the numbers do not depend on them. One for each core by default.
    sizes
        Sizes of a specification, such as `--hidden 64`.
    """
    from pgmc.cli.page import build_page
    from pgmc.inspection.markup import write_atomically

    path = Path(source)
    command = shlex.join(["pgmc", "report", source, *([data] if data else [])])
    if path.is_dir():
        contents = _of_run(path, threads)
    elif path.suffix == ".pgmc":
        contents = _of_model(path, data, command, seed, threads)
    else:
        contents = _of_specification(source, command, sizes)
    page = build_page(contents).encode()
    try:
        write_atomically(out, page)
    except OSError as error:
        raise cannot_write(out, error) from None
    say(f"wrote {out}: {len(page) / 1024:,.0f} KiB")


def _of_specification(name: str, command: str, sizes: dict[str, int]) -> Contents:
    from pgmc.cli.catalogue import find_spec
    from pgmc.cli.page import Contents
    from pgmc.program.program import compile

    spec = find_spec(name)
    return Contents(compile(spec.model(**sizes)), command, spec=spec.source or None)


def _of_model(path: Path, data: str | None, command: str, seed: int, threads: int | None) -> Contents:
    from pgmc.cli.page import Contents
    from pgmc.program.program import compile
    from pgmc.program.training import load

    if data is not None:
        return _measured(path, data, {}, seed, threads, command=command)
    model, params = load(path)
    program = compile(model)
    if program.model.inputs:
        return Contents(program, command, params=params)
    samples = program.sample(params, chains=CHAINS, sweeps=SWEEPS, keep=KEPT, seed=seed, threads=threads)
    return Contents(program, command, params=params, samples=samples, mixing=_mixing(samples))


def _of_run(folder: Path, threads: int | None) -> Contents:
    from pgmc.cli.record import MODEL, read_history, read_record

    record = read_record(folder)
    return _measured(
        folder / MODEL,
        record.data,
        dict(record.settings),
        record.seed,
        threads,
        command=record.command,
        spec=record.spec or None,
        history=read_history(folder),
        settings=record.training,
    )


def _measured(path: Path, data: str, options: dict[str, Any], seed: int, threads: int | None, **about: Any) -> Contents:
    """A saved model, measured on data as ``pgmc train`` measures it."""
    from pgmc.cli.catalogue import Spec
    from pgmc.cli.evaluation import evaluate
    from pgmc.cli.page import Contents
    from pgmc.cli.progress import phase
    from pgmc.cli.task import build_task_for
    from pgmc.program.training import load

    model, params = load(path)
    task = build_task_for(Spec(model.name, "", lambda: model, {}), data, {}, options, seed, threads)
    with phase(Console(), "evaluate", lambda: "done") as teller:
        evaluation = evaluate(task, params, teller)
    return Contents(task.program, params=params, task=task, evaluation=evaluation, **about)


def _mixing(samples: Any) -> str:
    """R-hat and the effective sample size of the energy."""
    import math

    from pgmc.evaluation.diagnostics import effective_sample_size, potential_scale_reduction

    energies = samples.energies
    rhat, effective = float(potential_scale_reduction(energies)), float(effective_sample_size(energies))
    if math.isnan(rhat):
        return "The energy of the chains never changes."
    return (
        f"{energies.shape[0]} chains of {SWEEPS} sweeps from random states: R-hat of the energy is {rhat:.3f}, and "
        f"{energies.size} recorded draws are worth {effective:.0f}."
    )
