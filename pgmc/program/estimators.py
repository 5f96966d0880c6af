"""Levels of a model as features, and as the first layers of a classifier, with scikit-learn's interfaces."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgmc.dsl.model import Model
from pgmc.errors import ArgumentError
from pgmc.ir.symbols import shape_of
from pgmc.program.layerwise import Layerwise, fit_layerwise

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:
    raise ArgumentError(
        'The estimators need scikit-learn, which is not installed: pip install "pgmc[sklearn]"'
    ) from None

if TYPE_CHECKING:
    from pgmc.learning.objective import Objective
    from pgmc.learning.optimizers import Optimizer

Array = npt.NDArray[Any]


class _OfModel(BaseEstimator):  # type: ignore[misc]
    """An estimator around a model, which copies of the estimator share: it is only read."""

    def __sklearn_clone__(self) -> _OfModel:
        made: _OfModel = type(self)(**self.get_params(deep=False))
        return made


class UpPassFeatures(TransformerMixin, _OfModel):  # type: ignore[misc]
    """Greedy layer-wise training as ``fit``, the means of the up-pass as ``transform``.

    Parameters
    ----------
    model : Model
        The specification.
    observed : str
        The variable that the rows of ``X`` are values of; other variables are latent.
    objective, optimizer, epochs, batch_size
        As for ``pgmc.fit_layerwise``.
    levels : sequence of str, optional
        The latent variables whose means are the features, all by default.
    random_state : int
        The seed.

    Attributes
    ----------
    layerwise_ : Layerwise
        What training returned.

    References
    ----------
    Goodfellow, Bengio, Courville (2016), equations 20.22 and 20.23.
    """

    def __init__(
        self,
        model: Model,
        observed: str,
        objective: Objective | Sequence[Objective] | None = None,
        optimizer: Optimizer | Sequence[Optimizer] | None = None,
        epochs: int | Sequence[int] = 10,
        batch_size: int | None = None,
        levels: Sequence[str] | None = None,
        random_state: int = 0,
    ) -> None:
        self.model = model
        self.observed = observed
        self.objective = objective
        self.optimizer = optimizer
        self.epochs = epochs
        self.batch_size = batch_size
        self.levels = levels
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: Any = None) -> UpPassFeatures:
        """Train the model on ``X``, ``(n, units of the observed variable)``. Labels are not used."""
        rows = validate_data(self, X)
        self.layerwise_: Layerwise = fit_layerwise(
            self.model,
            {self.observed: _shaped(self.model, self.observed, rows)},
            self.objective,
            self.optimizer,
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=self.random_state,
            progress=False,
        )
        return self

    def transform(self, X: npt.ArrayLike) -> Array:
        """The means of the units of the levels given ``X``, ``(n, units)``."""
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False)
        means = self.layerwise_.up_pass({self.observed: _shaped(self.model, self.observed, rows)})
        return np.concatenate([means[name].reshape(len(rows), -1) for name in self._names()], axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """The name of each unit, such as ``h[3]``."""
        check_is_fitted(self)
        shapes = {v.name: shape_of(v) for v in self.model.build().variables}
        return np.array(
            [f"{name}[{','.join(map(str, place))}]" for name in self._names() for place in np.ndindex(shapes[name])],
            dtype=object,
        )

    def _names(self) -> tuple[str, ...]:
        latent = tuple(name for level in self.layerwise_.levels[1:] for name in level)
        unknown = [name for name in self.levels or () if name not in latent]
        if unknown:
            raise ArgumentError(f"UpPassFeatures: {unknown[0]!r} is no latent variable; they are {', '.join(latent)}.")
        return latent if self.levels is None else tuple(self.levels)


class UpPassClassifier(ClassifierMixin, _OfModel):  # type: ignore[misc]
    """A multi-layer perceptron whose first layers start as the up-pass of a model trained by levels, then fine-tuned.

    The layers are the levels of the model, with the weights of the up-pass; a layer of classes is added, and all are
    trained together on labels by scikit-learn's ``MLPClassifier``. Every latent level is of binary units whose logits
    are linear in the level below.

    Parameters
    ----------
    model, observed, objective, optimizer, epochs, batch_size, random_state
        As for ``UpPassFeatures``.
    fine_tuning : dict, optional
        Settings of the ``MLPClassifier``, such as ``{"max_iter": 20, "learning_rate_init": 1e-3}``.

    Attributes
    ----------
    layerwise_ : Layerwise
        What training by levels returned.
    network_ : MLPClassifier
        The fine-tuned network.
    classes_ : ndarray
        The labels.

    References
    ----------
    Hinton, Osindero and Teh (2006), A fast learning algorithm for deep belief nets. Goodfellow, Bengio, Courville
    (2016), section 20.3.
    """

    def __init__(
        self,
        model: Model,
        observed: str,
        objective: Objective | Sequence[Objective] | None = None,
        optimizer: Optimizer | Sequence[Optimizer] | None = None,
        epochs: int | Sequence[int] = 10,
        batch_size: int | None = None,
        fine_tuning: dict[str, Any] | None = None,
        random_state: int = 0,
    ) -> None:
        self.model = model
        self.observed = observed
        self.objective = objective
        self.optimizer = optimizer
        self.epochs = epochs
        self.batch_size = batch_size
        self.fine_tuning = fine_tuning
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> UpPassClassifier:
        """Train the levels on ``X``, then the network on ``X`` and ``y``."""
        rows, labels = validate_data(self, X, y)
        own = self.get_params(deep=False)
        settings = own.pop("fine_tuning") or {}
        self.layerwise_ = UpPassFeatures(**own).fit(rows).layerwise_
        layers = [step.linear() for step in self.layerwise_.steps]
        network = MLPClassifier(
            **{"random_state": self.random_state, **settings},
            hidden_layer_sizes=tuple(len(offset) for _, offset in layers),
            activation="logistic",
            warm_start=True,
        )
        most = network.max_iter
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # this one pass is for its arrays alone
            network.set_params(max_iter=1).fit(rows, labels)
        network.set_params(max_iter=most)
        for k, (matrix, offset) in enumerate(layers):
            network.coefs_[k] = matrix.astype(network.coefs_[k].dtype)
            network.intercepts_[k] = offset.astype(network.coefs_[k].dtype)
        self.network_ = network.fit(rows, labels)
        self.classes_ = network.classes_
        return self

    def predict(self, X: npt.ArrayLike) -> Array:
        """The most probable label of each row."""
        check_is_fitted(self)
        return np.asarray(self.network_.predict(validate_data(self, X, reset=False)))

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """The probability of each label, ``(n, classes)``."""
        check_is_fitted(self)
        return np.asarray(self.network_.predict_proba(validate_data(self, X, reset=False)))


def _shaped(model: Model, observed: str, rows: Array) -> Array:
    shapes = {v.name: shape_of(v) for v in model.build().variables}
    if observed not in shapes:
        raise ArgumentError(f"{observed!r} is not a variable of {model.name}; they are {', '.join(shapes)}.")
    if rows.shape[1] != int(np.prod(shapes[observed])):
        raise ArgumentError(
            f"{observed} has the shape {shapes[observed]}, and rows of X have {rows.shape[1]} features. Give one for "
            "each unit."
        )
    return rows.reshape(len(rows), *shapes[observed])
