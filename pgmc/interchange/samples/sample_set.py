"""Draws of binary units or of spins as a SampleSet of dimod."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError
from pgmc.interchange.optional import need
from pgmc.interchange.samples.labels import columns_of

Array: TypeAlias = npt.NDArray[Any]


def to_dimod(
    arrays: Mapping[str, Array],
    energies: Array,
    kinds: set[str],
    labels: Sequence[Hashable] | None,
    info: dict[str, Any],
) -> Any:
    """The draws as a ``dimod.SampleSet``, each a row with its energy.

    Parameters
    ----------
    arrays
        Name -> ``(chains, draws, *shape)`` states.
    energies
        ``(chains, draws)``, in nats.
    kinds
        The kinds of the variables in ``arrays``.
    labels
        A label for each unit, variable by variable in C order. By default the numbers of the units if there is one
        variable along one axis, else ``v[3]``, ``s[0, 2]``.
    info
        What the set remembers of where it came from.

    Raises
    ------
    ArgumentError
        If dimod is not installed, units are neither all binary nor all spins, or there are too many or too few labels.
    """
    dimod = need("dimod", "ising", "to_dimod")
    if kinds not in ({"binary"}, {"spin"}):
        raise ArgumentError(
            f"to_dimod: a SampleSet holds binary units or spins, not {' and '.join(sorted(kinds))}. Use to_pandas."
        )
    columns = columns_of(arrays)
    if labels is None:
        alone = len(arrays) == 1 and next(iter(arrays.values())).ndim == 3
        labels = range(len(columns)) if alone else list(columns)
    if len(labels) != len(columns):
        raise ArgumentError(f"to_dimod: {len(labels)} labels for {len(columns)} units. Give one for each.")
    states = np.stack(list(columns.values()), axis=1).astype(np.int8)
    return dimod.SampleSet.from_samples(
        (states, list(labels)), vartype=next(iter(kinds)).upper(), energy=np.ravel(energies), info=info
    )
