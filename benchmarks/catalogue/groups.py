"""Counts of words with fixed totals."""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files
from typing import Any

import numpy as np

import pgmc
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
