"""Binary quadratic models of dimod."""

from __future__ import annotations

from typing import Any

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.interchange.models.imported import Imported
from pgmc.interchange.models.pairwise import build_pairwise


def from_dimod(bqm: Any) -> Imported:
    """The model with the energy of a ``dimod.BinaryQuadraticModel``: E(s) = Σ J_ab s_a s_b + Σ f_a s_a + offset.

    Signs, offset and kind of units (``SPIN`` or ``BINARY``) are those of the given one; the order of units is that of
    ``bqm.variables``, which ``labels`` holds. At inverse temperature 1 samples have the law exp(-E) / Z.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel

    Returns
    -------
    Imported
        ``model`` with the variable ``s`` (spins) or ``x`` (binary), ``params`` with the biases ``f`` and the couplings
        ``J``, ``labels``.

    Raises
    ------
    ArgumentError
        If it is no such model, or has no variables.

    Examples
    --------
    >>> m, params, labels = pgmc.from_dimod(bqm)
    >>> samples = pgmc.compile(m).sample(params, chains=100, sweeps=1000)
    >>> samples.to_dimod(labels["s"]).first
    """
    if not hasattr(bqm, "to_numpy_vectors") or not hasattr(bqm, "vartype"):
        raise ArgumentError(f"from_dimod: expected a dimod.BinaryQuadraticModel, got {type(bqm).__name__}.")
    labels = list(bqm.variables)
    if not labels:
        raise ArgumentError("from_dimod: the model has no variables.")
    vectors = bqm.to_numpy_vectors(variable_order=labels)
    pairs = np.stack([np.asarray(vectors.quadratic.row_indices), np.asarray(vectors.quadratic.col_indices)], axis=1)
    return build_pairwise(
        "quadratic_model",
        "spin" if bqm.vartype.name == "SPIN" else "binary",
        labels,
        np.asarray(vectors.linear_biases),
        pairs.astype(np.int64),
        np.asarray(vectors.quadratic.biases),
        float(vectors.offset),
    )
