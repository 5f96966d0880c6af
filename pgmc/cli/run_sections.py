"""The sections of a report about a trained model: how good it is, what it learned, how its chains move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.cli.evaluation import Evaluation
from pgmc.cli.pictures import find_filters, png, strongest
from pgmc.cli.task import Task
from pgmc.cli.wording import METHODS, likelihood_rows, mixing_line, partition_rows
from pgmc.errors import PgmcError
from pgmc.inspection.charts import chain_traces, energy_histogram, history_curves, weight_histogram
from pgmc.inspection.page import Block, Figure, Figures, Section, Table, Text
from pgmc.inspection.pictures import filter_sheet, reconstruction_sheet, sample_sheet
from pgmc.program.program import Program
from pgmc.runtime.samples import Samples

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]

SHOWN = 100
RECONSTRUCTED = 40
RECONSTRUCTION_SWEEPS = 10
SHORT = {"ais": "AIS", "reverse-ais": "reverse AIS"}
LEFT_OUT = ("epoch", "learning_rate", "seconds")
"""Columns of a history that say nothing of the model."""


def quality_section(evaluation: Evaluation, pictures: bool) -> Section:
    """Log-likelihoods with their errors and methods, log Z, and the weights that its estimates rest on."""
    blocks: list[Block] = [
        Table(("log-likelihood, nats per image", "train", "test"), likelihood_rows(evaluation)),
        Text("± is the standard error over images; that of log Z, below, is common to all of them."),
    ]
    if evaluation.estimates:
        blocks.append(Table(("log Z", "nats", "", "weights worth"), partition_rows(evaluation)))
    if pictures:
        figures = [
            Figure(
                f"weights of {estimate.method}",
                png(weight_histogram(estimate.log_weights, None, SHORT[estimate.method], float(estimate.value))),
                f"Log importance weights of the chains, {METHODS[estimate.method]}.",
            )
            for estimate in evaluation.estimates
            if estimate.log_weights is not None and np.isfinite(estimate.log_weights).all()
        ]
        blocks += [Figures(figures)] if figures else []
    return Section("How good it is", blocks)


def learned_section(task: Task, params: Arrays, evaluation: Evaluation | None) -> Section | None:
    """Samples beside data, reconstructions and filters; None if there is nothing to draw."""
    figures = [*_samples(task, evaluation), _data(task), *_reconstructions(task, params), *_filters(task, params)]
    return Section("What it learned", [Figures(figures)])


def training_section(history: Mapping[str, Array]) -> Section | None:
    """One curve for each recorded quantity; None if nothing was recorded."""
    figures = []
    for name, values in history.items():
        if name not in LEFT_OUT and np.isfinite(np.asarray(values, dtype=np.float64)).any():
            chart = history_curves({"epoch": history["epoch"], name: values} if "epoch" in history else {name: values})
            figures.append(Figure(name, png(chart), f"The {name.replace('_', ' ')} of each epoch."))
    return Section("Training", [Figures(figures)]) if figures else None


def chains_section(
    program: Program, params: Arrays, samples: Samples, words: str, data: Arrays | None, pictures: bool
) -> Section:
    """Whether chains mix; their energies along the way, and beside those of the data."""
    blocks: list[Block] = [Text(words)]
    if pictures and np.isfinite(samples.energies).all() and samples.energies.shape[1] >= 4:
        caption = "The energy along some of the chains, and in all of them."
        figures = [Figure("traces", png(chain_traces(samples.energies)), caption, wide=True)]
        compared = _compared(program, params, samples, data)
        if compared is not None:
            caption = "Free energies of data and of chains: alike where the model fits and its chains mix."
            figures.append(Figure("energies", png(energy_histogram(compared, name="free energy, nats")), caption))
        blocks.append(Figures(figures))
    return Section("Chains", blocks)


def mixing_words(evaluation: Evaluation) -> str:
    """Whether the chains of an evaluation agree, in words."""
    return mixing_line(evaluation)


def _compared(program: Program, params: Arrays, samples: Samples, data: Arrays | None) -> dict[str, Array] | None:
    """Free energies of data and of the last states; None where there is no closed form, or no data."""
    if data is None:
        return None
    last = {name: samples[name][:, -1] for name in data if name in samples}
    try:
        return {
            "training data": program.free_energy(params, data),
            "chains": program.free_energy(params, {**data, **last} if len(last) < len(data) else last),
        }
    except PgmcError:  # units that interact: then there is a bound, and nothing to compare
        return None


def _samples(task: Task, evaluation: Evaluation | None) -> list[Figure]:
    if evaluation is None:
        return []
    shape, count = task.images.shape, min(SHOWN, len(evaluation.greys))
    last = task.encoding.grey(evaluation.samples[task.image][:count, -1])
    mean = "Samples: the mean grey level of each pixel given the last state of the other variables, one tile a chain."
    return [
        Figure("samples", png(sample_sheet(evaluation.greys[:count], shape)), mean),
        Figure("states", png(sample_sheet(last, shape)), "The same samples as states that were drawn."),
    ]


def _data(task: Task) -> Figure:
    grey = task.encoding.grey(task.train[task.image][:SHOWN])
    return Figure("data", png(sample_sheet(grey, task.images.shape)), "Training images, as the model sees them.")


def _reconstructions(task: Task, params: Arrays) -> list[Figure]:
    """Test images above what the model makes of them: the rest drawn given the image, the image given the rest."""
    if len(task.observed) == len(task.program.model.variables):
        return []
    observed = {name: states[:RECONSTRUCTED] for name, states in task.test.items()}
    rows = len(observed[task.image])
    given = task.program.sample(
        params, chains=rows, sweeps=RECONSTRUCTION_SWEEPS, clamp=observed, seed=task.seed, threads=task.threads
    )
    found = task.program.conditional(task.image).evaluate(params, dict(given.last), threads=task.threads)
    made = task.encoding.expected_grey(found["probs"] if "probs" in found else found["mean"])
    sheet = reconstruction_sheet(task.encoding.grey(observed[task.image]), made, task.images.shape, columns=10)
    caption = "Test images, and below each its mean given the other variables, which were drawn given the image."
    return [Figure("reconstructions", png(sheet), caption)]


def _filters(task: Task, params: Arrays) -> list[Figure]:
    found = find_filters(task, params)
    if found is None:
        return []
    name, filters = found
    caption = f"Filters: {name} of each unit, blue for positive and red for negative weights."
    return [Figure("filters", png(filter_sheet(strongest(filters), task.images.shape)), caption)]
