"""A model: its symbols, the terms of its energy and its directed factors."""

from __future__ import annotations

from dataclasses import dataclass, field

from pgmc.ir.answers import Family
from pgmc.ir.nodes import Index, Scalar
from pgmc.ir.symbols import Constant, Input, Intermediate, Parameter, SourceLine, Symbol, Variable


@dataclass(frozen=True, slots=True)
class EnergyTerm:
    """One summand of the energy: the body, summed over the indices ``over``.

    ``child`` names the variable whose directed factor the term comes from: it is a part of -log p(child | parents).
    """

    body: Scalar
    over: tuple[Index, ...]
    name: str | None = field(default=None, compare=False)
    origin: SourceLine | None = field(default=None, compare=False)
    child: str | None = None


@dataclass(frozen=True, slots=True)
class Factor:
    """A directed factor p(target | what its parameters mention), one law for every unit of the target.

    Its energy -log p is among the model's terms, so that whatever serves an energy serves a factor; what is kept here
    is what an energy cannot say: that the factor is normalised, and how to draw from it.

    A parameter stands as the term Σ_i target[i]·exp(parameter[i]), which ties its indices to the axes of the target, so
    that passes treat it as they treat every term; see ``pgmc.ir.factors``.
    """

    target: Variable
    family: Family
    parameters: tuple[tuple[str, EnergyTerm], ...]
    origin: SourceLine | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Definition:
    """A named intermediate value, symbol[i] = body[i].

    The equation stands as the term Σ_i symbol[i]·exp(body[i]), as a parameter of a factor does; see
    ``pgmc.ir.definitions``.
    """

    symbol: Intermediate
    term: EnergyTerm


@dataclass(frozen=True, slots=True)
class Model:
    """p(state) = exp(-E(state)) / Z with E the sum of the terms.

    Terms that come from directed factors are normalised: Z is a sum over the variables without a factor. ``guide`` is
    an inference net: a model of directed factors for some of the variables, of which the others are inputs.
    ``definitions`` are the named intermediate values that terms and factors speak of, each after those it is made of.
    """

    name: str
    variables: tuple[Variable, ...]
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    constants: tuple[Constant, ...]
    terms: tuple[EnergyTerm, ...]
    factors: tuple[Factor, ...] = ()
    guide: Model | None = None
    definitions: tuple[Definition, ...] = ()

    @property
    def trained(self) -> tuple[Parameter, ...]:
        """The parameters, and those of the guide."""
        return (*self.parameters, *(self.guide.parameters if self.guide else ()))

    @property
    def children(self) -> tuple[str, ...]:
        """Names of the variables that have a directed factor."""
        return tuple(factor.target.name for factor in self.factors)

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """Every symbol, in declaration order within its kind."""
        named = (definition.symbol for definition in self.definitions)
        return (*self.variables, *self.inputs, *self.parameters, *self.constants, *named)

    @property
    def tied_terms(self) -> tuple[EnergyTerm, ...]:
        """The terms, and the equations of the definitions as terms: what says which axes are of one length."""
        return (*self.terms, *(definition.term for definition in self.definitions))

    def variable(self, name: str) -> Variable:
        """The variable of that name (KeyError if there is none)."""
        return {v.name: v for v in self.variables}[name]

    def __str__(self) -> str:
        from pgmc.ir.printer import print_model

        return print_model(self)
