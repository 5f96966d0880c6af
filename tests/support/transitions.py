"""The exact transition matrix of an emitted sweep, path by path.

The generated text of a sweep is run as plain Python, with its draws replaced by a recorder that takes every branch in
turn: a run follows a given list of outcomes as far as it goes and the first outcome from there on, and every other
outcome of a draw met on the way becomes a run of its own. What a run did to the state, and the probabilities that
the text itself computed for the outcomes it took, add up to the matrix. Nothing is known beforehand about how often
or in which order a sweep draws, so texts that are wrong in these respects are run as faithfully as right ones.

The rows of one call are the runs of one round, so the text is run on many chains at once, as it is in earnest.

References
----------
Bouchard-Côté et al. (2022), Blang: its ``ExhaustiveDebugRandom`` builds a kernel's own transition matrix in this way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from oracle import Exact
from pgmc.compiler import Compiler
from pgmc.ir.answers import SweepSchedule
from pgmc.ir.queries import Sweep
from pgmc.ir.signatures import KernelModule, Role
from pgmc.ir.symbols import shape_of
from pgmc.runtime.kernels import CompiledKernel, Launch, Panel

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

FIRST_CHAIN, FIRST_SWEEP = 1000, 7
TOLERANCE = 1e-12


@dataclass
class Run:
    """One path through the draws of one chain: from where it starts, and the outcomes it follows."""

    start: int
    outcomes: list[int]
    probability: float = 1.0
    taken: int = 0
    keys: set[tuple[int, int]] = field(default_factory=set)


class Recorder:
    """Stands in for the random numbers of a generated module."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.branches: list[Run] = []
        self.sites: set[int] = set()
        self.reused: set[int] = set()

    def row_key(self, key_0: int, key_1: int, chain: int, sweep: int) -> tuple[int, int]:
        """The chain and the sweep themselves."""
        assert (key_0, key_1) == (11, 12)
        return int(chain) - FIRST_CHAIN, int(sweep)

    def draw(self, probabilities: list[float], row: int, sweep: int, site: int) -> int:
        """The outcome that the run of this row takes."""
        run = self.runs[row]
        if (sweep, site) in run.keys:
            self.reused.add(site)
        run.keys.add((sweep, site))
        self.sites.add(site)
        if run.taken == len(run.outcomes):
            self.branches += [Run(run.start, [*run.outcomes, k]) for k in range(1, len(probabilities))]
            run.outcomes.append(0)
        outcome = run.outcomes[run.taken]
        run.taken += 1
        run.probability *= probabilities[outcome]
        return outcome

    def draw_bernoulli(self, logit: float, row: int, sweep: int, site: int) -> float:
        """0 or 1."""
        return float(self.draw([_sigmoid(-logit), _sigmoid(logit)], row, sweep, site))

    def draw_spin(self, logit: float, row: int, sweep: int, site: int) -> float:
        """-1 or +1."""
        return 2 * self.draw_bernoulli(logit, row, sweep, site) - 1

    def draw_categorical(self, logits: Array, row: int, sweep: int, site: int) -> int:
        """0 to K-1."""
        weights = np.exp(np.asarray(logits, dtype=np.float64) - np.max(logits))
        return self.draw(list(weights / weights.sum()), row, sweep, site)

    def names(self) -> dict[str, Any]:
        """What takes the place of the module's helper functions."""
        wanted = ("row_key", "draw_bernoulli", "draw_spin", "draw_categorical")
        return {name: getattr(self, name) for name in wanted} | {"multiply": _multiply}


def _multiply(weights: Array, units: Array, fields: Array) -> None:
    """What the module's helper computes in loops, which take long in Python; its own test compares the two."""
    fields[...] = weights @ units.T


def _sigmoid(x: float) -> float:
    with np.errstate(over="ignore"):
        return float(1.0 / (1.0 + np.exp(-np.float64(x))))


def load(source: str, name: str, recorder: Recorder) -> Callable[..., None]:
    """The generated function, not compiled, that draws from the recorder."""
    text = source.replace("from numba import njit", "def njit(*_, **__):\n    return lambda function: function")
    space: dict[str, Any] = {}
    exec(compile(text, f"<{name}>", "exec"), space)  # noqa: S102 - the text under test
    space |= recorder.names()
    function: Callable[..., None] = space[name]
    return function


@dataclass(frozen=True)
class Transitions:
    """What a sweep does: its matrix, the units it draws, and those whose random number it uses more than once."""

    matrix: Array
    sites: set[int]
    reused: set[int]


