"""The array program: whole-array steps that a printer for any array library can read.

A step fills one array. Arrays are ir symbols: those of the model, and buffers, which are an ``Input`` when they have a
leading axis of examples and a ``Constant`` when they have not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from pgmc.ir.answers import BlockUpdate, ConditionalLaw, Mode, Trajectory
from pgmc.ir.nodes import Access, Index, Scalar, at
from pgmc.ir.printer import print_scalar
from pgmc.ir.rewrite import replace
from pgmc.ir.symbols import Axis, Constant, Input, Symbol, is_per_example

EXAMPLES = Index(0, "n")
"""The examples, or chains, as an index: of the arrays in which they stand last, and of the loop over them."""


def make_buffer(name: str, rank: int, per_example: bool) -> Symbol:
    """A symbol for an array of the kernel's own."""
    axes = tuple(Axis(0) for _ in range(rank))
    return Input(name, axes) if per_example else Constant(name, axes)


@dataclass(frozen=True, slots=True)
class Operand:
    """An array and the index on each of its axes (the axis of examples not counted)."""

    symbol: Symbol
    indices: tuple[Index, ...]

    @property
    def access(self) -> Access:
        """The operand's element."""
        return Access(self.symbol, tuple(at(index) for index in self.indices))

    def __str__(self) -> str:
        lead = ("n",) if is_per_example(self.symbol) else ()
        return f"{self.symbol.name}[{', '.join((*lead, *(i.name for i in self.indices)))}]"


@dataclass(frozen=True, slots=True)
class Map:
    """target[...] = body, element by element; sums left in the body are done in place."""

    target: Operand
    body: Scalar

    def __str__(self) -> str:
        return f"{self.target} = {print_scalar(self.body)}"


@dataclass(frozen=True, slots=True)
class Contract:
    """target = Σ_over left · right, a matrix product.

    Over no index at all it runs over the examples; over them and others, over the places of all examples.
    """

    target: Operand
    left: Operand
    right: Operand
    over: tuple[Index, ...]

    def __str__(self) -> str:
        over = "".join(i.name for i in self.over) or "n"
        return f"{self.target} = Σ_{over} {self.left} · {self.right}   (matrix product)"


@dataclass(frozen=True, slots=True)
class Reduce:
    """target[...] = Σ_n body, over the examples."""

    target: Operand
    body: Scalar

    def __str__(self) -> str:
        return f"{self.target} = Σ_n {print_scalar(self.body)}"


@dataclass(frozen=True, slots=True)
class KeptField:
    """``field[n, i] = Σ_j coupling[j, i] · x[n, j]`` over the units of the variable x, kept while they are drawn."""

    field: Operand
    coupling: Operand


@dataclass(frozen=True, slots=True)
class Draw:
    """Every unit of the law's target drawn anew; the law's parameters read buffers of earlier steps.

    A unit that changes corrects the fields ``kept``.
    """

    law: ConditionalLaw
    update: BlockUpdate
    kept: tuple[KeptField, ...] = ()

    @property
    def original(self) -> ConditionalLaw:
        """The law as derived, before its sums became buffers."""
        return next(law for law in self.update.laws if law.target == self.law.target)

    def __str__(self) -> str:
        keeping = f", keeping {', '.join(str(own.field) for own in self.kept)}" if self.kept else ""
        return f"draw {self.law} ({self.update.mode}{keeping})"


@dataclass(frozen=True, slots=True)
class OwnField:
    """``field[i, n] = Σ_j coupling[i, j] · x[n, j]`` over the units of the variable x that is drawn, chains last."""

    field: Operand
    coupling: Operand


@dataclass(frozen=True, slots=True)
class DrawInBlocks:
    """Units drawn one after the other under a law that is linear in them, through the fields ``own``.

    The fields of some units at a time are one matrix product; each unit drawn then corrects those after it.
    """

    law: ConditionalLaw
    update: BlockUpdate
    own: tuple[OwnField, ...]

    @property
    def original(self) -> ConditionalLaw:
        """The law as derived."""
        return Draw(self.law, self.update).original

    def __str__(self) -> str:
        law = self.law.map(lambda node: replace(node, _without_examples))
        fields = [f"  {self.equation(own)}" for own in self.own]
        return "\n".join((f"draw {law} ({self.update.mode}, in blocks)", *fields))

    def equation(self, own: OwnField) -> str:
        """What a field is."""
        other = own.coupling.indices[1].name
        return f"{own.field} = Σ_{other} {own.coupling} · {self.law.target.name}[n, {other}]"


def _without_examples(node: Scalar) -> Scalar | None:
    """An element of an array that has the examples last, as that of one that has them first is written."""
    if isinstance(node, Access) and at(EXAMPLES) in node.positions:
        return Access(node.symbol, tuple(p for p in node.positions if p != at(EXAMPLES)))
    return None


@dataclass(frozen=True, slots=True)
class Assign:
    """target[...] = body in place, for an array of the model: all elements at once, or one after the other."""

    target: Operand
    body: Scalar
    mode: Mode

    def __str__(self) -> str:
        return f"{self.target} = {print_scalar(self.body)} ({self.mode})"


@dataclass(frozen=True, slots=True)
class Leapfrog:
    """Units moved along leapfrog steps, and put back where the move is not accepted.

    ``gradient`` fills ``slopes``, one array for each variable, and is carried out at every step; ``energy`` fills
    ``potential`` from the same arrays at both ends.
    """

    update: Trajectory
    gradient: tuple[Step, ...]
    energy: tuple[Step, ...]
    slopes: tuple[Operand, ...]
    potential: Operand
    told: tuple[Access, ...]

    def __str__(self) -> str:
        names = ", ".join(target.name for target in self.update.targets)
        return "\n".join((f"move {names} by leapfrog steps", *(f"  {s}" for s in (*self.gradient, *self.energy))))


Step: TypeAlias = Map | Contract | Reduce | Draw | DrawInBlocks | Assign | Leapfrog


def flat_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps with those inside of others in front of them."""
    for step in steps:
        if isinstance(step, Leapfrog):
            yield from flat_steps((*step.gradient, *step.energy))
        yield step


def read_expressions(step: Step) -> tuple[Scalar, ...]:
    """The expressions whose values a step uses; a draw also addresses the units it writes."""
    match step:
        case Map(_, body) | Reduce(_, body):
            return (body,)
        case Assign(target, body, _):
            return (body, target.access)
        case Contract(_, left, right, _):
            return (left.access, right.access)
        case Draw(law, _, kept):
            fields = (operand.access for own in kept for operand in (own.field, own.coupling))
            return (*law.expressions, Operand(law.target, law.indices).access, *fields)
        case Leapfrog(update, slopes=slopes, potential=potential, told=told):
            units = (Access(slope.symbol, slope.access.positions) for slope in slopes)
            moved = (Access(v, s.access.positions) for v, s in zip(update.targets, slopes, strict=True))
            return (*units, *moved, potential.access, *told)
        case DrawInBlocks(law, _, own):
            couplings = (field.coupling.access for field in own)
            return (*law.expressions, Operand(law.target, law.indices).access, *couplings)


@dataclass(frozen=True, slots=True)
class ArrayProgram:
    """``once`` depends on parameters only; ``steps`` run for every call, or for every sweep.

    ``results`` are the arrays to return, ``buffers`` those to allocate.
    """

    once: tuple[Step, ...]
    steps: tuple[Step, ...]
    buffers: tuple[Operand, ...]
    results: tuple[Operand, ...] = ()

    def __str__(self) -> str:
        lines = [*map(str, self.once), *map(str, self.steps)]
        return "\n".join(lines)
