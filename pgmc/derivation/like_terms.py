"""Like terms: summands that differ in a number only become one, or none."""

from __future__ import annotations

from fractions import Fraction

from pgmc.derivation.tidy import add, multiply
from pgmc.ir.nodes import Add, Index, Mul, Number, Scalar
from pgmc.ir.structural_key import Key, structural_key


def combine_like_terms(node: Scalar) -> Scalar:
    """The sum with like terms combined: ``Σ_i f(x[i]) - Σ_j f(x[j])`` is 0. Terms keep the order of their first."""
    if not isinstance(node, Add):
        return node
    found: dict[tuple[Key, tuple[Index, ...]], tuple[Fraction, Scalar]] = {}
    for term in node.terms:
        number, rest = _split(term)
        key = structural_key(rest)
        total, first = found.get(key, (Fraction(0), rest))
        found[key] = (total + number, first)
    return add(*(multiply(Number(number), rest) for number, rest in found.values() if number))


def _split(term: Scalar) -> tuple[Fraction, Scalar]:
    """A tidy term as a number times the rest."""
    if isinstance(term, Mul) and isinstance(term.factors[0], Number):
        return term.factors[0].value, multiply(*term.factors[1:])
    return Fraction(1), term
