"""Like factors as one power, like terms as one multiple, and factors that a sum does not run over in front of it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from pgmc.derivation.tidy import add, is_free_of, multiply, power, summed
from pgmc.ir.nodes import ONE, Access, Add, Index, Mul, Number, Pow, Scalar, Sum
from pgmc.ir.rewrite import children, map_children
from pgmc.ir.structural_key import structural_key


def collect_factors(node: Scalar) -> Scalar:
    """The expression with like factors and like terms collected; it is only undefined where the given one is."""
    node = map_children(node, collect_factors)
    match node:
        case Add(terms):
            return _add(terms)
        case Mul(factors):
            return _multiply(factors)
        case Pow(base, exponent):
            return _multiply((node,)) if isinstance(base, Mul | Pow | Number) else power(base, exponent)
        case Sum(body, over):
            return _sum(body, over)
        case _:
            return node


def _add(terms: Iterable[Scalar]) -> Scalar:
    found: dict[object, tuple[Fraction, Scalar]] = {}
    for term in terms:
        for part in term.terms if isinstance(term, Add) else (term,):
            number, rest = split_number(part)
            key = structural_key(_in_order(rest))
            found[key] = (found.get(key, (Fraction(0), rest))[0] + number, found.get(key, (number, rest))[1])
    return add(*(multiply(Number(number), rest) for number, rest in found.values()))


def _in_order(node: Scalar) -> Scalar:
    """The expression with the factors of its products in an order of their own, to be compared."""
    node = map_children(node, _in_order)
    return Mul(tuple(sorted(node.factors, key=_named))) if isinstance(node, Mul) else node


def _named(node: Scalar) -> str:
    """What an expression is made of, by the names of its symbols and indices."""
    own = repr(node.positions) + node.symbol.name if isinstance(node, Access) else ""
    return type(node).__name__ + own + "".join(map(_named, children(node)))


def split_number(node: Scalar) -> tuple[Fraction, Scalar]:
    """The expression as a number times the rest."""
    if isinstance(node, Number):
        return node.value, ONE
    if isinstance(node, Mul) and isinstance(node.factors[0], Number):
        return node.factors[0].value, multiply(*node.factors[1:])
    return Fraction(1), node


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
