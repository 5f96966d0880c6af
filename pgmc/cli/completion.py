"""``pgmc train`` on a model with an input: the right halves of images, given the left halves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from rich.console import Console

from pgmc.cli.catalogue import Spec
from pgmc.cli.datasets import Encoding, Images, load_images
from pgmc.cli.pictures import thumbnails
from pgmc.cli.progress import HEAD, choose_progress
from pgmc.cli.settings import LinearDecay, Settings
from pgmc.errors import ArgumentError, IntractableError
from pgmc.learning.contrastive_divergence import CD
from pgmc.learning.fit import fit
from pgmc.learning.optimizers import SGD
from pgmc.program.program import Program, compile

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]

HALF_SIZES = ("visible", "outputs", "inputs")
"""Sizes of a specification that are the pixels of half an image."""

SHOWN = 8
SWEEPS = 200
EXACT_STATES = 1 << 14
"""log Z, one for every image, is summed exactly up to this many joint states."""


@dataclass(frozen=True, eq=False)
class Completion:
    """A model whose first variable is the right half of an image and whose input is the left half."""

    program: Program
    images: Images
    settings: Settings
    encoding: Encoding
    train: Arrays
    test: Arrays

    @property
    def given(self) -> str:
        """The name of the input."""
        return self.program.model.inputs[0].name


def has_inputs(spec: Spec) -> bool:
    """Whether the model of a specification is conditional."""
    return bool(spec.model().build().inputs)


def build_completion(spec: Spec, data: str, sizes: dict[str, int], options: dict[str, Any]) -> Completion:
    """The task of completing packaged images.

    Raises
    ------
    ArgumentError
        If the model has several inputs, or an image has no two halves.
    """
    images = load_images(data)
    rows, columns = images.shape
    if columns % 2:
        raise ArgumentError(f"Images of {data} have {columns} columns, which are not two halves.")
    settings = replace(images.settings, **options)
    chosen = {size: min(default, settings.hidden) for size, default in spec.sizes.items()}
    chosen |= {size: rows * columns // 2 for size in HALF_SIZES if size in spec.sizes}
    program = compile(spec.model(**chosen | sizes))
    if len(program.model.inputs) != 1:
        raise ArgumentError(f"{spec.name} has {len(program.model.inputs)} inputs; pgmc train gives one, half an image.")
    encoding = Encoding(program.model.variables[0])
    parts = [_halves(images, split, encoding, program) for split in (images.train, images.test)]
    return Completion(program, images, settings, encoding, *parts)


def _halves(images: Images, grey: Array, encoding: Encoding, program: Program) -> Arrays:
    square = grey.reshape(len(grey), *images.shape)
    left, right = (part.reshape(len(grey), -1) for part in np.split(square, 2, axis=2))
    return {encoding.variable.name: encoding.encode(right), program.model.inputs[0].name: (left >= 0.5).astype(float)}


def run_completion(task: Completion, seed: int, threads: int | None, console: Console) -> Arrays:
    """Train by contrastive divergence, which needs no chains of its own for each input; complete test images."""
    how, program = task.settings, task.program
    head = f"{'data':<{HEAD}}{task.images.title}; right halves given left halves; {task.encoding}"
    _print(console, [head, *str(program).splitlines(), ""])
    trained = fit(
        program.executable,
        program.init(seed),
        task.train,
        CD(how.gibbs_steps),
        SGD(LinearDecay(how.learning_rate, how.epochs), momentum=how.momentum, weight_decay=how.weight_decay),
        epochs=how.epochs,
        batch_size=how.batch_size,
        seed=seed,
        progress=choose_progress(),
        threads=threads,
    )
    _print(console, outcome(task, trained.params, seed, threads))
    return trained.params


def outcome(task: Completion, params: Arrays, seed: int, threads: int | None) -> list[str]:
    """Log-likelihoods where they are tractable, how many pixels are right, and some completed images."""
    name, given = task.encoding.variable.name, task.test[task.given]
    program = task.program
    lines = []
    try:
        log_z = program.log_partition(params, {task.given: given}, method="exact", limit=EXACT_STATES, threads=threads)
        nats = float(program.log_likelihood(params, task.test, log_z, threads=threads).mean())
        lines.append(f"log p(right half given left half) of test images, exact: {nats:.2f} nats")
    except IntractableError as error:
        lines.append(f"no log-likelihood: {error}")
    made = program.sample(
        params, chains=len(given), sweeps=SWEEPS, inputs={task.given: given}, seed=seed, threads=threads
    )[name][:, 0]
    right = float((made == task.test[name]).mean())
    usual = np.rint(task.train[name].mean(axis=0))
    guess = float((usual == task.test[name]).mean())
    lines.append(f"pixels of samples that are right: {100 * right:.1f} %; of the mean image {100 * guess:.1f} %")
    rows, columns = task.images.shape
    left = given[:SHOWN].reshape(-1, rows, columns // 2)
    whole = [
        np.concatenate([left, task.encoding.grey(half[:SHOWN]).reshape(left.shape)], axis=2).reshape(len(left), -1)
        for half in (task.test[name], made)
    ]
    lines += ["", "test images, and their left halves completed:"]
    return [*lines, *(line for images in whole for line in thumbnails(images, task.images.shape, 120))]


def _print(console: Console, lines: Sequence[str]) -> None:
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
