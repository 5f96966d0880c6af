"""Which units of which variables interact through an expression."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

from pgmc.ir.nodes import Access, Add, Call, Index, LogSumExp, Mul, Position, Pow, Scalar, Sum, at, fresh_index
from pgmc.ir.rewrite import accesses, children, freshen, position_indices, substitute
from pgmc.ir.symbols import Parameter, Variable, is_one_hot

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Couple:
    """Two accesses of variables whose units interact.

    ``guards`` are elements of masked parameters that the interaction is a multiple of: there is none where one of them
    is kept at zero.
    """

    first: Access
    second: Access
    guards: frozenset[Access] = frozenset()

    @property
    def names(self) -> Pair:
        """The names of both variables, sorted."""
        first, second = sorted((self.first.symbol.name, self.second.symbol.name))
        return first, second


@dataclass(frozen=True, slots=True)
class Interactions:
    """The accesses of variables in an expression and those of them with two different units that interact."""

    occurrences: tuple[Access, ...]
    couples: frozenset[Couple]

    @property
    def pairs(self) -> frozenset[Pair]:
        """Variables that interact; a pair ``(x, x)`` means that two different units of ``x`` do."""
        return frozenset(couple.names for couple in self.couples)


def unit_positions(access: Access) -> tuple[Position, ...]:
    """The positions that say which unit is meant: all but the state of a one-hot access."""
    return access.positions[:-1] if is_one_hot(access.symbol) else access.positions


def find_interactions(node: Scalar) -> Interactions:
    """The interactions of an expression.

    Two units interact if the expression is not a sum of a function of one and a function of the other. The answer
    errs on the safe side: a pair may be reported that cancels for particular parameter values, never the reverse.
    """
    # Fresh indices, as one sum that stands twice in a product runs over two units.
    return _interactions(freshen(node))


def _interactions(node: Scalar) -> Interactions:
    match node:
        case Access(Variable(), _):
            return Interactions((node,), frozenset())
        case Add(terms):
            return _join([_interactions(term) for term in terms])
        case Sum(body, _):
            return _interactions(body)
        case Mul(factors):
            return _product(factors)
        case Pow(_, Fraction(numerator=1, denominator=1)):
            return _interactions(node.base)
        case Pow() | Call() | LogSumExp():
            return _nonlinear(node)
        case _:
            return _join([_interactions(child) for child in children(node)])


def _join(parts: list[Interactions]) -> Interactions:
    occurrences = tuple(o for part in parts for o in part.occurrences)
    return Interactions(occurrences, frozenset().union(*(part.couples for part in parts)))


def _product(factors: tuple[Scalar, ...]) -> Interactions:
    parts = [_interactions(factor) for factor in factors]
    joined = _join(parts)
    guards = frozenset(f for f in factors if isinstance(f, Access) and _is_masked(f))
    crossing = {
        Couple(a, b)
        for left, right in combinations(parts, 2)
        for a in left.occurrences
        for b in right.occurrences
        if not _same_unit(a, b)
    }
    couples = frozenset(replace(couple, guards=couple.guards | guards) for couple in joined.couples | crossing)
    return Interactions(joined.occurrences, couples)


def _is_masked(access: Access) -> bool:
    return isinstance(access.symbol, Parameter) and access.symbol.constraint.masked


def _nonlinear(node: Scalar) -> Interactions:
    """Inside a nonlinear function everything interacts, and a unit under a sum interacts with its siblings."""
    inner = _join([_interactions(child) for child in children(node)])
    # What multiplies a part of the argument says nothing about the others.
    within = frozenset(replace(couple, guards=frozenset()) for couple in inner.couples)
    crossing = {Couple(a, b) for a, b in combinations(inner.occurrences, 2) if not _same_unit(a, b)}
    return Interactions(inner.occurrences, within | crossing | set(_siblings(node)))


def _siblings(node: Scalar) -> list[Couple]:
    """Accesses whose unit is chosen by an index that a sum within the function binds, with another such unit."""
    found: list[Couple] = []

    def visit(current: Scalar, bound: frozenset[Index]) -> None:
        if isinstance(current, Sum | LogSumExp):
            bound = bound | frozenset(current.over)
        if isinstance(current, Access) and isinstance(current.symbol, Variable):
            chosen = {index for position in unit_positions(current) for index in position_indices(position)}
            if chosen & bound:
                other = {index: at(fresh_index(index.name, index.extent)) for index in bound}
                sibling = substitute(current, other)
                assert isinstance(sibling, Access)
                found.append(Couple(current, sibling))
        for child in children(current):
            visit(child, bound)

    visit(node, frozenset())
    return found


def _same_unit(a: Access, b: Access) -> bool:
    return a.symbol == b.symbol and unit_positions(a) == unit_positions(b)


def variables_in(node: Scalar) -> tuple[str, ...]:
    """Names of the variables an expression mentions, in reading order."""
    names = (a.symbol.name for a in accesses(node) if isinstance(a.symbol, Variable))
    return tuple(dict.fromkeys(names))
