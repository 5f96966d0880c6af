"""The commands that work on a model with parameters, as ``pgmc train`` or ``pgmc.save`` wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from pgmc.cli.application import app, cannot_write, say


@app.command
def sample(
    file: Path,
    /,
    *,
    chains: int = 100,
    sweeps: int = 1000,
    seed: int = 0,
    threads: int | None = None,
    out: Path | None = None,
) -> None:
    """Draw samples from a model that was trained.

    Parameters
    ----------
    file
        What `pgmc train` or `pgmc.save` wrote.
    chains
        Independent chains; the last state of each is a sample.
    sweeps
        Updates of every unit in each chain.
    seed
        The same seed gives the same samples.
    threads
        Threads; the samples do not depend on them. One for each core by default.
    out
        The .npz file to write to, samples.npz beside the model by default.
    """
    import numpy as np

    from pgmc.inspection.markup import write_atomically
    from pgmc.program.program import compile
    from pgmc.program.training import load

    model, params = load(file)
    program = compile(model)
    last = program.sample(params, chains=chains, sweeps=sweeps, seed=seed, threads=threads).last
    states = {name: np.asarray(values) for name, values in last.items()}
    energy = program.energy(params, states, threads=threads)
    path = file.with_name("samples.npz") if out is None else out
    try:
        write_atomically(path, _npz(states))
    except OSError as error:
        raise cannot_write(path, error) from None
    say(f"energy {energy.mean():.2f} ± {energy.std():.2f} nats over {chains} chains after {sweeps} sweeps")
    say(f"wrote {path}: {', '.join(f'{name} {values.shape}' for name, values in states.items())}")


def _npz(states: Mapping[str, Any]) -> bytes:
    import io

    import numpy as np

    buffer = io.BytesIO()
    np.savez_compressed(buffer, **states)
    return buffer.getvalue()


@app.command
def evaluate(
    file: Path,
    data: str = "digits",
    /,
    *,
    annealing_steps: int | None = None,
    annealing_chains: int | None = None,
    sweeps: int | None = None,
    seed: int = 0,
    threads: int | None = None,
) -> None:
    """Measure a model that was trained: log Z, the log-likelihood of data, and whether its chains mix.

    Parameters
    ----------
    file
        What `pgmc train` or `pgmc.save` wrote.
    data
        `digits`, `mnist5k`, or a .npy, .npz or .csv file.
    annealing_steps
        Inverse temperatures of annealed importance sampling.
    annealing_chains
        Chains of annealed importance sampling.
    sweeps
        Of the chains whose mixing is judged.
    seed
        The same seed gives the same numbers.
    threads
        Threads; the numbers do not depend on them. One for each core by default.
    """
    from pgmc.cli.catalogue import Spec
    from pgmc.cli.evaluation import evaluate
    from pgmc.cli.job import outcome
    from pgmc.cli.progress import phase
    from pgmc.cli.task import build_task_for
    from pgmc.program.training import load

    model, params = load(file)
    options = {
        "annealing_steps": annealing_steps,
        "annealing_chains": annealing_chains,
        "sampling_sweeps": sweeps,
    }
    given = {name: value for name, value in options.items() if value is not None}
    task = build_task_for(Spec(model.name, "", lambda: model, {}), data, {}, given, seed, threads)
    console = Console()
    with phase(console, "evaluate", lambda: "done") as teller:
        evaluation = evaluate(task, params, teller)
    for line in outcome(task, evaluation, console.width if console.is_terminal else 120):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
