"""Classification of digits: models over an image and its class, beside logistic regression in the same run.

Every method is given the same images and tuned in the same way: its settings are those with the best accuracy on a
validation set, with which it is fitted again to the training and the validation set together.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import pgmc
from benchmarks.catalogue.images import black, digits, falling
from benchmarks.catalogue.row import Shown, model_of

Classify = Callable[[Any, Any, Any], Any]
"""Training images, their classes, and images -> the most probable class of each of the last."""

EPOCHS = 60


@dataclass(frozen=True)
class Split:
    """All digits, dealt anew: 1077 to train on, 360 to choose settings by, 360 to test."""

    grey: Any
    labels: Any

    @classmethod
    def deal(cls, seed: int) -> Split:
        images = digits()
        grey, labels = (
            np.concatenate([images.train, images.test]),
            np.concatenate([images.train_labels, images.test_labels]),
        )
        order = np.random.default_rng(seed).permutation(len(grey))
        return cls(grey[order], labels[order])

    def test(self, images: Any, settings: Sequence[Classify]) -> float:
        """The test accuracy of the setting that is best on the validation set."""
        train, valid, both, test = slice(0, 1077), slice(1077, 1437), slice(0, 1437), slice(1437, None)
        scores = [(c(images[train], self.labels[train], images[valid]) == self.labels[valid]).mean() for c in settings]
        best = settings[int(np.argmax(scores))]
        return float((best(images[both], self.labels[both], images[test]) == self.labels[test]).mean())


def logistic(inverse_penalty: float) -> Classify:
    """Logistic regression with a squared penalty."""
    from sklearn.linear_model import LogisticRegression

    def classify(images: Any, labels: Any, asked: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return LogisticRegression(C=inverse_penalty, max_iter=2000).fit(images, labels).predict(asked)

    return classify


def machine(model: pgmc.Model, image: str, objective: Any, rate: float) -> Classify:
    """A model over y and an image: p(y | image) exactly."""
    program = pgmc.compile(model)
    generator = np.random.default_rng(0)
    start = {
        name: 0.1 * generator.normal(size=value.shape) if value.ndim > 1 else value
        for name, value in program.init(0).items()
    }

    def classify(images: Any, labels: Any, asked: Any) -> Any:
        data = {image: images, "y": labels}
        optimizer = pgmc.Adam(falling(rate, EPOCHS))
        fit = pgmc.fit(model, data, objective, optimizer, epochs=EPOCHS, batch_size=50, params=start, progress=False)
        return program.predict(fit.params, "y", {image: asked}).argmax(axis=1)

    return classify


def given_image(pixels: int, classes: int, hidden: int) -> pgmc.Model:
    """The class and the hidden units of class_rbm given an image, whose pixels may then be grey."""
    m = pgmc.Model("class_given_image")
    y, h, x = m.categorical("y", states=classes), m.binary("h", hidden), m.input("x", pixels)
    W, U = m.param("W", (pixels, hidden)), m.param("U", (classes, hidden))
    d, c = m.param("d", classes), m.param("c", hidden)
    m.energy(-(x @ W @ h) - y @ U @ h - d @ y - c @ h)
    return m


def discriminative() -> Shown:
    """Discriminative on grey levels, hybrid on binary pixels, each beside logistic regression on the same pixels."""
    joint, given = model_of("class_rbm", visible=64, hidden=100), given_image(64, 10, 100)
    contestants: dict[str, tuple[bool, list[Classify]]] = {
        "logistic regression, grey": (True, [logistic(c) for c in (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)]),
        "discriminative, grey": (True, [machine(given, "x", pgmc.Discriminative("y"), r) for r in (0.01, 0.03)]),
        "logistic regression, binary": (False, [logistic(c) for c in (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)]),
        "hybrid, binary": (False, [machine(joint, "v", pgmc.Hybrid("y", weight=w), 0.03) for w in (0.03, 0.1)]),
    }
    scores: dict[str, list[float]] = {name: [] for name in contestants}
    for seed in range(3):
        split = Split.deal(seed)
        for name, (grey, settings) in contestants.items():
            scores[name].append(split.test(split.grey if grey else black(split.grey), settings))
    mean = {name: float(np.mean(values)) for name, values in scores.items()}
    return Shown(
        "class_rbm (64 pixels, 10 classes, 100 hidden units), on digits, three splits; the discriminative one given "
        "the image, so that grey levels can be used",
        "test images right: " + ", ".join(f"{name} {100 * value:.1f} %" for name, value in mean.items()),
        mean["discriminative, grey"] >= mean["logistic regression, grey"]
        and mean["hybrid, binary"] >= mean["logistic regression, binary"],
    )


def _accuracy(name: str, sizes: dict[str, int], objective: Any) -> tuple[float, float]:
    """Test accuracy of a specification on binary digits, and that of logistic regression."""
    images = digits()
    train, test = black(images.train), black(images.test)
    mine = machine(model_of(name, **sizes), "v", objective, 0.02)(train, images.train_labels, test)
    theirs = logistic(0.3)(train, images.train_labels, test)
    return float((mine == images.test_labels).mean()), float((theirs == images.test_labels).mean())


def gated() -> Shown:
    """Weights of its own for each class."""
    mine, theirs = _accuracy("class_gated_rbm", {"visible": 64, "hidden": 16}, pgmc.Hybrid("y", weight=0.1))
    return Shown(
        "class_gated_rbm (64 pixels, 10 classes, 16 hidden units), hybrid objective, on binary digits",
        f"p(y given v) exact: {100 * mine:.1f} % of test images right; logistic regression {100 * theirs:.1f} %",
        mine > 0.9,
    )


def two_groups() -> Shown:
    """Hidden units that see the class, and others that do not."""
    sizes = {"visible": 64, "hidden": 60, "others": 40}
    mine, theirs = _accuracy("two_group_class_rbm", sizes, pgmc.Hybrid("y", weight=0.1))
    return Shown(
        "two_group_class_rbm (64 pixels, 10 classes, 60 + 40 hidden units), hybrid objective, on binary digits",
        f"p(y given v) exact: {100 * mine:.1f} % of test images right; logistic regression {100 * theirs:.1f} %",
        mine > 0.9,
    )
