"""The local energy of a unit: the part of the energy that one unit takes part in, as a function of that unit.

For a target unit ``x[t]`` every term is split by which of its accesses of ``x`` hit ``t``. An access that hits becomes
the ``Unit``; one that does not keeps its index, with the instance that would hit cut out by a bracket. The split is
exact for any number of accesses: a same-layer product falls into an off-diagonal and a diagonal part.

A sum inside a function is split in the same way, where its own index chooses the unit. What an outer sum decides is
decided there: of ``Σ_i f(Σ_j x[i,j])`` only the instance with i at the unit is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from itertools import chain, combinations
from typing import TypeAlias

from pgmc.analysis.interactions import unit_positions
from pgmc.derivation.contract_deltas import contract_deltas
from pgmc.derivation.relations import truth
from pgmc.derivation.solve import equations, setting_of, solve, substituted
from pgmc.derivation.tidy import add, multiply
from pgmc.ir.answers import Refusal
from pgmc.ir.model import Model
from pgmc.ir.nodes import (
    ONE,
    Access,
    Add,
    Bracket,
    Compare,
    Index,
    LogSumExp,
    Mul,
    Position,
    Scalar,
    Sum,
    Unit,
    at,
    fresh_index,
    number,
)
from pgmc.ir.rewrite import (
    accesses,
    children,
    freshen,
    map_children,
    position_indices,
    replace,
    substitute,
    substitute_position,
)
from pgmc.ir.symbols import Categorical, Variable, axis_name

Condition: TypeAlias = tuple[Compare, ...]
"""The equations between the positions of an access and those of the unit, as far as one sum decides them."""


@dataclass(frozen=True, slots=True)
class LocalEnergy:
    """Terms that unit ``target[indices]`` takes part in, each a function of ``Unit``.

    For a categorical unit the ``Unit`` is the indicator that it is in state ``state``.
    """

    target: Variable
    indices: tuple[Index, ...]
    state: Index | None
    terms: tuple[Scalar, ...]


def build_local_energy(model: Model, target: Variable) -> LocalEnergy:
    """The local energy of one unit of the target, at fresh indices named as the user named them."""
    indices, state = _target_indices(model, target)
    localiser = _Localiser(target, tuple(at(i) for i in indices), state)
    terms = chain.from_iterable(localiser.instances_with_unit(term.body, term.over) for term in model.terms)
    return LocalEnergy(target, indices, state, tuple(map(localiser.restored, terms)))


def split_at_unit(body: Scalar, target: Variable, unit: tuple[Position, ...]) -> list[Scalar]:
    """The parts of an expression that depend on one unit of a real variable, as functions of that unit."""
    localiser = _Localiser(target, unit, None)
    return [localiser.restored(part) for part in localiser.instances_with_unit(body, ())]


def _target_indices(model: Model, target: Variable) -> tuple[tuple[Index, ...], Index | None]:
    letters = iter("ijklmnopq")
    names = [next(letters) for _ in target.axes]
    state_name = "k"
    for access in (a for term in model.terms for a in accesses(term.body) if a.symbol == target):
        found = [p.index.name if p.index else None for p in access.positions]
        names = [new or old for new, old in zip(found[: len(names)], names, strict=True)]
        state_name = found[-1] or state_name if len(found) > len(names) else state_name
        break
    indices = tuple(fresh_index(name, axis_name(target, k)) for k, name in enumerate(names))
    if isinstance(target.domain, Categorical):
        return indices, fresh_index(state_name, (target.name, -1))
    return indices, None


@dataclass(frozen=True, slots=True)
class _Localiser:
    """Splits terms at the unit ``target[unit]``; ``state`` is the state asked about, for a categorical target.

    Accesses known to miss the unit are set aside under another name, and ``restored`` in the end.
    """

    target: Variable
    unit: tuple[Position, ...]
    state: Index | None

    @property
    def _missed(self) -> Variable:
        """Stands for the target where the unit asked about is not meant; no declared name looks like this."""
        return replace_fields(self.target, name=f"other {self.target.name}")

    def restored(self, node: Scalar) -> Scalar:
        """The expression with all accesses under the target's own name."""

        def rename_back(n: Scalar) -> Scalar | None:
            if isinstance(n, Access) and n.symbol == self._missed:
                return Access(self.target, n.positions)
            return None

        return replace(node, rename_back)

    def instances_with_unit(self, body: Scalar, over: tuple[Index, ...]) -> list[Scalar]:
        """The instances of Σ_over body that depend on the unit, by which accesses hit it."""
        always, conditions = self._conditions(body)
        pieces = [self._piece(body, over, chosen, conditions) for chosen in _subsets(conditions) if chosen or always]
        return [piece for piece in pieces if piece is not None]

    def _conditions(self, body: Scalar) -> tuple[bool, tuple[Condition, ...]]:
        """What has to hold for each access to hit, as far as the sum around decides it; whether some need nothing."""
        found = list(dict.fromkeys(condition for _, condition in self._live(body, frozenset())))
        return () in found, tuple(condition for condition in found if condition)

    def _live(self, node: Scalar, bound: frozenset[Index]) -> Iterator[tuple[Access, Condition]]:
        """Accesses that may hit, with their condition; ``bound`` are the indices of sums inside."""
        if self._is_of(node, self.target):
            assert isinstance(node, Access)
            yield node, self._condition(node, bound)
        inner = bound | frozenset(node.over) if isinstance(node, Sum | LogSumExp) else bound
        for child in children(node):
            yield from self._live(child, inner)

    def _condition(self, access: Access, bound: frozenset[Index]) -> Condition:
        found = equations(access, self.unit)
        return tuple(e for e in found if e.left != e.right and not bound.intersection(position_indices(e.left)))

    def _piece(
        self, body: Scalar, over: tuple[Index, ...], chosen: tuple[Condition, ...], conditions: tuple[Condition, ...]
    ) -> Scalar | None:
        """The instances in which exactly the chosen conditions hold; None if there are none."""
        solution, relations = _solve(chosen, over, body)
        factors: list[Scalar] = [Bracket(relations)] if relations else []
        for condition in conditions:
            if condition not in chosen:
                undecided = _undecided(condition, solution)
                if undecided == ():
                    return None
                factors.append(_differs(undecided) if undecided is not None else ONE)
        hit = substitute(self._hit(body, frozenset(conditions) - frozenset(chosen), frozenset()), solution)
        indices = tuple(index for index in over if index not in solution)
        return freshen(contract_deltas(Sum(multiply(self._split_inside(hit), *factors), indices)))

    def _hit(self, node: Scalar, failed: frozenset[Condition], bound: frozenset[Index]) -> Scalar:
        """The body with the unit where nothing is left to decide, and with accesses that miss set aside."""
        if self._is_of(node, self.target):
            assert isinstance(node, Access)
            if self._condition(node, bound) in failed:
                return Access(self._missed, node.positions)
            undecided = any(index in bound for p in unit_positions(node) for index in position_indices(p))
            return node if undecided else self._unit(node)
        inner = bound | frozenset(node.over) if isinstance(node, Sum | LogSumExp) else bound
        return map_children(node, lambda child: self._hit(child, failed, inner))

    def _unit(self, access: Access) -> Scalar:
        """The unit in place of an access (one-hot: times [its state is the asked one])."""
        if self.state is None:
            return Unit()
        return Mul((Unit(), Bracket((Compare(access.positions[-1], "==", at(self.state)),))))

    def _split_inside(self, body: Scalar) -> Scalar:
        """The body with every sum inside, some index of which chooses units of the target, split at the unit."""

        def split(node: Scalar) -> Scalar | None:
            if not isinstance(node, Sum | LogSumExp) or not any(True for _ in self._live(node, frozenset())):
                return None
            if isinstance(node, LogSumExp):
                return LogSumExp(self._opened(node.body), node.over)
            always, conditions = self._conditions(node.body)
            rest = None if always else self._piece(node.body, node.over, (), conditions)
            return add(*([rest] if rest is not None else []), *self.instances_with_unit(node.body, node.over))

        return replace(body, split)

    def _opened(self, node: Scalar) -> Scalar:
        """Every access by cases: the unit where it hits, itself where it does not."""

        def open_access(part: Scalar) -> Scalar | None:
            if not self._is_of(part, self.target):
                return None
            assert isinstance(part, Access)
            undecided = _undecided(self._condition(part, frozenset()), {})
            missed = Access(self._missed, part.positions)
            if not undecided:
                return self._unit(part) if undecided == () else missed
            return Add((Mul((self._unit(part), Bracket(undecided))), Mul((missed, _differs(undecided)))))

        return replace(node, open_access)

    @staticmethod
    def _is_of(node: Scalar, variable: Variable) -> bool:
        return isinstance(node, Access) and node.symbol == variable


