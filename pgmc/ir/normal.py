"""Normal form of a scalar expression: flat sums and products, numbers combined, sums pulled out of products.

Sums are moved through products and sums, which are linear in them, and never through functions; products of
sums are never multiplied out, except by a number. Every function takes normal subexpressions and returns a
normal expression.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from fractions import Fraction

from pgmc.ir.nodes import (
    ZERO,
    Add,
    BatchMean,
    Bracket,
    Call,
    Compare,
    Index,
    LogSumExp,
    Mul,
    Number,
    Pow,
    Scalar,
    Sum,
    shifted_index,
)
from pgmc.ir.rewrite import accesses, freshen

FactorKey = Callable[[Scalar], Hashable]


def normal(node: Scalar, key: FactorKey) -> Scalar:
    """The normal form. Factors of a product with equal ``key`` become a power."""
    match node:
        case Add(terms):
            return normal_sum_of(normal(term, key) for term in terms)
        case Mul(factors):
            return normal_product((normal(factor, key) for factor in factors), key)
        case Pow(base, exponent):
            return normal_power(normal(base, key), exponent)
        case Sum(body, over):
            return normal_sum(normal(body, key), over)
        case Call(function, argument):
            return Call(function, normal(argument, key))
        case LogSumExp(body, over):
            return LogSumExp(normal(body, key), over)
        case BatchMean(body):
            return BatchMean(normal(body, key))
        case Bracket(relations):
            return _bracket(relations)
        case _:
            return node


def normal_sum_of(terms: Iterable[Scalar]) -> Scalar:
    """A sum of terms: flat, with at most one number."""
    total, rest = Fraction(0), list[Scalar]()
    for term in terms:
        for part in term.terms if isinstance(term, Add) else (term,):
            if isinstance(part, Number):
                total += part.value
            else:
                rest.append(part)
    if total or not rest:
        rest.append(Number(total))
    return rest[0] if len(rest) == 1 else Add(tuple(rest))


def normal_product(factors: Iterable[Scalar], key: FactorKey) -> Scalar:
    """A product of factors: flat, sums pulled out, one number, one power of each factor, one bracket."""
    number, over, rest, relations = Fraction(1), list[Index](), list[Scalar](), list[Compare]()
    pending = list(factors)[::-1]
    while pending:
        match pending.pop():
            case Number(value):
                number *= value
            case Mul(inner):
                pending.extend(inner[::-1])
            case Sum() as found:
                # Fresh indices: the same sum may stand in the product twice.
                fresh = freshen(found)
                assert isinstance(fresh, Sum)
                over.extend(fresh.over)
                pending.append(fresh.body)
            case Bracket(more):
                relations.extend(more)
            case factor:
                rest.append(factor)
    if not number:
        return ZERO
    rest = _powers(rest, key)
    if relations:
        rest.append(_bracket(relations))
    return normal_sum(_scaled(number, rest), tuple(over))


def _scaled(number: Fraction, rest: list[Scalar]) -> Scalar:
    """A number times factors that are normal. A number is the one thing that is multiplied out."""
    if not rest:
        return Number(number)
    if number != 1:
        if len(rest) == 1 and isinstance(rest[0], Add):
            return normal_sum_of(_times(number, term) for term in rest[0].terms)
        rest = [Number(number), *rest]
    return rest[0] if len(rest) == 1 else Mul(tuple(rest))


def _times(number: Fraction, term: Scalar) -> Scalar:
    """A number times one normal term of a sum."""
    match term:
        case Number(value):
            return Number(number * value)
        case Sum(body, over):
            return normal_sum(_times(number, body), over)
        case Add(terms):
            return normal_sum_of(_times(number, inner) for inner in terms)
        case Mul(factors) if isinstance(factors[0], Number):
            return _scaled(number * factors[0].value, list(factors[1:]))
        case Mul(factors):
            return _scaled(number, list(factors))
        case _:
            return _scaled(number, [term])


def _powers(factors: list[Scalar], key: FactorKey) -> list[Scalar]:
    """The factors with positive whole powers of equal bases combined."""
    if len(factors) < 2:
        return factors
    found: dict[Hashable, tuple[Scalar, Fraction]] = {}
    for factor in factors:
        base, exponent = _base(factor)
        # Reciprocals stay apart: x/x is not 1 where x is 0.
        name = key(base) if exponent > 0 else object()
        first, total = found.get(name, (base, Fraction(0)))
        found[name] = (first, total + exponent)
    return [normal_power(base, exponent) for base, exponent in found.values()]


def _base(factor: Scalar) -> tuple[Scalar, Fraction]:
    """The factor as a whole power."""
    if isinstance(factor, Pow) and factor.exponent.denominator == 1:
        return factor.base, factor.exponent
    return factor, Fraction(1)


def normal_power(base: Scalar, exponent: Fraction) -> Scalar:
    """A power: of a number a number where that is exact, of a whole power one power."""
    if exponent == 1:
        return base
    match base:
        case Number(value) if exponent.denominator == 1 and (value or exponent > 0):
            return Number(value**exponent.numerator)
        case Pow(inner, first) if first.denominator == 1 and exponent.denominator == 1:
            return normal_power(inner, first * exponent)
        case _:
            return Pow(base, exponent)


def normal_sum(body: Scalar, over: tuple[Index, ...]) -> Scalar:
    """A sum over indices: nested sums are one, and a sum of terms is a sum for each term."""
    if not over or body == ZERO:
        return body
    match body:
        case Sum(inner, more):
            return Sum(inner, (*over, *more))
        case Add(terms) if all(_runs_in(term, over) for term in terms):
            return normal_sum_of(normal_sum(term, over) for term in terms)
        case _:
            return Sum(body, over)


def _runs_in(term: Scalar, over: tuple[Index, ...]) -> bool:
    """Whether arrays of the term say how far every index runs (a term without one counts several times)."""
    alone = {shifted_index(position) for access in accesses(term) for position in access.positions}
    return alone.issuperset(over)


def _bracket(relations: Iterable[Compare]) -> Scalar:
    """One bracket without repeated relations."""
    return Bracket(tuple(dict.fromkeys(relations)))
