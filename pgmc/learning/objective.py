"""The contract of all objectives: what each is told, what it answers, and how they add up.

An objective is an immutable settings object. It estimates the gradient of a loss per example, to be
*descended*: for the likelihood objectives, of the mean of -log p. Whatever it must remember between steps
(fantasy chains) is a flat dict of arrays that it hands back, so that a checkpoint can hold it. Random
draws are keyed by the step's number, so nothing else need be remembered for an exact resume.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError, IntractableError
from pgmc.ir.queries import Energy, FreeEnergy

if TYPE_CHECKING:
    from pgmc.learning.combined import Combined
    from pgmc.runtime.executable import Executable
    from pgmc.runtime.streams import Stream

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]


@dataclass(frozen=True, eq=False)
class Setup:
    """What an objective works with, the same during a whole fit.

    Attributes
    ----------
    executable
        The compiled model.
    observed, latents
        The variables that the data give, and those they do not, in declaration order.
    parameters
        The parameters to train.
    data
        The training set, ``(n, *shape)`` for each observed variable and each input.
    stream
        The random stream of this objective.
    has_free_energy
        Whether the latents can be summed out analytically given the observed variables.
    independent_latents
        Whether one sweep over the latents draws them from their law given the data.
    threads
        Passed on to the run time.
    """

    executable: Executable
    observed: tuple[str, ...]
    latents: tuple[str, ...]
    parameters: tuple[str, ...]
    data: Arrays
    stream: Stream
    has_free_energy: bool
    independent_latents: bool
    threads: int | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs of a conditional model."""
        return tuple(symbol.name for symbol in self.executable.model.inputs)

    @property
    def energy(self) -> Energy | FreeEnergy:
        """The energy whose gradient is the statistic: the free energy of the observed variables if there is one."""
        if self.latents and self.has_free_energy:
            return FreeEnergy(self.observed)
        return Energy()

    def energies(self, params: Mapping[str, Array], state: Mapping[str, Array]) -> Array:
        """That energy of every row of the state, ``(n,)`` in nats."""
        names = self.observed if isinstance(self.energy, FreeEnergy) else (*self.observed, *self.latents)
        asked = {name: state[name] for name in (*names, *self.inputs)}
        answer = self.executable.evaluate(self.energy, params, asked, threads=self.threads)
        return np.asarray(next(iter(answer.values())), dtype=np.float64)

    def child(self, name: str) -> Setup:
        """The same, with a random stream of its own."""
        return replace(self, stream=self.stream.child(name))


@dataclass(frozen=True, slots=True)
class Estimate:
    """An objective's answer for one minibatch.

    Attributes
    ----------
    gradients
        Name of each parameter -> gradient of the loss per example, of the parameter's shape.
    metrics
        Monitored quantities; empty unless they were asked for.
    state
        What the objective remembers for the next step.
    """

    gradients: Arrays
    metrics: dict[str, float]
    state: Arrays


@runtime_checkable
class Objective(Protocol):
    """What ``fit`` asks of an objective."""

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """Check that the objective applies to this model and these data, and return its first state."""
        ...

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """Estimate the gradient of the loss on a minibatch.

        ``step`` counts the steps of the fit from 0 and keys the random draws; with ``measure`` the
        metrics are wanted.
        """
        ...

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """Metrics of the objective's own on held-out data, once an epoch; empty if it has none."""
        ...


class Terms:
    """Arithmetic of objectives: ``0.1 * CD(1) + PCD()`` is their weighted sum."""

    def __mul__(self, weight: float) -> Combined:
        return _combine(self).scaled(weight)

    __rmul__ = __mul__

    def __add__(self, other: object) -> Combined:
        return _combine(self).plus(_combine(other))

    def __neg__(self) -> Combined:
        return self * -1.0

    def __sub__(self, other: object) -> Combined:
        return self + _combine(other).scaled(-1.0)


def _combine(objective: object) -> Combined:
    from pgmc.learning.combined import Combined

    if isinstance(objective, Combined):
        return objective
    if not isinstance(objective, Objective):
        raise ArgumentError(f"Only objectives can be added to an objective, not {objective!r}.")
    return Combined(((1.0, objective),))


def check_count(what: str, value: int, least: int = 1) -> None:
    """Refuse a setting that is not a whole number of at least ``least``.

    Raises
    ------
    ArgumentError
        Naming the setting and the range.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:
        raise ArgumentError(f"{what} must be a whole number of at least {least}, got {value!r}.")


def has_free_energy(
    executable: Executable, params: Mapping[str, Array], row: Mapping[str, Array], observed: tuple[str, ...]
) -> bool:
    """Whether the compiler offers the free energy of the observed variables, tried on one row."""
    if len(observed) == len(executable.model.variables):
        return True
    try:
        executable.evaluate(FreeEnergy(observed), params, dict(row))
    except IntractableError:
        return False
    return True


def are_independent(executable: Executable, latents: tuple[str, ...]) -> bool:
    """Whether no two latents interact: one block, its units drawn at once, is all of them."""
    blocks = executable.blocks(latents) if latents else ()
    return len(blocks) < 2 and all(block.mode != "sequential" for block in blocks)
