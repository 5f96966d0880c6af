"""The program as it stands, at its own sizes: what can be checked of single units without enumeration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.analysis.blocks import Block
from pgmc.analysis.couplings import unit_pairs
from pgmc.compiler import Compiler
from pgmc.ir.model import Model
from pgmc.ir.queries import Conditional, Energy
from pgmc.ir.symbols import Count, Positive, Real, Variable, group_shape, is_one_hot, shape_of
from pgmc.program.verification.instance import candidate_params, random_inputs
from pgmc.program.verification.report import Case, Ledger
from pgmc.runtime.executable import Executable
from pgmc.runtime.groups import group_grid, group_place, group_units
from pgmc.runtime.joint_states import group_values
from pgmc.runtime.kernels import Dtype
from pgmc.runtime.state import random_state
from pgmc.runtime.streams import Stream

Array = npt.NDArray[Any]

SITES, PAIRS, BASES = 100, 25, 4
"""Random units whose conditional is checked, pairs of units of a block, and random states they are looked at in."""

MOST_ELEMENTS = 1 << 26
"""Parameters, and states altogether, hold at most this many numbers, or fewer units are looked at."""

TOLERANCE = {"float64": 1e-10, "float32": 1e-4}
ROUNDING = 1e-3
"""Energies are rounded relative to their own size: this share of |E| counts as scale."""


@dataclass(frozen=True)
class Move:
    """In the state of a row, one unit takes another of its values (numbered in the order of its domain).

    Of units that restrict one another the whole group moves, from one of its joint states to another.
    """

    base: int
    variable: Variable
    place: tuple[int, ...]
    old: int
    new: int

    def __str__(self) -> str:
        return self.variable.name + (f"[{', '.join(map(str, self.place))}]" if self.place else "")


@dataclass(frozen=True)
class RealSize:
    """The program with random parameters, and a few random states."""

    executable: Executable
    params: dict[str, Array]
    bases: dict[str, Array]
    generator: np.random.Generator

    @property
    def model(self) -> Model:
        """The model at its own sizes."""
        return self.executable.model

    def move(self, base: int, variable: Variable, units: Array | None = None) -> Move:
        """A random unit of a variable, one of those numbered if some are, and a random other value of it."""
        groups = math.prod(group_grid(variable))
        number = self.generator.integers(groups) if units is None else self.generator.choice(units)
        place = group_place(variable, int(number))
        old = _code(variable, self.bases[variable.name][_window(base, variable, place)])
        count = len(group_values(variable))
        return Move(base, variable, place, old, (old + 1 + int(self.generator.integers(count - 1))) % count)

    def energies(self, changes: Sequence[tuple[int, tuple[Move, ...]]]) -> Array:
        """E of base states after some moves in each."""
        state = {name: values[[base for base, _ in changes]] for name, values in self.bases.items()}
        for row, (_, moves) in enumerate(changes):
            for move in moves:
                values = group_values(move.variable)[move.new].reshape(group_shape(move.variable))
                state[move.variable.name][_window(row, move.variable, move.place)] = values
        return self.executable.evaluate(Energy(), self.params, state)["energy"]

    def note(self, move: Move) -> tuple[str, str]:
        """A move in words."""
        return "unit", f"{move}, from its value number {move.old} to {move.new}, in random state {move.base}"


def _window(row: int, variable: Variable, place: tuple[int, ...]) -> Any:
    """Where the group that starts at a place stands in a row of the variable's array."""
    return row, *(slice(k, k + n) for k, n in zip(place, group_shape(variable), strict=True))


def _code(variable: Variable, values: Any) -> int:
    """Which of its joint states a group is in."""
    return int(np.argmax((group_values(variable) == np.ravel(values)).all(axis=1)))