def transitions(
    compiler: Compiler,
    query: Sweep,
    exact: Exact,
    params: Arrays,
    *,
    given: Mapping[str, Any] | None = None,
    masks: Mapping[str, Any] | None = None,
    sweeps: int = 1,
    edit: Callable[[str], str] = lambda source: source,
) -> Transitions:
    """The transition matrix of the emitted sweep over all joint states of a model.

    Parameters
    ----------
    compiler, query
        Whose text is run.
    exact
        The oracle, which numbers the states.
    params
        Name -> array.
    given
        Name -> value of each input, for example of ``inverse_temperature``, or one for each state to start from.
    masks
        Name -> boolean array of the variable's shape: units that keep their value.
    sweeps
        How many sweeps one transition is.
    edit
        Applied to the text before it is run.
    """
    module = compiler.stages(query).module
    recorder = Recorder()
    model = compiler.ensemble(query.ensemble)
    kernel = CompiledKernel(module, load(edit(module.source), module.name, recorder), model, compiler.colored.positions)
    inputs = {i.name: np.broadcast_to((given or {})[i.name], (exact.S, *shape_of(i))) for i in model.inputs}
    recorder.branches = [Run(state, []) for state in range(exact.S)]
    matrix = np.zeros((exact.S, exact.S))
    while recorder.branches:
        runs, recorder.runs, recorder.branches = recorder.branches, recorder.branches, []
        starts = np.array([run.start for run in runs])
        state = _encode(module, exact.states(exact.codes[starts]))
        panel = Panel(
            rows=len(runs),
            params=params,
            state={**state, **{name: values[starts] for name, values in inputs.items()}},
            masks={n: np.broadcast_to(m, (len(runs), *np.shape(m))).copy() for n, m in (masks or {}).items()},
        )
        kernel.sweep(panel, Launch((11, 12), FIRST_CHAIN, FIRST_SWEEP, sweeps))
        ends = exact.index(_codes(exact, state))
        np.add.at(matrix, (starts, ends), [run.probability for run in runs])
    return Transitions(matrix, recorder.sites, recorder.reused)


def units_of_blocks(
    compiler: Compiler, query: Sweep, exact: Exact, masks: Mapping[str, Any] | None = None
) -> list[list[int]]:
    """What a sweep has to update, as lists of the oracle's units: what is drawn at once, in order."""
    numbers: dict[str, list[int]] = {}
    for number, (name, place) in enumerate(exact.sites):
        if not (masks and name in masks and np.asarray(masks[name])[place]):
            numbers.setdefault(name, []).append(number)
    groups: list[list[int]] = []
    forward = compiler.answer(replace(query, backward=False))
    assert isinstance(forward, SweepSchedule)
    for update in forward.updates:
        units = [number for variable in update.targets for number in numbers.get(variable.name, [])]
        if update.coloring is not None:
            units = _by_colour(compiler, update.targets[0].name, units, exact)
        groups += [[number] for number in units] if update.mode == "sequential" else [units]
    return [group for group in (groups[::-1] if query.backward else groups) if group]


def _by_colour(compiler: Compiler, name: str, units: list[int], exact: Exact) -> list[int]:
    """The units of a variable in the order of their colours."""
    order = [tuple(map(int, place)) for place in compiler.colored.positions(name)]
    return sorted(units, key=lambda number: order.index(exact.sites[number][1]))


def faults(found: Transitions, exact: Exact, groups: list[list[int]], *, sweeps: int = 1) -> set[str]:
    """What is wrong with a sweep that should update these units, those of a group at once, under this law."""
    matrix, law = found.matrix, exact.check(found.matrix)
    wanted = np.linalg.matrix_power(exact.sweep(groups, parallel=False), sweeps)
    at_once = np.linalg.matrix_power(exact.sweep(groups, parallel=True), sweeps)
    units = sorted(number for group in groups for number in group)
    kept = [number for number in range(exact.n) if number not in units]
    moved = (exact.codes[:, None, kept] != exact.codes[None, :, kept]).any(2)
    checks = {
        "rows": law["row"] > TOLERANCE or law["min"] < 0,
        "invariance": law["invariance"] > TOLERANCE,
        "reach": not kept and not law["irreducible"],
        "joint law": np.abs(matrix - wanted).max() > TOLERANCE,
        "unit by unit": np.abs(matrix - at_once).max() > TOLERANCE,
        "kept units": bool(np.any(matrix[moved] != 0)),
        "units": sorted(found.sites) != units,
        "random numbers": bool(found.reused),
    }
    return {name for name, wrong in checks.items() if wrong}


def _encode(module: KernelModule, state: dict[str, Array]) -> dict[str, Array]:
    dtypes = {a.symbol: a.dtype for a in module.arguments if a.role is Role.STATE}
    return {n: np.array(x, dtype=dtypes.get(n), order="C") for n, x in state.items()}


def _codes(exact: Exact, state: Arrays) -> Array:
    parts = [np.searchsorted(exact.spec[n][1], state[n].reshape(len(state[n]), -1)) for n in exact.spec]
    return np.concatenate(parts, axis=1)
