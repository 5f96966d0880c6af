"""Expressions arranged for people: equal in value, shorter to read.

Nothing here reaches generated code. What is derived term by term is put together again where it belongs together: the
two weights of a pair of units, elements of a symmetric matrix that are one, sums of which each runs over factors of its
own.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import permutations

from pgmc.ir.idioms import idiom
from pgmc.ir.nodes import (
    ONE,
    ZERO,
    Access,
    Add,
    BatchMean,
    Bracket,
    Compare,
    Index,
    LogSumExp,
    Mul,
    Number,
    Scalar,
    Sum,
    at,
)
from pgmc.ir.rewrite import free_indices, map_children, substitute
from pgmc.ir.symbols import Parameter

MOST_RENAMED = 3
"""Sums over more indices are not compared under other names of these."""


def present(node: Scalar, bound: frozenset[Index] = frozenset()) -> Scalar:
    """The expression for printing; ``bound`` are the indices of the sums around it."""
    return idiom(_arranged(node, bound))


def _arranged(node: Scalar, bound: frozenset[Index]) -> Scalar:
    inner = bound | frozenset(node.over) if isinstance(node, Sum | LogSumExp) else bound
    node = map_children(node, lambda child: present(child, inner))
    match node:
        case Access():
            return _element(node, bound)
        case Mul(factors) if ZERO in factors:
            return ZERO
        case Add(terms):
            return _added(terms)
        case Sum(body, over):
            return ZERO if body == ZERO else _factored(body, over)
        case BatchMean(body):
            number, rest = _split(body)
            return node if number == 1 else Mul((Number(number), BatchMean(_product(list(rest)))))
        case _:
            return node


def _element(access: Access, bound: frozenset[Index]) -> Scalar:
    """Of two equal elements of a symmetric matrix the one whose first place is not summed over."""
    constraint = access.symbol.constraint if isinstance(access.symbol, Parameter) else None
    if constraint is None or len(access.positions) != 2:
        return access
    first, second = access.positions
    if constraint.zero_diagonal and first == second:
        return ZERO
    summed = [any(index in bound for index in free_indices(Access(access.symbol, (p,)))) for p in (first, second)]
    if constraint.symmetric and summed == [True, False]:
        return Access(access.symbol, (second, first))
    return access


# ---- terms of a sum ------------------------------------------------------------------------------------------


def _added(terms: tuple[Scalar, ...]) -> Scalar:
    """The terms, like ones put together, and one that is positive first where all are short."""
    kept: list[Scalar] = []
    for term in terms:
        joined = next(((k, new) for k, old in enumerate(kept) if (new := _joined(old, term)) is not None), None)
        if joined is None:
            kept.append(term)
        else:
            kept[joined[0]] = joined[1]
    kept = [term for term in kept if term != ZERO]
    if len(kept) < 2:
        return kept[0] if kept else ZERO
    positive = next((k for k, term in enumerate(kept) if _split(term)[0] > 0), 0)
    if not any(isinstance(part, Sum) for term in kept for part in (term, *_split(term)[1])):
        kept.insert(0, kept.pop(positive))
    return Add(tuple(kept))


def _joined(first: Scalar, second: Scalar) -> Scalar | None:
    """Two terms as one, if they differ in their numbers, or in which of two places of one array they stand at."""
    (a, one), (b, other) = _split(first), _split(second)
    if len(one) != 1 or len(other) != 1 or not isinstance(one[0], Sum) or not isinstance(other[0], Sum):
        return None
    left, right = one[0], other[0]
    if len(left.over) != len(right.over) or len(left.over) > MOST_RENAMED:
        return None
    for names in permutations(left.over):
        renamed = substitute(right.body, {old: at(new) for old, new in zip(right.over, names, strict=True)})
        found = _merged(a, left.body, b, renamed)
        if found is not None:
            number, body = found
            return ZERO if number == 0 or body == ZERO else _product([Number(number), Sum(body, left.over)])
    return None


def _merged(a: Fraction, first: Scalar, b: Fraction, second: Scalar) -> tuple[Fraction, Scalar] | None:
    """a · first + b · second as a number times one product."""
    (x, left), (y, right) = _split(first), _split(second)
    a, b = a * x, b * y
    only_left, only_right = _difference(left, right), _difference(right, left)
    if not only_left and not only_right:
        return a + b, _product(list(left))
    if a != b or len(only_left) != 1 or len(only_right) != 1 or len(left) < 2:
        return None
    one, other = only_left[0], only_right[0]
    if not (isinstance(one, Access) and isinstance(other, Access) and one.symbol == other.symbol):
        return None
    if not isinstance(one.symbol, Parameter):
        return None
    return a, _product([Add((one, other)) if factor == one else factor for factor in left])


def _difference(factors: tuple[Scalar, ...], others: tuple[Scalar, ...]) -> list[Scalar]:
    """The factors that are not among the others; an inequality is the same read backwards."""
    left = Counter(map(_unordered, factors)) - Counter(map(_unordered, others))
    return [factor for factor in factors if left[_unordered(factor)] > 0]


def _unordered(factor: Scalar) -> object:
    if isinstance(factor, Bracket) and all(r.operator in ("!=", "==") for r in factor.relations):
        return frozenset((r.operator, frozenset((r.left, r.right))) for r in factor.relations)
    return factor


# ---- sums of products ----------------------------------------------------------------------------------------


def _factored(body: Scalar, over: tuple[Index, ...]) -> Scalar:
    """A sum over several indices as a product of sums, or a sum of them, where each has factors of its own."""
    number, factors = _split(body)
    if len(over) < 2 or any(isinstance(factor, Bracket) for factor in factors):
        return Sum(body, over)
    if not all(_runs(list(factors), index) for index in over):  # such an index counts how often
        return Sum(body, over)
    for outer in (None, *over):
        left = tuple(index for index in over if index != outer)
        parts = _components(factors, left)
        own = [(part, tuple(i for i in left if _runs(part, i))) for part in parts]
        sums = [(part, indices) for part, indices in own if indices]
        if len(sums) < 2 or any(len(part) < 2 for part, _ in sums):
            continue
        if outer is not None and not all(_runs(part, outer) for part, _ in sums):
            continue
        single = [factor for part, indices in own if not indices for factor in part]
        product = _product([*single, *(Sum(_product(part), indices) for part, indices in sums)])
        whole = product if outer is None else Sum(product, (outer,))
        return whole if number == 1 else _product([Number(number), whole])
    return Sum(body, over)


def _runs(factors: list[Scalar], index: Index) -> bool:
    return any(index in free_indices(factor) for factor in factors)


def _components(factors: tuple[Scalar, ...], over: tuple[Index, ...]) -> list[list[Scalar]]:
    """The factors in groups that share none of the indices."""
    groups: list[tuple[set[Index], list[Scalar]]] = []
    for factor in factors:
        indices, members = set(free_indices(factor)) & set(over), [factor]
        apart = []
        for others, group in groups:
            if others & indices:
                indices, members = indices | others, [*group, *members]
            else:
                apart.append((others, group))
        groups = [*apart, (indices, members)]
    return [group for _, group in groups]


# ---- products ------------------------------------------------------------------------------------------------


def _split(node: Scalar) -> tuple[Fraction, tuple[Scalar, ...]]:
    """The number and the other factors of a product."""
    factors = node.factors if isinstance(node, Mul) else (node,)
    number = Fraction(1)
    rest: list[Scalar] = []
    for factor in factors:
        if isinstance(factor, Number):
            number *= factor.value
        elif isinstance(factor, Mul):
            inner, more = _split(factor)
            number *= inner
            rest += more
        else:
            rest.append(factor)
    return number, tuple(rest)


def _product(factors: list[Scalar]) -> Scalar:
    kept = [factor for factor in factors if factor != ONE]
    return kept[0] if len(kept) == 1 else Mul(tuple(kept)) if kept else ONE


def excluded(body: Scalar, over: tuple[Index, ...]) -> tuple[Compare, Scalar] | None:
    """What is left of the one index of a sum out by the only bracket of its body, and the body without it."""
    if len(over) != 1 or not isinstance(body, Mul):
        return None
    brackets = [factor for factor in body.factors if isinstance(factor, Bracket)]
    if len(brackets) != 1 or len(brackets[0].relations) != 1:
        return None
    (relation,) = brackets[0].relations
    sides = (relation.left, relation.right)
    if relation.operator != "!=" or at(over[0]) not in sides:
        return None
    other = sides[1] if sides[0] == at(over[0]) else sides[0]
    rest = [factor for factor in body.factors if factor is not brackets[0]]
    if over[0] in free_indices(Bracket((Compare(other, "==", other),))) or not rest:
        return None
    return Compare(at(over[0]), "!=", other), _product(rest)
