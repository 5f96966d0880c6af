"""Like terms: summands that differ in a number only become one, or none."""

from __future__ import annotations

from fractions import Fraction

from pgmc.derivation.tidy import add, multiply
from pgmc.ir.nodes import ONE, Access, Add, Index, Mul, Number, Scalar
from pgmc.ir.rewrite import children, map_children
from pgmc.ir.structural_key import Key, structural_key


def combine_like_terms(node: Scalar) -> Scalar:
    """The sum with like terms combined: ``Σ_i f(x[i]) - Σ_j f(x[j])`` is 0. Terms keep the order of their first."""
    if not isinstance(node, Add):
        return node
    found: dict[tuple[Key, tuple[Index, ...]], tuple[Fraction, Scalar]] = {}
    for term in node.terms:
        number, rest = split_number(term)
        key = structural_key(_in_order(rest))
        total, first = found.get(key, (Fraction(0), rest))
        found[key] = (total + number, first)
    return add(*(multiply(Number(number), rest) for number, rest in found.values()))


def split_number(node: Scalar) -> tuple[Fraction, Scalar]:
    """The expression as a number times the rest."""
    if isinstance(node, Number):
        return node.value, ONE
    if isinstance(node, Mul) and isinstance(node.factors[0], Number):
        return node.factors[0].value, multiply(*node.factors[1:])
    return Fraction(1), node


def _in_order(node: Scalar) -> Scalar:
    """The expression with the factors of its products in an order of their own, to be compared."""
    node = map_children(node, _in_order)
    return Mul(tuple(sorted(node.factors, key=_named))) if isinstance(node, Mul) else node


def _named(node: Scalar) -> str:
    """What an expression is made of, by the names of its symbols and indices."""
    own = repr(node.positions) + node.symbol.name if isinstance(node, Access) else ""
    return type(node).__name__ + own + "".join(map(_named, children(node)))
