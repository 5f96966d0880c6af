"""Score matching: the derivatives of the log-density in the data fitted, which need no log Z and no samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pgmc.errors import ArgumentError, IntractableError
from pgmc.ir.queries import Gradient, ScoreLoss, noise_name
from pgmc.learning.objective import Array, Arrays, Estimate, Setup, Terms
from pgmc.runtime.streams import Stream


@dataclass(frozen=True)
class ScoreMatching(Terms):
    """The mean over the data of Σ ½ (∂F/∂x)² - ∂²F/∂x² over the observed units, by its exact gradient.

    It is the expected squared distance ½ ‖∇ log p(x) - ∇ log q(x)‖² from the density q of the data, but for a constant,
    and minimal where the scores agree. F is the free energy of the observed variables, or the energy if nothing is
    latent; log Z has no derivative in x and is never needed. Both derivatives are taken symbolically. Of positive units
    the terms are ½ x² (∂F/∂x)² - 2 x ∂F/∂x - x² ∂²F/∂x², which holds for densities that do not vanish at 0.

    Raises
    ------
    IntractableError
        At the start of a fit, if an observed variable is discrete, the latent ones cannot be summed out, or the energy
        has corners.

    References
    ----------
    Hyvärinen (2005), Estimation of non-normalized statistical models by score matching, theorem 1.
    Hyvärinen (2007), Some extensions of score matching, section 3.
    """

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """No state; refuses what has no score."""
        _check(self, setup, params)
        return {}

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """The gradient of the mean loss of the batch."""
        return _estimate(setup, params, _given(setup, batch), _loss(setup), state, measure)

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """The mean loss of held-out data. It may be negative; the lower, the closer the scores."""
        return {"score_loss": _mean_loss(setup, params, _given(setup, data), _loss(setup))}


@dataclass(frozen=True)
class DenoisingScoreMatching(Terms):
    """The mean of Σ ½ (∂F/∂x(x̃) + (x - x̃)/σ²)² over noisy data x̃ = x + σ ε, with fresh normal ε at every step.

    The score of the model at a noisy point is to lead back to the clean one. It is minimal where the model has the
    score of the data blurred by the noise, so that a large sigma makes densities that are too wide; but it needs first
    derivatives only, and is kinder to data on a thin sheet.

    Parameters
    ----------
    sigma : float
        The standard deviation of the noise, in the units of the data.

    Raises
    ------
    ArgumentError
        If sigma is not a finite number above 0.
    IntractableError
        At the start of a fit, if an observed variable is not real, or the latent ones cannot be summed out.

    References
    ----------
    Vincent (2011), A connection between score matching and denoising autoencoders, equation 9.
    """

    sigma: float = 0.1

    def __post_init__(self) -> None:
        if isinstance(self.sigma, bool) or not 0 < self.sigma < float("inf"):
            raise ArgumentError(f"DenoisingScoreMatching: sigma must be a finite number above 0, got {self.sigma!r}.")

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """No state; refuses what has no score."""
        _check(self, setup, params, denoising=True)
        return {}

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """The gradient of the mean loss of the batch with new noise."""
        noisy = self._noisy(setup, batch, setup.stream.child(f"noise {step}"))
        return _estimate(setup, params, noisy, _loss(setup, denoising=True), state, measure)

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """The mean loss of held-out data, under the same noise every time."""
        noisy = self._noisy(setup, data, setup.stream.child("noise of validation"))
        return {"denoising_loss": _mean_loss(setup, params, noisy, _loss(setup, denoising=True))}

    def _noisy(self, setup: Setup, batch: Arrays, stream: Stream) -> Arrays:
        """The data with noise, and the score of the noise."""
        given, generator = _given(setup, batch), stream.generator()
        for name in setup.observed:
            noise = generator.normal(size=given[name].shape)
            given[noise_name(name)] = (-noise / self.sigma).astype(given[name].dtype)
            given[name] = (given[name] + self.sigma * noise).astype(given[name].dtype)
        return given


def _check(objective: Terms, setup: Setup, params: Mapping[str, Array], denoising: bool = False) -> None:
    """Refuse what has no free energy or no score, by asking for the loss of one row.

    Raises
    ------
    IntractableError
        Saying why.
    """
    if setup.latents and not setup.has_free_energy:
        raise IntractableError(
            f"{type(objective).__name__}: the free energy of {', '.join(setup.observed)} has no tractable form, and so "
            "the score has none. Observe more variables, or use a sampling objective such as PCD."
        )
    row = {name: values[:1] for name, values in setup.data.items()}
    if denoising:
        row |= {noise_name(name): np.zeros_like(row[name]) for name in setup.observed}
    setup.executable.evaluate(_loss(setup, denoising), params, row, threads=setup.threads)


def _loss(setup: Setup, denoising: bool = False) -> ScoreLoss:
    return ScoreLoss(setup.energy, setup.observed, denoising)


def _given(setup: Setup, batch: Arrays) -> Arrays:
    return {name: batch[name] for name in (*setup.observed, *setup.inputs)}


def _mean_loss(setup: Setup, params: Mapping[str, Array], given: Arrays, loss: ScoreLoss) -> float:
    return float(setup.executable.evaluate(loss, params, given, threads=setup.threads)["score_loss"].mean())


def _estimate(
    setup: Setup, params: Mapping[str, Array], given: Arrays, loss: ScoreLoss, state: Arrays, measure: bool
) -> Estimate:
    query = Gradient(loss, setup.parameters)
    gradients = setup.executable.evaluate(query, params, given, threads=setup.threads)
    name = "denoising_loss" if loss.denoising else "score_loss"
    metrics = {name: _mean_loss(setup, params, given, loss)} if measure else {}
    return Estimate(gradients, metrics, state)
