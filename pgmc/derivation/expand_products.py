"""Products multiplied out where that is needed to see which units meet: (Σ_i x_i R_ij)² becomes a double sum."""

from __future__ import annotations

from itertools import product
from math import prod

from pgmc.derivation.tidy import multiply, tidy
from pgmc.ir.nodes import Access, Add, Index, Mul, Pow, Scalar, Sum
from pgmc.ir.rewrite import accesses, freshen, map_children
from pgmc.ir.symbols import Variable

Piece = tuple[Scalar, tuple[Index, ...]]

MOST_PIECES = 1000
"""Products that would multiply out to more summands are left to sampling."""


class TooManyPieces(Exception):
    """A product that would multiply out to more than ``MOST_PIECES`` summands."""


def expand_products(body: Scalar, over: tuple[Index, ...], variables: frozenset[Variable]) -> list[Piece]:
    """Σ_over body as a list of sums of products in which every factor with variables is a single access or function.

    Sums under products are flattened into the indices of the piece, integer powers of expressions with variables are
    multiplied out. Functions are left alone.

    Raises
    ------
    TooManyPieces
        If there would be more than ``MOST_PIECES`` summands.
    """
    return [
        (tidy(multiply(*factors)), (*over, *inner))
        for factors, inner in _expand(_unfold_powers(body, variables), variables)
    ]


def _mentions(node: Scalar, variables: frozenset[Variable]) -> bool:
    return any(a.symbol in variables for a in accesses(node))


def _unfold_powers(node: Scalar, variables: frozenset[Variable]) -> Scalar:
    """(…)^n with a whole n > 1 and more than one access in the base, written as a product of fresh copies."""
    node = map_children(node, lambda child: _unfold_powers(child, variables))
    if not isinstance(node, Pow) or isinstance(node.base, Access) or not _mentions(node.base, variables):
        return node
    whole = node.exponent.denominator == 1 and node.exponent > 1
    return Mul(tuple(freshen(node.base) for _ in range(int(node.exponent)))) if whole else node


def _expand(node: Scalar, variables: frozenset[Variable]) -> list[tuple[list[Scalar], tuple[Index, ...]]]:
    """The expression as a sum of (factors, summed indices)."""
    if not _mentions(node, variables):
        return [([node], ())]
    match node:
        case Add(terms):
            return [part for term in terms for part in _expand(term, variables)]
        case Sum(body, over):
            return [(factors, (*over, *inner)) for factors, inner in _expand(body, variables)]
        case Mul(factors):
            parts = [_expand(factor, variables) for factor in factors]
            if prod(map(len, parts)) > MOST_PIECES:
                raise TooManyPieces
            choices = product(*parts)
            return [
                ([f for factors_of, _ in choice for f in factors_of], tuple(i for _, inner in choice for i in inner))
                for choice in choices
            ]
        case _:
            return [([node], ())]
