"""Loop nests around expressions: a sum becomes a number, computed in the outermost loop that determines it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from pgmc.codegen.array_program import EXAMPLES
from pgmc.codegen.extents import Extents
from pgmc.codegen.listed_loops import find_listed
from pgmc.codegen.loop_kinds import PLAIN_LOOPS, LoopKinds
from pgmc.codegen.loop_program import (
    ExampleLoop,
    Guard,
    Increment,
    Let,
    LetLowest,
    ListedLoop,
    Loop,
    PickState,
    Precision,
    Raise,
    Statement,
)
from pgmc.codegen.lower_groups import bound_by_blocks
from pgmc.codegen.names import NameRegistry
from pgmc.codegen.tighten_loops import relation_indices, tighten
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
    number,
)
from pgmc.ir.rewrite import (
    accesses,
    depends_on_example,
    free_indices,
    map_children,
    position_indices,
    relations_of,
    split_conditions,
)
from pgmc.ir.symbols import Constant, Symbol, is_one_hot

_POINT = Index(-(1 << 40), "point")
"""Stands for the loop over the values of a local number."""


@dataclass(slots=True)
class _Frame:
    """One enclosing loop while a nest is built, and the statements at the start of its body."""

    index: Index | None
    before: list[Statement] = field(default_factory=list)
    pick: PickState | None = None


@dataclass(slots=True)
class LoopNests:
    """Builds the loops of one kernel, statement by statement of the array program.

    Units named in ``changing`` are drawn while the nest runs, so that sums over them are computed where they are used.
    """

    names: NameRegistry
    extents: Extents = field(default_factory=lambda: Extents({}, {}))
    precision: Precision = "program"
    changing: frozenset[str] = frozenset()
    conditions: tuple[Compare, ...] = ()  # hold around the expression of the moment
    _frames: list[_Frame] = field(default_factory=list)
    _point: Symbol | None = None

    def start(self) -> None:
        """A new nest."""
        self._frames = [_Frame(None)]

    @property
    def before(self) -> tuple[Statement, ...]:
        """What is computed ahead of all loops of the nest."""
        return tuple(self._frames[0].before)

    def loops(
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
                body = tighten(Loop(frame.index, self.extents.axis(frame.index), body, backward))
        return body

    def scalar(self, node: Scalar) -> Scalar:
        """The expression with each sum replaced by a local number computed beforehand."""
        match node:
            case Sum() | LogSumExp():
                return self._hoisted(node)
            case Mul(factors) if any(isinstance(factor, Bracket) for factor in factors):
                with self._under(relations_of(factors)):
                    return map_children(node, self.scalar)
            case _:
                return map_children(node, self.scalar)

    def at_points(self, node: Scalar, point: Symbol) -> tuple[tuple[Statement, ...], Scalar]:
        """What computes an expression of a number that takes one value after another, but for what comes ahead."""
        self._frames.append(_Frame(_POINT))
        self._point = point
        value = self.scalar(node)
        self._point = None
        return tuple(self._frames.pop().before), value

    def local(self, wish: str) -> Access:
        """A new local number."""
        return Access(Constant(self.names.claim_local(wish), ()), ())

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
            result = self.local("value")
            statements, value = (Let(result, ZERO, self.precision), *statements, Increment(result, value)), result
        starts = tuple(s for s in statements if isinstance(s, Let | LetLowest))
        return (*starts, Guard(relations, tuple(s for s in statements if s not in starts))), value

    def _home(self, node: Scalar) -> int:
        """The outermost frame in which the value is determined; the innermost while its variables change."""
        symbols = {a.symbol for a in accesses(node)}
        if self.changing & {symbol.name for symbol in symbols}:
            ahead_of_points = self._frames[-1].index == _POINT and self._point not in symbols
            return len(self._frames) - 1 - ahead_of_points
        needed = {*free_indices(node), *((EXAMPLES,) if depends_on_example(node) else ())}
        needed |= {_POINT} if self._point in symbols else set()
        return max((k for k, frame in enumerate(self._frames) if frame.index in needed), default=0)

    def _accumulate(self, body: Scalar, over: tuple[Index, ...]) -> tuple[tuple[Statement, ...], Scalar]:
        total = self.local("total")
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
                step: tuple[Statement, ...] = (Increment(total, self.scalar(_as_product(factors))),)
            return (Guard(relations, step),) if relations else step

        nest = self.loops(indices, increment, picks=picks, special={**special, **lists})
        return (Let(total, ZERO, self.precision), *nest), total

    def _log_sum_exp(self, body: Scalar, over: tuple[Index, ...]) -> tuple[tuple[Statement, ...], Scalar]:
        """The largest exponent first, then the sum of what is left: no overflow."""
        top, total = self.local("top"), self.local("total")
        conditions, exponent = split_conditions(body)
        indices, special, relations = bound_by_blocks(over, conditions)

        def guarded(step: Callable[[], Statement]) -> tuple[Statement, ...]:
            return self.loops(
                indices, lambda: (Guard(relations, (step(),)),) if relations else (step(),), special=special
            )

        def increment() -> Statement:
            return Increment(total, Call("exp", Add((self.scalar(exponent), Mul((number(-1), top))))))

        highest, rest = guarded(lambda: Raise(top, self.scalar(exponent))), guarded(increment)
        value = Add((top, Call("log", total)))
        return (LetLowest(top), *highest, Let(total, ZERO, self.precision), *rest), value


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
