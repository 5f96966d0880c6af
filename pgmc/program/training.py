"""Train a model, save it, load it: the user's way in to ``pgmc.learning``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from pgmc.dsl.model import Model
from pgmc.program.program import compile
from pgmc.runtime.kernels import Dtype

if TYPE_CHECKING:
    from pgmc.learning.binarization import Resampled
    from pgmc.learning.objective import Objective
    from pgmc.learning.optimizers import Optimizer
    from pgmc.learning.progress import Progress
    from pgmc.learning.report import Callback, Fit


def fit(
    model: Model,
    data: Mapping[str, npt.ArrayLike | Resampled],
    objective: Objective | None = None,
    optimizer: Optimizer | None = None,
    *,
    epochs: int = 10,
    batch_size: int | None = None,
    validation: Mapping[str, npt.ArrayLike] | None = None,
    params: Mapping[str, npt.ArrayLike] | None = None,
    seed: int | None = 0,
    callbacks: Sequence[Callback] = (),
    progress: bool | Progress = True,
    checkpoint: str | os.PathLike[str] | None = None,
    dtype: Dtype = "float32",
    threads: int | None = None,
) -> Fit:
    """Train the parameters of a model.

    Parameters
    ----------
    model : Model
        The specification.
    data : mapping of str to array
        Each observed variable and every input, ``(n, *shape)``. Other variables are latent. What
        ``binarize(X, "resample")`` returns is drawn anew in every epoch.
    objective, optimizer : optional
        What is minimised and how: ``PCD()`` and ``SGD(0.05, momentum=0.5)`` by default.
    epochs, batch_size : int
        Passes over the data, and rows in a minibatch (100, or all if there are fewer).
    validation : mapping of str to array, optional
        Held-out data, measured after each epoch.
    params : mapping of str to array, optional
        Where training starts; ``model.init(seed)`` by default.
    seed : int, optional
        The same seed gives the same result, whatever ``threads``; None draws one.
    callbacks : sequence of callables
        Called with an ``EpochReport`` after each epoch; one that returns True ends the fit, one that returns a mapping
        gives the parameters of these names new values.
    progress : bool or Progress
        A bar with the time left and the monitored quantities.
    checkpoint : path, optional
        A directory from which an interrupted fit goes on exactly.
    dtype : {"float32", "float64"}
        The dtype of parameters and states.

    Returns
    -------
    Fit
        ``.params``, ``.history`` (columns per epoch) and how the fit ended.

    Raises
    ------
    DataError
        If data are missing, or of a wrong shape or range.
    NumericsError
        If parameters stop being finite; the exception holds the last good ones.
    """
    from pgmc.learning.fit import fit as run_fit

    program = compile(model, dtype=dtype)
    start = program.init(seed) if params is None else params
    return run_fit(
        program.executable,
        start,
        data,
        objective,
        optimizer,
        epochs=epochs,
        batch_size=batch_size,
        validation=validation,
        seed=seed,
        callbacks=callbacks,
        progress=progress,
        checkpoint=checkpoint,
        threads=threads,
    )


def save(path: str | os.PathLike[str], model: Model, params: Mapping[str, Any]) -> None:
    """Write a model and its parameters to one file, atomically and without pickle.

    Raises
    ------
    DataError
        If a parameter is missing, or of a wrong shape, or not finite.
    """
    from pgmc.learning.checkpoints import save as write

    write(path, model.build(), params)


def load(path: str | os.PathLike[str]) -> tuple[Model, dict[str, npt.NDArray[Any]]]:
    """The model and the parameters of a file written by ``save``. Nothing is compiled or run.

    Raises
    ------
    CheckpointError
        If the file is not a whole, valid file of this version.
    """
    from pgmc.learning.checkpoints import load as read

    model, params = read(path)
    return Model.from_ir(model), params
