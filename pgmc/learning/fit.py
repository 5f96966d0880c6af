"""Training a compiled model on data."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy.typing as npt

from pgmc.errors import ArgumentError, ModelWarning
from pgmc.learning.coordinates import Coordinates
from pgmc.learning.data import TrainingData, encode_data
from pgmc.learning.objective import Objective, Setup, are_independent, check_count, has_free_energy
from pgmc.learning.optimizers import SGD, Optimizer
from pgmc.learning.persistent import PCD
from pgmc.learning.progress import Progress, choose_progress
from pgmc.learning.report import Callback, Fit
from pgmc.learning.resume import describe_arrays, describe_model, describe_setting, open_run
from pgmc.learning.training import Training
from pgmc.runtime.state import encode_params
from pgmc.runtime.streams import Stream, check_seed

if TYPE_CHECKING:
    from pgmc.runtime.executable import Executable

Array: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]

DEFAULT_BATCH = 100


def fit(
    executable: Executable,
    params: Mapping[str, Any],
    data: Mapping[str, Any],
    objective: Objective | None = None,
    optimizer: Optimizer | None = None,
    *,
    epochs: int = 10,
    batch_size: int | None = None,
    validation: Mapping[str, Any] | None = None,
    seed: int | None = 0,
    callbacks: Sequence[Callback] = (),
    progress: bool | Progress = True,
    checkpoint: str | os.PathLike[str] | None = None,
    threads: int | None = None,
) -> Fit:
    """Train the parameters of a model.

    Parameters
    ----------
    executable
        The compiled model.
    params
        Name -> array of the declared shape, from which training starts. They are not changed.
    data
        Name of each observed variable and of every input -> ``(n, *shape)``. Other variables are latent.
        What ``binarize(X, "resample")`` returns is drawn anew in every epoch.
    objective
        What is minimised; ``PCD()`` by default.
    optimizer
        How; ``SGD(0.05, momentum=0.5)`` by default.
    epochs
        Passes over the data, those before a checkpoint included.
    batch_size
        Rows in a minibatch; 100, or all rows if there are fewer, by default. The last batch has what is left.
    validation
        Held-out data for the same names. Each epoch records the objective's metrics on it, and how much
        higher its mean free energy is than that of as many training rows: a gap that grows is
        overfitting.
    seed
        Same seed, same result, whatever ``threads``. None draws one from the operating system.
    callbacks
        Functions of an ``EpochReport``, called after each epoch. One that returns True ends the fit;
        one that returns a mapping gives the parameters of these names new values.
    progress
        True for a bar on a terminal and a line per epoch elsewhere, False for nothing, or an object with
        the methods of ``Progress``.
    checkpoint
        A directory. After each epoch the whole state of the fit is put there, safe against crashes; a fit
        with the same settings that finds one goes on from there, and ends with the same bits as if it had
        never stopped.
    threads
        Passed on to the run time.

    Returns
    -------
    Fit
        ``.params``, ``.history`` and ``.model``. After Ctrl-C it is what was learned until then.

    Raises
    ------
    DataError
        If data or parameters are missing, unknown, or of a wrong shape, type or range.
    ArgumentError
        If a setting is out of its range, or the objective does not apply to the model.
    DivergenceError
        If a parameter or its gradient stops being finite; the last finite parameters are in its attribute
        ``params``.
    CheckpointError
        If the directory holds checkpoints of another fit, or damaged ones.
    """
    settings = _Settings(
        PCD() if objective is None else objective,
        SGD(0.05, momentum=0.5) if optimizer is None else optimizer,
        epochs,
        batch_size,
        tuple(callbacks),
        choose_progress(progress),
        Stream(check_seed(seed), "fit"),
        threads,
    )
    model = executable.model
    if not model.trained:
        raise ArgumentError(f"Model {model.name!r} has no parameters to train.")
    start = encode_params(model, params, executable.dtype, with_guide=True)
    trained_on = TrainingData.encode(executable, data)
    setup = _build_setup(executable, start, trained_on.first, settings)
    held_out = None if validation is None else encode_data(executable, validation, "validation", setup.data)
    training = _build_training(setup, start, trained_on, held_out, settings, checkpoint)
    state = training.begin(start)
    if training.files is not None:
        state = training.files.load(state)
    stopped = training.run(state, epochs)
    # A fit without steps gives back what it was given: positive parameters would come back rounded.
    trained = training.coordinates.to_params(state.values) if state.step else {n: v.copy() for n, v in start.items()}
    return Fit(trained, state.history, model, state.step, stopped)


@dataclass(frozen=True)
class _Settings:
    """The checked arguments of a fit that do not depend on the data."""

    objective: Objective
    optimizer: Optimizer
    epochs: int
    batch_size: int | None
    callbacks: tuple[Callback, ...]
    progress: Progress
    stream: Stream
    threads: int | None

    def __post_init__(self) -> None:
        if not isinstance(self.objective, Objective) or isinstance(self.objective, type):
            raise ArgumentError(f"objective must be an objective such as PCD(k=1), got {self.objective!r}.")
        if not isinstance(self.optimizer, Optimizer) or isinstance(self.optimizer, type):
            raise ArgumentError(f"optimizer must be an optimiser such as SGD(0.05), got {self.optimizer!r}.")
        check_count("epochs", self.epochs, least=0)
        if self.batch_size is not None:
            check_count("batch_size", self.batch_size)
        for callback in self.callbacks:
            if not callable(callback):
                raise ArgumentError(f"callbacks must be functions of an EpochReport, got {callback!r}.")

    def rows_per_batch(self, rows: int) -> int:
        """The batch size, for data of so many rows."""
        if self.batch_size is None:
            return min(DEFAULT_BATCH, rows)
        if self.batch_size > rows:
            raise ArgumentError(f"batch_size must be from 1 to the number of rows, {rows}, got {self.batch_size}.")
        return int(self.batch_size)


def _build_setup(executable: Executable, start: Arrays, data: Arrays, settings: _Settings) -> Setup:
    model = executable.model
    observed = tuple(v.name for v in model.variables if v.name in data)
    latents = tuple(v.name for v in model.variables if v.name not in data)
    return Setup(
        executable,
        observed,
        latents,
        tuple(p.name for p in model.parameters),
        data,
        settings.stream.child("objective"),
        has_free_energy(executable, start, {name: values[:1] for name, values in data.items()}, observed),
        are_independent(executable, latents),
        settings.threads,
    )


def _build_training(
    setup: Setup,
    start: Arrays,
    data: TrainingData,
    validation: Arrays | None,
    settings: _Settings,
    checkpoint: str | os.PathLike[str] | None,
) -> Training:
    model = setup.executable.model
    size = settings.rows_per_batch(len(next(iter(setup.data.values()))))
    if validation is not None and not setup.has_free_energy:
        warnings.warn(
            f"Model {model.name!r} has no tractable free energy of {', '.join(setup.observed)}: nothing is recorded "
            "of the validation data but the objective's own metrics. Use a callback.",
            ModelWarning,
            stacklevel=3,
        )
    files = None
    if checkpoint is not None:
        files = open_run(checkpoint, _fingerprint(setup, start, data, validation, settings, size))
    return Training(
        setup,
        data,
        Coordinates(model.trained),
        settings.objective,
        settings.optimizer,
        size,
        validation,
        settings.stream.child("shuffle"),
        settings.callbacks,
        settings.progress,
        files,
    )


def _fingerprint(
    setup: Setup, start: Arrays, data: TrainingData, validation: Arrays | None, settings: _Settings, size: int
) -> dict[str, str]:
    """What a fit must have in common with a checkpoint to go on from it."""
    return {
        "model": describe_model(setup.executable.model),
        "dtype": setup.executable.dtype,
        "data": data.describe(),
        "validation": "none" if validation is None else describe_arrays(validation),
        "first parameters": describe_arrays(start),
        "objective": describe_setting(settings.objective),
        "optimizer": describe_setting(settings.optimizer),
        "batch_size": str(size),
        "seed": str(settings.stream.seed),
    }
