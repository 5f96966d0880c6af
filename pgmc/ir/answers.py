"""What a query is answered with: indexed expressions again, so that queries nest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from pgmc.ir.nodes import Access, Index, Scalar, at
from pgmc.ir.rewrite import accesses
from pgmc.ir.symbols import Variable

Mode: TypeAlias = Literal["parallel", "joint", "sequential"]
"""All at once; all at once, units that restrict one another from their joint law; or one after the other."""
Family: TypeAlias = Literal[
    "Bernoulli",
    "Spin",
    "Categorical",
    "Exclusive",
    "Normal",
    "JointNormal",
    "Gamma",
    "TruncatedNormal",
    "Poisson",
    "Multinomial",
    "Generic",
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A derivation that does not apply, and why."""

    wanted: str
    reason: str
    remedy: str = ""
    fits_domain: bool = True
    """Whether the derivation is meant for units of such a domain at all."""

    def __str__(self) -> str:
        return f"{self.wanted}: {self.reason}" + (f" {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class Quantity:
    """One array: ``name[indices] = body``, with a leading axis of examples if ``per_example``.

    ``shown`` is how equations print its name.
    """

    name: str
    indices: tuple[Index, ...]
    body: Scalar
    per_example: bool = True
    shown: str | None = None

    def __str__(self) -> str:
        from pgmc.ir.printer import print_quantity

        return print_quantity(self)


WIDE = ("energy", "free_energy", "bound", "score_loss")
"""Quantities that are accumulated and returned in float64 in every program."""


@dataclass(frozen=True, slots=True)
class Computation:
    """The quantities that answer one query, and the named values that they speak of, each after those it is made of."""

    quantities: tuple[Quantity, ...]
    definitions: tuple[Quantity, ...] = ()

    def __str__(self) -> str:
        return "\n".join(map(str, (*self.definitions, *self.quantities)))


@dataclass(frozen=True, slots=True)
class ConditionalLaw:
    """The law of one unit given all the others.

    ``parameters`` are those of the family, by name; the free indices of each are ``indices`` (and ``state`` for a
    categorical unit). ``logits`` is log p(on)/p(off) of a Bernoulli unit (on is +1 for a spin) and the unnormalised
    log-probability of each state of a categorical unit. In an exclusive block it is log p(this unit on, the others off)
    / p(all off). A Normal unit has ``mean`` and ``precision``, the inverse of its variance. Of a JointNormal variable
    the log-density is ``field · x - ½ x · precision · x`` in all its units; ``others`` are the indices of the second.
    A Gamma unit has ``shape`` and ``rate``; a TruncatedNormal one is normal, and positive. A Generic unit, which is of
    no family, has ``log_density``, minus its local energy, as a function of its own present value.
    """

    target: Variable
    indices: tuple[Index, ...]
    state: Index | None
    family: Family
    parameters: tuple[tuple[str, Scalar], ...]
    reasons: tuple[str, ...] = ()
    others: tuple[Index, ...] = ()

    def parameter(self, name: str) -> Scalar:
        """The parameter of that name (KeyError if the family has none)."""
        return dict(self.parameters)[name]

    @property
    def logits(self) -> Scalar:
        """The parameter ``logits``, of the families of discrete units."""
        return self.parameter("logits")

    @property
    def expressions(self) -> tuple[Scalar, ...]:
        """The parameters without their names."""
        return tuple(value for _, value in self.parameters)

    @property
    def axes(self) -> tuple[Index, ...]:
        """The indices of the parameters as arrays: the unit, and the states of a categorical unit last."""
        return self.indices if self.state is None else (*self.indices, self.state)

    @property
    def unit(self) -> Access:
        """The unit itself."""
        return Access(self.target, tuple(map(at, self.indices)))

    @property
    def has_siblings(self) -> bool:
        """Whether other units of the variable take part in the parameters."""
        return any(a.symbol == self.target and a != self.unit for value in self.expressions for a in accesses(value))

    def quantities(self) -> tuple[Quantity, ...]:
        """Every parameter as an array."""
        matrix = {"precision": (*self.axes, *self.others)} if self.others else {}
        return tuple(Quantity(name, matrix.get(name, self.axes), value) for name, value in self.parameters)

    def only(self, *names: str) -> ConditionalLaw:
        """The law with some of its parameters."""
        return replace(self, parameters=tuple(pair for pair in self.parameters if pair[0] in names))

    def map(self, function: Callable[[Scalar], Scalar]) -> ConditionalLaw:
        """The law with a function applied to every parameter."""
        return replace(self, parameters=tuple((name, function(value)) for name, value in self.parameters))

    def __str__(self) -> str:
        from pgmc.ir.printer import print_conditional

        return print_conditional(self)


@dataclass(frozen=True, slots=True)
class Coloring:
    """Units in the order of the colour Σ weight · position mod modulus."""

    modulus: int
    weights: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.modulus} colours"


