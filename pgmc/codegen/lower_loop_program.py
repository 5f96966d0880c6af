"""From an array program to loops: every step becomes a loop nest or a matrix product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod
from typing import TypeAlias

from pgmc.analysis.axes import AxisName
from pgmc.codegen.array_program import (
    EXAMPLES,
    ArrayProgram,
    Assign,
    Contract,
    Draw,
    DrawInBlocks,
    KeptField,
    Leapfrog,
    Map,
    Operand,
    Reduce,
    Step,
    make_buffer,
)
from pgmc.codegen.color_rows import color_row, makes_row
from pgmc.codegen.draw_statements import DrawJoint, DrawState, DrawUnit, RowKey
from pgmc.codegen.extents import find_extents
from pgmc.codegen.lanes import fit_lanes, turn_into_lanes
from pgmc.codegen.loop_nests import LoopNests
from pgmc.codegen.loop_program import (
    Allocate,
    Clear,
    ColorLoop,
    Comment,
    Increment,
    Let,
    Loop,
    MatrixProduct,
    MatrixView,
    OrderLoop,
    Statement,
    Store,
    StrideLoop,
    SweepLoop,
    UnlessMasked,
)
from pgmc.codegen.lower_draws_in_blocks import BlockLowering, claim_arrays
from pgmc.codegen.lower_groups import lower_group_draw
from pgmc.codegen.slice_units import SliceUnit, at_point, claim_locals, is_logarithmic
from pgmc.codegen.trajectories import MovedVariable, MoveUnits
from pgmc.errors import InternalError
from pgmc.ir.answers import Coloring, ConditionalLaw, Mode, UnitOrder
from pgmc.ir.nodes import Access, Add, Index, Mul, Scalar, at, number
from pgmc.ir.symbols import Categorical, Constant, Positive, Symbol, Variable, is_grouped, is_per_example

Rows: TypeAlias = dict[str, tuple[Symbol, AxisName | int]]


@dataclass(slots=True)
class LoopLowering:
    """Turns steps into statements. ``axes`` maps every axis to its representative, whose length is an argument."""

    nests: LoopNests
    axes: dict[AxisName, AxisName]
    _prepared: list[Statement] = field(default_factory=list)
    _joint_buffers: dict[tuple[str, str], Symbol] = field(default_factory=dict)
    _alone: bool = False  # one draw is all that a sweep does
    _copies: tuple[Statement, ...] = ()
    _around_sweeps: tuple[tuple[Statement, ...], tuple[Statement, ...]] = ((), ())

    def lower_evaluation(self, program: ArrayProgram) -> tuple[Statement, ...]:
        """The statements of a kernel that fills its results once."""
        self.nests.extents = find_extents(program, self.axes)
        return (*self._allocations(program), *(s for step in program.steps for s in self._step(step)))

    def lower_sweeps(self, program: ArrayProgram) -> tuple[Statement, ...]:
        """The statements of a kernel that repeats the program's steps for every sweep."""
        self.nests.extents = find_extents(program, self.axes)
        rows = self._rows(program)
        joint = tuple(self._allocate_joint(program))
        self._alone = len(program.steps) == 1
        once = tuple(s for step in program.once for s in self._step(step))
        body = tuple(s for step in program.steps for s in self._step(step, rows))
        allocations = tuple(Allocate(row, (axis,), per_example=False) for row, axis in rows.values())
        load, store = self._around_sweeps
        before = (*self._allocations(program), *allocations, *joint, *self._copies, *once, *self._prepared, *load)
        return (*before, SweepLoop(body), *store)

    def _allocate_joint(self, program: ArrayProgram) -> Iterator[Statement]:
        """Arrays for the field and the matrix of each variable that is drawn from a joint normal law."""
        for law in (s.law for s in program.steps if isinstance(s, Draw) and s.law.family == "JointNormal"):
            for quantity in law.quantities():
                symbol = make_buffer(
                    self.nests.names.claim(f"{quantity.name}_{law.target.name}"), len(quantity.indices), False
                )
                self._joint_buffers[law.target.name, quantity.name] = symbol
                yield Allocate(symbol, self._extents(quantity.indices), per_example=False)

    def extent(self, index: Index) -> AxisName:
        """The axis that an index runs over."""
        return self.nests.extents.axis(index)

    def _extents(self, indices: tuple[Index, ...]) -> tuple[AxisName | None, ...]:
        return tuple(None if index == EXAMPLES else self.extent(index) for index in indices)

    def _allocations(self, program: ArrayProgram) -> tuple[Statement, ...]:
        in_blocks = [own for step in program.steps if isinstance(step, DrawInBlocks) for own in step.own]
        wide = {step.potential.symbol.name for step in program.steps if isinstance(step, Leapfrog)}
        aligned = {own.coupling.symbol.name for own in in_blocks}
        return tuple(
            Allocate(
                b.symbol,
                self._extents(b.indices),
                is_per_example(b.symbol),
                "aligned" if b.symbol.name in aligned else "wide" if b.symbol.name in wide else "plain",
            )
            for b in program.buffers
        )

    def _rows(self, program: ArrayProgram) -> Rows:
        """An array for the logits of one unit or group, for each variable that is drawn from several at once."""
        drawn = [s.law.target for s in program.steps if isinstance(s, Draw)]
        lengths = {v.name: self._row_length(v) for v in drawn}
        return {
            name: (Constant(self.nests.names.claim(f"logits_{name}"), ()), length)
            for name, length in lengths.items()
            if length is not None
        }

    def _row_length(self, variable: Variable) -> AxisName | int | None:
        if isinstance(variable.domain, Categorical):
            return self.axes[variable.name, -1]
        if is_grouped(variable) and not variable.exclusive:
            return self.axes[variable.name, len(variable.axes) - 1]
        return prod(variable.exclusive) if variable.exclusive else None

    def _step(self, step: Step, rows: Rows | None = None) -> tuple[Statement, ...]:
        if isinstance(step, Leapfrog):
            return self._move(step)
        self.nests.start()
        title = str(step.original if isinstance(step, Draw | DrawInBlocks) else step)
        body: tuple[Statement, ...]
        match step:
            case Contract():
                body = (self._product(step),)
            case Assign(target, body_of, mode):
                body = self._assign(target, body_of, mode)
            case Map(target, body_of):
                body = self._map(target, body_of)
            case Reduce(target, body_of):
                body = (Clear(target.symbol), *self._reduction(target, body_of))
            case Draw():
                body = self._draw(step, rows or {})
            case DrawInBlocks():
                body = self._draw_in_blocks(step)
        return (Comment(title), *self.nests.before, *body)

    def _move(self, step: Leapfrog) -> tuple[Statement, ...]:
        """A trajectory; its energies are added up in float64, whatever the program's dtype."""
        moved = []
        for variable, slope in zip(step.update.targets, step.slopes, strict=True):
            extents, rank = self._extents(slope.indices), len(slope.indices)
            names = (self.nests.names.claim(f"{wish}_{variable.name}") for wish in ("momentum", "start"))
            momentum, start = (make_buffer(name, rank, True) for name in names)
            self._prepared += [Allocate(symbol, extents, per_example=True) for symbol in (momentum, start)]
            kept, positive = variable.name in step.update.masked, isinstance(variable.domain, Positive)
            axes = tuple(map(self.extent, slope.indices))
            moved.append(MovedVariable(variable, slope.symbol, momentum, start, axes, positive, kept))
        before = make_buffer(self.nests.names.claim("before"), 0, True)
        steps = make_buffer(self.nests.names.claim("steps"), 0, True)
        self._prepared += [Allocate(before, (), True, "wide"), Allocate(steps, (), per_example=True)]
        body = tuple(s for inner in step.gradient for s in self._step(inner))
        self.nests.precision = "float64"
        energy = tuple(s for inner in step.energy for s in self._step(inner))
        self.nests.precision = "program"
        title = str(replace(step.update, slopes=()))
        comments = tuple(map(Comment, title.splitlines()))
        return (*comments, MoveUnits(tuple(moved), step.potential.symbol, before, steps, body, energy))

    def _product(self, step: Contract) -> Statement:
        over_examples = not step.over or EXAMPLES in step.over
        if EXAMPLES in step.target.indices:
            return self._turned_product(step)
        left_own = tuple(i for i in step.left.indices if i not in step.over)
        right_own = tuple(i for i in step.right.indices if i not in step.over)
        summed = tuple(None if i == EXAMPLES else i for i in step.over) or (None,)
        rows: tuple[Index | None, ...] = left_own
        if is_per_example(step.left.symbol) and not over_examples:
            rows = (None, *left_own)
        return MatrixProduct(
            self._view(step.target, rows, right_own),
            self._view(step.left, rows, summed),
            self._view(step.right, summed, right_own),
        )

    def _turned_product(self, step: Contract) -> Statement:
        """A product whose target has the examples last."""
        own = tuple(i for i in step.right.indices if i not in step.over)
        return MatrixProduct(
            self._view(step.target, own, (None,)),
            self._view(step.right, own, step.over),
            self._view(step.left, step.over, (None,)),
        )

    def _view(self, operand: Operand, rows: tuple[Index | None, ...], columns: tuple[Index | None, ...]) -> MatrixView:
        lead: tuple[Index | None, ...] = (None,) if is_per_example(operand.symbol) else ()
        layout = (*lead, *(None if index == EXAMPLES else index for index in operand.indices))

        def names(indices: tuple[Index | None, ...]) -> tuple[AxisName | None, ...]:
            return tuple(None if i is None else self.extent(i) for i in indices)

        if layout == (*rows, *columns):
            return MatrixView(operand.symbol, names(rows), names(columns), transposed=False)
        if layout == (*columns, *rows):
            return MatrixView(operand.symbol, names(rows), names(columns), transposed=True)
        raise InternalError(f"{operand} is not a matrix of rows and columns. Please report it.")

    def _map(self, target: Operand, body: Scalar) -> tuple[Statement, ...]:
        lead = (EXAMPLES,) if is_per_example(target.symbol) else ()
        return self.nests.loops((*lead, *target.indices), lambda: (Store(target.access, self.nests.scalar(body)),))

    def _assign(self, target: Operand, body: Scalar, mode: Mode) -> tuple[Statement, ...]:
        self.nests.changing = frozenset((target.symbol.name,)) if mode == "sequential" else frozenset()
        nest = self._map(target, body)
        self.nests.changing = frozenset()
        return nest

    def _reduction(self, target: Operand, body: Scalar) -> tuple[Statement, ...]:
        return self.nests.loops(
            (EXAMPLES, *target.indices), lambda: (Increment(target.access, self.nests.scalar(body)),)
        )

    def _draw(self, step: Draw, rows: Rows) -> tuple[Statement, ...]:
        law, update = step.law, step.update
        changing = (law.target.name, *(own.field.symbol.name for own in step.kept))
        self.nests.changing = frozenset(changing) if update.mode == "sequential" else frozenset()
        target = Access(law.target, tuple(at(index) for index in law.indices))
        masked = law.target.name in update.masked

        extents = tuple(map(self.extent, law.indices))

        def draw_unit() -> tuple[Statement, ...]:
            if law.family == "Categorical":
                draw = self._draw_state(law, target, rows[law.target.name][0], extents)
            elif law.family == "Generic":
                draw = (self._slice(law, extents),)
            else:
                draw = (DrawUnit(law.family, target, tuple(map(self.nests.scalar, law.expressions)), extents),)
            draw = self._keep(step, target, draw)
            return (UnlessMasked(target, draw),) if masked else draw

        def draw_units() -> tuple[Statement, ...]:
            if law.family == "JointNormal":
                return (RowKey(), *self._draw_joint(law, target, extents))
            if law.family in ("Exclusive", "Multinomial"):
                groups = lower_group_draw(
                    step, rows[law.target.name][0], self.extent, self.nests.scalar, self.nests.loops
                )
                return (RowKey(), *groups)
            loops = self.nests.loops(law.indices, draw_unit, update.backward)
            match update.coloring:
                case Coloring(modulus):
                    strided = _strided(loops, law.indices, update.coloring, self._color_row)
                    loops = (ColorLoop(modulus, strided, update.backward),)
                case UnitOrder():
                    body = _without_loops(loops, law.indices)
                    loops = (OrderLoop(law.indices, law.target, body, update.backward),)
            return (RowKey(), *loops)

        nest = self.nests.loops((EXAMPLES,), draw_units)
        self.nests.changing = frozenset()
        return self._in_lanes(nest, extents) if fit_lanes(nest) else nest

    def _keep(self, step: Draw, target: Access, draw: tuple[Statement, ...]) -> tuple[Statement, ...]:
        """The draw of a unit, and what it changes in the fields that are kept."""
        if not step.kept:
            return draw
        before, (unit,) = self.nests.local("before"), step.law.indices
        change = Add((target, Mul((number(-1), before))))
        corrections = tuple(
            statement
            for own in step.kept
            for statement in self.nests.loops(own.field.indices, partial(_correction, own, unit, change))
        )
        return (Let(before, target, "program"), *draw, *corrections)

    def _in_lanes(self, nest: tuple[Statement, ...], extents: tuple[AxisName, ...]) -> tuple[Statement, ...]:
        """The nest with the chains innermost; the copies of the state are made once if nothing else looks at it."""
        lanes = turn_into_lanes(nest, extents, self.nests.names)
        self._copies += lanes.allocated
        if self._alone:
            self._around_sweeps = lanes.load, lanes.store
            return lanes.nest
        return (*lanes.load, *lanes.nest, *lanes.store)

    def _color_row(self, loop: StrideLoop) -> Statement:
        """A row of units of one colour: at once, where their law is a number that does not take loops to compute."""
        if not makes_row(loop.body, loop.index):
            return loop
        logits, dealt, units = (Constant(self.nests.names.claim(wish), ()) for wish in ("logits", "dealt", "row"))
        hands = (loop.extent, loop.coloring.modulus)
        self._prepared += [
            Allocate(logits, (loop.extent,), per_example=False),
            *(Allocate(symbol, hands, per_example=False, kind="hands") for symbol in (dealt, units)),
        ]
        return color_row(loop, logits, dealt, units)

    def _draw_in_blocks(self, step: DrawInBlocks) -> tuple[Statement, ...]:
        """In every sweep; what is needed before the first one is kept for the head of the kernel."""
        arrays, extent = claim_arrays(step, self.nests.names), self.extent(step.law.indices[0])
        lowering = BlockLowering(step, arrays, extent, self.nests.scalar, self.nests.loops)
        self._prepared += lowering.prepare()
        return lowering.draw()

    def _draw_joint(self, law: ConditionalLaw, target: Access, extents: tuple[AxisName, ...]) -> tuple[Statement, ...]:
        """The field and the matrix of one chain, and the draw from both."""
        name = law.target.name
        field, matrix = (self._joint_buffers[name, k] for k in ("field", "precision"))
        element = Access(matrix, tuple(map(at, (*law.indices, *law.others))))
        row = Access(field, tuple(map(at, law.indices)))
        fill = self.nests.loops(law.indices, lambda: (Store(row, self.nests.scalar(law.parameter("field"))),))
        both = (*law.indices, *law.others)
        square = self.nests.loops(both, lambda: (Store(element, self.nests.scalar(law.parameter("precision"))),))
        return (*fill, *square, DrawJoint(law.target, field, matrix, extents))

    def _slice(self, law: ConditionalLaw, extents: tuple[AxisName, ...]) -> Statement:
        """A step of slice sampling; what does not depend on the point is computed ahead of it."""
        unit = self.nests.local("unit")
        body, density = self.nests.at_points(at_point(law, unit), unit.symbol)
        return SliceUnit(law.unit, unit, density, body, extents, claim_locals(self.nests.local), is_logarithmic(law))

    def _draw_state(
        self, law: ConditionalLaw, target: Access, row: Symbol, extents: tuple[AxisName, ...]
    ) -> tuple[Statement, ...]:
        assert law.state is not None
        element = Access(row, (at(law.state),))
        filled = self.nests.loops((law.state,), lambda: (Store(element, self.nests.scalar(law.logits)),))
        return (*filled, DrawState(target, row, extents))


