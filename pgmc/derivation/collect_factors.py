"""Like factors as one power, like terms as one multiple, and factors that a sum does not run over in front of it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from pgmc.derivation.like_terms import combine_like_terms
from pgmc.derivation.tidy import add, is_free_of, multiply, power, summed
from pgmc.ir.nodes import Add, Index, Mul, Number, Pow, Scalar, Sum
from pgmc.ir.rewrite import map_children
from pgmc.ir.structural_key import structural_key


def collect_factors(node: Scalar) -> Scalar:
    """The expression with like factors and like terms collected; it is only undefined where the given one is."""
    node = map_children(node, collect_factors)
    match node:
        case Add(terms):
            return combine_like_terms(add(*terms))
        case Mul(factors):
            return _multiply(factors)
        case Pow(base, exponent):
            return _multiply((node,)) if isinstance(base, Mul | Pow | Number) else power(base, exponent)
        case Sum(body, over):
            return _sum(body, over)
        case _:
            return node


def _multiply(factors: Iterable[Scalar]) -> Scalar:
    found: dict[object, tuple[Scalar, Fraction]] = {}
    for base, exponent in _powers(factors, Fraction(1)):
        key = structural_key(base) if exponent.denominator == 1 else (structural_key(base), exponent)
        found[key] = (base, found.get(key, (base, Fraction(0)))[1] + exponent)
    return multiply(*(power(base, exponent) for base, exponent in found.values()))


def _powers(factors: Iterable[Scalar], outer: Fraction) -> Iterable[tuple[Scalar, Fraction]]:
    """The factors as powers of what is neither a product nor a whole power; whole powers of products taken apart."""
    for factor in factors:
        match factor:
            case Mul(inner) if outer.denominator == 1:
                yield from _powers(inner, outer)
            case Pow(base, exponent) if exponent.denominator == 1 and outer.denominator == 1:
                yield from _powers((base,), outer * exponent)
            case Number(value) if value and outer.denominator == 1:
                yield Number(value ** int(outer)), Fraction(1)
            case _:
                yield factor, outer


def _sum(body: Scalar, over: tuple[Index, ...]) -> Scalar:
    factors = body.factors if isinstance(body, Mul) else (body,)
    outside = [f for f in factors if is_free_of(f, over) and not isinstance(f, Number)]
    inside = [f for f in factors if f not in outside]
    if not inside or all(isinstance(f, Number) for f in inside):
        return summed(body, over)
    return _multiply((*outside, summed(multiply(*inside), over)))