def _solve(
    chosen: tuple[Condition, ...], over: tuple[Index, ...], body: Scalar
) -> tuple[dict[Index, Position], tuple[Compare, ...]]:
    """Indices of the sum that the conditions determine, and what else must hold."""
    solution: dict[Index, Position] = {}
    relations: dict[Compare, None] = {}
    setting = setting_of(body)
    for equation in chain.from_iterable(chosen):
        current = substituted(equation, solution)
        found = solve(current, [index for index in over if index not in solution], setting)
        if found is None:
            relations[current] = None
            continue
        step = {found.index: found.value}
        solution = {index: substitute_position(value, step) for index, value in solution.items()} | step
        relations = dict.fromkeys(substituted(r, step) for r in (*relations, *found.inside))
    return solution, tuple(r for r in relations if truth(r) is not True)


def _subsets(items: tuple[Condition, ...]) -> list[tuple[Condition, ...]]:
    return [chosen for size in range(len(items) + 1) for chosen in combinations(items, size)]


def _undecided(condition: Condition, solution: dict[Index, Position]) -> tuple[Compare, ...] | None:
    """What has to hold for the condition: () if it always does, None if it never can."""
    found = [substituted(equation, solution) for equation in condition]
    if any(truth(equation) is False for equation in found):
        return None
    return tuple(equation for equation in found if truth(equation) is None)


def _differs(equations: tuple[Compare, ...]) -> Scalar:
    """1 where some equation fails."""
    if len(equations) == 1:
        return Bracket((replace_fields(equations[0], operator="!="),))
    return Add((ONE, Mul((number(-1), Bracket(equations)))))


def wrong_domain(family: str, local: LocalEnergy, needed: str) -> Refusal:
    """The refusal of a family whose units have another domain."""
    return Refusal(
        f"{family} conditional of {local.target.name}",
        f"{local.target.name} is {local.target.domain}, not {needed}.",
        fits_domain=False,
    )
