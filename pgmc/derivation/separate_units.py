"""Energies in which every product holds each unit at most once.

A product ``x_i x_j`` under a double sum also meets ``i = j``, where it is the power of one unit. Splitting off those
instances and folding powers by the values of the unit leaves an energy that is affine in every single unit, so that
its mean under independent units is the energy of their means.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace as replace_fields
from itertools import combinations

from pgmc.analysis.interactions import unit_positions
from pgmc.derivation.contract_deltas import contract_deltas
from pgmc.derivation.exclusive import in_other_blocks
from pgmc.derivation.expand_products import TooManyPieces, expand_products
from pgmc.derivation.relations import truth
from pgmc.derivation.scalars import reduce_to_affine
from pgmc.derivation.solve import equations, setting_of, solve, substituted
from pgmc.derivation.tidy import add, multiply, tidy
from pgmc.ir.answers import Refusal
from pgmc.ir.model import EnergyTerm
from pgmc.ir.nodes import (
    ONE,
    Access,
    Add,
    Bracket,
    Call,
    Compare,
    Index,
    LogSumExp,
    Mul,
    Position,
    Pow,
    Scalar,
    Sum,
    Unit,
    at,
    fresh_index,
    number,
)
from pgmc.ir.printer import print_term
from pgmc.ir.rewrite import (
    accesses,
    free_indices,
    freshen,
    position_indices,
    replace,
    replace_part,
    substitute,
    walk,
)
from pgmc.ir.symbols import Categorical, Spin, Variable

Pair = tuple[Access, Access]

MOST_ALIKE = 5
"""Products of more units of one variable are refused: the ways in which units may coincide grow too fast."""


def separate_units(term: EnergyTerm, variables: frozenset[Variable]) -> Scalar | Refusal:
    """The term as an expression that is affine in every unit of the variables, or the reason why there is none."""
    try:
        products = expand_products(term.body, term.over, variables)
    except TooManyPieces:
        return _too_long(term)
    if any(_most_alike(body, variables) > MOST_ALIKE for body, _ in products):
        return _too_long(term)
    pieces: list[Scalar] = []
    for body, over in products:
        for separated, left in _separate(body, over, variables, frozenset()):
            folded = _fold_units(separated, variables)
            if folded is None:
                who = ", ".join(sorted(v.name for v in variables if any(a.symbol == v for a in accesses(separated))))
                return Refusal(
                    f"mean of {print_term(term)}",
                    f"several units of {who} stand in one function, which is not a polynomial in them.",
                    "Observe them, or sample.",
                )
            pieces.append(freshen(contract_deltas(Sum(folded, left))))
    return tidy(add(*pieces))


def _most_alike(body: Scalar, variables: frozenset[Variable]) -> int:
    """The most accesses of one variable that may or may not mean the same unit."""
    distinct = dict.fromkeys((a.symbol, unit_positions(a)) for a in accesses(body) if a.symbol in variables)
    return max(Counter(symbol for symbol, _ in distinct).values(), default=0)


def _too_long(term: EnergyTerm) -> Refusal:
    return Refusal(
        f"mean of {print_term(term)}",
        "multiplied out, it has too many summands in which units may coincide.",
        "Use lower powers, or sample.",
    )


def _separate(
    body: Scalar, over: tuple[Index, ...], variables: frozenset[Variable], apart: frozenset[Pair]
) -> list[tuple[Scalar, tuple[Index, ...]]]:
    """Σ_over body split until any two accesses of a variable mean either the same unit or different ones."""
    pair = _undecided(body, variables, apart)
    if pair is None:
        return [(body, over)]
    first, second = pair
    same = tuple(e for e in equations(first, unit_positions(second)) if truth(e) is not True)
    different = _separate(multiply(body, _apart(first, second, same)), over, variables, apart | {pair})
    return [*different, *_separate(*_identify(_at_unit_of(first, second, body), over, same), variables, apart)]


def _at_unit_of(first: Access, second: Access, body: Scalar) -> Scalar:
    """The body where the unit of the second access is the one of the first."""
    unit = unit_positions(first)

    def moved(node: Scalar) -> Scalar | None:
        if isinstance(node, Access) and node.symbol == second.symbol and unit_positions(node) == unit_positions(second):
            return Access(node.symbol, (*unit, *node.positions[len(unit) :]))
        return None

    return replace(body, moved)


def _identify(body: Scalar, over: tuple[Index, ...], same: tuple[Compare, ...]) -> tuple[Scalar, tuple[Index, ...]]:
    """The instances of Σ_over body in which the equations hold."""
    pending = list(same)
    while pending:
        equation = pending.pop(0)
        found = solve(equation, over, setting_of(body))
        if found is None:
            body = multiply(body, Bracket((equation,)))
            continue
        step = {found.index: found.value}
        body = substitute(body, step)
        if found.inside:
            body = multiply(body, Bracket(found.inside))
        over = tuple(i for i in over if i != found.index)
        pending = [e for e in (substituted(e, step) for e in pending) if truth(e) is not True]
    return tidy(body), over


def _undecided(body: Scalar, variables: frozenset[Variable], apart: frozenset[Pair]) -> Pair | None:
    """Two accesses of one variable that could mean the same unit or not, by the values of their indices."""
    free = set(free_indices(body))
    found = dict.fromkeys(a for a in accesses(body) if a.symbol in variables and _indices_of_unit(a) <= free)
    for a, b in combinations(found, 2):
        if a.symbol != b.symbol or unit_positions(a) == unit_positions(b) or (a, b) in apart:
            continue
        if _is_exclusive(a) or not (_known_apart(body, a, b) or _never_equal(unit_positions(a), unit_positions(b))):
            return a, b
    return None


def _is_exclusive(access: Access) -> bool:
    return isinstance(access.symbol, Variable) and bool(access.symbol.exclusive)


def _apart(first: Access, second: Access, equations: tuple[Compare, ...]) -> Scalar:
    """1 where two accesses mean different units that may both be on: of exclusive units, those of different blocks."""
    if isinstance(first.symbol, Variable) and first.symbol.exclusive:
        return in_other_blocks(first.symbol, unit_positions(first), unit_positions(second))
    return _differs(equations)


def _indices_of_unit(access: Access) -> set[Index]:
    return {index for position in unit_positions(access) for index in position_indices(position)}


def _known_apart(body: Scalar, a: Access, b: Access) -> bool:
    """Whether a bracket among the factors already says that the units differ."""
    factors = body.factors if isinstance(body, Mul) else (body,)
    pairs = list(zip(unit_positions(a), unit_positions(b), strict=True))
    for factor in factors:
        if isinstance(factor, Bracket) and len(pairs) == 1:
            (p, q) = pairs[0]
            if any(r.operator == "!=" and {r.left, r.right} == {p, q} for r in factor.relations):
                return True
    return False


def _never_equal(a: tuple[Position, ...], b: tuple[Position, ...]) -> bool:
    """Whether two positions differ somewhere, whatever their indices."""
    return any(p.terms == q.terms and p.offset != q.offset for p, q in zip(a, b, strict=True))


def _differs(same: tuple[Compare, ...]) -> Scalar:
    if len(same) == 1:
        return Bracket((replace_fields(same[0], operator="!="),))
    return Add((ONE, Mul((number(-1), Bracket(same)))))


def _fold_units(body: Scalar, variables: frozenset[Variable]) -> Scalar | None:
    """The product with every function and power of a unit replaced by its affine form; None if that is impossible."""
    free = set(free_indices(body))
    if not all(_indices_of_unit(a) <= free for a in accesses(body) if a.symbol in variables):
        return None  # a sum over units inside a function
    for variable in variables:
        units = dict.fromkeys(unit_positions(a) for a in accesses(body) if a.symbol == variable)
        for unit in units:
            body = _fold_unit(body, variable, unit)
    bent = [part for part in walk(body) if isinstance(part, Pow | Call | LogSumExp)]
    return None if any(a.symbol in variables for part in bent for a in accesses(part)) else body


def _fold_unit(body: Scalar, variable: Variable, unit: tuple[Position, ...]) -> Scalar:
    """Powers and functions of one unit as affine functions of it."""
    if isinstance(variable.domain, Categorical):
        return _fold_states(body, variable, unit)
    access = Access(variable, unit)
    opened = replace_part(body, access, Unit())
    affine = reduce_to_affine(opened, (-1, 1) if isinstance(variable.domain, Spin) else (0, 1))
    return tidy(Add((affine.base, *_times_unit(affine.slope, access))))


def _times_unit(slope: Scalar, access: Access) -> list[Scalar]:
    """The slope times a unit; one that may lie outside its axis stands in each term, beside the condition on it."""
    apart = isinstance(slope, Add) and not all(position.is_plain for position in access.positions)
    return [multiply(term, access) for term in (slope.terms if isinstance(slope, Add) and apart else (slope,))]


def _fold_states(body: Scalar, variable: Variable, unit: tuple[Position, ...]) -> Scalar:
    """Products of states of one categorical unit: y_s y_s' is [s = s'] y_s."""
    free = set(free_indices(body))
    mine = [a for a in accesses(body) if a.symbol == variable and unit_positions(a) == unit]
    if any(index not in free for a in mine for index in position_indices(a.positions[-1])):
        return _fold_by_states(body, variable, unit)
    states = list(
        dict.fromkeys(a.positions[-1] for a in accesses(body) if a.symbol == variable and unit_positions(a) == unit)
    )
    for k, state in enumerate(states):
        access = Access(variable, (*unit, state))
        opened = replace_part(body, access, Unit())
        affine = reduce_to_affine(opened, (0, 1))
        slope = affine.slope
        for other in states[k + 1 :]:  # the unit is in this state, so in no other
            hit = Access(variable, (*unit, other))
            same = Bracket((Compare(other, "==", state),))
            slope = replace_part(slope, hit, same)
        body = tidy(Add((affine.base, multiply(slope, access))))
    return body


def _fold_by_states(body: Scalar, variable: Variable, unit: tuple[Position, ...]) -> Scalar:
    """A function of Σ_s y_s a_s: Σ_s y_s f(a_s), the function at every state."""
    state = fresh_index("k", (variable.name, -1))

    def at_state(node: Scalar) -> Scalar | None:
        if isinstance(node, Access) and node.symbol == variable and unit_positions(node) == unit:
            return Bracket((Compare(node.positions[-1], "==", at(state)),))
        return None

    chosen = Access(variable, (*unit, at(state)))
    return contract_deltas(Sum(multiply(chosen, contract_deltas(replace(body, at_state))), (state,)))
