"""Products and sums without nesting, as the passes over array programs take them apart and put them together."""

from __future__ import annotations

from pgmc.ir.nodes import ONE, Add, Mul, Scalar


def factors_of(node: Scalar) -> list[Scalar]:
    """The factors of a product, those of products within it included."""
    return [inner for factor in node.factors for inner in factors_of(factor)] if isinstance(node, Mul) else [node]


def product_of(factors: list[Scalar]) -> Scalar:
    """The product of the factors."""
    flat = [inner for f in factors for inner in factors_of(f) if inner != ONE]
    return ONE if not flat else flat[0] if len(flat) == 1 else Mul(tuple(flat))


def sum_of(terms: list[Scalar]) -> Scalar:
    """The sum of the terms."""
    return terms[0] if len(terms) == 1 else Add(tuple(terms))
