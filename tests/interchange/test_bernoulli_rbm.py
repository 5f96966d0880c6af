"""Machines of scikit-learn: the same free energy."""

from __future__ import annotations

import numpy as np
import pytest

import pgmc


def test_the_weights_of_scikit_learn() -> None:
    network = pytest.importorskip("sklearn.neural_network")
    X = np.random.default_rng(0).integers(0, 2, size=(40, 7)).astype(float)
    machine = network.BernoulliRBM(n_components=5, learning_rate=0.3, n_iter=20, random_state=0).fit(X)
    m, params, labels = pgmc.from_sklearn(machine)
    assert params["W"].flags.c_contiguous and params["W"].shape == (7, 5)
    assert len(labels["v"]) == 7 and len(labels["h"]) == 5
    p = pgmc.compile(m, dtype="float64", backend="numpy")
    np.testing.assert_allclose(p.free_energy(params, {"v": X}), machine._free_energy(X), atol=1e-10)
    given = p.conditional("h").evaluate(params, {"v": X})["probs"]
    np.testing.assert_allclose(given, machine.transform(X), atol=1e-12)


def test_what_is_not_fitted_is_refused() -> None:
    network = pytest.importorskip("sklearn.neural_network")
    with pytest.raises(pgmc.ArgumentError, match=r"has no components_\. Pass a BernoulliRBM that was fitted"):
        pgmc.from_sklearn(network.BernoulliRBM())
