"""How good a trained model is: log-likelihoods with log Z from several methods, a baseline, and whether chains mix."""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.cli.baseline import independent_log_likelihoods
from pgmc.cli.progress import Teller
from pgmc.cli.task import Task
from pgmc.errors import IntractableError
from pgmc.evaluation.diagnostics import effective_sample_size, potential_scale_reduction
from pgmc.evaluation.estimates import LogPartition
from pgmc.runtime.samples import Samples

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]

EXACT_STATES = 1 << 20
"""log Z is also summed exactly up to this many joint states: seconds."""

RECORDED_DRAWS = 50
GUIDE_DRAWS = 100
GREATEST_RHAT = 1.05
GREATEST_GAP = 0.5  # nats between the two directions of annealing
PIXELS_JUDGED = 200


@dataclass(frozen=True, eq=False)
class Likelihood:
    """Log-likelihoods of images under one model, or under one estimate of log Z.

    Attributes
    ----------
    name
        The method of log Z, or what the baseline is.
    train, test
        ``(n,)`` nats.
    is_bound
        Whether they are lower bounds.
    """

    name: str
    train: Array
    test: Array
    is_bound: bool = False

    def summary(self, split: str) -> tuple[float, float]:
        """Mean and standard error over the images of ``"train"`` or ``"test"``."""
        values = self.train if split == "train" else self.test
        return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


