"""The numbers of a run in words, the same on the terminal and in the report."""

from __future__ import annotations

import math

from pgmc.cli.evaluation import Evaluation
from pgmc.cli.task import Task
from pgmc.cli.training import choose_objective
from pgmc.evaluation.estimates import LogPartition
from pgmc.learning.report import Fit

METHODS = {"exact": "exact", "ais": "annealing up (AIS)", "reverse-ais": "annealing down (reverse AIS)"}


def data_line(task: Task) -> str:
    """The data, and the scheme by which grey levels became states."""
    train, test = len(task.images.train), len(task.images.test)
    return f"{task.images.title}; {train} to train on, {test} to test; {task.encoding}"


def likelihood_rows(evaluation: Evaluation) -> list[tuple[str, str, str]]:
    """Name, training images, test images; nats with the standard error over images."""
    rows = []
    for likelihood in evaluation.likelihoods:
        name = likelihood.name
        if name in METHODS:
            bound = " at least" if likelihood.is_bound else ""
            name = f"the model{bound}, log Z {METHODS[name]}"
        elif name == "guide":
            name = "the model at least, through its guide"
        cells = ["{:.2f} ± {:.2f}".format(*likelihood.summary(split)) for split in ("train", "test")]
        rows.append((name, cells[0], cells[1]))
    if evaluation.accuracy is not None:
        rows.append(("most probable class is right", "", f"{100 * evaluation.accuracy:.1f} %"))
    return rows


def partition_rows(evaluation: Evaluation) -> list[tuple[str, str, str, str]]:
    """Method, nats with standard error, what the method's number is, and what the weights are worth."""
    return [_partition_row(estimate) for estimate in evaluation.estimates]


def _partition_row(estimate: LogPartition) -> tuple[str, str, str, str]:
    name = METHODS[estimate.method]
    if estimate.method == "exact":
        return name, f"{estimate.value:.4f}", "a sum over all states", ""
    assert estimate.log_weights is not None
    kind = "at most log Z on average" if estimate.method == "ais" else "at least log Z on average, if chains mix"
    chains = estimate.log_weights.shape[-1]
    worth = f"{estimate.effective_sample_size:.0f} of {chains} chains"
    return name, f"{estimate.value:.4f} ± {estimate.std_error:.4f}", kind, worth


def mixing_line(evaluation: Evaluation) -> str:
    """Whether chains agree."""
    mixing = evaluation.mixing
    if not math.isfinite(mixing.worst):
        return "The chains do not move at all."
    verdict = "mix" if mixing.mixes else "do not mix"
    return (
        f"Chains cooled from random states {verdict}: R-hat is at most {mixing.worst:.3f} ({mixing.quantity}), and "
        f"{mixing.draws} recorded draws are worth {mixing.effective:.0f} or more."
    )


def settings_line(task: Task, fit: Fit) -> str:
    """How the model was trained."""
    how = task.settings
    return (
        f"{choose_objective(task)}; "
        f"{fit.history.epochs} epochs in batches of {how.batch_size}, learning rate {how.learning_rate:g} (falling "
        f"to 0 over the second half), momentum {how.momentum:g}, weight decay {how.weight_decay:g}; seed {task.seed}."
    )
