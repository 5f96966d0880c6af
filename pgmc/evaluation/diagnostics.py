"""How well chains have mixed: R-hat and effective sample size, for any statistic recorded along them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import DataError

Array: TypeAlias = npt.NDArray[Any]


def potential_scale_reduction(draws: Array) -> Array:
    """Rank-normalised split R-hat of each recorded number.

    Parameters
    ----------
    draws
        ``(chains, draws, *shape)``, at least 4 draws.

    Returns
    -------
    ndarray
        ``shape``. 1 when chains agree. NaN where nothing ever varied (R-hat says nothing then); inf where
        every chain is stuck, but not all at the same value.

    Raises
    ------
    DataError
        If there are fewer than two axes or four draws, or a value is not finite.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), Rank-normalization, folding, and localization.
    """
    from arviz_stats.base.array import array_stats

    return _each(draws, array_stats.rhat, stuck=np.inf)


def effective_sample_size(draws: Array) -> Array:
    """Effective number of independent draws behind the mean of each recorded number (bulk, over all
    chains).

    Parameters
    ----------
    draws
        ``(chains, draws, *shape)``, at least 4 draws.

    Returns
    -------
    ndarray
        ``shape``. NaN where nothing ever varied; the number of chains where every chain is stuck at a
        value of its own.

    Raises
    ------
    DataError
        If there are fewer than two axes or four draws, or a value is not finite.
    """
    from arviz_stats.base.array import array_stats

    return _each(draws, array_stats.ess, stuck=float(len(draws)))


def _each(draws: Array, statistic: Callable[..., Any], stuck: float) -> Array:
    values = np.asarray(draws, dtype=np.float64)
    if values.ndim < 2 or values.shape[1] < 4:
        raise DataError(f"draws must be (chains, draws, *shape) with at least 4 draws, got shape {values.shape}.")
    if not np.isfinite(values).all():
        raise DataError("draws: some values are not finite.")
    flat = values.reshape(*values.shape[:2], -1)
    result = np.full(flat.shape[2], np.nan)
    never = np.ptp(flat, axis=(0, 1)) == 0
    frozen = (np.ptp(flat, axis=1) == 0).all(axis=0) & ~never
    result[frozen] = stuck
    moving = ~never & ~frozen
    if moving.any():
        with warnings.catch_warnings():  # a half of one chain may be constant: the statistic copes, with a warning
            warnings.simplefilter("ignore", RuntimeWarning)
            result[moving] = statistic(np.moveaxis(flat[:, :, moving], 2, 0), chain_axis=-2, draw_axis=-1)
    return result.reshape(values.shape[2:])
