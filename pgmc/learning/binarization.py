"""Intensities made binary, by a scheme that is named: likelihoods under different schemes cannot be compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args, overload

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError, DataError
from pgmc.runtime.streams import Stream, check_seed

Scheme = Literal["threshold", "sample", "resample"]


@dataclass(frozen=True, eq=False)
class Resampled:
    """Intensities of which ``fit`` draws new binary data in every epoch.

    Attributes
    ----------
    intensities
        Numbers from 0 to 1, ``(n, *shape)``.
    seed
        Of the draws; those of an epoch do not depend on the epochs before it.
    """

    intensities: npt.NDArray[Any] = field(repr=False)
    seed: int

    def __len__(self) -> int:
        return len(self.intensities)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the data."""
        return self.intensities.shape

    def draw(self, epoch: int) -> npt.NDArray[np.int8]:
        """The data of an epoch, counted from 0: each 1 with a probability equal to its intensity."""
        uniforms = Stream(self.seed, "binarize").child(f"epoch {epoch}").generator().random(self.shape)
        return np.asarray(uniforms < self.intensities, dtype=np.int8)

    def __array__(self, *_: Any, **__: Any) -> npt.NDArray[Any]:
        raise DataError(
            "These binary data are redrawn in every epoch of a fit and are no array. Take those of one epoch, "
            ".draw(0), or binarize by the scheme 'sample'."
        )


@overload
def binarize(
    intensities: npt.ArrayLike, scheme: Literal["threshold", "sample"], *, seed: int | None = 0, threshold: float = 0.5
) -> npt.NDArray[np.int8]: ...


@overload
def binarize(
    intensities: npt.ArrayLike, scheme: Literal["resample"], *, seed: int | None = 0, threshold: float = 0.5
) -> Resampled: ...


def binarize(
    intensities: npt.ArrayLike, scheme: Scheme, *, seed: int | None = 0, threshold: float = 0.5
) -> npt.NDArray[np.int8] | Resampled:
    """Binary data from intensities between 0 and 1.

    Parameters
    ----------
    intensities
        Numbers from 0 to 1, of any shape. Divide grey levels by the highest one first.
    scheme
        ``"threshold"``: 1 where the intensity is at least ``threshold``. ``"sample"``: 1 with a probability equal to
        the intensity, drawn once. ``"resample"``: drawn anew in every epoch of a fit.
    seed
        Of the draws; the same seed gives the same data.
    threshold
        Of ``"threshold"``.

    Returns
    -------
    ndarray of int8, or Resampled
        Zeros and ones of the same shape; for ``"resample"`` an object to give to ``fit`` in the place of an array. Its
        ``draw(epoch)`` is such an array.

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
    if scheme == "resample":
        return Resampled(values, check_seed(seed))
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
