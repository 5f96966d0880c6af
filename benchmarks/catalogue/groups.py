"""Counts of words with fixed totals, and maps of detectors of which one at most is on in a block."""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files
from typing import Any

import numpy as np

import pgmc
from benchmarks.catalogue.images import black, digits, falling
from benchmarks.catalogue.row import Shown, model_of


def word_counts(vocabulary: int, least: int) -> Any:
    """Counts ``(paragraphs, words)`` of the commonest words in scikit-learn's descriptions of its data sets.

    Paragraphs with fewer than ``least`` of these words are left out.
    """
    pages = sorted(page.name for page in files("sklearn.datasets.descr").iterdir() if page.name.endswith(".rst"))
    texts = [files("sklearn.datasets.descr").joinpath(name).read_text(encoding="utf-8") for name in pages]
    paragraphs = [re.findall(r"[a-z]{3,}", part.lower()) for text in texts for part in re.split(r"\n\s*\n", text)]
    common = Counter(word for words in paragraphs for word in words).most_common(vocabulary)
    counts = np.array([[words.count(word) for word, _ in common] for words in paragraphs])
    return counts[counts.sum(axis=1) >= least]


def topics() -> Shown:
    """Few enough topics for an exact log Z of every length of a paragraph."""
    counts = word_counts(100, 6)
    counts = counts[np.random.default_rng(0).permutation(len(counts))]
    test, train = np.split(counts, [len(counts) // 5])
    model = model_of("replicated_softmax", words=100, topics=5)
    program = pgmc.compile(model)
    start = model.init(0)
    frequencies = train.sum(axis=0) + 0.5
    start["b"] = np.log(frequencies / frequencies.sum()).astype(np.float32)

    def per_word(params: Any) -> float:
        data = {"v": test, "D": test.sum(axis=1).astype(float)}
        log_z = program.log_partition(params, {"D": data["D"]}, method="exact")
        return float(program.log_likelihood(params, data, log_z).sum() / test.sum())

    baseline = per_word(start | {"W": np.zeros_like(start["W"])})
    data = {"v": train, "D": train.sum(axis=1).astype(float)}
    optimizer = pgmc.SGD(0.02, momentum=0.5)
    fit = pgmc.fit(model, data, pgmc.CD(1), optimizer, epochs=60, batch_size=20, params=start, progress=False)
    nats = per_word(fit.params)
    return Shown(
        f"replicated_softmax (100 words, 5 topics), CD, on {len(train)} paragraphs of 6 words and more",
        f"{nats:.3f} nats per word of {len(test)} other paragraphs, log Z exact for each length; words alone "
        f"{baseline:.3f}",
        nats > baseline + 0.02,
    )


def pooled_digits() -> Shown:
    """Filters that are the same at all places, pooled; so is the bias of pixels, and the baseline."""
    train, test = (black(grey).reshape(-1, 8, 8) for grey in (digits().train, digits().test))
    model = model_of("convolutional_rbm", side=8, maps=12, width=3)
    program = pgmc.compile(model)
    optimizer = pgmc.SGD(falling(0.05, 20), momentum=0.5)
    fit = pgmc.fit(model, {"v": train}, pgmc.PCD(k=5), optimizer, epochs=20, batch_size=100, progress=False)
    log_z = program.log_partition(fit.params, method="ais", chains=100, betas=500, data={"v": train}, seed=0)
    nats = float(program.log_likelihood(fit.params, {"v": test}, log_z).mean())
    ink = float(train.mean())
    baseline = 64 * float(test.mean() * np.log(ink) + (1 - test.mean()) * np.log(1 - ink))
    return Shown(
        "convolutional_rbm (8 × 8 pixels, 12 maps of 3 × 3 filters, pooled 2 × 2), PCD, on binary digits",
        f"{nats:.2f} nats per test image, log Z by annealing ± {log_z.std_error:.2f}; independent pixels of one "
        f"frequency {baseline:.2f}",
        nats > baseline + 5,
    )
