"""Greedy layer-wise training: every pair of neighbouring levels is trained as an energy-based model of its own."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgmc.analysis.levels import find_levels
from pgmc.derivation.same_law import match_parameters
from pgmc.derivation.undirected_pair import derive_undirected
from pgmc.dsl.model import Model
from pgmc.errors import ArgumentError, ModelWarning
from pgmc.ir.factors import factor_law
from pgmc.ir.symbols import Binary
from pgmc.learning.binarization import Resampled, binarize
from pgmc.program.program import compile
from pgmc.program.training import fit
from pgmc.program.up_pass import Step, pass_up
from pgmc.runtime.kernels import Dtype

if TYPE_CHECKING:
    from pgmc.learning.objective import Objective
    from pgmc.learning.optimizers import Optimizer
    from pgmc.learning.progress import Progress
    from pgmc.learning.report import Fit
    from pgmc.program.program import Program

Array = npt.NDArray[Any]


def undirected(model: Model, variables: Sequence[str]) -> Model:
    """The energy-based model that some variables make by themselves, such as the RBM of a directed pair of layers.

    Its energy consists of the model's own terms. Of a term of the energy every product is kept that mentions these
    variables only; of -log p(x | parents) every product that also mentions x, so that what normalises the factor is
    left out: of -log p(v | h) with logits W h + b the products -vᵀW h - bᵀv are kept, and log(1 + exp(W h + b)) is not.

    Parameters
    ----------
    model : Model
        The specification, directed, undirected or both.
    variables : sequence of str
        At least two of its variables.

    Returns
    -------
    Model
        With the parameters of the terms that are kept, under their names.

    Raises
    ------
    ArgumentError
        If a name is not a variable's, or stands twice.
    ModelError
        If no product holds two of the variables.

    References
    ----------
    Hinton, Osindero and Teh (2006), A fast learning algorithm for deep belief nets, section 4.
    """
    return Model.from_ir(derive_undirected(model.build(), tuple(variables)))


@dataclass(frozen=True, eq=False)
class Layerwise:
    """What greedy layer-wise training returns.

    Attributes
    ----------
    params
        Parameters of the whole model and its guide, as ``Program.init`` names them.
    levels
        The names of the variables of each level, from the data up.
    pairs, fits
        The model of each pair of levels, and what its training returned.
    """

    params: dict[str, Array]
    levels: tuple[tuple[str, ...], ...]
    pairs: tuple[Model, ...]
    fits: tuple[Fit, ...]
    steps: tuple[Step, ...] = field(repr=False)

    def up_pass(self, data: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
        """Means of the units of every level above the data, each level given the means of the one below it.

        Returns
        -------
        dict of str to ndarray
            Name of each latent variable -> ``(n, *shape)``: probabilities of binary units.

        References
        ----------
        Goodfellow, Bengio, Courville (2016), equations 20.22 and 20.23.
        """
        return pass_up(self.steps, data)


def fit_layerwise(
    model: Model,
    data: Mapping[str, npt.ArrayLike | Resampled],
    objective: Objective | Sequence[Objective] | None = None,
    optimizer: Optimizer | Sequence[Optimizer] | None = None,
    *,
    epochs: int | Sequence[int] = 10,
    batch_size: int | None = None,
    params: Mapping[str, npt.ArrayLike] | None = None,
    seed: int = 0,
    progress: bool | Progress = True,
    dtype: Dtype = "float32",
    threads: int | None = None,
) -> Layerwise:
    """Train a model one pair of levels after another, from the data up.

    The levels are found from the model: its variables by their distance from the data. Each pair of neighbours is the
    model that ``undirected`` gives, trained by itself; it is given the data of its lower level, and units of its upper
    level are the data of the next pair. Binary units are drawn anew in every epoch with the probabilities of the
    up-pass; others are drawn once. A parameter that two pairs share starts in the second where the first has left it,
    and ends as the second leaves it.

    If the model has a guide, a factor of it that is the law of a pair but for the names of its parameters gets the
    values that these have after that pair's training.

    Parameters
    ----------
    model : Model
        The specification.
    data : mapping of str to array
        The observed variables and all inputs, as for ``fit``.
    objective, optimizer, epochs
        As for ``fit``, the same for all pairs or a sequence with one entry for each.
    batch_size, params, seed, progress, dtype, threads
        As for ``fit``; ``params`` are those of the whole model.

    Returns
    -------
    Layerwise
        ``.params`` of the whole model, to evaluate or to train further, and ``.up_pass``.

    Raises
    ------
    ArgumentError
        If nothing is latent, or a sequence has not one entry for each pair.
    ModelError
        If a variable is not connected with the data, or no term couples two neighbouring levels.
    IntractableError
        If units of a level depend on one another given the level below, so that data cannot be passed up.

    Warns
    -----
    ModelWarning
        For a factor of the guide that is not the law of any pair.

    References
    ----------
    Hinton, Osindero and Teh (2006), A fast learning algorithm for deep belief nets.
    """
    program = compile(model, dtype=dtype)
    levels = find_levels(program.model, tuple(v.name for v in program.model.variables if v.name in data))
    if len(levels) < 2:
        raise ArgumentError(f"fit_layerwise: the data leave no variable of {model.name} latent. Use fit.")
    own = {"objective": objective, "optimizer": optimizer, "epochs": epochs}
    same = {"batch_size": batch_size, "seed": seed, "progress": progress, "dtype": dtype, "threads": threads}
    values: dict[str, Any] = {**program.init(seed), **(params or {})}
    given: dict[str, Any] = dict(data)
    trained: list[tuple[Model, Fit, Step]] = []
    guided: set[str] = set()
    for (lower, upper), how in zip(pairwise(levels), _split_settings(own, len(levels) - 1), strict=True):
        pair = undirected(model, (*lower, *upper))
        fitted, step = _train(pair, upper, given, values, how | same)
        values |= fitted.params
        for name, found in _for_guide(program, step).items():
            guided.add(name)
            values |= found
        trained.append((pair, fitted, step))
        if upper != levels[-1]:
            given |= _draw_level(step, given, seed, threads)
    _warn_of_untrained(program, guided)
    pairs, fits, steps = zip(*trained, strict=True)
    return Layerwise(values, levels, pairs, fits, steps)


def _split_settings(settings: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """The settings of each pair, of which some may be sequences with one entry for each."""
    for name, setting in settings.items():
        if isinstance(setting, list | tuple) and len(setting) != count:
            raise ArgumentError(
                f"fit_layerwise: {name} has {len(setting)} entries, and there are {count} pairs of levels."
            )
    return [{n: s[k] if isinstance(s, list | tuple) else s for n, s in settings.items()} for k in range(count)]


def _train(
    pair: Model, upper: tuple[str, ...], given: Mapping[str, Any], values: Mapping[str, Any], how: dict[str, Any]
) -> tuple[Fit, Step]:
    """Train a pair on what is given of its lower level; the step from there to its upper level."""
    part = compile(pair, dtype=how["dtype"])
    below = {s.name: given[s.name] for s in part.model.symbols if s.name in given}
    start = {p.name: values[p.name] for p in part.model.parameters}
    Step(part, start, upper)  # refuses before training what could not be passed up after it
    fitted = fit(pair, below, params=start, **how)
    return fitted, Step(part, fitted.params, upper)


def _draw_level(step: Step, given: Mapping[str, Any], seed: int, threads: int | None) -> dict[str, Any]:
    """Data for the next pair: probabilities of binary units, of which every epoch draws new ones; draws of others."""
    model = step.program.model
    below = {s.name: given[s.name] for s in model.symbols if s.name in given}
    if all(isinstance(model.variable(name).domain, Binary) for name in step.targets):
        known = {n: value.intensities if isinstance(value, Resampled) else value for n, value in below.items()}
        dtype = step.program.compiler.dtype
        means = step.means({n: np.asarray(value, dtype=dtype) for n, value in known.items()})
        return {name: binarize(value, "resample", seed=seed) for name, value in means.items()}
    fixed = {n: value.draw(0) if isinstance(value, Resampled) else value for n, value in below.items()}
    inputs = {s.name: fixed.pop(s.name) for s in model.inputs}
    rows = len(next(iter(fixed.values())))
    drawn = step.program.sample(
        step.params, chains=rows, sweeps=1, clamp=fixed, inputs=inputs or None, seed=seed, threads=threads
    )
    return {name: drawn[name][:, 0] for name in step.targets}


def _for_guide(program: Program, step: Step) -> dict[str, dict[str, Array]]:
    """Name of each variable whose factor in the guide is its law in a pair -> values for the factor's parameters."""
    found: dict[str, dict[str, Array]] = {}
    for factor in program.model.guide.factors if program.model.guide else ():
        name = factor.target.name
        if name in step.targets:
            same = match_parameters(factor_law(factor), step.program.conditional(name).law)
            if same is not None:
                found[name] = {own: np.array(step.params[other]) for own, other in same.items()}
    return found


def _warn_of_untrained(program: Program, guided: set[str]) -> None:
    rest = [name for name in (program.model.guide.children if program.model.guide else ()) if name not in guided]
    if rest:
        warnings.warn(
            f"fit_layerwise: the guide's factor of {', '.join(rest)} is not the law of its units in any pair of "
            f"levels of {program.model.name}, so its parameters were left as they were. Train it with WakeSleep or "
            "UpDown.",
            ModelWarning,
            stacklevel=3,
        )
