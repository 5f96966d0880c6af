"""Local energies as polynomials in their unit, and quotients of their coefficients."""

from __future__ import annotations

from fractions import Fraction
from itertools import zip_longest
from typing import TypeAlias

from pgmc.derivation.collect_factors import collect_factors
from pgmc.derivation.contract_deltas import contract_deltas
from pgmc.derivation.tidy import add, is_free_of, multiply, power, summed, tidy
from pgmc.ir.nodes import ONE, ZERO, Add, Mul, Number, Pow, Scalar, Sum, Unit
from pgmc.ir.rewrite import freshen, walk

Coefficients: TypeAlias = tuple[Scalar, ...]
"""Of the powers 0, 1, 2, … of the unit; the last is not zero, and zero itself has none."""

HIGHEST = 8
"""Powers of more are not multiplied out."""


def polynomial_of(node: Scalar) -> Coefficients | None:
    """The coefficients of an expression as a polynomial in its ``Unit``; None if it is not one."""
    found = _coefficients(node)
    return None if found is None else _trimmed(tuple(collect_factors(contract_deltas(part)) for part in found))


def sum_of_polynomials(polynomials: list[Coefficients]) -> Coefficients:
    """The sum, coefficient by coefficient."""
    return _trimmed(tuple(collect_factors(add(*parts)) for parts in zip_longest(*polynomials, fillvalue=ZERO)))


def _coefficients(node: Scalar) -> Coefficients | None:
    if not any(isinstance(part, Unit) for part in walk(node)):
        return (node,)
    match node:
        case Unit():
            return (ZERO, ONE)
        case Add(terms):
            parts = [_coefficients(term) for term in terms]
            known = [part for part in parts if part is not None]
            return sum_of_polynomials(known) if len(known) == len(parts) else None
        case Mul(factors):
            return _product(factors)
        case Pow(base, exponent) if exponent.denominator == 1 and 0 < exponent <= HIGHEST:
            return _product(tuple(freshen(base) for _ in range(int(exponent))))
        case Sum(body, over):
            inner = _coefficients(body)
            return None if inner is None else tuple(summed(tidy(part), over) for part in inner)
        case _:
            return None


def _product(factors: tuple[Scalar, ...]) -> Coefficients | None:
    result: Coefficients = (ONE,)
    for factor in factors:
        other = _coefficients(factor)
        if other is None:
            return None
        parts: list[list[Scalar]] = [[] for _ in range(len(result) + len(other) - 1)]
        for i, a in enumerate(result):
            for j, b in enumerate(other):
                parts[i + j].append(multiply(a, b))
        result = tuple(add(*part) for part in parts)
    return result


def _trimmed(coefficients: Coefficients) -> Coefficients:
    while coefficients and coefficients[-1] == ZERO:
        coefficients = coefficients[:-1]
    return coefficients


# ---- quotients ---------------------------------------------------------------------------------------------


def quotient(node: Scalar, divisor: Scalar) -> Scalar:
    """node / divisor, with what both have in common left out term by term."""
    terms = node.terms if isinstance(node, Add) else (node,)
    divided = [_divided(term, divisor) for term in terms]
    left = add(*(term for term, found in zip(terms, divided, strict=True) if found is None))
    rest = ZERO if left == ZERO else multiply(left, inverse(divisor))
    return add(*(found for found in divided if found is not None), rest)


def inverse(node: Scalar) -> Scalar:
    """1 / node."""
    match node:
        case Number(value) if value:
            return Number(1 / value)
        case Mul(factors):
            return multiply(*map(inverse, factors))
        case Pow(base, exponent):
            return power(base, -exponent)
        case _:
            return Pow(node, Fraction(-1))


def _divided(term: Scalar, divisor: Scalar) -> Scalar | None:
    """The quotient where every factor of the divisor but numbers is one of the term; None elsewhere."""
    if isinstance(term, Sum):
        if not is_free_of(divisor, term.over):
            return None
        inner = _divided(term.body, divisor)
        return None if inner is None else summed(inner, term.over)
    factors = list(_factors(term))
    number = Fraction(1)
    for factor in _factors(divisor):
        if isinstance(factor, Number):
            number /= factor.value
        elif factor in factors:
            factors.remove(factor)
        elif (inside := _divided_sum(factors, factor)) is not None:
            factors = inside
        else:
            return None
    return multiply(Number(number), *factors)


def _divided_sum(factors: list[Scalar], divisor: Scalar) -> list[Scalar] | None:
    """The factors with one of them, a sum over indices, divided."""
    for k, factor in enumerate(factors):
        inner = _divided(factor, divisor) if isinstance(factor, Sum) else None
        if inner is not None:
            return [*factors[:k], inner, *factors[k + 1 :]]
    return None


def _factors(node: Scalar) -> tuple[Scalar, ...]:
    return node.factors if isinstance(node, Mul) else (node,)
