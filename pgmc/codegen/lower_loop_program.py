"""From an array program to loops: every step becomes a loop nest or a matrix product."""

from __future__ import annotations

from dataclasses import dataclass, field

from pgmc.analysis.axes import AxisName, index_axes
from pgmc.codegen.array_program import ArrayProgram, Contract, Draw, Map, Operand, Reduce, Step
from pgmc.codegen.loop_program import (
    Allocate,
    Clear,
    Comment,
    DrawUnit,
    ExampleLoop,
    Guard,
    Increment,
    Let,
    LetLowest,
    Loop,
    MatrixProduct,
    MatrixView,
    PickState,
    Precision,
    Raise,
    RowKey,
    Statement,
    Store,
    SweepLoop,
    UnlessMasked,
)
from pgmc.codegen.names import NameRegistry
from pgmc.errors import InternalError
from pgmc.ir.nodes import (
    ONE,
    ZERO,
    Access,
    Add,
    Bracket,
    Call,
    Index,
    LogSumExp,
    Mul,
    Scalar,
    Sum,
    at,
    number,
)
from pgmc.ir.rewrite import map_children
from pgmc.ir.symbols import Categorical, Constant, Symbol, is_one_hot, is_per_example


@dataclass(slots=True)
class LoopLowering:
    """Turns steps into statements. ``axes`` maps every axis to its representative, whose length is an argument."""

    names: NameRegistry
    axes: dict[AxisName, AxisName]
    extent_of: dict[Index, AxisName] = field(default_factory=dict)
    precision: Precision = "program"

    def lower_evaluation(self, program: ArrayProgram) -> tuple[Statement, ...]:
        """The statements of a kernel that fills its results once."""
        self._learn_extents(program)
        return (*self._allocations(program), *(s for step in program.steps for s in self._step(step)))

    def lower_sweeps(self, program: ArrayProgram) -> tuple[Statement, ...]:
        """The statements of a kernel that repeats the program's steps for every sweep."""
        self._learn_extents(program)
        rows = self._categorical_rows(program)
        once = tuple(s for step in program.once for s in self._step(step))
        body = tuple(s for step in program.steps for s in self._step(step, rows))
        allocations = tuple(Allocate(row, (axis,), per_example=False) for row, axis in rows.values())
        return (*self._allocations(program), *allocations, *once, SweepLoop(body))

    def _learn_extents(self, program: ArrayProgram) -> None:
        """The axis of every index: from the accesses that carry it, else from where the index came from."""
        for step in (*program.once, *program.steps):
            for expression in _expressions(step):
                for index, name in index_axes(expression):
                    if name in self.axes:
                        self.extent_of.setdefault(index, self.axes[name])

    def extent(self, index: Index) -> AxisName:
        if index in self.extent_of:
            return self.extent_of[index]
        if index.extent is not None:
            return self.axes[index.extent]
        raise InternalError(f"nothing says how far the index {index.name} runs. Please report it.")

    def _extents(self, indices: tuple[Index, ...]) -> tuple[AxisName, ...]:
        return tuple(self.extent(index) for index in indices)

    def _allocations(self, program: ArrayProgram) -> tuple[Statement, ...]:
        return tuple(Allocate(b.symbol, self._extents(b.indices), is_per_example(b.symbol)) for b in program.buffers)

    def _categorical_rows(self, program: ArrayProgram) -> dict[str, tuple[Symbol, AxisName]]:
        drawn = [s.law.target for s in program.steps if isinstance(s, Draw)]
        return {
            v.name: (Constant(self.names.claim(f"logits_{v.name}"), ()), self.axes[v.name, -1])
            for v in drawn
            if isinstance(v.domain, Categorical)
        }

    def _step(self, step: Step, rows: dict[str, tuple[Symbol, AxisName]] | None = None) -> tuple[Statement, ...]:
        match step:
            case Contract():
                return (Comment(str(step)), self._product(step))
            case Map(target, body):
                return (Comment(str(step)), *self._map(target, body))
            case Reduce(target, body):
                return (Comment(str(step)), Clear(target.symbol), self._reduction(target, body))
            case Draw():
                return (Comment(str(step.original)), self._draw(step, rows or {}))

    def _product(self, step: Contract) -> Statement:
        over_examples = not step.over
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

    def _view(self, operand: Operand, rows: tuple[Index | None, ...], columns: tuple[Index | None, ...]) -> MatrixView:
        lead: tuple[Index | None, ...] = (None,) if is_per_example(operand.symbol) else ()
        layout = (*lead, *operand.indices)

        def names(indices: tuple[Index | None, ...]) -> tuple[AxisName | None, ...]:
            return tuple(None if i is None else self.extent(i) for i in indices)

        if layout == (*rows, *columns):
            return MatrixView(operand.symbol, names(rows), names(columns), transposed=False)
        if layout == (*columns, *rows):
            return MatrixView(operand.symbol, names(rows), names(columns), transposed=True)
        raise InternalError(f"{operand} is not a matrix of rows and columns. Please report it.")

    def _map(self, target: Operand, body: Scalar) -> tuple[Statement, ...]:
        inner: list[Statement] = []
        value = self._scalar(body, inner)
        inner.append(Store(target.access, value))
        nest = self._nest(target.indices, tuple(inner))
        return (ExampleLoop(nest),) if is_per_example(target.symbol) else nest

    def _reduction(self, target: Operand, body: Scalar) -> Statement:
        inner: list[Statement] = []
        value = self._scalar(body, inner)
        inner.append(Increment(target.access, value))
        return ExampleLoop(self._nest(target.indices, tuple(inner)))

    def _nest(
        self, indices: tuple[Index, ...], body: tuple[Statement, ...], backward: bool = False
    ) -> tuple[Statement, ...]:
        for index in reversed(indices):
            body = (Loop(index, self.extent(index), body, backward),)
        return body

    def _draw(self, step: Draw, rows: dict[str, tuple[Symbol, AxisName]]) -> Statement:
        law, update = step.law, step.update
        target = Access(law.target, tuple(at(index) for index in law.indices))
        inner: list[Statement] = []
        if law.state is None:
            logits: Scalar | Symbol = self._scalar(law.logits, inner)
        else:
            row = rows[law.target.name][0]
            fill: list[Statement] = []
            value = self._scalar(law.logits, fill)
            fill.append(Store(Access(row, (at(law.state),)), value))
            inner.extend(self._nest((law.state,), tuple(fill)))
            logits = row
        inner.append(DrawUnit(law.family, target, logits, self._extents(law.indices)))
        body: tuple[Statement, ...] = tuple(inner)
        if law.target.name in update.masked:
            body = (UnlessMasked(target, body),)
        return ExampleLoop((RowKey(), *self._nest(law.indices, body, update.backward)))

    def _scalar(self, node: Scalar, before: list[Statement]) -> Scalar:
        """The expression with each sum replaced by a local number that statements of ``before`` compute."""
        match node:
            case Sum(body, over):
                return self._accumulate(body, over, before)
            case LogSumExp(body, over):
                return self._log_sum_exp(body, over, before)
            case _:
                return map_children(node, lambda child: self._scalar(child, before))

    def _local(self, wish: str) -> Access:
        return Access(Constant(self.names.claim_local(wish), ()), ())

    def _accumulate(self, body: Scalar, over: tuple[Index, ...], before: list[Statement]) -> Scalar:
        total = self._local("total")
        before.append(Let(total, ZERO, self.precision))
        factors = list(body.factors) if isinstance(body, Mul) else [body]
        conditions = [f for f in factors if isinstance(f, Bracket)]
        factors = [f for f in factors if not isinstance(f, Bracket)]
        picked: list[Statement] = []
        for index in over:
            one_hot = next((f for f in factors if _picks(f, index)), None)
            if isinstance(one_hot, Access):
                factors.remove(one_hot)
                picked.append(PickState(index, one_hot))
        over = tuple(i for i in over if i not in {p.index for p in picked if isinstance(p, PickState)})
        inner: list[Statement] = []
        value = self._scalar(_as_product(factors), inner)
        inner.append(Increment(total, value))
        guarded: tuple[Statement, ...] = tuple(inner)
        if conditions:
            guarded = (Guard(tuple(r for c in conditions for r in c.relations), guarded),)
        before.extend(self._nest(over, (*picked, *guarded)))
        return total

    def _log_sum_exp(self, body: Scalar, over: tuple[Index, ...], before: list[Statement]) -> Scalar:
        """The largest exponent first, then the sum of what is left: no overflow."""
        top, total = self._local("top"), self._local("total")
        first: list[Statement] = []
        first.append(Raise(top, self._scalar(body, first)))
        before.extend([LetLowest(top), *self._nest(over, tuple(first)), Let(total, ZERO, self.precision)])
        second: list[Statement] = []
        value = Add((self._scalar(body, second), Mul((number(-1), top))))
        second.append(Increment(total, Call("exp", value)))
        before.extend(self._nest(over, tuple(second)))
        return Add((top, Call("log", total)))


def _picks(factor: Scalar, index: Index) -> bool:
    """Whether the factor is a one-hot access whose state is the index and whose unit is another."""
    if not isinstance(factor, Access) or not is_one_hot(factor.symbol):
        return False
    *unit, state = factor.positions
    return state.index == index and all(i != index for p in unit for i, _ in p.terms)


def _as_product(factors: list[Scalar]) -> Scalar:
    return ONE if not factors else factors[0] if len(factors) == 1 else Mul(tuple(factors))


def _expressions(step: Step) -> tuple[Scalar, ...]:
    match step:
        case Map(target, body) | Reduce(target, body):
            return (body, target.access)
        case Contract(target, left, right, _):
            return (left.access, right.access, target.access)
        case Draw(law, _):
            indices = law.indices if law.state is None else (*law.indices, law.state)
            return (Access(law.target, tuple(at(index) for index in indices)), law.logits)
