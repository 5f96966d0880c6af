"""The baseline of every model: independent units with the frequencies of the training data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.ir.model import Model
from pgmc.ir.symbols import Categorical, Real, Spin

Array: TypeAlias = npt.NDArray[Any]


def independent_log_likelihoods(
    model: Model, train: Mapping[str, Array], test: Mapping[str, Array]
) -> tuple[Array, Array]:
    """log p of each row under independent units.

    A state has the probability (count + ½) / (n + K/2): half an observation of each of the K states is added, so that
    a unit that never changes in training does not make a test row impossible. Real units are normal.

    Parameters
    ----------
    model
        Says what the arrays are states of.
    train, test
        Name of each observed variable -> ``(n, *shape)`` states. Frequencies are those of ``train``.

    Returns
    -------
    tuple of two ndarrays
        ``(n,)`` nats for ``train`` and ``test``.
    """
    totals = np.zeros(len(next(iter(train.values())))), np.zeros(len(next(iter(test.values()))))
    for name in train:
        domain = model.variable(name).domain
        if isinstance(domain, Real):
            for total, split in zip(totals, (train, test), strict=True):
                total += _log_normal(train[name], split[name])
            continue
        states = domain.states if isinstance(domain, Categorical) else 2
        codes = [_codes(split[name], isinstance(domain, Spin)) for split in (train, test)]
        counts = np.stack([(codes[0] == k).sum(axis=0) for k in range(states)]) + 0.5
        logs = np.log(counts / counts.sum(axis=0))
        for total, code in zip(totals, codes, strict=True):
            total += np.take_along_axis(logs, code, axis=0).sum(axis=1)
    return totals


def _log_normal(train: Array, values: Array) -> Array:
    """log p of each row under normal units with the means and variances of ``train``, one observation at ± 1 added."""
    mean = train.mean(axis=0, dtype=np.float64)
    variance = (len(train) * train.var(axis=0, dtype=np.float64) + 1.0) / (len(train) + 1.0)
    terms = -0.5 * (np.square(values - mean) / variance + np.log(2.0 * np.pi * variance))
    return np.asarray(terms.reshape(len(values), -1).sum(axis=1))


def _codes(states: Array, spin: bool) -> Array:
    """``(n, units)`` whole numbers from 0."""
    flat = np.asarray(states).reshape(len(states), -1).astype(np.int64)
    return (flat + 1) // 2 if spin else flat
