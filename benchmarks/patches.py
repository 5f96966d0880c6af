"""Patches of photographs: what a Gaussian RBM, a mean and covariance RBM and a spike and slab RBM learn of them.

    python -m benchmarks.patches [--write]        a table; written to docs/patches.md, with pictures of the filters

Patches of 8 × 8 grey pixels of the two photographs that scikit-learn ships, their mean taken away, the half with the
least contrast left out, whitened by its PCA and turned back, so that a filter looks like what it sees. The left halves
of the photographs train, the right halves are held out. The first two machines are trained by score matching, which
needs no samples; it does not keep the slabs of the third from making directions without a density, so that this one is
trained by persistent chains. Two measures:

- *energies*: of whitened pixels all correlations are 0; those of their squares are not, since contrast comes in places.
  The correlations of squares between pixels, of Gibbs samples that start at training patches and of held-out patches:
  the relative difference of the two matrices off the diagonal. Independent pixels have 1.
- *score*: the loss of score matching on held-out patches, a proper score that needs no samples. Lower is better.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import pgmc
from pgmc.ir.queries import FreeEnergy, ScoreLoss
from pgmc_models import gaussian_rbm, mcrbm, ssrbm

Array = Any

SIDE, PATCHES, HELD_OUT = 8, 20_000, 5_000
CHAINS, SWEEPS = 1000, 200

DOCS = Path(__file__).parents[1] / "docs"
PAGE = """# Patches of photographs

What three machines with real units learn of patches of 8 by 8 pixels, from the left halves of the two photographs that
scikit-learn ships. `python -m benchmarks.patches --write` trains them again and writes this page; its text says how
the patches are made.

*Energies*: of whitened pixels all correlations are 0; those of their squares are not, since contrast comes in places.
The relative difference, off the diagonal, between the correlations of squares in samples and in patches of the right
halves; independent pixels have 1. *Score*: the loss of score matching on the right halves, lower is better; it says
little of the third machine, whose training, by persistent chains, does not go by it. One run each, with one seed.

{table}

