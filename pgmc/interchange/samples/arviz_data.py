"""Chains for ArviZ: labelled arrays with axes of chains and draws, and the energy of every draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError
from pgmc.interchange.optional import need

Array: TypeAlias = npt.NDArray[Any]

AXES = ("chain", "draw")


def to_arviz(arrays: Mapping[str, Array], energies: Array | None, attributes: Mapping[str, Any]) -> Any:
    """The draws as an ``xarray.DataTree``, as ``arviz_base.from_dict`` makes it.

    Parameters
    ----------
    arrays
        Name -> ``(chains, draws, *shape)``, the group ``posterior``. Axis k of an array is ``NAME_dim_k``.
    energies
        ``(chains, draws)`` in nats, the group ``sample_stats``; None if they are not known.
    attributes
        What the whole remembers of where it came from.

    Raises
    ------
    ArgumentError
        If arviz-base is not installed, or a name is that of an axis.
    """
    arviz = need("arviz_base", "diag", "to_arviz")
    for name in AXES:
        if name in arrays:
            raise ArgumentError(f"to_arviz: {name} is the name of an axis in ArviZ. Record it under another name.")
    dims = {name: [f"{name}_dim_{k}" for k in range(array.ndim - 2)] for name, array in arrays.items()}
    sizes = {dim: n for name, array in arrays.items() for dim, n in zip(dims[name], array.shape[2:], strict=True)}
    groups: dict[str, dict[str, Array]] = {"posterior": dict(arrays)}
    if energies is not None:
        groups["sample_stats"] = {"energy": energies}
    coords = {dim: np.arange(n) for dim, n in sizes.items()}
    # Many short chains are usual here, which the convention of few long ones would be warned about.
    tree = arviz.from_dict(groups, dims=dims, coords=coords, check_conventions=False)
    tree.attrs |= {"inference_library": "pgmc", **attributes}
    return tree
