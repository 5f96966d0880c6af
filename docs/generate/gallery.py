"""The gallery: models trained on packaged data, and pictures of what they learned.

``python docs/generate/gallery.py`` trains them, a minute or two on two cores, and writes the pictures of
``docs/pictures`` and the page ``docs/gallery.md`` with the figures in its captions. ``python docs/generate/gallery.py
magnet`` makes some of the pictures, without the page.
"""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import pgmc
from pgmc.evaluation.diagnostics import potential_scale_reduction
from pgmc.inspection.charts import chain_traces, energy_histogram, history_curves, weight_histogram
from pgmc.inspection.pictures import filter_sheet, sample_sheet

DOCS = Path(__file__).parents[1]
PICTURES = DOCS / "pictures"
SHAPE = (8, 8)
CHART = 144
"""Dots an inch of charts, which have letters in them."""


@dataclass(frozen=True)
class Exhibit:
    """Pictures under a heading, with what they show."""

    title: str
    text: str
    pictures: tuple[tuple[str, str], ...]

    def markdown(self) -> str:
        """The exhibit as a section of the page; a picture is a file and its caption."""
        figures = "\n".join(
            f'<figure><img src="../pictures/{name}.png" alt="{caption}"><figcaption>{caption}</figcaption></figure>'
            for name, caption in self.pictures
        )
        return f'## {self.title}\n\n{self.text}\n\n<div class="pictures">\n{figures}\n</div>\n'


@cache
def digits() -> tuple[Any, Any, Any]:
    """Binary images for training and for testing, and the classes of the first."""
    data = load_digits()
    images = pgmc.binarize(data.data / 16, "threshold")
    order = np.random.default_rng(0).permutation(len(images))
    return images[order[360:]], images[order[:360]], data.target[order[360:]]


def model(name: str, **sizes: int) -> pgmc.Model:
    """A specification of models/."""
    return importlib.import_module(f"pgmc_models.{name}").model(**sizes)


def decay(rate: float, epochs: int) -> Callable[[float], float]:
    """A rate that is constant for half the time and then falls to 0."""
    return lambda epoch: rate * min(1.0, 2.0 * (1.0 - epoch / epochs))


@cache
def trained_rbm() -> tuple[pgmc.Program, Any]:
    """A restricted Boltzmann machine trained on digits."""
    train, test, _ = digits()
    m, epochs = model("rbm", visible=64, hidden=64), 300
    optimizer = pgmc.SGD(decay(0.2, epochs), momentum=0.5, weight_decay=1e-3)
    objective = pgmc.PCD(k=5, chains=100)
    fit = pgmc.fit(m, {"v": train}, objective, optimizer, epochs=epochs, validation={"v": test}, progress=False)
    return pgmc.compile(m), fit


def save(figure: Any, name: str, dpi: int = 72) -> None:
    """Write a picture, small enough to be committed."""
    figure.savefig(PICTURES / f"{name}.png", dpi=dpi, bbox_inches="tight", metadata={"Software": None})


def restricted() -> Exhibit:
    """Filters, samples and learning curves of a restricted Boltzmann machine."""
    _, test, _ = digits()
    p, fit = trained_rbm()
    log_z = p.log_partition(fit.params, method="ais", chains=200, betas=1000, data={"v": digits()[0]}, seed=0)
    nats = p.log_likelihood(fit.params, {"v": test}, log_z).mean()
    last = {name: states[:, -1] for name, states in p.sample(fit.params, chains=64, sweeps=5000, seed=0).items()}
    save(filter_sheet(fit.params["W"], SHAPE), "rbm_filters")
    save(sample_sheet(p.conditional("v").evaluate(fit.params, last)["probs"], SHAPE), "rbm_samples")
    shown = ("epoch", "free_energy_gap", "validation_free_energy_gap")
    save(history_curves({name: fit.history[name] for name in shown}), "rbm_curves", CHART)
    (PICTURES / "rbm_graph.svg").write_text(p.diagram(), encoding="utf-8")
    return Exhibit(
        "A restricted Boltzmann machine on digits",
        f"64 hidden units, persistent contrastive divergence; {nats:.1f} nats per test image, with {log_z}. "
        "The specification is [rbm](models/rbm.md), and [Handwritten digits](digits.md) is how it is trained.",
        (
            ("rbm_filters", "Weights of each hidden unit, blue positive, red negative"),
            ("rbm_samples", "P(v = 1 | h) at the end of 64 chains of 5000 sweeps from random states"),
            (
                "rbm_curves",
                "How far the free energies of images and of chains are apart, and of training and test images",
            ),
        ),
    )


