"""What the text of expressions has in common, whether loops or whole arrays are printed."""

from __future__ import annotations

from enum import IntEnum

from pgmc.ir.nodes import ONE, Bracket, Compare, Mul, Number, Scalar
from pgmc.ir.rewrite import relations_of

LIBRARY = {"exp": "np.exp", "log": "np.log", "tanh": "np.tanh", "cos": "np.cos", "sin": "np.sin", "sqrt": "np.sqrt"}
"""Functions that NumPy has; the others are helpers."""


class Level(IntEnum):
    """How tightly a text holds together."""

    SUM = 0
    PRODUCT = 1
    ATOM = 2


def split_brackets(factors: tuple[Scalar, ...]) -> tuple[tuple[Compare, ...], Scalar]:
    """The conditions of a product, and the rest of it."""
    rest = tuple(f for f in factors if not isinstance(f, Bracket)) or (ONE,)
    return relations_of(factors), rest[0] if len(rest) == 1 else Mul(rest)


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