@dataclass(frozen=True)
class Mixing:
    """How far apart chains are that started independently: 1 is together.

    Attributes
    ----------
    worst
        The greatest R-hat over the recorded quantities.
    quantity
        Which one that is.
    effective
        The least effective sample size over them, and of how many draws.
    draws
        Recorded draws of all chains together.
    """

    worst: float
    quantity: str
    effective: float
    draws: int

    @property
    def mixes(self) -> bool:
        """Whether the chains are close enough to one another."""
        return self.worst <= GREATEST_RHAT


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What is known of a trained model.

    Attributes
    ----------
    estimates
        log Z by each method, and why it is missing if there are none.
    likelihoods
        Of the model under each estimate, the most trustworthy first; the last one is the baseline's.
    accuracy
        Share of the test images whose most probable class is theirs; None for models without classes.
    samples, greys
        States of chains and the mean grey level of each pixel given the other variables, ``(chains, pixels)``.
    mixing
        Whether these chains agree.
    remarks
        What there is to say about missing numbers.
    warnings
        What there is to worry about.
    """

    estimates: tuple[LogPartition, ...]
    likelihoods: tuple[Likelihood, ...]
    accuracy: float | None
    samples: Samples
    greys: Array
    mixing: Mixing
    remarks: tuple[str, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())


def evaluate(task: Task, params: Arrays, teller: Teller) -> Evaluation:
    """Measure a trained model; ``teller`` is told what is being done."""
    teller.say(f"{task.settings.sampling_chains} chains of {task.settings.sampling_sweeps} sweeps")
    samples = draw_samples(task, params)
    mixing = judge_mixing(task, params, samples)
    estimates, problems = _estimate(task, params, teller)
    likelihoods, remarks = _likelihoods(task, params, estimates)
    return Evaluation(
        estimates,
        likelihoods,
        _accuracy(task, params),
        samples,
        _mean_greys(task, params, samples),
        mixing,
        tuple(remarks),
        tuple([*_worries(task, mixing, estimates), *problems]),
    )


def draw_samples(task: Task, params: Arrays) -> Samples:
    """Chains from uniformly random states, cooled over the first half of their sweeps and recorded over the second.

    Without the cooling chains would fall into the modes whose basins are widest, not into those that weigh most.
    """
    how = task.settings
    half = how.sampling_sweeps // 2
    keep = min(RECORDED_DRAWS, half)
    if task.program.model.factors:  # then draws are independent of where chains start, or those of the top are
        return task.program.sample(
            params, chains=how.sampling_chains, sweeps=2 * half, keep=keep, thin=half // keep, seed=task.seed
        )
    return task.program.sample(
        params,
        chains=how.sampling_chains,
        sweeps=2 * half,
        inverse_temperature=np.concatenate([np.linspace(_hottest(task), 1.0, half), np.ones(half)]),
        keep=keep,
        thin=half // keep,
        seed=task.seed,
        threads=task.threads,
    )


def judge_mixing(task: Task, params: Arrays, samples: Samples) -> Mixing:
    """R-hat of the energy and of pixels along the chains."""
    chains, draws = samples[task.image].shape[:2]
    flat = {name: values.reshape(chains * draws, *values.shape[2:]) for name, values in samples.items()}
    energy = task.program.energy(params, flat, threads=task.threads).reshape(chains, draws)
    pixels = task.encoding.grey(flat[task.image]).reshape(chains, draws, -1)
    step = -(-pixels.shape[2] // PIXELS_JUDGED)
    recorded = np.concatenate([energy[..., None], pixels[..., ::step]], axis=2)
    rhat, effective = potential_scale_reduction(recorded), effective_sample_size(recorded)
    if np.isnan(rhat).all():
        return Mixing(np.inf, "nothing moves", 0.0, chains * draws)
    worst = int(np.nanargmax(rhat))
    quantity = "the energy" if worst == 0 else f"pixel {(worst - 1) * step}"
    return Mixing(float(rhat[worst]), quantity, float(np.nanmin(effective)), chains * draws)


def _estimate(task: Task, params: Arrays, teller: Teller) -> tuple[tuple[LogPartition, ...], list[str]]:
    """log Z exactly if that is quick, and by annealing up and down; and the complaints of these methods."""
    how, program = task.settings, task.program
    estimates: list[LogPartition] = []
    with suppress(IntractableError):
        estimates.append(program.log_partition(params, method="exact", limit=EXACT_STATES, threads=task.threads))
    problems: list[str] = []
    directed = len(program.model.factors) == len(program.model.variables)  # then log Z is 0
    for method in () if directed else ("ais", "reverse-ais"):
        teller.say(f"log Z by {method}, {how.annealing_chains} chains of {how.annealing_steps} steps")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", RuntimeWarning)
            estimates.append(
                program.log_partition(
                    params,
                    method=method,
                    chains=how.annealing_chains,
                    betas=how.annealing_steps,
                    data=task.train,
                    seed=task.seed,
                    threads=task.threads,
                    progress=teller.step,
                )
            )
        problems += [f"{method}: {warning.message}" for warning in caught]
    return tuple(estimates), problems


def _likelihoods(
    task: Task, params: Arrays, estimates: tuple[LogPartition, ...]
) -> tuple[tuple[Likelihood, ...], list[str]]:
    baseline = Likelihood("independent units", *independent_log_likelihoods(task.program.model, task.train, task.test))
    if task.refusal is not None and task.has_guide:
        train, test = (_through_guide(task, params, split) for split in (task.train, task.test))
        return (Likelihood("guide", train, test, is_bound=True), baseline), [
            f"Latent units are drawn from the guide {GUIDE_DRAWS} times for each image."
        ]
    if task.refusal is not None and not task.has_bound:
        return (baseline,), [f"No log-likelihood of images: {task.refusal}"]
    remarks = []
    if task.refusal is not None:
        remarks.append(f"The log-likelihood is bounded from below by mean field, for there is no {task.refusal}")
    train, test = (_log_sums(task, params, split) for split in (task.train, task.test))
    found = (Likelihood(e.method, train - e.value, test - e.value, bool(remarks)) for e in estimates)
    return (*found, baseline), remarks


def _log_sums(task: Task, params: Arrays, observed: Arrays) -> Array:
    """log Σ exp(-E) of each row over what is not observed, in nats; a lower bound by mean field if need be."""
    if task.refusal is None:
        return -task.program.free_energy(params, observed, threads=task.threads)
    return task.program.mean_field(params, observed, threads=task.threads).bound


def _through_guide(task: Task, params: Arrays, observed: Arrays) -> Array:
    """log p of each row by importance sampling: a lower bound on average."""
    estimate = task.program.log_likelihood(params, observed, samples=GUIDE_DRAWS, seed=task.seed, threads=task.threads)
    return np.asarray(estimate.value)


def _accuracy(task: Task, params: Arrays) -> float | None:
    """How often the most probable class is the label."""
    if task.label is None or task.refusal is not None:
        return None
    observed = {name: states for name, states in task.test.items() if name != task.label.name}
    classes = task.program.predict(params, task.label.name, observed, threads=task.threads).argmax(axis=1)
    return float((classes == task.test[task.label.name]).mean())


def _mean_greys(task: Task, params: Arrays, samples: Samples) -> Array:
    """The mean grey level of each pixel given the variables it depends on, at the end of each chain."""
    found = task.program.conditional(task.image).evaluate(params, dict(samples.last), threads=task.threads)
    return task.encoding.expected_grey(found["probs"] if "probs" in found else found["mean"])


def _worries(task: Task, mixing: Mixing, estimates: tuple[LogPartition, ...]) -> list[str]:
    found: list[str] = []
    if not mixing.mixes:
        found.append(
            f"The chains do not mix: R-hat is {mixing.worst:.2f} for {mixing.quantity} (1.00 is perfect). The samples "
            "favour where chains started, and the fit may have followed chains that lagged behind. "
            "Try more --gibbs-steps, or a smaller --learning-rate."
        )
    by_method = {estimate.method: estimate for estimate in estimates}
    if "ais" not in by_method:
        return found
    gap = float(by_method["reverse-ais"].value) - float(by_method["ais"].value)
    if abs(gap) > GREATEST_GAP:
        found.append(
            f"The two directions of annealing differ by {gap:.2f} nats: log Z, and with it every log-likelihood, is "
            "known no better than that. Try more --annealing-steps."
        )
    return found


def _hottest(task: Task) -> float:
    """The first inverse temperature: units without bounds have no law at 0."""
    return 0.1 if task.program.executable.continuous else 0.0
