"""The training loop: minibatches, gradients, steps, and what is recorded of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import NumericsError
from pgmc.learning.coordinates import Coordinates
from pgmc.learning.data import TrainingData
from pgmc.learning.minibatches import count_batches, minibatches
from pgmc.learning.objective import Estimate, Objective, Setup
from pgmc.learning.optimizers import Optimizer
from pgmc.learning.progress import Progress
from pgmc.learning.report import Callback, DivergenceError, EpochReport
from pgmc.learning.resume import RunFiles
from pgmc.learning.run_state import RunState
from pgmc.runtime.state import encode_params
from pgmc.runtime.streams import Stream
from pgmc.runtime.threads import one_blas_thread

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]

MEASUREMENTS_PER_EPOCH = 4
"""Metrics that cost extra work are taken at this many steps of an epoch, evenly spaced."""


@dataclass(frozen=True)
class Training:
    """A fit: what stays the same while it runs."""

    setup: Setup
    data: TrainingData
    coordinates: Coordinates
    objective: Objective
    optimizer: Optimizer
    batch_size: int
    validation: Arrays | None
    shuffle: Stream
    callbacks: Sequence[Callback]
    progress: Progress
    files: RunFiles | None

    @property
    def batches(self) -> int:
        """Steps in an epoch."""
        return count_batches(len(next(iter(self.setup.data.values()))), self.batch_size)

    def begin(self, params: Mapping[str, Array]) -> RunState:
        """The state before the first step."""
        values = self.coordinates.of_params(params)
        state = self.objective.prepare(self.setup, self.coordinates.to_params(values))
        return RunState(values, self.optimizer.prepare(values), state)

    def run(self, state: RunState, epochs: int) -> str | None:
        """Train until ``epochs`` epochs are done; why it ended earlier, if it did."""
        self.progress.start(epochs, self.batches, state.epoch)
        try:
            while state.epoch < epochs:
                with one_blas_thread():  # here once, so that kernels need not ask for it in every step
                    self._run_epoch(state)
                if self.files is not None:
                    self.files.save(state)
                self.progress.epoch(state.rows[-1])
                stops, changed = self._tell_callbacks(state)
                if changed and self.files is not None:
                    self.files.save(state)
                if stops:
                    return "callback"
        except KeyboardInterrupt:
            return "interrupted"
        finally:
            self.progress.stop()
        return None

    def _run_epoch(self, state: RunState) -> None:
        began, before = time.perf_counter(), {name: value.copy() for name, value in state.values.items()}
        data, generator = self.data.at(state.epoch), self.shuffle.child(f"epoch {state.epoch}").generator()
        every = -(-self.batches // MEASUREMENTS_PER_EPOCH)
        norms: list[float] = []
        measured: list[dict[str, float]] = []
        for k, batch in enumerate(minibatches(data, self.batch_size, generator)):
            params = self.coordinates.to_params(state.values)
            try:
                estimate = self.objective.gradient(
                    self.setup, params, batch, state.step, state.objective, k % every == 0
                )
            except NumericsError as error:
                raise self._no_law(state, error) from error
            if self.setup.executable.continuous:  # whose law may be lost at any step
                state.sound = {name: value.copy() for name, value in params.items()}
            norms.append(self._apply(state, params, estimate, before, state.epoch + k / self.batches))
            measured += [estimate.metrics] if estimate.metrics else []
            self.progress.step()
        row = {"epoch": state.epoch + 1.0, "learning_rate": self.optimizer.rate(state.epoch)}
        row |= {"gradient_norm": float(np.mean(norms)), **_mean(measured), **self._validate(state, data)}
        state.rows.append(row | {"seconds": time.perf_counter() - began})
        state.epoch += 1

    def _apply(self, state: RunState, params: Arrays, estimate: Estimate, before: Arrays, epoch: float) -> float:
        """One step of the optimiser; the norm of the gradient."""
        gradients = self.coordinates.gradients(params, estimate.gradients)
        squares = {name: float(np.vdot(g, g)) for name, g in gradients.items()}
        for name, square in squares.items():
            if not np.isfinite(square) and not np.isfinite(gradients[name]).all():
                raise self._divergence(state, name, params, "the gradient of")
        with np.errstate(over="ignore", invalid="ignore"):  # looked for below
            self.optimizer.step(
                state.values, gradients, state.memory, step=state.step, epoch=epoch, decayed=self.coordinates.decayed
            )
        self.coordinates.keep(state.values)
        for name, value in state.values.items():
            # A sum of squares is the cheapest thing that a value that is not finite shows in; it may also overflow
            # by itself.
            if not np.isfinite(np.vdot(value, value)) and not np.isfinite(value).all():
                raise self._divergence(state, name, self.coordinates.to_params(before), "")
        state.objective = estimate.state
        state.step += 1
        return float(np.sqrt(sum(squares.values())))

    def _divergence(self, state: RunState, name: str, params: Arrays, what: str) -> DivergenceError:
        kept = {key: value.copy() for key, value in params.items()}
        return DivergenceError(
            f"Training of {self.setup.executable.model.name!r}: {f'{what} ' if what else ''}parameter {name!r} is "
            f"not finite at step {state.step} (epoch {state.epoch + 1}, learning rate "
            f"{self.optimizer.rate(state.epoch):g}). Lower the learning rate; the last finite parameters are in "
            "the attribute params of this error.",
            name,
            state.step,
            kept,
            state.history,
        )

    def _no_law(self, state: RunState, error: NumericsError) -> DivergenceError:
        """What to raise where a step has left the parameters for which the model has a law."""
        return DivergenceError(
            f"Training of {self.setup.executable.model.name!r} stopped at step {state.step} (epoch {state.epoch + 1}): "
            f"{error} The last parameters for which there was a law are in the attribute params of this error.",
            "",
            state.step,
            state.sound,
            state.history,
        )

    def _validate(self, state: RunState, data: Arrays) -> dict[str, float]:
        """Metrics on held-out data, and how much less probable the model finds them than training data."""
        if self.validation is None:
            return {}
        setup, params = self.setup, self.coordinates.to_params(state.values)
        metrics = self.objective.validate(setup, params, self.validation)
        if setup.has_free_energy:
            rows = len(next(iter(self.validation.values())))
            seen = {name: values[:rows] for name, values in data.items()}
            held_out, trained = setup.energies(params, self.validation), setup.energies(params, seen)
            metrics = {"free_energy_gap": float(held_out.mean() - trained.mean())} | metrics
        return {f"validation_{name}": value for name, value in metrics.items()}

    def _tell_callbacks(self, state: RunState) -> tuple[bool, bool]:
        """Whether a callback wants to stop, and whether one has given parameters new values."""
        if not self.callbacks:
            return False, False
        params = {name: value.copy() for name, value in self.coordinates.to_params(state.values).items()}
        report = EpochReport(state.epoch, state.step, params, state.rows[-1], state.history)
        answers = [callback(report) for callback in self.callbacks]
        new = [answer for answer in answers if isinstance(answer, Mapping)]
        given = {name: values for answer in new for name, values in answer.items()}
        if given:
            executable = self.setup.executable
            whole = encode_params(executable.model, {**params, **given}, executable.dtype, with_guide=True)
            values = self.coordinates.of_params(whole)
            state.values |= {name: values[name] for name in given}
        return any(answer is True for answer in answers), bool(given)


def _mean(measured: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric over the steps at which it was taken."""
    names = dict.fromkeys(name for metrics in measured for name in metrics)
    return {name: float(np.mean([m[name] for m in measured if name in m])) for name in names}
