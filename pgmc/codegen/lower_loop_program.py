"""From an array program to loops: every step becomes a loop nest or a matrix product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    Map,
    Operand,
    Reduce,
    Step,
    make_buffer,
)
from pgmc.codegen.color_rows import color_row, makes_row
from pgmc.codegen.draw_statements import DrawJoint, DrawState, DrawUnit, RowKey
from pgmc.codegen.extents import Extents, find_extents
from pgmc.codegen.lanes import fit_lanes, turn_into_lanes
from pgmc.codegen.listed_loops import find_listed
from pgmc.codegen.loop_kinds import PLAIN_LOOPS, LoopKinds
from pgmc.codegen.loop_program import (
    Allocate,
    Clear,
    ColorLoop,
    Comment,
    ExampleLoop,
    Guard,
    Increment,
    Let,
    LetLowest,
    ListedLoop,
    Loop,
    MatrixProduct,
    MatrixView,
    OrderLoop,
    PickState,
    Precision,
    Raise,
    Statement,
    Store,
    StrideLoop,
    SweepLoop,
    UnlessMasked,
)
from pgmc.codegen.lower_draws_in_blocks import BlockLowering, claim_arrays
from pgmc.codegen.lower_groups import bound_by_blocks, lower_group_draw
from pgmc.codegen.names import NameRegistry
from pgmc.codegen.tighten_loops import relation_indices, relations_of, tighten
from pgmc.errors import InternalError
from pgmc.ir.answers import Coloring, ConditionalLaw, Mode, UnitOrder
from pgmc.ir.nodes import (
    ONE,
    ZERO,
    Access,
    Add,
    Bracket,
    Call,
    Compare,
    Index,
    LogSumExp,
    Mul,
    Scalar,
    Sum,
    at,
    number,
)
from pgmc.ir.rewrite import accesses, depends_on_example, free_indices, map_children, position_indices, split_conditions
from pgmc.ir.symbols import Categorical, Constant, Symbol, Variable, is_grouped, is_one_hot, is_per_example

Rows: TypeAlias = dict[str, tuple[Symbol, AxisName | int]]


@dataclass(slots=True)
class _Frame:
    """One enclosing loop while a nest is built, and the statements at the start of its body."""

    index: Index | None
    before: list[Statement] = field(default_factory=list)
    pick: PickState | None = None


@dataclass(slots=True)
class LoopLowering:
    """Turns steps into statements. ``axes`` maps every axis to its representative, whose length is an argument."""

    names: NameRegistry
    axes: dict[AxisName, AxisName]
    extents: Extents = field(default_factory=lambda: Extents({}, {}))
    precision: Precision = "program"
    changing: frozenset[str] = frozenset()
    conditions: tuple[Compare, ...] = ()  # hold around the expression of the moment
    _frames: list[_Frame] = field(default_factory=list)
    _prepared: list[Statement] = field(default_factory=list)
    _joint_buffers: dict[tuple[str, str], Symbol] = field(default_factory=dict)
    _alone: bool = False  # one draw is all that a sweep does
    _copies: tuple[Statement, ...] = ()
    _around_sweeps: tuple[tuple[Statement, ...], tuple[Statement, ...]] = ((), ())

    def lower_evaluation(self, program: ArrayProgram) -> tuple[Statement, ...]:
        """The statements of a kernel that fills its results once."""
        self.extents = find_extents(program, self.axes)
        return (*self._allocations(program), *(s for step in program.steps for s in self._step(step)))

    def lower_sweeps(self, program: ArrayProgram) -> tuple[Statement, ...]:
        """The statements of a kernel that repeats the program's steps for every sweep."""
        self.extents = find_extents(program, self.axes)
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
                    self.names.claim(f"{quantity.name}_{law.target.name}"), len(quantity.indices), False
                )
                self._joint_buffers[law.target.name, quantity.name] = symbol
                yield Allocate(symbol, self._extents(quantity.indices), per_example=False)

    def extent(self, index: Index) -> AxisName:
        """The axis that an index runs over."""
        return self.extents.axis(index)

    def _extents(self, indices: tuple[Index, ...]) -> tuple[AxisName | None, ...]:
        return tuple(None if index == EXAMPLES else self.extent(index) for index in indices)

    def _allocations(self, program: ArrayProgram) -> tuple[Statement, ...]:
        in_blocks = [own for step in program.steps if isinstance(step, DrawInBlocks) for own in step.own]
        aligned = {own.coupling.symbol.name for own in in_blocks}
        return tuple(
            Allocate(
                b.symbol,
                self._extents(b.indices),
                is_per_example(b.symbol),
                "aligned" if b.symbol.name in aligned else "plain",
            )
            for b in program.buffers
        )

    def _rows(self, program: ArrayProgram) -> Rows:
        """An array for the logits of one unit or group, for each variable that is drawn from several at once."""
        drawn = [s.law.target for s in program.steps if isinstance(s, Draw)]
        lengths = {v.name: self._row_length(v) for v in drawn}
        return {
            name: (Constant(self.names.claim(f"logits_{name}"), ()), length)
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
        self._frames = [_Frame(None)]
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
        return (Comment(title), *self._frames[0].before, *body)

    def _product(self, step: Contract) -> Statement:
        over_examples = not step.over
        if EXAMPLES in step.target.indices:
            return self._turned_product(step)
        left_own = tuple(i for i in step.left.indices if i not in step.over)
        right_own = tuple(i for i in step.right.indices if i not in step.over)
        summed: tuple[Index | None, ...] = (None,) if over_examples else step.over
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
        return self._loops((*lead, *target.indices), lambda: (Store(target.access, self._scalar(body)),))

    def _assign(self, target: Operand, body: Scalar, mode: Mode) -> tuple[Statement, ...]:
        self.changing = frozenset((target.symbol.name,)) if mode == "sequential" else frozenset()
        nest = self._map(target, body)
        self.changing = frozenset()
        return nest

    def _reduction(self, target: Operand, body: Scalar) -> tuple[Statement, ...]:
        return self._loops((EXAMPLES, *target.indices), lambda: (Increment(target.access, self._scalar(body)),))

    def _draw(self, step: Draw, rows: Rows) -> tuple[Statement, ...]:
        law, update = step.law, step.update
        self.changing = frozenset((law.target.name,)) if update.mode == "sequential" else frozenset()
        target = Access(law.target, tuple(at(index) for index in law.indices))
        masked = law.target.name in update.masked

        extents = tuple(map(self.extent, law.indices))

        def draw_unit() -> tuple[Statement, ...]:
            if law.family == "Categorical":
                draw = self._draw_state(law, target, rows[law.target.name][0], extents)
            else:
                draw = (DrawUnit(law.family, target, tuple(map(self._scalar, law.expressions)), extents),)
            return (UnlessMasked(target, draw),) if masked else draw

        def draw_units() -> tuple[Statement, ...]:
            if law.family == "JointNormal":
                return (RowKey(), *self._draw_joint(law, target, extents))
            if law.family in ("Exclusive", "Multinomial"):
                groups = lower_group_draw(step, rows[law.target.name][0], self.extent, self._scalar, self._loops)
                return (RowKey(), *groups)
            loops = self._loops(law.indices, draw_unit, update.backward)
            match update.coloring:
                case Coloring(modulus):
                    strided = _strided(loops, law.indices, update.coloring, self._color_row)
                    loops = (ColorLoop(modulus, strided, update.backward),)
                case UnitOrder():
                    body = _without_loops(loops, law.indices)
                    loops = (OrderLoop(law.indices, law.target, body, update.backward),)
            return (RowKey(), *loops)

        nest = self._loops((EXAMPLES,), draw_units)
        self.changing = frozenset()
        return self._in_lanes(nest, extents) if fit_lanes(nest) else nest

    def _in_lanes(self, nest: tuple[Statement, ...], extents: tuple[AxisName, ...]) -> tuple[Statement, ...]:
        """The nest with the chains innermost; the copies of the state are made once if nothing else looks at it."""
        lanes = turn_into_lanes(nest, extents, self.names)
        self._copies += lanes.allocated
        if self._alone:
            self._around_sweeps = lanes.load, lanes.store
            return lanes.nest
        return (*lanes.load, *lanes.nest, *lanes.store)

    def _color_row(self, loop: StrideLoop) -> Statement:
        """A row of units of one colour: at once, where their law is a number that does not take loops to compute."""
        if not makes_row(loop.body, loop.index):
            return loop
        logits, dealt, units = (Constant(self.names.claim(wish), ()) for wish in ("logits", "dealt", "row"))
        hands = (loop.extent, loop.coloring.modulus)
        self._prepared += [
            Allocate(logits, (loop.extent,), per_example=False),
            *(Allocate(symbol, hands, per_example=False, kind="hands") for symbol in (dealt, units)),
        ]
        return color_row(loop, logits, dealt, units)

    def _draw_in_blocks(self, step: DrawInBlocks) -> tuple[Statement, ...]:
        """In every sweep; what is needed before the first one is kept for the head of the kernel."""
        arrays, extent = claim_arrays(step, self.names), self.extent(step.law.indices[0])
        lowering = BlockLowering(step, arrays, extent, self._scalar, self._loops)
        self._prepared += lowering.prepare()
        return lowering.draw()

    def _draw_joint(self, law: ConditionalLaw, target: Access, extents: tuple[AxisName, ...]) -> tuple[Statement, ...]:
        """The field and the matrix of one chain, and the draw from both."""
        name = law.target.name
        field, matrix = (self._joint_buffers[name, k] for k in ("field", "precision"))
        element = Access(matrix, tuple(map(at, (*law.indices, *law.others))))
        row = Access(field, tuple(map(at, law.indices)))
        fill = self._loops(law.indices, lambda: (Store(row, self._scalar(law.parameter("field"))),))
        both = (*law.indices, *law.others)
        square = self._loops(both, lambda: (Store(element, self._scalar(law.parameter("precision"))),))
        return (*fill, *square, DrawJoint(law.target, field, matrix, extents))

    def _draw_state(
        self, law: ConditionalLaw, target: Access, row: Symbol, extents: tuple[AxisName, ...]
    ) -> tuple[Statement, ...]:
        assert law.state is not None
        element = Access(row, (at(law.state),))
        filled = self._loops((law.state,), lambda: (Store(element, self._scalar(law.logits)),))
        return (*filled, DrawState(target, row, extents))

    def _loops(
        self,
        indices: tuple[Index, ...],
        innermost: Callable[[], tuple[Statement, ...]],
        backward: bool = False,
        picks: tuple[PickState, ...] = (),
        special: LoopKinds = PLAIN_LOOPS,
    ) -> tuple[Statement, ...]:
        """A nest of loops; sums met on the way are computed in the outermost loop that determines them."""
        depth = len(self._frames)
        self._frames += [_Frame(index) for index in indices]
        self._frames += [_Frame(pick.index, pick=pick) for pick in picks]
        body = innermost()
        frames = self._frames[depth:]
        del self._frames[depth:]
        for frame in reversed(frames):
            body = (*frame.before, *body)
            if frame.pick is not None:
                body = (frame.pick, *body)
            elif frame.index is EXAMPLES:
                body = (ExampleLoop(body),)
            elif frame.index is not None and frame.index in special:
                body = (special[frame.index](body),)
            elif frame.index is not None:
                body = tighten(Loop(frame.index, self.extent(frame.index), body, backward))
        return body

    def _scalar(self, node: Scalar) -> Scalar:
        """The expression with each sum replaced by a local number computed beforehand."""
        match node:
            case Sum() | LogSumExp():
                return self._hoisted(node)
            case Mul(factors) if any(isinstance(factor, Bracket) for factor in factors):
                with self._under(relations_of(factors)):
                    return map_children(node, self._scalar)
            case _:
                return map_children(node, self._scalar)

    @contextmanager
    def _under(self, relations: tuple[Compare, ...]) -> Iterator[None]:
        """While lowering what is looked at only where the relations hold."""
        before = self.conditions
        self.conditions = (*before, *relations)
        yield
        self.conditions = before

    def _hoisted(self, node: Sum | LogSumExp) -> Scalar:
        home = self._home(node)
        inner = self._frames[home + 1 :]
        del self._frames[home + 1 :]
        if isinstance(node, Sum):
            statements, value = self._accumulate(node.body, node.over)
        else:
            statements, value = self._log_sum_exp(node.body, node.over)
        statements, value = self._guarded(statements, value)
        self._frames[home].before.extend(statements)
        self._frames += inner
        return value

    def _guarded(self, statements: tuple[Statement, ...], value: Scalar) -> tuple[tuple[Statement, ...], Scalar]:
        """What is computed ahead of a condition that its places need, where the condition holds; else it is 0."""
        known = {frame.index for frame in self._frames}
        relations = tuple(r for r in dict.fromkeys(self.conditions) if known.issuperset(relation_indices(r)))
        if not relations:
            return statements, value
        if not isinstance(value, Access):  # the logarithm of a sum that nothing was added to is no number
            result = self._local("value")
            statements, value = (Let(result, ZERO, self.precision), *statements, Increment(result, value)), result
        starts = tuple(s for s in statements if isinstance(s, Let | LetLowest))
        return (*starts, Guard(relations, tuple(s for s in statements if s not in starts))), value

    def _home(self, node: Scalar) -> int:
        """The outermost frame in which the value is determined; the innermost while its variables change."""
        if self.changing & {a.symbol.name for a in accesses(node)}:
            return len(self._frames) - 1
        needed = {*free_indices(node), *((EXAMPLES,) if depends_on_example(node) else ())}
        return max((k for k, frame in enumerate(self._frames) if frame.index in needed), default=0)

    def _local(self, wish: str) -> Access:
        return Access(Constant(self.names.claim_local(wish), ()), ())

    def _accumulate(self, body: Scalar, over: tuple[Index, ...]) -> tuple[tuple[Statement, ...], Scalar]:
        total = self._local("total")
        product = body.factors if isinstance(body, Mul) else (body,)
        factors: list[Scalar] = [f for f in product if not isinstance(f, Bracket)]
        picks: tuple[PickState, ...] = ()
        for index in over:
            one_hot = next((f for f in factors if _picks(f, index)), None)
            if isinstance(one_hot, Access) and (ordered := _in_order((*picks, PickState(index, one_hot)))):
                factors.remove(one_hot)
                picks = ordered
        picked = {pick.index for pick in picks}
        looped = tuple(i for i in over if i not in picked)
        around = {frame.index for frame in self._frames if frame.index is not None}
        listed = find_listed(looped, around, relations_of(product), factors)
        met = {relation for found in listed for relation in found.met}
        indices, special, relations = bound_by_blocks(looped, tuple(r for r in relations_of(product) if r not in met))
        lists: LoopKinds = {i.index: partial(ListedLoop, i.index, i.listing, i.at) for i in listed}

        def increment() -> tuple[Statement, ...]:
            with self._under(relations):
                step: tuple[Statement, ...] = (Increment(total, self._scalar(_as_product(factors))),)
            return (Guard(relations, step),) if relations else step

        nest = self._loops(indices, increment, picks=picks, special={**special, **lists})
        return (Let(total, ZERO, self.precision), *nest), total

    def _log_sum_exp(self, body: Scalar, over: tuple[Index, ...]) -> tuple[tuple[Statement, ...], Scalar]:
        """The largest exponent first, then the sum of what is left: no overflow."""
        top, total = self._local("top"), self._local("total")
        conditions, exponent = split_conditions(body)
        indices, special, relations = bound_by_blocks(over, conditions)

        def guarded(step: Callable[[], Statement]) -> tuple[Statement, ...]:
            return self._loops(
                indices, lambda: (Guard(relations, (step(),)),) if relations else (step(),), special=special
            )

        def increment() -> Statement:
            return Increment(total, Call("exp", Add((self._scalar(exponent), Mul((number(-1), top))))))

        highest, rest = guarded(lambda: Raise(top, self._scalar(exponent))), guarded(increment)
        value = Add((top, Call("log", total)))
        return (LetLowest(top), *highest, Let(total, ZERO, self.precision), *rest), value


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
        unit = isinstance(statement, Loop) and statement.index in indices
        flat.extend(_without_loops(statement.body, indices) if unit else (statement,))  # type: ignore[union-attr]
    return tuple(flat)


def _picks(factor: Scalar, index: Index) -> bool:
    """Whether the factor is a one-hot access whose state is the index and whose unit is another."""
    if not isinstance(factor, Access) or not is_one_hot(factor.symbol):
        return False
    *unit, state = factor.positions
    return state.index == index and all(index not in position_indices(p) for p in unit)


def _in_order(picks: tuple[PickState, ...]) -> tuple[PickState, ...] | None:
    """The picks, each after those that say which unit it looks at; None if they wait for one another."""
    ordered: list[PickState] = []
    pending = list(picks)
    while pending:
        awaited = {pick.index for pick in pending}
        ready = [p for p in pending if not awaited & {i for q in p.access.positions[:-1] for i in position_indices(q)}]
        if not ready:
            return None
        ordered += ready
        pending = [pick for pick in pending if pick not in ready]
    return tuple(ordered)


def _as_product(factors: list[Scalar]) -> Scalar:
    return ONE if not factors else factors[0] if len(factors) == 1 else Mul(tuple(factors))
