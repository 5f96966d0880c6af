"""Kernels that evaluate the IR itself: the plain reference, and the backend "numpy".

They draw the random numbers that generated kernels draw, so both backends give the same discrete states, but where
rounding moves a probability across a random number. Logits are computed in float64 whatever the program's dtype.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from pgmc.errors import InternalError
from pgmc.ir.answers import (
    WIDE,
    Answer,
    Assignment,
    BlockUpdate,
    Coloring,
    Computation,
    ConditionalLaw,
    Quantity,
    SweepSchedule,
    Trajectory,
    UnitOrder,
)
from pgmc.ir.interpret import interpret_computation, interpret_law, interpret_quantity, with_definitions
from pgmc.ir.model import Model
from pgmc.ir.slice_steps import SMALLEST
from pgmc.ir.symbols import Positive, is_grouped, shape_of
from pgmc.ir.trajectory_symbols import ACCEPTANCE, DIVERGENCES, JITTER, LEAPS, STEP_SIZE
from pgmc.runtime.groups import first_units, group_grid, group_units, place_units
from pgmc.runtime.kernels import Array, Dtype, Launch, Panel, first_sites
from pgmc.runtime.slice_sampling import draw_slice
from pgmc.runtime.streams import (
    Words,
    draw_codes,
    draw_exclusive,
    draw_gamma,
    draw_joint_normal,
    draw_multinomial,
    draw_on,
    draw_poisson,
    draw_truncated_normal,
    random_words,
    row_keys,
    unit_normals,
)
from pgmc.runtime.trajectories import Moved, move


class InterpretedKernel:
    """The answer to a query, evaluated as it stands; ``model`` is the one it was derived from.

    ``find_order`` gives the positions of the units of a variable in the order in which they are drawn.
    """

    def __init__(
        self, answer: Answer, model: Model, dtype: Dtype, find_order: Callable[[str], Array] | None = None
    ) -> None:
        self.answer = answer
        self._find_order = find_order
        quantities = answer.quantities if isinstance(answer, Computation) else ()
        self.per_example: Mapping[str, bool] = {q.name: q.per_example for q in quantities}
        self._model = model
        self._dtype: Dtype = dtype
        self._sites = first_sites(model)

    def evaluate(self, panel: Panel) -> dict[str, Array]:
        """The results for the rows of the panel."""
        if not isinstance(self.answer, Computation):
            raise InternalError("A sweep was asked for its value. Please report this.")
        with np.errstate(invalid="ignore", divide="ignore"):  # as in a kernel: who asks looks at the values
            values = interpret_computation(
                self.answer, _arrays(panel), symbols=self._model.symbols, weights=panel.weights, examples=panel.rows
            )
        return {
            name: np.asarray(value, dtype="float64" if name in WIDE else self._dtype) for name, value in values.items()
        }

    def sweep(self, panel: Panel, launch: Launch) -> None:
        """Updates the state of the panel in place."""
        if isinstance(self.answer, Computation):
            raise InternalError("A quantity was asked to sweep. Please report this.")
        chains = launch.first_chain + np.arange(panel.rows)
        for sweep in range(launch.first_sweep, launch.first_sweep + launch.sweeps):
            for update in self.answer.updates:
                if isinstance(update, Assignment):
                    self._assign(update, panel)
                    continue
                if isinstance(update, Trajectory):
                    self._move(update, panel, _Numbers(launch.key, chains, sweep))
                    continue
                for law, units in self._order(update):
                    self._draw(law, units, panel, _Numbers(launch.key, chains, sweep))

    def _move(self, update: Trajectory, panel: Panel, numbers: _Numbers) -> None:
        """All units of some variables by leapfrog steps; what comes of it is added to the arrays of the panel."""
        names = [target.name for target in update.targets]
        moved = tuple(
            Moved(v.name, self._sites[v.name], isinstance(v.domain, Positive), panel.masks.get(v.name))
            for v in update.targets
        )

        def value(quantity: Quantity, states: Mapping[str, Array]) -> Array:
            arrays = {**_arrays(panel), **states}
            return interpret_quantity(quantity, arrays, symbols=self._model.symbols, examples=panel.rows)

        outcome = move(
            {name: panel.state[name].astype(np.float64) for name in names},
            moved,
            numbers.row(),
            step_size=panel.state[STEP_SIZE.name].astype(np.float64),
            jitter=float(panel.params[JITTER.name]),
            leaps=int(panel.params[LEAPS.name]),
            dtype=self._dtype,
            slopes=lambda states: {slope.name: value(slope, states) for slope in update.slopes},
            potential=lambda states: value(update.potential, states),
        )
        for name, values in outcome.states.items():
            panel.state[name][...] = values
        panel.state[ACCEPTANCE.name][...] += outcome.probability.astype(self._dtype)
        panel.state[DIVERGENCES.name][...] += outcome.diverged

    def _order(self, update: BlockUpdate) -> Iterator[tuple[ConditionalLaw, Array]]:
        """The units or groups, drawn together, in the order of the block: all of a law at once, or one by one."""
        laws = update.laws[::-1] if update.backward else update.laws
        for law in laws:
            units: Any = np.arange(math.prod(group_grid(law.target)))
            if update.mode != "sequential":
                yield law, units
            else:
                units = self._in_colors(units, law, update.coloring)
                yield from ((law, unit) for unit in (units[::-1] if update.backward else units).reshape(-1, 1))

    def _in_colors(self, units: Array, law: ConditionalLaw, coloring: Coloring | UnitOrder | None) -> Array:
        """The units in the order of their colours, and within a colour in their own."""
        if coloring is None:
            return units
        shape = shape_of(law.target)
        if isinstance(coloring, UnitOrder):
            assert self._find_order is not None
            return np.asarray(np.ravel_multi_index(tuple(self._find_order(law.target.name).T), shape))
        places = np.unravel_index(units, shape)
        colors = sum(weight * place for weight, place in zip(coloring.weights, places, strict=True)) % coloring.modulus
        return units[np.argsort(colors, kind="stable")]

    def _assign(self, update: Assignment, panel: Panel) -> None:
        """Sets the elements of an array, all at once or one after the other."""
        quantity = Quantity(update.target.name, update.indices, update.body)
        array = panel.state[update.target.name]
        elements = [...] if update.mode != "sequential" else list(np.ndindex(*array.shape[1:]))
        for element in elements:
            place = element if element is ... else (slice(None), *element)
            value = interpret_quantity(quantity, _arrays(panel), symbols=self._model.symbols, examples=panel.rows)
            array[place] = value[place]

    def _draw(self, law: ConditionalLaw, units: Array, panel: Panel, numbers: _Numbers) -> None:
        """Draws some units of the law's variable, given the present state of all others."""
        name = law.target.name
        rows, shape = panel.rows, shape_of(law.target)
        if law.family == "Generic":
            self._draw_by_slices(law, units, panel, numbers)
            return
        symbols, arrays = self._model.symbols, _arrays(panel)
        if isinstance(self.answer, SweepSchedule):
            arrays = with_definitions(self.answer.definitions, arrays, symbols=symbols, examples=rows)
        found = interpret_law(law, arrays, symbols=symbols, examples=rows)
        if is_grouped(law.target):
            self._draw_groups(law, units, found, panel, numbers)
            return
        if law.family == "JointNormal":
            size = math.prod(shape)
            normals = numbers.normals(self._sites[name] + np.arange(size), self._dtype)
            field, precision = found["field"].reshape(rows, size), found["precision"].reshape(rows, size, size)
            panel.state[name].reshape(rows, -1)[...] = draw_joint_normal(field, precision, normals)
            return
        drawn = self._values(
            law,
            {
                key: value.reshape(rows, math.prod(shape), *value.shape[1 + len(shape) :])[:, units]
                for key, value in found.items()
            },
            numbers,
            self._sites[name] + units,
        )
        self._put(name, units, drawn, panel)

    def _put(self, name: str, units: Array, drawn: Array, panel: Panel) -> None:
        """New values of some units, but of those that keep theirs."""
        old = panel.state[name].reshape(panel.rows, -1)  # a view: the state is contiguous
        if name in panel.masks:
            kept = panel.masks[name].reshape(panel.rows, -1)[:, units]
            drawn = np.where(kept, old[:, units], drawn)
        old[:, units] = drawn

    def _draw_by_slices(self, law: ConditionalLaw, units: Array, panel: Panel, numbers: _Numbers) -> None:
        """One step of slice sampling of some units, or of their logarithms."""
        name, positive = law.target.name, isinstance(law.target.domain, Positive)
        present = panel.state[name].reshape(panel.rows, -1)[:, units].astype(np.float64)

        def log_density(points: Array) -> Array:
            moved = panel.state[name].astype(np.float64)
            moved.reshape(panel.rows, -1)[:, units] = np.exp(points) if positive else points
            arrays = {**_arrays(panel), name: moved}
            found = interpret_law(law, arrays, symbols=self._model.symbols, examples=panel.rows)["log_density"]
            values = found.reshape(panel.rows, -1)[:, units]
            return np.asarray(values + points if positive else values)

        start = np.log(present) if positive else present
        drawn, _ = draw_slice(log_density, start, numbers.row(), self._sites[name] + units)
        self._put(name, units, np.maximum(np.exp(drawn), SMALLEST) if positive else drawn, panel)

    def _draw_groups(
        self, law: ConditionalLaw, groups: Array, found: Mapping[str, Array], panel: Panel, numbers: _Numbers
    ) -> None:
        """Draws some groups of units that restrict one another, each from its joint law."""
        target, state = law.target, panel.state[law.target.name]
        values = group_units(state, target).copy()
        logits, old = group_units(found["logits"], target)[:, groups], values[:, groups]
        words = numbers.words(self._sites[target.name] + first_units(target)[groups])
        kept = np.zeros(logits.shape, dtype=bool)
        if target.name in panel.masks:
            kept = group_units(panel.masks[target.name], target)[:, groups]
        if law.family == "Exclusive":
            drawn: Array = draw_exclusive(np.where(kept, np.where(old > 0, np.inf, -np.inf), logits), words)
        else:
            total = np.rint(group_units(found["total"], target)[:, groups, 0]) - (old * kept).sum(axis=-1)
            drawn = draw_multinomial(np.where(kept, -np.inf, logits), np.maximum(total, 0), words)
        values[:, groups] = np.where(kept, old, drawn)
        state[...] = place_units(values, target)

    def _values(self, law: ConditionalLaw, parameters: Mapping[str, Array], numbers: _Numbers, sites: Array) -> Array:
        if law.family == "Gamma":
            return draw_gamma(numbers.row(), sites, parameters["shape"], parameters["rate"])
        if law.family == "TruncatedNormal":
            return draw_truncated_normal(numbers.row(), sites, parameters["mean"], parameters["precision"])
        if law.family == "Normal":
            with np.errstate(invalid="ignore", divide="ignore"):  # as a kernel does; looked for after the sweep
                deviation = 1.0 / np.sqrt(parameters["precision"])
                return np.asarray(parameters["mean"] + deviation * numbers.normals(sites, self._dtype))
        if law.family == "Poisson":
            return draw_poisson(parameters["log_rate"], numbers.words(sites))
        if law.family == "Categorical":
            return draw_codes(parameters["logits"], numbers.words(sites))
        on = draw_on(parameters["logits"], numbers.words(sites), self._dtype)
        return np.where(on, 1, -1 if law.family == "Spin" else 0)


class _Numbers:
    """The random words of some chains in one sweep."""

    def __init__(self, key: tuple[int, int], chains: Array, sweep: int) -> None:
        self._row = (key, chains, sweep)

    def words(self, sites: Array) -> Words:
        return random_words(*self._row, sites)

    def row(self) -> tuple[Words, Words]:
        return row_keys(*self._row)

    def normals(self, sites: Array, dtype: Dtype) -> Array:
        return unit_normals(*self._row, sites, dtype)


def _arrays(panel: Panel) -> Mapping[str, Array]:
    return {**panel.params, **panel.state}
