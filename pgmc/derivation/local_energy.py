"""The local energy of a unit: the part of the energy that one unit takes part in, as a function of that unit.

For a target unit ``x[t]`` every term is split by which of its accesses of ``x`` hit ``t``. An access that hits becomes
the ``Unit``; one that does not keeps its index, with the instance that would hit cut out by a bracket. The split is
exact for any number of accesses: a same-layer product falls into an off-diagonal and a diagonal part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, combinations

from pgmc.analysis.interactions import unit_positions
from pgmc.derivation.contract_deltas import contract_deltas
from pgmc.derivation.tidy import add, multiply
from pgmc.errors import DerivationError
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
from pgmc.ir.rewrite import accesses, children, freshen, map_children, replace, substitute, substitute_position
from pgmc.ir.symbols import Categorical, Variable

Solution = dict[Index, Position]


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
    terms = chain.from_iterable(localiser.touched(term.body, term.over) for term in model.terms)
    return LocalEnergy(target, indices, state, tuple(terms))


def _target_indices(model: Model, target: Variable) -> tuple[tuple[Index, ...], Index | None]:
    letters = iter("ijklmnopq")
    names = [next(letters) for _ in target.axes]
    state_name = "k"
    for access in (a for term in model.terms for a in accesses(term.body) if a.symbol == target):
        found = [p.index.name if p.index else None for p in access.positions]
        names = [new or old for new, old in zip(found[: len(names)], names, strict=True)]
        state_name = found[-1] or state_name if len(found) > len(names) else state_name
        break
    indices = tuple(fresh_index(name, (target.name, k)) for k, name in enumerate(names))
    if isinstance(target.domain, Categorical):
        return indices, fresh_index(state_name, (target.name, -1))
    return indices, None


@dataclass(frozen=True, slots=True)
class _Localiser:
    """Splits terms at the unit ``target[unit]``; ``state`` is the state asked about, for a categorical target."""

    target: Variable
    unit: tuple[Position, ...]
    state: Index | None

    def touched(self, body: Scalar, over: tuple[Index, ...]) -> list[Scalar]:
        """The instances of Σ_over body that depend on the unit."""
        nested, hit = self._localise_inner_sums(body)
        direct = tuple(dict.fromkeys(unit_positions(a) for a in self._direct_accesses(body)))
        pieces = [self._piece(hit, over, direct, chosen) for chosen in _subsets(direct) if chosen or nested]
        return [piece for piece in pieces if piece is not None]

    def untouched(self, body: Scalar, over: tuple[Index, ...]) -> Scalar | None:
        """The instances in which no access of the body itself hits the unit."""
        direct = tuple(dict.fromkeys(unit_positions(a) for a in self._direct_accesses(body)))
        return self._piece(body, over, direct, ())

    def _direct_accesses(self, node: Scalar) -> Iterator[Access]:
        """Accesses of the target that stand in no inner sum."""
        if isinstance(node, Access) and node.symbol == self.target:
            yield node
        elif not isinstance(node, Sum | LogSumExp):
            for child in children(node):
                yield from self._direct_accesses(child)

    def _localise_inner_sums(self, body: Scalar) -> tuple[bool, Scalar]:
        """The body with inner sums over units of the target split at the unit; whether there were any."""
        found = False

        def localise(node: Scalar) -> Scalar | None:
            nonlocal found
            if not isinstance(node, Sum | LogSumExp) or self.target not in {a.symbol for a in accesses(node)}:
                return None
            if isinstance(node, LogSumExp):
                reason = f"units of {self.target.name} stand under a logsumexp over their own index"
                raise DerivationError(reason, (Refusal(f"local energy of {self.target.name}", reason),))
            found = True
            parts = self.touched(node.body, node.over)
            rest = None if self._has_inner(node.body) else self.untouched(node.body, node.over)
            return add(*([rest] if rest is not None else []), *parts)

        return found, replace(body, localise)

    def _has_inner(self, body: Scalar) -> bool:
        direct = sum(1 for _ in self._direct_accesses(body))
        return direct < sum(1 for a in accesses(body) if a.symbol == self.target)

    def _piece(
        self,
        body: Scalar,
        over: tuple[Index, ...],
        direct: tuple[tuple[Position, ...], ...],
        chosen: tuple[tuple[Position, ...], ...],
    ) -> Scalar | None:
        """The instances in which exactly the chosen accesses hit the unit; None if there are none."""
        solution, conditions = self._solve(chosen, over)
        factors: list[Scalar] = [self._mark(body, chosen)]
        for positions in direct:
            if positions not in chosen:
                equal = _equations(positions, self.unit, solution)
                if equal == ():
                    return None
                factors.append(_differs(equal) if equal is not None else ONE)
        if conditions:
            factors.append(Bracket(conditions))
        left = tuple(index for index in over if index not in solution)
        return freshen(contract_deltas(Sum(substitute(multiply(*factors), solution), left)))

    def _mark(self, body: Scalar, chosen: tuple[tuple[Position, ...], ...]) -> Scalar:
        """The body with the chosen accesses replaced by the unit (one-hot: times [its state is the asked one])."""
        if isinstance(body, Access) and body.symbol == self.target and unit_positions(body) in chosen:
            if self.state is None:
                return Unit()
            return Mul((Unit(), Bracket((Compare(body.positions[-1], "==", at(self.state)),))))
        if isinstance(body, Sum | LogSumExp):
            return body
        return map_children(body, lambda child: self._mark(child, chosen))

    def _solve(
        self, chosen: tuple[tuple[Position, ...], ...], over: tuple[Index, ...]
    ) -> tuple[Solution, tuple[Compare, ...]]:
        """Indices of the sum that the hits determine, and the conditions that are left."""
        solution: Solution = {}
        conditions: list[Compare] = []
        for positions in chosen:
            for position, wanted in zip(positions, self.unit, strict=True):
                index = position.index
                if index is not None and index in over and index not in solution:
                    solution[index] = wanted
                elif (found := substitute_position(position, solution)) != wanted:
                    conditions.append(Compare(found, "==", wanted))
        return solution, tuple(conditions)


def _subsets(items: tuple[tuple[Position, ...], ...]) -> list[tuple[tuple[Position, ...], ...]]:
    return [chosen for size in range(len(items) + 1) for chosen in combinations(items, size)]


def _equations(
    positions: tuple[Position, ...], unit: tuple[Position, ...], solution: Solution
) -> tuple[Compare, ...] | None:
    """What has to hold for the positions to name the unit: () if they always do, None if they never can."""
    equations: list[Compare] = []
    for position, wanted in zip(positions, unit, strict=True):
        found = substitute_position(position, solution)
        if found == wanted:
            continue
        if not found.terms and not wanted.terms:
            return None
        equations.append(Compare(found, "==", wanted))
    return tuple(equations)


def _differs(equations: tuple[Compare, ...]) -> Scalar:
    """1 where some equation fails."""
    if len(equations) == 1:
        return Bracket((Compare(equations[0].left, "!=", equations[0].right),))
    return Add((ONE, Mul((number(-1), Bracket(equations)))))
