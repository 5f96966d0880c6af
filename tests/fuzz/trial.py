"""A specification with parameters, compiled, and what enumeration says of it."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

import pgmc
from generated import python_kernel
from generation import random_values
from language import DISCRETE, Specification
from meaning import Arrays, Values, energies, sum_of_blocks
from oracle import Exact
from pgmc.compiler import Compiler
from pgmc.ir.factors import undirected_part
from pgmc.ir.queries import Query
from pgmc.runtime.executable import Executable
from pgmc.runtime.kernels import Kernel
from spelling import Spelling, build

SPELLINGS: tuple[Spelling, ...] = ("index", "array", "named", "array")
Backend = Literal["text", "numpy", "numba"]
Dtype = Literal["float64", "float32"]
LARGEST_RANGE = 40.0  # nats from the least to the most likely state: beyond, probabilities become 0


class Finding(NamedTuple):
    """One comparison; ``error`` is relative to the size of what is compared."""

    what: str
    error: float
    tolerance: float


class TextCompiler(Compiler):
    """Runs the generated kernels as plain Python: what would be compiled, at no cost of compiling."""

    def make_kernel(self, query: Query) -> Kernel:
        """The generated kernel, not compiled; interpreted from the derivation in the backend "numpy"."""
        return super().make_kernel(query) if self.backend == "numpy" else python_kernel(self, query)

    def resized(self, model: Any) -> TextCompiler:
        """The compiler of the same model at other sizes."""
        return TextCompiler(model, self.dtype)

    @cached_property
    def undirected(self) -> Executable | None:
        """The energy without directed factors."""
        part = undirected_part(self.model)
        return None if part is None else TextCompiler(part, self.dtype).executable()

    @cached_property
    def guide(self) -> Compiler | None:
        """The inference net."""
        if self.model.guide is None:
            return None
        ignored = frozenset(parameter.name for parameter in self.model.parameters)
        return TextCompiler(self.model.guide, self.dtype, ignored=ignored)


@dataclass(frozen=True)
class Case:
    """A specification with parameters and inputs of a seed, compiled, and the oracle's view of it."""

    spec: Specification
    seed: int
    backend: Backend = "text"
    dtype: Dtype = "float64"

    @cached_property
    def program(self) -> pgmc.Program:
        """The program under test."""
        model = build(self.spec, SPELLINGS[self.seed % len(SPELLINGS)])
        if self.backend == "text":
            return pgmc.Program(TextCompiler(model.build(), self.dtype))
        return pgmc.compile(model, dtype=self.dtype, backend=self.backend)

    @cached_property
    def reference(self) -> pgmc.Program:
        """The same derivations, interpreted as they stand."""
        compiler = copy(self.program.compiler)
        compiler.backend = "numpy"
        return pgmc.Program(compiler)

    @cached_property
    def values(self) -> tuple[dict[str, Values], dict[str, Values]]:
        """Parameters, and one row of inputs; in the precision of the program. Energies are kept within bounds."""
        for size in (1.0, 0.5, 0.25, 0.1):
            found = random_values(self.spec, self.seed, size)
            params, inputs = ({n: rounded(v, self.dtype) for n, v in group.items()} for group in found)
            if self.spread(params, inputs) < LARGEST_RANGE:
                break
        return params, inputs

    def spread(self, params: Arrays, inputs: Arrays) -> float:
        """How far the energies of the possible states are apart."""
        states = Exact(
            units(self.spec),
            lambda x: np.where(allowed(self.spec, x), np.zeros(len(next(iter(x.values())))), np.inf),
        )
        possible = states.states(states.codes[np.isfinite(states.E)])
        return float(
            np.ptp(energies(self.spec, {name: value[None] for name, value in params.items()}, possible | inputs))
        )

    @cached_property
    def params(self) -> dict[str, Values]:
        """The parameters of the model."""
        return {name: value for name, value in self.values[0].items() if not self.spec.array(name).guide}

    @cached_property
    def exact(self) -> Exact:
        """Every joint state, by enumeration."""
        return self.law()

    def law(self, beta: float = 1.0) -> Exact:
        """The oracle at an inverse temperature."""
        params = {name: value[None] for name, value in self.params.items()}

        def energy(x: dict[str, Values]) -> Values:
            return np.where(allowed(self.spec, x), beta * energies(self.spec, params, x | self.values[1])[0], np.inf)

        return Exact(units(self.spec), energy)

    @cached_property
    def rows(self) -> Values:
        """The numbers of the states that are possible."""
        return np.flatnonzero(np.isfinite(self.exact.E))

    @cached_property
    def codes(self) -> Values:
        """Which of its values each unit has in each possible state."""
        return np.asarray(self.exact.codes[self.rows])

    @cached_property
    def states(self) -> dict[str, Values]:
        """Every possible joint state, with the inputs beside it."""
        inputs = {name: np.repeat(value, len(self.rows), axis=0) for name, value in self.values[1].items()}
        return self.exact.states(self.codes) | inputs

    @cached_property
    def scale(self) -> float:
        """What rounding errors are relative to."""
        return 1.0 + float(np.abs(self.exact.E[self.rows]).max())

    @cached_property
    def tolerance(self) -> float:
        """Of values; derivatives by differences are coarser."""
        return 1e-12 if self.dtype == "float64" else 1e-5

    @property
    def names(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.exact.spec)

    def sites(self, *names: str) -> list[int]:
        """The oracle's numbers of the units of some variables."""
        return [k for k, (owner, _) in enumerate(self.exact.sites) if owner in names]

    def finding(self, what: str, got: Any, wanted: Any, tolerance: float | None = None) -> Finding:
        """The largest difference, relative to the size of the energies."""
        error = np.abs(np.asarray(got, dtype=np.float64) - wanted).max(initial=0.0) / self.scale
        return Finding(what, float(error), self.tolerance if tolerance is None else tolerance)


def units(spec: Specification) -> dict[str, Any]:
    """The variables as the oracle takes them."""
    values = {"binary": (0, 1), "spin": (-1, 1)}
    return {
        a.name: (a.shape, values.get(a.kind, tuple(range(a.states or a.total + 1)))) for a in spec.of_kind(*DISCRETE)
    }


def allowed(spec: Specification, x: Arrays) -> Values:
    """Whether at most one unit is on in every exclusive block, and counts have their total, ``(states,)``."""
    found = np.array(True)
    for array in spec.of_kind("count"):
        found = found & (x[array.name].sum(axis=1) == array.total)
    for array in (a for a in spec.units if a.exclusive):
        found = found & (sum_of_blocks(x[array.name], array.exclusive).reshape(len(x[array.name]), -1) <= 1).all(1)
    return found


def rounded(value: Values, dtype: str) -> Values:
    """Numbers that the precision of a program can hold."""
    return value if value.dtype.kind == "i" else value.astype(dtype).astype(np.float64)
