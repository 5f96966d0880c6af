"""What can be asked of a compiled model. A query is the only thing that training and evaluation know of the compiler.

An *ensemble* says which law the question is about; each is a rewriting of the model, so every derivation serves all:

- ``PLAIN``     p(x) ∝ exp(-E(x))
- ``TEMPERED``  p(x) ∝ exp(-β E(x)); β is the input ``inverse_temperature``, one number per chain
- ``ANNEALED``  p(x) ∝ exp(-(1-β) E₀(x) - β E(x)) with the independent-unit base E₀(x) = -Σ base_x · x, whose fields are
  the parameters ``base_<variable>``; the path of annealed importance sampling. For real units E₀ has the summand
  ½ Σ precision · x², of the parameters ``precision_base_<variable>``
- ``UNDIRECTED`` p(x) ∝ exp(-E(x)) without the directed factors: the law of the variables that have none, as the factors
  of the others sum to one
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Ensemble(Enum):
    """The law a query is about."""

    PLAIN = "plain"
    TEMPERED = "tempered"
    ANNEALED = "annealed"
    UNDIRECTED = "undirected"


@dataclass(frozen=True, slots=True)
class Energy:
    """E(state), one number per example. Answer: ``energy`` (n,)."""

    ensemble: Ensemble = Ensemble.PLAIN


@dataclass(frozen=True, slots=True)
class FreeEnergy:
    """-log Σ exp(-E) over every variable not in ``observed``. Answer: ``free_energy`` (n,)."""

    observed: tuple[str, ...]
    ensemble: Ensemble = Ensemble.PLAIN


@dataclass(frozen=True, slots=True)
class TemperatureStep:
    """``of`` at β minus ``of`` at the next β, which is the input ``next_inverse_temperature``.

    The logarithm of an importance weight. What both have in common is computed once. Answer: as that of ``of``.
    """

    of: Energy | FreeEnergy


@dataclass(frozen=True, slots=True)
class Conditional:
    """Each unit of ``target`` given all others. Answer: ``logits`` (n, *shape[, states]).

    Of real units ``mean`` and ``precision``. The variables in ``without`` are integrated out.
    """

    target: str
    ensemble: Ensemble = Ensemble.PLAIN
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """∂/∂x of an energy or a free energy for each unit x of the variables ``wrt``: minus the score of exp(-F).

    With ``order=2`` the second derivative of each unit, the diagonal of the Hessian. Answer: one array ``(n, *shape)``
    for each of the variables, under its name.
    """

    of: Energy | FreeEnergy
    wrt: tuple[str, ...]
    order: int = 1

    @property
    def ensemble(self) -> Ensemble:
        """That of the energy."""
        return self.of.ensemble


@dataclass(frozen=True, slots=True)
class ScoreLoss:
    """The loss of each example whose mean is minimal where the scores of model and data are the same.

    A ``denoising`` loss is given noisy data, and as inputs ``pgmc_noise_<variable>`` the score of the noise, (clean -
    noisy)/σ². Answer: ``score_loss`` (n,).
    """

    of: Energy | FreeEnergy
    wrt: tuple[str, ...]
    denoising: bool = False

    @property
    def ensemble(self) -> Ensemble:
        """That of the energy."""
        return self.of.ensemble


def noise_name(variable: str) -> str:
    """The name of the input that says what noise was put on a variable."""
    return f"pgmc_noise_{variable}"


@dataclass(frozen=True, slots=True)
class Gradient:
    """∂/∂θ of an energy, a free energy, a mean-field bound or a loss of scores, averaged with weights of the examples.

    ``squared`` averages the squares of what each example has. Answer: one array per parameter of ``wrt``, under the
    parameter's own name.
    """

    of: Energy | FreeEnergy | MeanFieldBound | ScoreLoss
    wrt: tuple[str, ...]
    squared: bool = False


@dataclass(frozen=True, slots=True)
class Sweep:
    """One Gibbs update of every variable of ``free``, in blocks of units that do not interact.

    Blocks that lie within ``first`` come first; ``backward`` reverses the order of the blocks and, within sequential
    blocks, of the units (the time reversal under the target). Variables in ``masked`` keep some of their units.
    Those in ``moved`` are moved together by Hamiltonian Monte Carlo, those in ``summed`` summed out meanwhile and drawn
    at once after that; all others are drawn after both.
    """

    free: tuple[str, ...]
    first: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    backward: bool = False
    ensemble: Ensemble = Ensemble.PLAIN
    moved: tuple[str, ...] = ()
    summed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ancestral:
    """One draw of every variable of ``free`` from its directed factor, parents before children; others are given."""

    free: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeanField:
    """One pass of coordinate-wise mean-field updates of every variable not in ``observed``, in place on the means.

    Means are arrays ``(n, *shape)``, and ``(n, *shape, states)`` for a categorical variable.
    """

    observed: tuple[str, ...]
    ensemble: Ensemble = Ensemble.PLAIN


@dataclass(frozen=True, slots=True)
class MeanFieldUpdate:
    """The best mean of every unit not observed, all others at the means given: one step of parallel mean field.

    Answer: means as for ``MeanField``, one array for each of these variables, under its name.
    """

    observed: tuple[str, ...]
    ensemble: Ensemble = Ensemble.PLAIN


@dataclass(frozen=True, slots=True)
class MeanFieldBound:
    """-E_q[E] + H(q) ≤ log Σ exp(-E) over every variable not in ``observed``. Answer: ``bound`` (n,)."""

    observed: tuple[str, ...]
    ensemble: Ensemble = Ensemble.PLAIN


Query: TypeAlias = (
    Energy
    | FreeEnergy
    | TemperatureStep
    | Conditional
    | Score
    | ScoreLoss
    | Gradient
    | Sweep
    | Ancestral
    | MeanField
    | MeanFieldUpdate
    | MeanFieldBound
)

Derivative: TypeAlias = Gradient | Score | ScoreLoss
"""Queries about the answer to another one."""


def kernel_name(query: Query) -> str:
    """The name of the generated function."""
    match query:
        case Conditional(target):
            return f"conditional_{target}"
        case Gradient(squared=True):
            return "squared_gradient"
        case Score(order=2):
            return "curvature"
        case _:
            return re.sub("(?<!^)([A-Z])", r"_\1", type(query).__name__).lower()
