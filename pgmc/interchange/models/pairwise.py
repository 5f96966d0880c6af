"""Binary units or spins with a bias each, and couplings between listed pairs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.dsl.model import Model
from pgmc.interchange.models.imported import Imported

Array: TypeAlias = npt.NDArray[Any]
Kind: TypeAlias = Literal["binary", "spin"]


def build_pairwise(
    name: str, kind: Kind, labels: Sequence[Hashable], biases: Array, pairs: Array, couplings: Array, offset: float
) -> Imported:
    """E(s) = Σ_e J[e] · s[a(e)] · s[b(e)] + Σ_i f[i] · s[i] + offset, with the signs of the other library.

    Parameters
    ----------
    name
        Of the model.
    kind
        Of the units: spins ``s`` or binary units ``x``.
    labels
        What the other library calls each unit.
    biases
        ``(n,)``, the parameter ``f``.
    pairs
        ``(m, 2)`` numbers of units.
    couplings
        ``(m,)``, the parameter ``J``.
    offset
        A constant energy; a constant ``offset`` of the model unless it is 0.
    """
    m = Model(name)
    unit = "s" if kind == "spin" else "x"
    s = m.spin(unit, len(labels)) if kind == "spin" else m.binary(unit, len(labels))
    f = m.param("f", len(labels))
    m.energy(f @ s, name="biases")
    params = {"f": np.asarray(biases, dtype=np.float64)}
    if len(pairs):
        e, a, b = m.edges(pairs)
        J = m.param("J", len(pairs))
        m.energy(J[e] * s[a] * s[b], name="couplings")
        params["J"] = np.asarray(couplings, dtype=np.float64)
    if offset:
        m.energy(m.constant("offset", offset), name="offset")
    return Imported(m, params, {unit: tuple(labels)})
