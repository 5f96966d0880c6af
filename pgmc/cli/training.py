"""Training of a task, with the kernels compiled beforehand."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace

from pgmc.cli.evaluation import evaluate
from pgmc.cli.progress import SILENT
from pgmc.cli.settings import LinearDecay
from pgmc.cli.task import Task
from pgmc.ir.answers import Refusal
from pgmc.learning.elbo import ELBO
from pgmc.learning.exact_likelihood import ExactLikelihood
from pgmc.learning.fit import fit
from pgmc.learning.mean_field_pcd import MeanFieldPCD
from pgmc.learning.objective import Objective
from pgmc.learning.optimizers import SGD
from pgmc.learning.persistent import PCD
from pgmc.learning.progress import Progress
from pgmc.learning.report import Fit
from pgmc.learning.reweighted_wake_sleep import ReweightedWakeSleep

REHEARSAL_ROWS = 4
DRAWS = 5
REHEARSAL = {
    "epochs": 1,
    "batch_size": 2,
    "chains": 2,
    "annealing_chains": 2,
    "annealing_steps": 2,
    "sampling_chains": 2,
    "sampling_sweeps": 8,
}


def train(task: Task, progress: bool | Progress) -> Fit:
    """Train the model of a task by stochastic maximum likelihood.

    After Ctrl-C the fit is what was learned until then.
    """
    how = task.settings
    return fit(
        task.program.executable,
        task.program.init(task.seed),
        task.train,
        choose_objective(task),
        SGD(LinearDecay(how.learning_rate, how.epochs), momentum=how.momentum, weight_decay=how.weight_decay),
        epochs=how.epochs,
        batch_size=how.batch_size,
        validation=task.test if task.refusal is None else None,
        seed=task.seed,
        progress=progress,
        threads=task.threads,
    )


def choose_objective(task: Task) -> Objective:
    """Persistent contrastive divergence, with mean field in the place of the latent variables where these interact.

    Directed models need no negative phase: maximum likelihood if all is observed, else the bound through a guide, whose
    gradient goes through its draws where these have derivatives; elsewhere reweighted wake-sleep.
    """
    how, model = task.settings, task.program.model
    if len(model.factors) == len(model.variables):
        if len(task.observed) == len(model.variables):
            return ExactLikelihood()
        if task.has_guide:
            discrete = isinstance(task.program.compiler.reparametrised(), Refusal)
            return ReweightedWakeSleep(DRAWS) if discrete else ELBO()
    kind = MeanFieldPCD if task.has_bound else PCD
    return kind(k=how.gibbs_steps, chains=how.chains)


def rehearse(task: Task) -> float:
    """Run the whole task on a few rows, so that every kernel it needs is compiled; the seconds that took.

    Kernels do not depend on sizes, so those of the rehearsal are those of the run; and a task that cannot be carried
    out fails here, before anybody has waited for it.
    """
    began = time.perf_counter()
    few = replace(
        task,
        train={name: states[:REHEARSAL_ROWS] for name, states in task.train.items()},
        test={name: states[:REHEARSAL_ROWS] for name, states in task.test.items()},
        settings=replace(task.settings, **REHEARSAL),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of course so few steps do not suffice for anything
        fit = train(few, progress=False)
        if fit.stopped is not None:  # Ctrl-C ends a fit; here it is meant for the run
            raise KeyboardInterrupt
        evaluate(few, fit.params, SILENT)
    return time.perf_counter() - began