<div class="pictures">
{figures}
</div>
"""


def photographs() -> list[Array]:
    """Grey photographs, their contrast on a logarithmic scale."""
    from sklearn.datasets import load_sample_images

    return [np.log1p(image.astype(np.float64).mean(axis=2)) for image in load_sample_images().images]


def cut(images: list[Array], count: int, seed: int) -> Array:
    """Patches at random places, ``(count, pixels)``, the mean of each taken away."""
    generator = np.random.default_rng(seed)
    found = []
    for image in images:
        rows = generator.integers(0, image.shape[0] - SIDE, count // len(images))
        columns = generator.integers(0, image.shape[1] - SIDE, count // len(images))
        found += [image[r : r + SIDE, c : c + SIDE].ravel() for r, c in zip(rows, columns, strict=True)]
    patches = np.array(found)
    return patches - patches.mean(axis=1, keepdims=True)


def with_contrast(patches: Array) -> Array:
    """The half with the most contrast: sky and blur are all but constant, and would be most of what is learned."""
    spread = patches.std(axis=1)
    return patches[spread > np.median(spread)]


def load() -> tuple[Array, Array]:
    """Whitened patches to train on, and held-out ones, whitened in the same way.

    The direction in which a patch without its mean has no variance is left with variance 1 of its own, so that every
    model has a density in all pixels.
    """
    from sklearn.decomposition import PCA

    images = photographs()
    middle = [image.shape[1] // 2 for image in images]
    train = with_contrast(cut([image[:, :m] for image, m in zip(images, middle, strict=True)], 2 * PATCHES, 0))
    test = with_contrast(cut([image[:, m:] for image, m in zip(images, middle, strict=True)], 2 * HELD_OUT, 1))
    whitening = PCA(n_components=SIDE**2 - 1, whiten=True).fit(train)
    flat = np.full(SIDE**2, 1.0 / SIDE)
    generator = np.random.default_rng(2)
    turned = [whitening.transform(x) @ whitening.components_ for x in (train, test)]
    return tuple(x + generator.normal(size=(len(x), 1)) * flat for x in turned)  # type: ignore[return-value]


def energy_correlations(x: Array) -> Array:
    """Correlations between the squares of different pixels."""
    matrix = np.corrcoef((x - x.mean(axis=0)) ** 2, rowvar=False)
    return matrix[np.triu_indices_from(matrix, 1)]


@dataclass(frozen=True)
class Machine:
    """A specification, the name of its visible units, its start, and the parameter that holds its filters."""

    title: str
    model: pgmc.Model
    visible: str
    filters: str
    objective: Any
    rate: float
    start: Callable[[dict[str, Array]], dict[str, Array]] = dict


def machines() -> list[Machine]:
    """Three machines with about as many parameters."""
    pixels, generator = SIDE**2, np.random.default_rng(3)

    def weak(name: str, scale: float, **more: float) -> Callable[[dict[str, Array]], dict[str, Array]]:
        def start(params: dict[str, Array]) -> dict[str, Array]:
            given = {name: scale * generator.normal(size=params[name].shape)}
            return params | given | {key: np.full(params[key].shape, value) for key, value in more.items()}

        return start

    score = pgmc.ScoreMatching()
    return [
        Machine("Gaussian RBM", gaussian_rbm.model(pixels, 128), "v", "W", score, 3e-3, weak("W", 0.1, b=-2.0)),
        Machine("mean and covariance RBM", mcrbm.model(pixels, 32, 96), "x", "R", score, 3e-3, weak("R", 0.1, b_c=1.0)),
        Machine(
            "spike and slab RBM",
            ssrbm.model(pixels, 64),
            "x",
            "W",
            pgmc.PCD(k=5, chains=200),
            1e-2,
            weak("W", 0.1, b=-1.0, Phi=0.02),
        ),
    ]


def train(machine: Machine, data: Array, epochs: int) -> dict[str, Array]:
    """At a rate that falls to a tenth."""
    start = machine.start(pgmc.compile(machine.model).init())
    optimizer = pgmc.Adam(lambda epoch: machine.rate * 10.0 ** (-epoch / epochs))
    fit = pgmc.fit(
        machine.model,
        {machine.visible: data},
        machine.objective,
        optimizer,
        params=start,
        epochs=epochs,
        batch_size=200,
        progress=False,
    )
    return fit.params


def measure(machine: Machine, params: dict[str, Array], data: Array, test: Array) -> tuple[float, float]:
    """Both measures."""
    program, name = pgmc.compile(machine.model), machine.visible
    loss = ScoreLoss(FreeEnergy((name,)), (name,))
    score = float(program.executable.evaluate(loss, params, {name: test.astype(np.float32)})["score_loss"].mean())
    chosen = np.random.default_rng(4).choice(len(data), CHAINS, replace=False)
    samples = program.sample(params, chains=CHAINS, sweeps=SWEEPS, init={name: data[chosen]}, keep=5, thin=20, seed=5)
    wanted, found = energy_correlations(test), energy_correlations(samples[name].reshape(-1, SIDE**2))
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted)), score


def picture(machine: Machine, params: dict[str, Array]) -> None:
    """The filters, one tile each, the strongest first."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    filters = params[machine.filters].T
    filters = filters[np.argsort(-np.linalg.norm(filters, axis=1))][:64]
    figure, axes = pyplot.subplots(8, 8, figsize=(4, 4))
    for axis, values in zip(axes.ravel(), filters, strict=False):
        reach = np.abs(values).max()
        axis.imshow(values.reshape(SIDE, SIDE), cmap="gray", vmin=-reach, vmax=reach)
        axis.axis("off")
    figure.savefig(DOCS / "pictures" / "patches" / f"{machine.model.name}.png", dpi=110, bbox_inches="tight")
    pyplot.close(figure)


@dataclass(frozen=True)
class Outcome:
    """What came out of one machine; CPU seconds."""

    machine: Machine
    energies: float
    score: float
    seconds: float


def page(outcomes: list[Outcome]) -> str:
    """The table and the pictures, as a page."""
    rows = [f"| {o.machine.title} | {o.energies:.3f} | {o.score:.2f} | {o.seconds:.0f} |" for o in outcomes]
    figures = [
        f'<figure><img src="../pictures/patches/{o.machine.model.name}.png" alt="Filters"><figcaption>'
        f"{o.machine.title}: {o.machine.filters}</figcaption></figure>"
        for o in outcomes
    ]
    table = "\n".join(["| | energies | score | CPU s |", "|---|---|---|---|", *rows])
    return PAGE.format(table=table, figures="\n".join(figures))


def main(arguments: list[str], epochs: int = 20) -> None:
    """Print a line for each machine; with ``--write``, put them and the pictures into the page."""
    data, test = load()
    print(f"{'':<26}{'energies':>10}{'score':>10}{'s':>8}")
    outcomes = []
    for machine in machines():
        began = time.process_time()
        params = train(machine, data, epochs)
        found = Outcome(machine, *measure(machine, params, data, test), time.process_time() - began)
        print(f"{machine.title:<26}{found.energies:>10.3f}{found.score:>10.3f}{found.seconds:>8.0f}", flush=True)
        outcomes.append(found)
        if "--write" in arguments:
            picture(machine, params)
    if "--write" in arguments:
        (DOCS / "patches.md").write_text(page(outcomes), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