def _correction(own: KeptField, unit: Index, change: Scalar) -> tuple[Statement, ...]:
    """field[i] += coupling[unit, i] · change."""
    element = Access(own.coupling.symbol, (at(unit), *map(at, own.field.indices)))
    return (Increment(own.field.access, Mul((element, change))),)


def _strided(
    body: tuple[Statement, ...],
    indices: tuple[Index, ...],
    coloring: Coloring,
    finish: Callable[[StrideLoop], Statement],
) -> tuple[Statement, ...]:
    """The loops over the units with the innermost going from one unit of the colour to the next."""

    def strided(statement: Statement) -> Statement:
        if not isinstance(statement, Loop) or statement.index not in indices:
            return statement
        *before, last = indices
        if statement.index != last:
            return replace(statement, body=_strided(statement.body, indices, coloring, finish))
        return finish(StrideLoop(last, statement.extent, statement.body, coloring, tuple(before), statement.backward))

    return tuple(map(strided, body))


def _without_loops(body: tuple[Statement, ...], indices: tuple[Index, ...]) -> tuple[Statement, ...]:
    """What the loops over the units do for one unit."""
    flat: list[Statement] = []
    for statement in body:
        if isinstance(statement, Loop) and statement.index in indices:
            flat.extend(_without_loops(statement.body, indices))
        else:
            flat.append(statement)
    return tuple(flat)