@dataclass(frozen=True, slots=True)
class UnitOrder:
    """Units in the order of colours that are data: the run time passes their positions, colour by colour."""

    def __str__(self) -> str:
        return "colour by colour"


@dataclass(frozen=True, slots=True)
class BlockUpdate:
    """Units drawn together: every variable of the block from its conditional, units at once or one by one.

    Units of one variable that interact come one by one, those of a colour after one another if there are colours.
    """

    laws: tuple[ConditionalLaw, ...]
    mode: Mode
    masked: tuple[str, ...] = ()
    backward: bool = False
    coloring: Coloring | UnitOrder | None = None
    integrated_out: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[Variable, ...]:
        """The variables that are drawn."""
        return tuple(law.target for law in self.laws)

    def __str__(self) -> str:
        names = ", ".join(law.target.name for law in self.laws)
        how = self.mode if self.coloring is None else f"{self.mode}, {self.coloring}"
        how += f", {', '.join(self.integrated_out)} integrated out" if self.integrated_out else ""
        lines = [f"update {names} ({how})", *(f"  {law}" for law in self.laws)]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Trajectory:
    """All units of some real and positive variables moved together, by Hamiltonian Monte Carlo.

    ``potential`` is minus the logarithm of their density, positive ones on the scale of their logarithm, and ``slopes``
    are its derivatives, one quantity for each variable, under its name. What is summed out is drawn at once after this.
    """

    targets: tuple[Variable, ...]
    potential: Quantity
    slopes: tuple[Quantity, ...]
    masked: tuple[str, ...] = ()
    integrated_out: tuple[str, ...] = ()

    @property
    def mode(self) -> Mode:
        """All units at once."""
        return "joint"

    def __str__(self) -> str:
        names = ", ".join(target.name for target in self.targets)
        out = f", {', '.join(self.integrated_out)} summed out" if self.integrated_out else ""
        slopes = (str(replace(slope, name=f"slope_{slope.name}")) for slope in self.slopes)
        return "\n".join((f"move {names} (Hamiltonian{out})", f"  {self.potential}", *(f"  {s}" for s in slopes)))


@dataclass(frozen=True, slots=True)
class SweepSchedule:
    """The updates of one sweep, in order; laws speak of ``definitions`` at the values of the moment."""

    updates: tuple[BlockUpdate | Trajectory, ...]
    definitions: tuple[Quantity, ...] = ()

    @property
    def draws(self) -> tuple[BlockUpdate, ...]:
        """Those that draw units from laws."""
        return tuple(update for update in self.updates if isinstance(update, BlockUpdate))

    def __str__(self) -> str:
        updates = (f"{k + 1}. {update}" for k, update in enumerate(self.updates))
        return "\n".join((*map(str, self.definitions), *updates))


@dataclass(frozen=True, slots=True)
class Assignment:
    """``target[indices] = body`` in place: all elements at once, or one after the other."""

    target: Variable
    indices: tuple[Index, ...]
    body: Scalar
    mode: Mode

    @property
    def targets(self) -> tuple[Variable, ...]:
        """The array that is assigned."""
        return (self.target,)

    def __str__(self) -> str:
        from pgmc.ir.printer import print_quantity

        return print_quantity(Quantity(self.target.name, self.indices, self.body))


@dataclass(frozen=True, slots=True)
class PassSchedule:
    """The assignments of one pass, in order."""

    updates: tuple[Assignment, ...]

    def __str__(self) -> str:
        return "\n".join(f"{k + 1}. {update} ({update.mode})" for k, update in enumerate(self.updates))


Answer: TypeAlias = Computation | SweepSchedule | PassSchedule