def diagnosed() -> Exhibit:
    """What tells whether the chains and the annealing can be believed."""
    train, test, _ = digits()
    p, fit = trained_rbm()
    every = p.sample(fit.params, chains=20, sweeps=4000, keep=200, thin=20, seed=1)
    energies = p.free_energy(fit.params, {"v": every["v"].reshape(-1, 64)}).reshape(20, 200)
    r_hat = float(potential_scale_reduction(energies[..., None])[0])
    save(chain_traces(energies, name="free energy, nats", title=f"R-hat {r_hat:.3f}"), "traces", CHART)
    sets = {"training images": train, "test images": test, "samples": every["v"].reshape(-1, 64)}
    found = {name: p.free_energy(fit.params, {"v": images}) for name, images in sets.items()}
    save(energy_histogram(found, name="free energy, nats"), "energies", CHART)
    log_z = p.log_partition(fit.params, method="ais", chains=500, betas=1000, data={"v": train}, seed=0)
    save(weight_histogram(log_z.log_weights, method="annealing up"), "weights", CHART)
    return Exhibit(
        "Can it be believed?",
        "The same machine. Chains that start far apart should be found in the same places. Where a model fits, data "
        "and samples have the same free energies. And an estimate of log Z should not rest on a few chains.",
        (
            ("traces", "Free energies along six of 20 chains"),
            ("energies", "Free energies of images and of samples"),
            ("weights", "Importance weights of 500 annealed chains"),
        ),
    )


def inpainted() -> Exhibit:
    """Lower halves of digits, drawn given the upper ones."""
    _, test, _ = digits()
    p, fit = trained_rbm()
    upper = np.arange(64) < 32
    rows = np.repeat(test[:8], 7, axis=0)
    given = np.ma.masked_array(rows, mask=np.broadcast_to(~upper, rows.shape))
    drawn = p.sample(fit.params, chains=len(rows), sweeps=1000, clamp={"v": given}, seed=0)["v"][:, 0]
    question = np.where(upper, test[:8], 0.5)
    tiles = np.concatenate([np.stack([question[k], *drawn[7 * k : 7 * k + 7]]) for k in range(8)])
    save(sample_sheet(tiles, SHAPE, columns=8), "inpainting")
    return Exhibit(
        "Half an image",
        "The same machine. Clamping keeps the upper half of a test image, which was not trained on, and chains draw "
        "the rest: `p.sample(params, chains=..., clamp={'v': masked_array})`.",
        (("inpainting", "Left the question, right of it seven answers"),),
    )


def classes() -> Exhibit:
    """Digits drawn given their class."""
    train, test, labels = digits()
    m, epochs = model("class_rbm", visible=64, classes=10, hidden=100), 150
    optimizer = pgmc.SGD(decay(0.1, epochs), momentum=0.5, weight_decay=1e-3)
    data = {"v": train, "y": labels}
    fit = pgmc.fit(m, data, pgmc.PCD(k=5, chains=100), optimizer, epochs=epochs, progress=False)
    p = pgmc.compile(m)
    wanted = np.repeat(np.arange(10), 8)
    drawn = p.sample(fit.params, chains=80, sweeps=2000, clamp={"y": wanted}, seed=0)
    last = {name: states[:, -1] for name, states in drawn.items()}
    save(sample_sheet(p.conditional("v").evaluate(fit.params, last)["probs"], SHAPE, columns=8), "classes")
    answer = p.predict(fit.params, "y", {"v": test}).argmax(axis=1)
    data_order = np.random.default_rng(0).permutation(len(load_digits().target))
    right = np.mean(answer == load_digits().target[data_order[:360]])
    return Exhibit(
        "Images given their class",
        "A machine over image and class together, [class_rbm](models/class_rbm.md). Given the class it draws images; "
        f"given an image p(class) is exact, and {right:.1%} of the test images are right.",
        (("classes", "Eight chains for each class"),),
    )


