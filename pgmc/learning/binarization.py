"""Intensities made binary, by a scheme that is named: likelihoods under different schemes cannot be compared."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError, DataError
from pgmc.runtime.streams import Stream, check_seed

Scheme = Literal["threshold", "sample"]


def binarize(
    intensities: npt.ArrayLike, scheme: Scheme, *, seed: int | None = 0, threshold: float = 0.5
) -> npt.NDArray[np.int8]:
    """Binary data from intensities between 0 and 1.

    Parameters
    ----------
    intensities
        Numbers from 0 to 1, of any shape. Divide grey levels by the highest one first.
    scheme
        ``"threshold"``: 1 where the intensity is at least ``threshold``. ``"sample"``: 1 with a probability equal to
        the intensity, drawn once.
    seed
        Of ``"sample"``; the same seed gives the same data.
    threshold
        Of ``"threshold"``.

    Returns
    -------
    ndarray of int8
        Zeros and ones of the same shape.

    Raises
    ------
    ArgumentError
        If the scheme is none of the above.
    DataError
        If an intensity is not a number from 0 to 1.
    """
    if scheme not in get_args(Scheme):
        raise ArgumentError(
            f"binarize: scheme must be one of {', '.join(map(repr, get_args(Scheme)))}, got {scheme!r}."
        )
    values = _checked(intensities)
    if scheme == "threshold":
        return np.asarray(values >= threshold, dtype=np.int8)
    uniforms = Stream(check_seed(seed), "binarize").generator().random(values.shape)
    return np.asarray(uniforms < values, dtype=np.int8)


def _checked(intensities: npt.ArrayLike) -> npt.NDArray[Any]:
    try:
        values = np.asarray(intensities, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"binarize: the intensities are not numbers ({error}).") from error
    outside = ~((values >= 0) & (values <= 1))
    if outside.any():
        place = tuple(int(k) for k in np.argwhere(outside)[0])
        raise DataError(
            f"binarize: expected intensities from 0 to 1, got {values[place]:g} at {place}. "
            "Divide by the highest grey level first."
        )
    return values
