"""How a run trains: numbers that the data suggest and options change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How a model is trained and measured.

    Attributes
    ----------
    hidden
        What the sizes of a specification are limited to unless an option gives them; not its number of visible units.
    epochs, learning_rate, momentum, batch_size, weight_decay
        Of stochastic gradient descent. The rate is constant for half the epochs and then falls linearly to 0.
    gibbs_steps, chains
        Of persistent contrastive divergence.
    annealing_chains, annealing_steps
        Of annealed importance sampling, in each direction.
    sampling_chains, sampling_sweeps
        Of the chains that are drawn and whose mixing is judged, cooled over the first half of the sweeps.
    """

    hidden: int
    epochs: int
    learning_rate: float
    gibbs_steps: int
    weight_decay: float
    momentum: float = 0.5
    batch_size: int = 100
    chains: int = 100
    annealing_chains: int = 500
    annealing_steps: int = 1000
    sampling_chains: int = 100
    sampling_sweeps: int = 5000


@dataclass(frozen=True)
class LinearDecay:
    """A learning rate that is constant for the first half of the epochs and then falls linearly to 0."""

    rate: float
    epochs: int

    def __call__(self, epoch: float) -> float:
        """The rate after so many epochs."""
        return self.rate * min(1.0, 2.0 * (1.0 - epoch / self.epochs))
