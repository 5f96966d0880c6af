"""What a fit tells its callbacks, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, TypeAlias

import numpy.typing as npt

from pgmc.errors import NumericsError
from pgmc.ir.model import Model
from pgmc.learning.history import History

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class EpochReport:
    """The state of a fit at the end of an epoch, as given to each callback.

    Attributes
    ----------
    epoch
        Epochs done, counted from 1.
    step
        Gradient steps done since the start.
    params
        Copies of the parameters.
    metrics
        The new row of the history.
    history
        The history so far.
    """

    epoch: int
    step: int
    params: Arrays = field(repr=False)
    metrics: Mapping[str, float]
    history: History = field(repr=False)


Callback: TypeAlias = Callable[[EpochReport], object]
"""Called after each epoch; the fit stops if it returns True, and goes on from the parameters of a mapping."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What a fit returns.

    Attributes
    ----------
    params
        Name -> trained array, of the program's type.
    history
        One column per recorded quantity, one number per epoch.
    model
        The trained model's specification.
    steps
        Gradient steps done.
    stopped
        Why it ended before the last epoch ("interrupted", "callback"), or None.
    """

    params: Arrays
    history: History
    model: Model
    steps: int
    stopped: str | None = None

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {'x'.join(map(str, a.shape)) or 'number'}" for name, a in self.params.items())
        end = f", stopped: {self.stopped}" if self.stopped else ""
        head = f"Fit of {self.model.name}: {self.history.epochs} epochs, {self.steps} steps{end}"
        last = ", ".join(f"{k.replace('_', ' ')} {v[-1]:.4g}" for k, v in self.history.items() if k != "epoch")
        return "\n".join([head, f"  parameters: {sizes}", *([f"  last epoch: {last}"] if last else [])])

    def _repr_html_(self) -> str:
        head, *rest = repr(self).splitlines()
        table = f'<pre style="background: none">{escape(str(self.history))}</pre>'
        return f'<div class="pgmc-fit"><p><b>{escape(head)}</b></p><p>{escape(rest[0].strip())}</p>{table}</div>'


class DivergenceError(NumericsError):
    """Training that left the finite numbers.

    Attributes
    ----------
    parameter
        The parameter that is not finite, or whose gradient is not.
    step
        The gradient step at which it happened, counted from 0.
    params
        The last parameters that were finite.
    history
        The history up to then.
    """

    def __init__(self, message: str, parameter: str, step: int, params: Arrays, history: History) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.step = step
        self.params = params
        self.history = history