def magnet() -> Exhibit:
    """An Ising model above, at and below its critical temperature."""
    m = pgmc.Model("magnet")
    s, J = m.spin("s", (96, 96), boundary="periodic"), m.param("J")
    x, y = pgmc.indices("x y")
    m.energy(-J * s[x, y] * s[x + 1, y] - J * s[x, y] * s[x, y + 1])
    p = pgmc.compile(m)
    betas = np.array([0.35, 0.4407, 0.48])
    states = p.sample({"J": 1.0}, chains=3, sweeps=4000, inverse_temperature=betas, seed=3)["s"][:, 0]
    save(sample_sheet(states, (96, 96), columns=3), "magnet")
    return Exhibit(
        "A magnet",
        "Spins on a torus of 96 by 96, drawn a colour of the chess board at a time. The model is five lines; "
        "[Sampling](sampling.md) goes on with it.",
        (("magnet", "Inverse temperatures 0.35, 0.44 (critical) and 0.48, after 4000 sweeps"),),
    )


def convolutional() -> Exhibit:
    """Filters of a convolutional machine with probabilistic max pooling."""
    train, _, _ = digits()
    images = np.pad(train.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    m, epochs = model("convolutional_rbm", side=10, maps=16, width=5), 60
    optimizer = pgmc.SGD(decay(0.02, epochs), momentum=0.5, weight_decay=1e-3)
    fit = pgmc.fit(m, {"v": images}, pgmc.PCD(k=2, chains=100), optimizer, epochs=epochs, progress=False)
    p = pgmc.compile(m)
    drawn = p.sample(fit.params, chains=32, sweeps=3000, seed=0)
    last = {name: states[:, -1] for name, states in drawn.items()}
    save(filter_sheet(fit.params["K"].reshape(16, 25).T, (5, 5)), "convolutional_filters")
    probs = p.conditional("v").evaluate(fit.params, last)["probs"]
    save(sample_sheet(probs, (10, 10), columns=8), "convolutional_samples")
    return Exhibit(
        "A convolutional machine",
        "16 filters of 5 by 5 that are the same everywhere, and probabilistic max pooling over blocks of 2 by 2: "
        "[convolutional_rbm](models/convolutional_rbm.md).",
        (
            ("convolutional_filters", "The filters"),
            ("convolutional_samples", "P(v = 1 | h) at the end of 32 chains"),
        ),
    )


EXHIBITS = (restricted, diagnosed, inpainted, classes, convolutional, magnet)


def page(exhibits: Iterator[Exhibit]) -> str:
    """The page of the gallery."""
    head = (
        "# Gallery\n\nWhat models learned from data that come with scikit-learn, or do without any. "
        "`python docs/generate/gallery.py` trains them again and writes this page."
    )
    return "\n\n".join([head, *(exhibit.markdown() for exhibit in exhibits)])


def wrapped(text: str) -> str:
    """Paragraphs in lines of at most 120 characters; HTML is left alone."""
    lines = (line if line.startswith(("<", "#")) else textwrap.fill(line, 120) for line in text.splitlines())
    return "\n".join(lines) + "\n"


def main(names: list[str]) -> None:
    """Make some of the pictures, or all of them and the page."""
    chosen = [make for make in EXHIBITS if not names or make.__name__ in names]
    PICTURES.mkdir(exist_ok=True)
    text = page(make() for make in chosen)
    if not names:
        (DOCS / "gallery.md").write_text(wrapped(text), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
