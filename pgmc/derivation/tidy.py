"""Tidying: flatten sums and products, fold numbers, drop what is zero. The value never changes."""

from __future__ import annotations

from fractions import Fraction

from pgmc.derivation.relations import simplify_relations
from pgmc.ir.nodes import ONE, ZERO, Add, BatchMean, Bracket, Index, Mul, Number, Pow, Scalar, Sum
from pgmc.ir.rewrite import free_indices, map_children, relations_of


def tidy(node: Scalar) -> Scalar:
    """The expression, bottom up: nested sums and products flattened, numbers folded, numbers out of sums."""
    node = map_children(node, tidy)
    match node:
        case Add(terms):
            return add(*terms)
        case Mul(factors):
            return multiply(*factors)
        case Pow(base, exponent):
            return power(base, exponent)
        case Sum(body, over):
            return summed(body, over)
        case BatchMean(body):
            return ZERO if body == ZERO else node
        case Bracket():
            return multiply(node)
        case _:
            return node


def add(*terms: Scalar) -> Scalar:
    """The sum of tidy terms."""
    flat: list[Scalar] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, Add) else (term,))
    constant = sum((t.value for t in flat if isinstance(t, Number)), Fraction(0))
    rest: list[Scalar] = [t for t in flat if not isinstance(t, Number)]
    if constant:
        rest.append(Number(constant))
    if not rest:
        return ZERO
    return rest[0] if len(rest) == 1 else Add(tuple(rest))


def multiply(*factors: Scalar) -> Scalar:
    """The product of tidy factors, its number first, without conditions that follow from others."""
    flat: list[Scalar] = []
    for factor in factors:
        flat.extend(factor.factors if isinstance(factor, Mul) else (factor,))
    coefficient = Fraction(1)
    rest: list[Scalar] = []
    relations = simplify_relations(relations_of(flat))
    if relations is None:
        return ZERO
    pending = list(relations)
    for factor in flat:
        if isinstance(factor, Number):
            coefficient *= factor.value
        elif not isinstance(factor, Bracket):
            rest.append(factor)
        elif kept := tuple(r for r in dict.fromkeys(factor.relations) if r in pending):
            rest.append(Bracket(kept))
            pending = [r for r in pending if r not in kept]
    if coefficient == 0:
        return ZERO
    if not rest:
        return Number(coefficient)
    if len(rest) == 1 and isinstance(rest[0], Add) and coefficient != 1:
        return add(*(multiply(Number(coefficient), term) for term in rest[0].terms))
    if coefficient != 1:
        rest.insert(0, Number(coefficient))
    return rest[0] if len(rest) == 1 else Mul(tuple(rest))


def negate(node: Scalar) -> Scalar:
    """Minus the expression."""
    return multiply(Number(Fraction(-1)), node)


def power(base: Scalar, exponent: Fraction) -> Scalar:
    """The power of a tidy base."""
    if exponent == 1:
        return base
    if exponent == 0:
        return ONE
    if isinstance(base, Number) and exponent.denominator == 1 and (base.value or exponent > 0):
        return Number(base.value ** int(exponent))
    return Pow(base, exponent)


def summed(body: Scalar, over: tuple[Index, ...]) -> Scalar:
    """The sum of a tidy body, its number in front. A sum over an index that the body lacks stays as it is."""
    if body == ZERO:
        return ZERO
    if not over:
        return body
    if isinstance(body, Sum):
        return Sum(body.body, (*over, *body.over))
    if isinstance(body, Mul) and isinstance(body.factors[0], Number):
        return Mul((body.factors[0], summed(multiply(*body.factors[1:]), over)))
    return Sum(body, over)


def is_free_of(node: Scalar, indices: tuple[Index, ...]) -> bool:
    """Whether none of the indices occurs free in the expression."""
    return not set(free_indices(node)) & set(indices)
