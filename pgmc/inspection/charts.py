"""Charts: learning curves, traces of chains, importance weights, energies. They need matplotlib (extra ``plot``)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError
from pgmc.inspection.figures import PANEL, SERIES, add_legend, add_panel, new_figure, save_figure

Array: TypeAlias = npt.NDArray[Any]

MOST_CHAINS = 6
"""Chains that are drawn one by one in a trace."""

FEWEST_BINS, MOST_BINS = 8, 40


def history_curves(history: Mapping[str, Sequence[float] | Array], path: str | Path | None = None) -> Any:
    """The columns of a training history over the epochs, one panel for each.

    Parameters
    ----------
    history
        Name of a column -> one number for each epoch. A column ``epoch`` numbers the epochs; columns without a
        finite number are left out.
    path
        Where to write the picture; its suffix names the format. Written whole or not at all.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        If no column can be drawn, or matplotlib is not installed.
    """
    columns = {name: np.asarray(values) for name, values in history.items()}
    epochs = columns.pop("epoch", None)
    drawn = {k: v.astype(np.float64) for k, v in columns.items() if v.ndim == 1 and v.dtype.kind in "iufb"}
    drawn = {name: values for name, values in drawn.items() if np.isfinite(values).any()}
    if not drawn:
        raise ArgumentError("history: no column has a finite number to draw. Train for at least one epoch.")
    across = min(3, len(drawn))
    down = math.ceil(len(drawn) / across)
    figure = new_figure((PANEL[0] * across, PANEL[1] * down))
    for k, (name, values) in enumerate(drawn.items()):
        axes = add_panel(figure, name.replace("_", " "), "epoch", "", (down, across, k + 1))
        at = np.arange(1, len(values) + 1) if epochs is None else epochs
        axes.plot(at, values, color=SERIES[k % len(SERIES)], linewidth=1.6, marker="o" if len(values) < 3 else "")
        axes.xaxis.get_major_locator().set_params(integer=True)
    return save_figure(figure, path)


def chain_traces(draws: Array, path: str | Path | None = None, name: str = "energy, nats", title: str = "") -> Any:
    """A recorded number along some chains, and beside it how often it took each value in all of them.

    Chains that agree wander over the same values.

    Parameters
    ----------
    draws
        ``(chains, draws)`` numbers, at least 4 draws of each, such as ``samples.energies``.
    path
        As for `history_curves`.
    name
        What the number is, with its unit.
    title
        What there is to say of it, such as its R-hat.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        If the shape is another, or matplotlib is not installed.
    """
    values = np.asarray(draws, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 4:
        raise ArgumentError(f"chain_traces: draws must be (chains, draws) with at least 4 draws, got {values.shape}.")
    figure = new_figure((PANEL[0] * 1.6, PANEL[1]))
    wide = add_panel(figure, title, "recorded draw", name, (1, 4, (1, 3)))
    for k, chain in enumerate(values[:MOST_CHAINS]):
        wide.plot(np.arange(1, len(chain) + 1), chain, color=SERIES[k % len(SERIES)], linewidth=0.9, alpha=0.9)
    beside = add_panel(figure, "", "share", "", (1, 4, 4), sharey=wide)
    weights = np.full(values.size, 1.0 / values.size)
    beside.hist(
        values.ravel(), bins=_bins(values.size), weights=weights, orientation="horizontal", color=SERIES[0], alpha=0.75
    )
    beside.tick_params(labelleft=False)
    return save_figure(figure, path)


def weight_histogram(
    log_weights: Array, path: str | Path | None = None, method: str = "", estimate: float | None = None
) -> Any:
    """The log importance weights of annealed chains, and the estimate of log Z that rests on them.

    An estimate far from most weights rests on few chains: their effective number stands in the title.

    Parameters
    ----------
    log_weights
        ``(chains,)`` in nats, such as ``p.log_partition(params, method="ais").log_weights``.
    path
        As for `history_curves`.
    method
        A word for the title.
    estimate
        The estimate of log Z; the log of the mean weight if it is not given.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        If the shape is another, a weight is not finite, or matplotlib is not installed.
    """
    weights = np.asarray(log_weights, dtype=np.float64)
    if weights.ndim != 1 or len(weights) < 2 or not np.isfinite(weights).all():
        raise ArgumentError(f"weight_histogram: expected (chains,) finite log weights, got {weights.shape}.")
    top = weights.max()
    relative = np.exp(weights - top)
    value = float(top + np.log(relative.mean())) if estimate is None else estimate
    effective = float(relative.sum() ** 2 / (relative**2).sum())
    figure = new_figure(PANEL)
    title = f"{method}{': ' if method else ''}{effective:.0f} of {len(weights)} chains effective"
    axes = add_panel(figure, title, "log weight, nats", "chains")
    axes.hist(weights, bins=_bins(len(weights)), color=SERIES[0], alpha=0.75)
    axes.axvline(value, color=SERIES[1], linewidth=1.6, label=f"log Z = {value:.2f}")
    add_legend(axes)
    return save_figure(figure, path)


def energy_histogram(energies: Mapping[str, Array], path: str | Path | None = None, name: str = "energy, nats") -> Any:
    """The energies of several sets of states over one another: chains beside data, say.

    Where a model fits and its chains mix, the free energies of data and of samples have the same law.

    Parameters
    ----------
    energies
        Name of the set -> any number of energies, or free energies.
    path
        As for `history_curves`.
    name
        What the numbers are, with their unit.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        If there is no set, one is empty or not finite, or matplotlib is not installed.
    """
    sets = {label: np.ravel(np.asarray(values, dtype=np.float64)) for label, values in energies.items()}
    if not sets or any(len(values) == 0 or not np.isfinite(values).all() for values in sets.values()):
        raise ArgumentError("energy_histogram: every set needs at least one energy, and all of them finite.")
    edges = np.histogram_bin_edges(np.concatenate(list(sets.values())), bins=_bins(min(map(len, sets.values()))))
    figure = new_figure(PANEL)
    axes = add_panel(figure, "", name, "share")
    for k, (label, values) in enumerate(sets.items()):
        colour, shares = SERIES[k % len(SERIES)], np.full(len(values), 1.0 / len(values))
        axes.hist(values, bins=edges, weights=shares, color=colour, alpha=0.25)
        axes.hist(values, bins=edges, weights=shares, color=colour, histtype="step", linewidth=1.4, label=label)
    if len(sets) > 1:
        add_legend(axes)
    return save_figure(figure, path)


def _bins(count: int) -> int:
    """As many bins as there are values for: about the square root of their number."""
    return min(MOST_BINS, max(FEWEST_BINS, math.isqrt(count)))
