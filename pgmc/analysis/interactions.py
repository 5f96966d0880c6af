"""Which units of which variables interact through an expression."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from pgmc.ir.nodes import Access, Add, Call, LogSumExp, Mul, Position, Pow, Scalar, Sum
from pgmc.ir.rewrite import accesses, children, freshen, position_indices
from pgmc.ir.symbols import Variable, is_one_hot

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Interactions:
    """The accesses of variables in an expression and the pairs of variables with two units that interact.

    A pair ``(x, x)`` means that two different units of ``x`` interact.
    """

    occurrences: tuple[Access, ...]
    pairs: frozenset[Pair]


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
            return _product([_interactions(factor) for factor in factors])
        case Pow(_, Fraction(numerator=1, denominator=1)):
            return _interactions(node.base)
        case Pow() | Call() | LogSumExp():
            return _nonlinear(node)
        case _:
            return _join([_interactions(child) for child in children(node)])


def _join(parts: list[Interactions]) -> Interactions:
    occurrences = tuple(o for part in parts for o in part.occurrences)
    return Interactions(occurrences, frozenset().union(*(part.pairs for part in parts)))


def _product(parts: list[Interactions]) -> Interactions:
    joined = _join(parts)
    crossing = {
        _pair(a, b)
        for left, right in combinations(parts, 2)
        for a in left.occurrences
        for b in right.occurrences
        if not _same_unit(a, b)
    }
    return Interactions(joined.occurrences, joined.pairs | crossing)


def _nonlinear(node: Scalar) -> Interactions:
    """Inside a nonlinear function everything interacts, and a unit under a sum interacts with its siblings."""
    inner = _join([_interactions(child) for child in children(node)])
    crossing = {_pair(a, b) for a, b in combinations(inner.occurrences, 2) if not _same_unit(a, b)}
    siblings = {(a.symbol.name, a.symbol.name) for a in _summed_inside(node)}
    return Interactions(inner.occurrences, inner.pairs | crossing | siblings)


def _summed_inside(node: Scalar) -> list[Access]:
    """Accesses whose unit is chosen by an index that a sum within the function binds."""
    found: list[Access] = []

    def visit(current: Scalar, bound: frozenset[object]) -> None:
        if isinstance(current, Sum | LogSumExp):
            bound = bound | frozenset(current.over)
        if isinstance(current, Access) and isinstance(current.symbol, Variable):
            chosen = {index for position in unit_positions(current) for index in position_indices(position)}
            if chosen & bound:
                found.append(current)
        for child in children(current):
            visit(child, bound)

    visit(node, frozenset())
    return found


def _same_unit(a: Access, b: Access) -> bool:
    return a.symbol == b.symbol and unit_positions(a) == unit_positions(b)


def _pair(a: Access, b: Access) -> Pair:
    first, second = sorted((a.symbol.name, b.symbol.name))
    return first, second


def variables_in(node: Scalar) -> tuple[str, ...]:
    """Names of the variables an expression mentions, in reading order."""
    names = (a.symbol.name for a in accesses(node) if isinstance(a.symbol, Variable))
    return tuple(dict.fromkeys(names))
