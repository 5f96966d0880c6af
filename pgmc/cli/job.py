"""``pgmc train``: train a model, measure it, and write down everything that came out."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pgmc.cli.evaluation import Evaluation, evaluate
from pgmc.cli.folder import check_replaceable, complete_folder
from pgmc.cli.page import Contents, build_page, can_report
from pgmc.cli.pictures import find_filters, has_matplotlib, png, strongest, thumbnails
from pgmc.cli.progress import HEAD, choose_progress, phase
from pgmc.cli.record import HISTORY, MODEL, RECORD, RunRecord
from pgmc.cli.task import Task
from pgmc.cli.training import rehearse, train
from pgmc.cli.wording import data_line, likelihood_rows, mixing_line, partition_rows, settings_line
from pgmc.learning.history import History
from pgmc.learning.report import Fit
from pgmc.program.training import save

if TYPE_CHECKING:
    from rich.console import Console

FILES = ("report.html", "samples.png", "filters.png", HISTORY, MODEL, RECORD)
"""What a run writes."""

WIDTH = 120
"""What lines of samples may take at most, and take where there is no terminal."""


def run_job(task: Task, out: Path | None, command: str, console: Console) -> Evaluation | None:
    """Train and measure the model of a task, and write what came out to ``out`` unless it is None.

    The folder is complete or absent: nothing is left of a run that fails. After Ctrl-C while it is measured, the folder
    holds what was learned, and None is returned.
    """
    if out is not None:
        check_replaceable(out, FILES)
    _print(console, describe(task))
    modules = task.program.compiler.modules
    with phase(console, "compile", lambda: f"{len(modules)} kernels ready") as teller:
        teller.say("kernels (the first time this takes a while; they are kept)")
        rehearse(task)
    fit = train(task, choose_progress())
    seconds = float(np.sum(fit.history.get("seconds", 0.0)))
    how = "interrupted: what was learned is kept; " if fit.stopped else ""
    _print(console, [f"{'train':<{HEAD}}{how}{fit.history.epochs} epochs, {fit.steps} steps in {seconds:.1f} s"])
    try:
        with phase(console, "evaluate", lambda: "done") as teller:
            evaluation = evaluate(task, fit.params, teller)
    except KeyboardInterrupt:
        if out is None:
            raise
        write_results(task, fit, None, out, command)
        _print(console, ["interrupted while it was measured; what was learned is kept", *_written(out)])
        return None
    _print(console, ["", *outcome(task, evaluation, min(console.width, WIDTH) if console.is_terminal else WIDTH)])
    if out is not None:
        write_results(task, fit, evaluation, out, command)
        _print(console, ["", *_written(out)])
    return evaluation


def describe(task: Task) -> list[str]:
    """The data, and everything that was derived from the declaration."""
    lines = [f"{'data':<{HEAD}}{data_line(task)}", *str(task.program).splitlines()]
    if task.refusal is None and len(task.observed) < len(task.program.model.variables):
        equations = task.program.gradient_equations(task.observed)
        lines += [f"{'':<{HEAD}}{equation}" for equation in equations.values() if equation.group == "gradients"]
    return [*lines, ""]


def outcome(task: Task, evaluation: Evaluation, width: int) -> list[str]:
    """The numbers, the warnings and a few samples, for the terminal."""
    last = evaluation.samples[task.image][:, -1]
    return [
        *_columns([("nats per image", "train", "test"), *likelihood_rows(evaluation)]),
        "",
        *_columns([("log Z", "nats", "", "weights worth"), *partition_rows(evaluation)]),
        "",
        mixing_line(evaluation),
        *(f"WARNING: {text}" for text in evaluation.warnings),
        *(f"note: {text}" for text in evaluation.remarks),
        "",
        "samples, each from a chain of its own:",
        *thumbnails(task.encoding.grey(last), task.images.shape, width),
    ]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as a table: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(others, widths[1:], strict=True))]
        lines.append("   ".join(cells).rstrip())
    return lines


def write_results(task: Task, fit: Fit, evaluation: Evaluation | None, out: Path, command: str) -> None:
    """Write the folder of a run, whole; without an evaluation what was learned is there all the same."""
    training = settings_line(task, fit)
    record = RunRecord(command, task.images.source, task.seed, training, asdict(task.settings), task.spec.source)
    with complete_folder(out, FILES) as folder:
        save(folder / MODEL, task.model, fit.params)
        (folder / HISTORY).write_text(history_csv(fit.history), encoding="utf-8")
        (folder / RECORD).write_text(record.text(), encoding="utf-8")
        if evaluation is None:
            return
        if can_report():
            contents = Contents(
                task.program,
                command,
                spec=task.spec.source or None,
                params=fit.params,
                task=task,
                evaluation=evaluation,
                history=fit.history,
                settings=training,
            )
            (folder / "report.html").write_text(build_page(contents), encoding="utf-8")
        if has_matplotlib():
            for name, sheet in draw(task, fit, evaluation).items():
                (folder / f"{name}.png").write_bytes(png(sheet))


def draw(task: Task, fit: Fit, evaluation: Evaluation) -> dict[str, Any]:
    """The sheets of samples and of filters, if there are any."""
    from pgmc.inspection.pictures import filter_sheet, sample_sheet

    shape = task.images.shape
    sheets = {"samples": sample_sheet(evaluation.greys[:100], shape)}
    found = find_filters(task, fit.params)
    if found is not None:
        sheets["filters"] = filter_sheet(strongest(found[1]), shape)
    return sheets


def history_csv(history: History) -> str:
    """The history as a table of comma-separated values, one line an epoch."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(history)
    writer.writerows([repr(value) for value in row.values()] for row in history.rows())
    return text.getvalue()


def _written(out: Path) -> list[str]:
    names = [name for name in FILES if (out / name).exists()]
    lines = [f"{'wrote':<{HEAD}}{out}{'/' if names else ''}: {', '.join(names)}"]
    if not has_matplotlib():
        lines.append(f'{"":<{HEAD}}for pictures: pip install "pgmc[plot]"')
    if not can_report():
        lines.append(f'{"":<{HEAD}}for a report: pip install "pgmc[report]"')
    return lines


def _print(console: Console, lines: Sequence[str]) -> None:
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