def check_real_size(compiler: Compiler, executable: Executable, stream: Stream, ledger: Ledger) -> None:
    """Conditionals and blocks of the program at its own sizes."""
    model = compiler.model
    units = sum(math.prod(shape_of(v)) for v in model.variables)
    numbers = max((math.prod(shape_of(p)) for p in model.parameters), default=0)
    if numbers > MOST_ELEMENTS or 4 * BASES * units > MOST_ELEMENTS:
        ledger.skip("real size", f"{units} units and a parameter of {numbers} numbers are more than is tried")
        return
    program = _with_random_values(executable, compiler.dtype, stream)
    if program is None:
        ledger.skip("real size", "energies are not finite, neither with random parameters nor with the initial ones")
        return
    sites = min(SITES, MOST_ELEMENTS // units - BASES)
    _check_ratios(program, ledger, sites, TOLERANCE[compiler.dtype])
    generic = [v for v in executable.continuous if compiler.law(v.name).family == "Generic"]
    for variable in generic:
        _check_density(program, ledger, variable, TOLERANCE[compiler.dtype])
    for variable in (v for v in executable.real if v not in generic):
        _check_curvature(program, ledger, variable, TOLERANCE[compiler.dtype])
    _check_colors(compiler, ledger)
    _check_pairs(program, compiler, ledger, max(1, min(PAIRS, sites // 4)), TOLERANCE[compiler.dtype])


def _with_random_values(executable: Executable, dtype: Dtype, stream: Stream) -> RealSize | None:
    model = executable.model
    longest = max((n for p in model.parameters for n in shape_of(p)), default=1)
    bases = random_state(model, BASES, stream.child("states"), dtype) | random_inputs(model, BASES, stream, dtype)
    for params in candidate_params(model, stream, dtype, scale=0.8 / math.sqrt(longest)):
        program = RealSize(executable, params, bases, stream.child("sites").generator())
        with np.errstate(all="ignore"):
            if np.isfinite(program.energies([(base, ()) for base in range(BASES)])).all():
                return program
    return None


def _check_ratios(program: RealSize, ledger: Ledger, sites: int, tolerance: float) -> None:
    """log p(b | rest) - log p(a | rest) = E(a) - E(b)."""
    variables = [v for v in program.model.variables if not isinstance(v.domain, Real | Positive | Count)]
    if not variables:
        return
    moves = [program.move(k % BASES, variables[k // BASES % len(variables)]) for k in range(sites)]
    found = program.energies([*((base, ()) for base in range(BASES)), *((m.base, (m,)) for m in moves)])
    before = found[:BASES][[m.base for m in moves]]
    expected = before - found[BASES:]
    logits = {v.name: _log_odds(program, v) for v in variables[: len(moves)]}
    got = np.array([_log_ratio(logits[m.variable.name], m) for m in moves])
    ledger.compare(
        "real size",
        f"log p(b | rest) - log p(a | rest) = E(a) - E(b) of {len(moves)} random units",
        got,
        expected,
        tolerance,
        scale=1.0 + np.abs(expected) + ROUNDING * np.abs(before),
        case=lambda place: Case((program.note(moves[place[0]]),)),
        note=_sizes(program.model),
    )


def _log_odds(program: RealSize, variable: Variable) -> Array:
    """Compiled logits of every unit, or group, of a variable in the base states, one for each value."""
    logits = program.executable.evaluate(Conditional(variable.name), program.params, program.bases)["logits"]
    wide = np.asarray(logits, dtype=np.float64)
    if is_one_hot(variable):
        return wide.reshape(len(wide), -1, wide.shape[-1])
    own = group_units(wide, variable)
    return np.concatenate([np.zeros((*own.shape[:-1], 1)), own], axis=-1)


def _log_ratio(logits: Array, move: Move) -> float:
    grid = tuple(k // n for k, n in zip(move.place, group_shape(move.variable), strict=True))
    own = logits[move.base, int(np.ravel_multi_index(grid, group_grid(move.variable))) if grid else 0]
    return float(own[move.new] - own[move.old])


def _check_density(program: RealSize, ledger: Ledger, variable: Variable, tolerance: float) -> None:
    """log p(b | rest) - log p(a | rest) = E(a) - E(b) of a random unit in each state, moved to another value."""
    rows, query = np.arange(BASES), Conditional(variable.name)
    place = (rows, *(program.generator.integers(n, size=BASES) for n in shape_of(variable)))
    moved = {name: values.copy() for name, values in program.bases.items()}
    moved[variable.name][place] = np.abs(program.generator.normal(size=BASES)) + 0.1
    energies, densities = [], []
    for state in (program.bases, moved):
        energies.append(program.executable.evaluate(Energy(), program.params, state)["energy"])
        found = program.executable.evaluate(query, program.params, state)["log_density"]
        densities.append(found[place].astype(np.float64))
    ledger.compare(
        "real size",
        f"log p(b | rest) - log p(a | rest) = E(a) - E(b) of {BASES} random units of {variable.name}",
        densities[1] - densities[0],
        energies[0] - energies[1],
        tolerance,
        scale=1.0 + np.abs(densities[0]) + np.abs(densities[1]) + ROUNDING * np.abs(energies[0]),
        case=lambda at: Case((("unit", f"{variable.name}, in random state {at[0]}"),)),
        note=_sizes(program.model),
    )


def _check_curvature(program: RealSize, ledger: Ledger, variable: Variable, tolerance: float) -> None:
    """precision = E(x+1) - 2 E(x) + E(x-1), and precision · (mean - x) = (E(x-1) - E(x+1)) / 2, of random units."""
    shape = shape_of(variable)
    places = [tuple(int(program.generator.integers(n)) for n in shape) for _ in range(PAIRS)]
    found = program.executable.evaluate(Conditional(variable.name), program.params, program.bases)
    rows = [k % BASES for k in range(len(places))]
    energies = []
    for step in (-1.0, 0.0, 1.0):
        state = {name: values[rows] for name, values in program.bases.items()}
        for row, place in enumerate(places):
            state[variable.name][(row, *place)] += step
        energies.append(program.executable.evaluate(Energy(), program.params, state)["energy"])
    below, here, above = energies
    if "field" in found:
        _flatten_joint(found, program.bases[variable.name])
    precision, mean = (
        np.array([found[key][(row, *place)] for row, place in zip(rows, places, strict=True)], dtype=np.float64)
        for key in ("precision", "mean")
    )
    old = np.array([program.bases[variable.name][(row, *place)] for row, place in zip(rows, places, strict=True)])
    scale = 1.0 + precision * (1.0 + np.abs(mean - old)) + ROUNDING * np.abs(here)
    for what, got, expected in (
        ("precisions", precision, above - 2.0 * here + below),
        ("means", precision * (mean - old), (below - above) / 2.0),
    ):
        ledger.compare(
            "real size",
            f"{what} of {len(places)} random units of {variable.name} from second differences",
            got,
            expected,
            tolerance,
            scale=scale,
            case=lambda place: Case((("unit", f"{variable.name}{places[place[0]]}"),)),
            note=_sizes(program.model),
        )


def _check_colors(compiler: Compiler, ledger: Ledger) -> None:
    """No two units that interact have one colour."""
    for block in compiler.blocks():
        if block.part is None or block.part.color:
            continue
        (name,) = block.variables
        colors, pairs = compiler.colored.colors(name), unit_pairs(compiler.colored.couplings(name))
        number = np.empty(len(colors.order), dtype=np.int64)
        number[colors.order] = np.repeat(np.arange(len(colors.counts)), colors.counts)
        alike = (number[pairs[:, 0]] == number[pairs[:, 1]]) & (pairs[:, 0] != pairs[:, 1])
        check = f"units of {name} that interact have different colours, all {len(pairs)} pairs"

        def case(place: tuple[int, ...], pairs: Array = pairs, name: str = name) -> Case:
            return Case((("units", f"{name}: numbers {pairs[place[0], 0]} and {pairs[place[0], 1]}"),))

        ledger.compare("real size", check, alike.astype(np.float64), np.zeros(len(pairs)), 0.0, case=case)


def _flatten_joint(found: dict[str, Array], values: Array) -> None:
    """The law of each unit given the others, in place of that of all units together."""
    rows, size = len(values), values[0].size
    field, flat = found["field"].reshape(rows, size), values.reshape(rows, size)
    matrix = np.broadcast_to(found["precision"].reshape(-1, size, size), (rows, size, size))
    own = np.diagonal(matrix, axis1=1, axis2=2)
    pull = field - np.einsum("nij,nj->ni", matrix, flat) + own * flat
    found["precision"], found["mean"] = own.reshape(values.shape), (pull / own).reshape(values.shape)


def _check_pairs(program: RealSize, compiler: Compiler, ledger: Ledger, pairs: int, tolerance: float) -> None:
    """Units of a parallel block do not interact."""
    real = {v.name for v in program.executable.continuous}
    blocks = [b for b in compiler.blocks() if b.mode != "sequential" and not real & set(b.variables)]
    drawn = [_random_pair(program, compiler, blocks[k % len(blocks)], k % BASES) for k in range(pairs) if blocks]
    chosen = [pair for pair in drawn if pair is not None]
    if not chosen:
        ledger.skip("real size", "no two units are drawn at once")
        return
    changes = [(a.base, moves) for a, b in chosen for moves in ((), (a,), (b,), (a, b))]
    found = program.energies(changes).reshape(-1, 4)
    ledger.compare(
        "real size",
        f"{len(chosen)} random pairs of units that are drawn at once do not interact",
        found[:, 3] - found[:, 2] - found[:, 1] + found[:, 0],
        np.zeros(len(found)),
        tolerance,
        scale=1.0 + ROUNDING * np.abs(found).max(axis=1) + np.abs(found - found[:, :1]).max(axis=1),
        case=lambda place: Case(tuple(program.note(move) for move in chosen[place[0]])),
    )


def _random_pair(program: RealSize, compiler: Compiler, block: Block, base: int) -> tuple[Move, Move] | None:
    """Two different units of a block, if it has two."""
    listed = [v.name for v in program.model.variables if not isinstance(v.domain, Count)]
    names, units = [name for name in block.variables if name in listed], None
    if not names:
        return None
    if block.part is not None:
        colors = compiler.colored.colors(names[0])
        units = colors.order[colors.starts[block.part.color] : colors.starts[block.part.color + 1]]
    for _ in range(8):
        first, second = (
            program.move(base, program.model.variable(names[int(program.generator.integers(len(names)))]), units)
            for _ in range(2)
        )
        if (first.variable, first.place) != (second.variable, second.place):
            return first, second
    return None


def _sizes(model: Model) -> str:
    shapes = (f"{v.name} {'x'.join(map(str, shape_of(v))) or '()'}" for v in model.variables)
    return "at " + ", ".join(shapes)
