"""Signs of terms, so that a sum is printed with minus where a term is negative."""

from __future__ import annotations

from pgmc.ir.nodes import Mul, Number, Scalar


def split_sign(term: Scalar) -> tuple[bool, Scalar]:
    """Whether a term is negative, and the term without its sign."""
    if isinstance(term, Number) and term.value < 0:
        return True, Number(-term.value)
    if not isinstance(term, Mul):
        return False, term
    first, *rest = term.factors
    if not isinstance(first, Number) or first.value >= 0:
        return False, term
    factors = tuple(rest) if first.value == -1 else (Number(-first.value), *rest)
    return True, factors[0] if len(factors) == 1 else Mul(factors)
