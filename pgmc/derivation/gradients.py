"""Gradients of scalar quantities, one array for each parameter."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pgmc.derivation.adjoints import Reverse
from pgmc.derivation.differentiate import Sensitivity, collect, differentiate
from pgmc.derivation.tidy import add, multiply, power, tidy
from pgmc.ir.answers import Computation, Quantity
from pgmc.ir.nodes import Add, BatchMean, Index, Mul, Scalar, fresh_index
from pgmc.ir.rewrite import freshen
from pgmc.ir.symbols import Parameter, axis_name


def derive_gradient(
    quantity: Quantity,
    parameters: tuple[Parameter, ...],
    squared: bool = False,
    definitions: tuple[Quantity, ...] = (),
) -> Computation:
    """∂/∂θ of a scalar quantity, or its square, averaged over the examples, for each parameter θ.

    If it is made of ``definitions``, their derivatives are named values of the answer, from the last one to the first.
    """
    if not definitions:
        return Computation(tuple(_gradient(quantity, parameter, squared) for parameter in parameters))
    reverse = Reverse.of(quantity, definitions, parameters)
    bodies = [quantity.body, *(d.body for d in definitions)]
    gradients: list[Quantity] = []
    for parameter in parameters:
        indices = _indices([part for body in bodies for part in differentiate(body, parameter)], parameter)
        mean = reverse.derivative(parameter, indices, square if squared else tidy)
        gradients.append(Quantity(parameter.name, indices, mean, per_example=False))
    return Computation(tuple(gradients), (*definitions, *reverse.adjoints))


def _gradient(quantity: Quantity, parameter: Parameter, squared: bool) -> Quantity:
    parts = differentiate(quantity.body, parameter)
    indices = _indices(parts, parameter)
    body = tidy(add(*(collect(part, parameter, indices) for part in parts)))
    return Quantity(parameter.name, indices, tidy(BatchMean(square(body) if squared else body)), per_example=False)


def square(node: Scalar) -> Scalar:
    """The square, with factors that all terms have in common squared by themselves: sums of products stay products."""
    terms = node.terms if isinstance(node, Add) else (node,)
    products = [term.factors if isinstance(term, Mul) else (term,) for term in terms]
    common = [factor for factor in dict.fromkeys(products[0]) if all(factor in factors for factors in products)]
    rest = add(*(multiply(*_without(factors, common)) for factors in products))
    return multiply(*(power(freshen(factor), Fraction(2)) for factor in (*common, rest)))


def _without(factors: Sequence[Scalar], common: Sequence[Scalar]) -> list[Scalar]:
    """The factors, one less of each of those in common."""
    rest = list(factors)
    for factor in common:
        del rest[rest.index(factor)]
    return rest


def _indices(parts: list[Sensitivity], parameter: Parameter) -> tuple[Index, ...]:
    letters = _letters(parts, parameter)
    return tuple(fresh_index(name, axis_name(parameter, k)) for k, name in enumerate(letters))


def _letters(parts: list[Sensitivity], parameter: Parameter) -> list[str]:
    letters = list("ijklmnopq"[: len(parameter.axes)])
    for part in parts[:1]:
        names = [p.index.name if p.index else None for p in part.positions]
        letters = [new or old for new, old in zip(names, letters, strict=True)]
    return letters
