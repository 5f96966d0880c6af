"""The up-pass as scikit-learn sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import pgmc
from pgmc_models import deep_belief_net

HOW: dict[str, Any] = {"objective": pgmc.CD(1), "optimizer": pgmc.SGD(0.2), "batch_size": 20}


@pytest.fixture(scope="module")
def digits() -> tuple[Any, Any]:
    X, y = load_digits(return_X_y=True)
    return (X[:300] >= 8).astype(float), y[:300]


def test_features_in_a_pipeline(digits: Any) -> None:
    X, y = digits
    features = pgmc.UpPassFeatures(deep_belief_net.model(64, 20, 10), "v", epochs=25, **HOW)
    pipeline = make_pipeline(features, LogisticRegression(max_iter=300)).fit(X, y)
    assert pipeline.score(X, y) > 0.5
    found = pipeline[0].transform(X)
    means = pipeline[0].layerwise_.up_pass({"v": X})
    np.testing.assert_array_equal(found, np.concatenate([means["h1"], means["h2"]], axis=1))
    names = pipeline[0].get_feature_names_out()
    assert list(names[[0, 20, 29]]) == ["h1[0]", "h2[0]", "h2[9]"]


def test_some_levels_of_a_clone(digits: Any) -> None:
    X, _ = digits
    features = pgmc.UpPassFeatures(deep_belief_net.model(64, 6, 4), "v", epochs=[1, 1], levels=["h2"], **HOW)
    first, second = clone(features).fit_transform(X), features.fit_transform(X)
    np.testing.assert_array_equal(first, second)
    assert first.shape == (300, 4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_classifier_starts_from_the_up_pass(digits: Any) -> None:
    """Without a step of fine-tuning worth the name its layers compute the up-pass; with some it classifies."""
    X, y = digits
    model = deep_belief_net.model(64, 30, 20)
    still = {"max_iter": 1, "learning_rate_init": 1e-9, "batch_size": 300}
    first = pgmc.UpPassClassifier(model, "v", epochs=2, fine_tuning=still, **HOW).fit(X, y)
    hidden = X
    for matrix, offset in zip(first.network_.coefs_[:-1], first.network_.intercepts_[:-1], strict=True):
        hidden = 1 / (1 + np.exp(-(hidden @ matrix + offset)))
    np.testing.assert_allclose(hidden, first.layerwise_.up_pass({"v": X})["h2"], atol=1e-4)
    tuned = {"max_iter": 60, "learning_rate_init": 0.01, "n_iter_no_change": 60, "tol": 0.0}
    last = pgmc.UpPassClassifier(model, "v", epochs=10, fine_tuning=tuned, **HOW).fit(X, y)
    assert last.score(X, y) > 0.9
    assert last.predict_proba(X[:3]).shape == (3, 10)
    stopped = pgmc.UpPassClassifier(model, "v", epochs=2, fine_tuning={"early_stopping": True, "max_iter": 5}, **HOW)
    assert len(stopped.fit(X, y).network_.validation_scores_) > 1
    assert list(last.classes_) == list(range(10))


def test_what_estimators_refuse(digits: Any) -> None:
    X, y = digits
    model = deep_belief_net.model(64, 6, 4)
    with pytest.raises(pgmc.ArgumentError, match="'x' is not a variable"):
        pgmc.UpPassFeatures(model, "x").fit(X)
    with pytest.raises(pgmc.ArgumentError, match="rows of X have 63 features"):
        pgmc.UpPassFeatures(model, "v").fit(X[:, 1:])
    with pytest.raises(pgmc.ArgumentError, match="'h3' is no latent variable"):
        pgmc.UpPassFeatures(model, "v", epochs=0, levels=["h3"]).fit(X).transform(X)
    m = pgmc.Model("spins")
    v, s = m.binary("v", 64), m.spin("s", 4)
    m.energy(-(v @ m.param("W", (64, 4)) @ s))
    with pytest.raises(pgmc.ArgumentError, match="s is not binary"):
        pgmc.UpPassClassifier(m, "v", epochs=0).fit(X, y)
