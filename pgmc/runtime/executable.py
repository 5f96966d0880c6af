"""What a compiled model can do: evaluate queries and run sweeps, with one result for any number of threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from itertools import chain
from typing import Any

import numpy as np

from pgmc.errors import DataError
from pgmc.ir.model import Model
from pgmc.ir.queries import (
    Ancestral,
    Gradient,
    MeanField,
    MeanFieldBound,
    MeanFieldUpdate,
    Query,
    ScoreLoss,
    Sweep,
    noise_name,
)
from pgmc.ir.symbols import Positive, Real, access_axes, is_per_example, shape_of
from pgmc.runtime.finiteness import check_answer, check_real_values
from pgmc.runtime.kernels import Array, Dtype, Kernel, Launch, Panel, state_dtype
from pgmc.runtime.streams import Stream
from pgmc.runtime.threads import count_threads, map_panels, one_blas_thread

CHAINS_PER_PANEL = 256
"""Chains that a sweep takes together. Constant, as the last bits of a product depend on how many rows it has."""

EXAMPLES_PER_PANEL = 1024
"""Examples that an evaluation takes together, which bounds the memory for what is computed in between."""

SECONDS_PER_LAUNCH = 0.2
"""How long kernels should run between two looks at whether the user pressed Ctrl-C."""


class Executable:
    """A model, the dtype it is computed in, and one kernel for each query that was asked.

    Parameters
    ----------
    model
        The model.
    dtype
        The program's dtype, ``"float32"`` or ``"float64"``.
    make_kernel
        The compiler: query -> kernel. Called once for each query.
    find_blocks
        The compiler: names of the free variables -> what one sweep updates, in order.
    find_eliminable
        The compiler: the variables that can be summed out analytically together.
    plan_moves
        The compiler: names of the free variables, and of those that keep some units -> those that Hamiltonian Monte
        Carlo moves and those that are summed out for that, or the reason why it moves none.
    describe_scale
        The compiler: name of a real variable -> what the precision of its units is made of, in words.
    is_joint
        The compiler: whether the conditional of a variable is the joint law of all its units.
    make_undirected
        The compiler: the run time of the energy without directed factors, None if every variable has a factor.
    make_guide
        The compiler: the run time of the inference net, None if there is none.
    make_bound
        The compiler: the run time of minus the bound through the inference net as a function of noise.
    """

    def __init__(
        self,
        model: Model,
        dtype: Dtype,
        *,
        make_kernel: Callable[[Query], Kernel],
        find_blocks: Callable[[tuple[str, ...]], tuple[Any, ...]],
        find_eliminable: Callable[[], tuple[str, ...]],
        plan_moves: Callable[[tuple[str, ...], tuple[str, ...]], Any] = lambda free, masked: (free, masked),
        describe_scale: Callable[[str], str] = "".format,
        is_joint: Callable[[str], bool] = bool,
        make_undirected: Callable[[], Executable | None] = lambda: None,
        make_guide: Callable[[], Executable | None] = lambda: None,
        make_bound: Callable[[bool], Executable] | None = None,
    ) -> None:
        self.model = model
        self.dtype: Dtype = dtype
        self._make_kernel = make_kernel
        self._find_blocks = find_blocks
        self._find_eliminable = find_eliminable
        self.plan_moves = plan_moves
        self.describe_scale = describe_scale
        self.is_joint = is_joint
        self.continuous = tuple(v for v in model.variables if isinstance(v.domain, Real | Positive))
        self.real = tuple(v for v in model.variables if isinstance(v.domain, Real))
        self._make_undirected = make_undirected
        self._make_guide = make_guide
        self._make_bound = make_bound
        self._bounds: dict[bool, Executable] = {}
        self._kernels: dict[Query, Kernel] = {}
        self._lengths: dict[tuple[Query, int], int] = {}  # sweeps of a launch, for so many chains, as last measured
        self._making = threading.RLock()

    def kernel(self, query: Query) -> Kernel:
        """The kernel that answers the query, made when it is first asked for."""
        if query not in self._kernels:
            with self._making:
                if query not in self._kernels:
                    self._kernels[query] = self._make_kernel(query)
        return self._kernels[query]

    def blocks(self, free: tuple[str, ...]) -> tuple[Any, ...]:
        """What one sweep over the free variables updates, in order."""
        return self._find_blocks(free)

    def eliminable(self) -> tuple[str, ...]:
        """The variables to sum out analytically: those that leave the fewest joint states of the others."""
        return self._find_eliminable()

    @cached_property
    def guide(self) -> Executable | None:
        """The run time of the inference net; None if there is none."""
        return self._make_guide()

    def bound(self, analytic: bool) -> Executable:
        """The run time of minus the bound as a function of noise, with divergences in closed form if ``analytic``.

        Raises
        ------
        IntractableError
            If a latent variable cannot be made of noise.
        """
        assert self._make_bound is not None
        if analytic not in self._bounds:
            self._bounds[analytic] = self._make_bound(analytic)
        return self._bounds[analytic]

    def undirected(self) -> Executable | None:
        """The run time of the energy without directed factors; None if every variable has a factor."""
        return self._make_undirected() if self.model.factors else self

    def evaluate(
        self,
        query: Query,
        params: Mapping[str, Array],
        state: Mapping[str, Array],
        *,
        weights: Array | None = None,
        threads: int | None = None,
    ) -> dict[str, Array]:
        """The answer to a query for a batch of examples.

        Parameters
        ----------
        query
            What is asked: ``Energy``, ``FreeEnergy``, ``Conditional``, ``Gradient``.
        params
            Name -> array of the declared shape, as ``encode_params`` gives it.
        state
            Name -> ``(n, *shape)``, as ``encode_state`` gives it; only what the query needs.
        weights
            ``(n,)`` weights of the examples in a mean; 1/n each by default.
        threads
            Number of threads, by default one for each core. The result does not depend on it.

        Returns
        -------
        dict of str to ndarray
            Energies ``(n,)`` in nats, float64; logits ``(n, *shape[, states])``; gradients under the
            names of the parameters, of their shapes.

        Raises
        ------
        IntractableError
            If the compiler refuses the query.
        DataError
            If arrays are missing or differ in their numbers of rows or from the declared shapes.
        NumericsError
            If a precision of real units is not positive.
        """
        answer = self._evaluate(query, params, state, weights, threads)
        if self.continuous:
            check_answer(self, query, params, state, answer)
        return answer

    def _evaluate(
        self,
        query: Query,
        params: Mapping[str, Array],
        state: Mapping[str, Array],
        weights: Array | None,
        threads: int | None,
    ) -> dict[str, Array]:
        kernel = self.kernel(query)
        rows = _count_rows(_shapes(self.model, query), state, weights)
        if weights is None:
            weights = np.full(rows, 1.0 / rows)
        panels = [
            _cut(params, state, weights, {}, first, min(first + EXAMPLES_PER_PANEL, rows))
            for first in range(0, rows, EXAMPLES_PER_PANEL)
        ]
        workers = count_threads(threads)
        with one_blas_thread():
            if len(panels) == 1:
                return kernel.evaluate(panels[0])
            return _join(map_panels(kernel.evaluate, panels, workers), kernel.per_example)

    def sweep(
        self,
        query: Sweep | Ancestral,
        params: Mapping[str, Array],
        state: Mapping[str, Array],
        *,
        stream: Stream,
        first_sweep: int = 0,
        sweeps: int = 1,
        masks: Mapping[str, Array] | None = None,
        threads: int | None = None,
    ) -> None:
        """Runs Gibbs sweeps, or ancestral passes, of every chain, in place on ``state``.

        Parameters
        ----------
        query
            Which variables are free, and in which order blocks come.
        params
            Name -> array of the declared shape.
        state
            Name -> ``(chains, *shape)``, C-contiguous, of the dtypes that ``encode_state`` gives.
        stream
            The random numbers, keyed by the stream, the chain, the sweep and the unit.
        first_sweep
            Number of the first sweep. One call with ``sweeps=2`` does what two with ``first_sweep`` 0, 1 do.
        sweeps
            How many sweeps.
        masks
            Name -> boolean ``(chains, *shape)`` for each variable of ``query.masked``: units that stay.
        threads
            Number of threads, by default one for each core. The result does not depend on it.

        Raises
        ------
        DataError
            If a free variable's array cannot be updated in place.
        NumericsError
            If a real unit's value is not finite, as where the precision it is drawn with is not positive.
        """
        _check_in_place(self.model, query, state, self.dtype)
        kernel = self.kernel(query)
        chains = _count_rows(_shapes(self.model, query), state, None)
        starts = range(0, chains, CHAINS_PER_PANEL)
        panels = [
            (first, _cut(params, state, None, masks or {}, first, min(first + CHAINS_PER_PANEL, chains)))
            for first in starts
        ]
        workers = count_threads(threads)
        done, length = 0, self._lengths.get((query, chains), 1)
        with one_blas_thread():
            while done < sweeps:
                length = min(length, sweeps - done)
                begin = time.perf_counter()
                run = partial(_sweep_panel, kernel, stream.key, first_sweep + done, length)
                for _ in map_panels(run, panels, workers):
                    pass
                done += length
                for name in (v.name for v in self.continuous if v.name in query.free):
                    check_real_values(self, name, params, state)
                length = self._lengths[query, chains] = _next_length(length, time.perf_counter() - begin)

    def relax(
        self,
        query: MeanField,
        params: Mapping[str, Array],
        state: Mapping[str, Array],
        *,
        passes: int = 1,
        threads: int | None = None,
    ) -> None:
        """Runs mean-field passes, in place on the means in ``state``.

        Parameters
        ----------
        query
            Which variables are observed; the others are relaxed.
        params
            Name -> array of the declared shape, and the number ``damping`` from 0 to below 1.
        state
            Observed variables and inputs as for ``evaluate``; of each other variable the means, ``(n, *shape)`` or
            ``(n, *shape, states)``, C-contiguous and of the program's dtype.
        passes
            How many passes over all latent variables.
        threads
            Number of threads, by default one for each core. The result does not depend on it.
        """
        kernel = self.kernel(query)
        rows = _count_rows(_shapes(self.model, query), state, None)
        panels = [
            _cut(params, state, None, {}, first, min(first + EXAMPLES_PER_PANEL, rows))
            for first in range(0, rows, EXAMPLES_PER_PANEL)
        ]
        with one_blas_thread():
            run = partial(_sweep_panel, kernel, (0, 0), 0, passes)
            for _ in map_panels(run, [(0, panel) for panel in panels], count_threads(threads)):
                pass


def _sweep_panel(
    kernel: Kernel, key: tuple[int, int], first_sweep: int, sweeps: int, numbered: tuple[int, Panel]
) -> None:
    first_chain, panel = numbered
    kernel.sweep(panel, Launch(key, first_chain, first_sweep, sweeps))


def _next_length(length: int, seconds: float) -> int:
    """The number of sweeps to take about ``SECONDS_PER_LAUNCH``, at most ten times the last."""
    return max(1, int(length * min(10.0, SECONDS_PER_LAUNCH / max(seconds, 1e-9))))


def _cut(
    params: Mapping[str, Array],
    state: Mapping[str, Array],
    weights: Array | None,
    masks: Mapping[str, Array],
    first: int,
    last: int,
) -> Panel:
    """The rows from ``first`` to ``last``, as views."""
    return Panel(
        rows=last - first,
        params=params,
        state={name: array[first:last] for name, array in state.items()},
        weights=None if weights is None else weights[first:last],
        masks={name: array[first:last] for name, array in masks.items()},
    )


def _join(answers: Iterator[dict[str, Array]], per_example: Mapping[str, bool]) -> dict[str, Array]:
    """The results of the whole batch: rows one after the other, means added up in the order of the panels."""
    first, second = next(answers), next(answers, None)
    if second is None:
        return first
    rows = {name: [value] for name, value in first.items() if per_example[name]}
    means = {name: value.astype(np.float64) for name, value in first.items() if not per_example[name]}
    for answer in chain([second], answers):  # one at a time, as gradients are large
        for name, value in answer.items():
            if name in rows:
                rows[name].append(value)
            else:
                means[name] += value
    joined = {name: np.concatenate(parts) for name, parts in rows.items()}
    return joined | {name: value.astype(first[name].dtype) for name, value in means.items()}


def _shapes(model: Model, query: Query) -> dict[str, tuple[int, ...]]:
    """The shape of one row of every array: latent variables of mean field stand for their means."""
    shapes = {s.name: shape_of(s) for s in model.symbols if is_per_example(s)}
    asked = query.of if isinstance(query, Gradient) else query
    if isinstance(asked, MeanField | MeanFieldUpdate | MeanFieldBound):
        latents = [v for v in model.variables if v.name not in asked.observed]
        shapes |= {v.name: tuple(axis.size for axis in access_axes(v)) for v in latents}
    if isinstance(asked, ScoreLoss) and asked.denoising:
        shapes |= {noise_name(name): shapes[name] for name in asked.wrt}
    return shapes


def _count_rows(shapes: Mapping[str, tuple[int, ...]], state: Mapping[str, Array], weights: Array | None) -> int:
    """The number of rows that all arrays share."""
    rows = None if weights is None else len(weights)
    for name, array in state.items():
        expected = shapes.get(name, ())
        if array.ndim == 0 or array.shape[1:] != expected:
            raise DataError(f"{name}: expected an array of shape {('n', *expected)}, got {array.shape}.")
        if rows is not None and len(array) != rows:
            raise DataError(f"{name}: it has {len(array)} rows, but the arrays before it have {rows}.")
        rows = len(array)
    if rows == 0:
        raise DataError("The arrays have no rows.")
    return 1 if rows is None else rows


def _check_in_place(model: Model, query: Sweep | Ancestral, state: Mapping[str, Array], dtype: Dtype) -> None:
    for name in query.free:
        if name not in state:
            raise DataError(f"{name}: a sweep updates it, but the state has no array of that name.")
        array, wanted = state[name], state_dtype(model.variable(name), dtype)
        if array.dtype != wanted or not array.flags.c_contiguous or not array.flags.writeable:
            raise DataError(
                f"{name}: a sweep updates it in place and needs a writable C-contiguous {wanted} array, "
                f"got {array.dtype}. Pass the state through pgmc.runtime.state.encode_state."
            )
