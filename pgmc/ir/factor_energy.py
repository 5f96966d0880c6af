"""-log p(target | parents), the energy of a directed factor, from the parameters of its law."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from pgmc.ir.nodes import (
    ONE,
    Access,
    Add,
    Call,
    Index,
    LogSumExp,
    Mul,
    Number,
    Pi,
    Pow,
    Scalar,
    Sum,
    at,
)
from pgmc.ir.symbols import Variable

HALF, MINUS = Number(Fraction(1, 2)), Number(Fraction(-1))


def negative_log_law(
    variable: Variable, family: str, indices: tuple[Index, ...], parts: Mapping[str, Scalar]
) -> tuple[Scalar, ...]:
    """-Σ_units log p(unit | parents) in parts, each a scalar; ``indices`` are those of the parameters.

    Binary: ζ(η) - x·η. Spin: ζ(η) - η·(1 + s)/2. Categorical: log Σ_k exp(η_k) - Σ_k y_k·η_k. Normal, with mean μ and
    precision λ: ½·λ·(x - μ)² - ½·log λ + ½·log 2π.
    """
    unit = Access(variable, tuple(map(at, indices)))
    if family == "Normal":
        return _summed(_normal(unit, parts["mean"], parts["precision"]), indices)
    logits = parts["logits"]
    if family == "Categorical":
        *units, state = indices
        taken: Scalar = Sum(_product(unit, logits), (state,))
        return _summed([LogSumExp(logits, (state,)), _product(MINUS, taken)], tuple(units))
    taken = _product(unit, logits)
    if family == "Spin":
        taken = Add((_product(HALF, logits), _product(HALF, unit, logits)))
    return _summed([Call("softplus", logits), _product(MINUS, taken)], indices)


def _normal(unit: Scalar, mean: Scalar, precision: Scalar) -> list[Scalar]:
    deviation = Add((unit, _product(MINUS, mean)))
    quadratic = _product(HALF, precision, Pow(deviation, Fraction(2)))
    constant = _product(HALF, Call("log", _product(Number(Fraction(2)), Pi())))
    scale = [] if precision == ONE else [_product(MINUS, HALF, Call("log", precision))]
    return [quadratic, constant, *scale]


def _summed(parts: list[Scalar], units: tuple[Index, ...]) -> tuple[Scalar, ...]:
    """Σ_units of each part: some may not carry every index."""
    return tuple(Sum(part, units) if units else part for part in parts)


def _product(*nodes: Scalar) -> Scalar:
    """A product; products among the factors are merged into it."""
    factors: list[Scalar] = []
    for node in nodes:
        factors.extend(node.factors if isinstance(node, Mul) else (node,))
    return Mul(tuple(factors))
