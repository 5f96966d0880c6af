"""A model: its symbols and the terms of its energy."""

from __future__ import annotations

from dataclasses import dataclass, field

from pgmc.ir.nodes import Index, Scalar
from pgmc.ir.symbols import Constant, Input, Parameter, SourceLine, Symbol, Variable


@dataclass(frozen=True, slots=True)
class EnergyTerm:
    """One summand of the energy: the body, summed over the indices ``over``."""

    body: Scalar
    over: tuple[Index, ...]
    name: str | None = field(default=None, compare=False)
    origin: SourceLine | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Model:
    """p(state) = exp(-E(state)) / Z with E the sum of the terms."""

    name: str
    variables: tuple[Variable, ...]
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    constants: tuple[Constant, ...]
    terms: tuple[EnergyTerm, ...]

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """Every symbol, in declaration order within its kind."""
        return (*self.variables, *self.inputs, *self.parameters, *self.constants)

    def variable(self, name: str) -> Variable:
        """The variable of that name (KeyError if there is none)."""
        return {v.name: v for v in self.variables}[name]

    def __str__(self) -> str:
        from pgmc.ir.printer import print_model

        return print_model(self)
