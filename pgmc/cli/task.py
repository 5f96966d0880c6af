"""What one run works on: a compiled specification and the images its variables are given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.cli.catalogue import Spec, find_spec
from pgmc.cli.datasets import Encoding, Images, load_images
from pgmc.cli.settings import Settings
from pgmc.dsl.model import Model
from pgmc.errors import ArgumentError
from pgmc.ir.answers import Refusal
from pgmc.ir.symbols import Categorical, Real, Spin, Variable
from pgmc.program.program import Program, compile

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]


@dataclass(frozen=True, eq=False)
class Task:
    """A model, its data, and how it is trained on them.

    Attributes
    ----------
    spec, sizes
        Where the model comes from.
    model, program
        The model, and what the compiler made of it.
    images
        The data as grey levels.
    encoding
        How these become states of the variable that is the image, the first one declared.
    label
        The variable that is the class of an image: the first categorical one that is a single unit, if there is one.
    train, test
        Name of each observed variable -> ``(n, *shape)`` states.
    settings
        How it is trained.
    seed, threads
        Of every part of the run; the numbers do not depend on ``threads``.
    """

    spec: Spec
    sizes: dict[str, int]
    model: Model
    program: Program
    images: Images
    encoding: Encoding
    label: Variable | None
    train: Arrays
    test: Arrays
    settings: Settings
    seed: int = 0
    threads: int | None = None

    @property
    def image(self) -> str:
        """The name of the variable that is the image."""
        return self.encoding.variable.name

    @property
    def observed(self) -> tuple[str, ...]:
        """The names of the variables that the data give."""
        return tuple(self.train)

    @cached_property
    def refusal(self) -> Refusal | None:
        """Why the log-likelihood of the data cannot be computed, or None if it can."""
        if len(self.observed) == len(self.program.model.variables):
            return None
        answer = self.program.free_energy_equation(self.observed)
        return answer if isinstance(answer, Refusal) else None

    @cached_property
    def has_guide(self) -> bool:
        """Whether a guide draws all that is latent."""
        guide, latent = self.program.model.guide, {v.name for v in self.program.model.variables} - set(self.observed)
        return guide is not None and set(guide.children) == latent

    @cached_property
    def has_bound(self) -> bool:
        """Whether mean field bounds a log-likelihood that cannot be computed."""
        if self.refusal is None:
            return False
        return not isinstance(self.program.mean_field_equations(self.observed), Refusal)


def build_task(
    name: str,
    data: str,
    sizes: dict[str, int],
    options: dict[str, Any],
    seed: int = 0,
    threads: int | None = None,
) -> Task:
    """The task of training a specification on packaged images.

    Parameters
    ----------
    name, data
        What ``find_spec`` and ``load_images`` are asked for.
    sizes
        Sizes of the specification that are given; the others are its defaults, within what suits the data.
    options
        Fields of ``Settings`` that differ from those of the data.
    """
    return build_task_for(find_spec(name), data, sizes, options, seed, threads)


def build_task_for(
    spec: Spec,
    data: str,
    sizes: dict[str, int],
    options: dict[str, Any],
    seed: int = 0,
    threads: int | None = None,
) -> Task:
    """The task for a specification at hand."""
    images = load_images(data)
    settings = replace(images.settings, **options)
    _check_settings(settings, len(images.train))
    chosen = {size: min(default, settings.hidden) for size, default in spec.sizes.items()} | sizes
    rows, columns = images.shape
    of_images = {"visible": rows * columns, "rows": rows, "columns": columns}
    chosen |= {size: number for size, number in of_images.items() if size in spec.sizes and size not in sizes}
    model = spec.model(**chosen)
    program = compile(model)
    variables = program.model.variables
    if "learning_rate" not in options and all(isinstance(v.domain, Spin) for v in variables):
        settings = _for_spins(settings)
    if "learning_rate" not in options and any(isinstance(v.domain, Real) for v in variables):
        settings = replace(settings, learning_rate=settings.learning_rate / 10)  # precisions make gradients steep
    encoding = Encoding(variables[0])
    label = next((v for v in variables[1:] if isinstance(v.domain, Categorical) and not v.axes), None)
    train = _observe(encoding, label, images.train, images.train_labels)
    test = _observe(encoding, label, images.test, images.test_labels)
    return Task(spec, chosen, model, program, images, encoding, label, train, test, settings, seed, threads)


def _observe(encoding: Encoding, label: Variable | None, grey: Array, labels: Array) -> Arrays:
    observed = {encoding.variable.name: encoding.encode(grey)}
    if label is not None:
        assert isinstance(label.domain, Categorical)
        classes = int(labels.max()) + 1
        if label.domain.states < classes:
            raise ArgumentError(f"{label.name} has {label.domain.states} states, but there are {classes} classes.")
        observed[label.name] = np.asarray(labels, dtype=np.int64)
    return observed


def _for_spins(settings: Settings) -> Settings:
    """The settings for spins that take the steps of those for binary units.

    With s = 2v - 1 a weight between spins is a quarter of that between binary units, and its gradient four times as
    large: the same step is a sixteenth.
    """
    return replace(settings, learning_rate=settings.learning_rate / 16, weight_decay=settings.weight_decay * 16)


def _check_settings(settings: Settings, rows: int) -> None:
    least = {"epochs": 1, "gibbs_steps": 1, "chains": 1, "batch_size": 1, "annealing_chains": 2, "annealing_steps": 1}
    least |= {"sampling_sweeps": 4}
    for name, low in least.items():
        if getattr(settings, name) < low:
            raise ArgumentError(f"--{name.replace('_', '-')} must be at least {low}, got {getattr(settings, name)}.")
    if settings.batch_size > rows:
        raise ArgumentError(f"--batch-size must be at most the number of training images, {rows}.")
