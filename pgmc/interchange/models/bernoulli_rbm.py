"""Machines that scikit-learn has trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from pgmc.dsl.model import Model
from pgmc.errors import ArgumentError
from pgmc.interchange.models.imported import Imported

FITTED = ("components_", "intercept_hidden_", "intercept_visible_")


def from_sklearn(estimator: Any) -> Imported:
    """The model and the weights of a fitted ``sklearn.neural_network.BernoulliRBM``.

    E(v, h) = -Σ v_i W_ij h_j - Σ b_i v_i - Σ c_j h_j with W the transpose of ``components_``, b its
    ``intercept_visible_`` and c its ``intercept_hidden_``.

    Parameters
    ----------
    estimator : BernoulliRBM
        Fitted.

    Returns
    -------
    Imported
        ``model`` with ``v`` and ``h``, and ``params`` with ``W``, ``b`` and ``c``.

    Raises
    ------
    ArgumentError
        If it is not fitted, or something else.
    """
    missing = [name for name in FITTED if not hasattr(estimator, name)]
    if missing:
        raise ArgumentError(
            f"from_sklearn: {type(estimator).__name__} has no {missing[0]}. Pass a BernoulliRBM that was fitted."
        )
    W = np.ascontiguousarray(np.asarray(estimator.components_, dtype=np.float64).T)
    b, c = (
        np.atleast_1d(np.asarray(x, dtype=np.float64))
        for x in (estimator.intercept_visible_, estimator.intercept_hidden_)
    )
    m = Model("bernoulli_rbm")
    v, h = m.binary("v", W.shape[0]), m.binary("h", W.shape[1])
    m.energy(-(v @ m.param("W", W.shape) @ h) - m.param("b", W.shape[0]) @ v - m.param("c", W.shape[1]) @ h)
    names = tuple(getattr(estimator, "feature_names_in_", range(W.shape[0])))
    return Imported(m, {"W": W, "b": b, "c": c}, {"v": names, "h": tuple(range(W.shape[1]))})
