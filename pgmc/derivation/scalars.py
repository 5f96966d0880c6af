"""The bridge to sympy: a scalar expression as a function of one unit, with placeholders for everything else."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from operator import add, mul
from typing import Any

import sympy

from pgmc.derivation.tidy import tidy
from pgmc.errors import DerivationError, InternalError
from pgmc.ir.answers import Refusal
from pgmc.ir.nodes import ZERO, Add, Call, LogSumExp, Mul, Number, Pow, Scalar, Sum, Unit, number
from pgmc.ir.printer import print_scalar
from pgmc.ir.rewrite import freshen, replace, walk

HIGHEST_FOLDED = 4
"""Polynomials of a higher degree are not multiplied out."""

UNIT = sympy.Symbol("unit", real=True)
_ELEMENTARY = {
    "exp": sympy.exp,
    "log": sympy.log,
    "tanh": sympy.tanh,
    "cos": sympy.cos,
    "sin": sympy.sin,
    "sqrt": sympy.sqrt,
}


@dataclass(frozen=True, slots=True)
class Affine:
    """base + slope · unit."""

    base: Scalar
    slope: Scalar


@dataclass(slots=True)
class Placeholders:
    """Numbered symbols for the parts of an expression that sympy need not see."""

    parts: list[Scalar] = field(default_factory=list)

    def symbol(self, part: Scalar) -> Any:
        """The symbol that stands for the part; equal parts share one."""
        if part not in self.parts:
            self.parts.append(part)
        # Nothing is assumed of it: of a real symbol sympy would make sqrt(x**2) an absolute value.
        return sympy.Symbol(f"p{self.parts.index(part):04d}")


def mentions_unit(node: Scalar) -> bool:
    """Whether the expression depends on the unit."""
    return any(isinstance(n, Unit) for n in walk(node))


def reduce_to_affine(node: Scalar, values: tuple[int, int]) -> Affine:
    """A function of a two-valued unit as base + slope · unit.

    Every function of a unit with two values is affine on them. Sums stay sums: the reduction passes through them.

    Parameters
    ----------
    node : Scalar
        The expression; the unit is its ``Unit`` nodes.
    values : tuple of int
        The two values, (0, 1) or (-1, 1).

    Raises
    ------
    DerivationError
        If the function is infinite or undefined at one of the values.
    """
    if not mentions_unit(node):
        return Affine(node, ZERO)
    if isinstance(node, Sum):
        inner = reduce_to_affine(node.body, values)
        return Affine(tidy(Sum(inner.base, node.over)), tidy(Sum(inner.slope, node.over)))
    if isinstance(node, Add):
        parts = [reduce_to_affine(term, values) for term in node.terms]
        return Affine(tidy(Add(tuple(p.base for p in parts))), tidy(Add(tuple(p.slope for p in parts))))
    placeholders = Placeholders()
    expression = to_sympy(node, placeholders, values)
    base, slope = _fold(expression, values)
    if any(part.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.I) for part in (base, slope)):
        raise _undefined(node, values)
    return Affine(from_sympy(base, placeholders), from_sympy(slope, placeholders))


def _undefined(node: Scalar, values: tuple[int, int]) -> DerivationError:
    low, high = values
    reason = f"{print_scalar(node)} is no finite number at one of the values {low} and {high} of the unit x."
    remedy = "Keep arguments of log and sqrt positive, and denominators away from zero, for every value of a unit."
    return DerivationError(f"{reason} {remedy}", (Refusal("the energy as a function of one unit", reason, remedy),))


def at_value(node: Scalar, value: int) -> Scalar:
    """The expression where the unit has one of its values."""
    return tidy(freshen(replace(node, lambda part: number(value) if isinstance(part, Unit) else None)))


def _fold(expression: Any, values: tuple[int, int]) -> tuple[Any, Any]:
    """Base and slope; low powers are folded by their values, so that polynomials keep the user's coefficients.

    Higher powers would be long sums whose terms cancel; they are evaluated at both values, as any other function is.
    """
    if _degree(expression) <= HIGHEST_FOLDED and expression.is_polynomial(UNIT):
        low, high = values
        coefficients = sympy.Poly(expression, UNIT).all_coeffs()[::-1]
        base = slope = sympy.Integer(0)
        for exponent, coefficient in enumerate(coefficients):
            at_low, at_high = low**exponent, high**exponent
            slope += coefficient * sympy.Rational(at_high - at_low, high - low)
            base += coefficient * sympy.Rational(high * at_low - low * at_high, high - low)
        return base, slope
    at_low, at_high = expression.subs(UNIT, values[0]), expression.subs(UNIT, values[1])
    slope = (at_high - at_low) / (values[1] - values[0])
    return at_low - slope * values[0], slope


def _degree(expression: Any) -> int:
    """A bound on the degree in the unit of an expression that is a polynomial, without multiplying it out."""
    if expression == UNIT:
        return 1
    if expression.is_Mul:
        return sum(map(_degree, expression.args))
    if expression.is_Pow and expression.exp.is_Integer:
        return _degree(expression.base) * abs(int(expression.exp))
    return max(map(_degree, expression.args), default=0)


def to_sympy(node: Scalar, placeholders: Placeholders, values: tuple[int, int]) -> Any:
    """The expression for sympy: the unit is ``UNIT``, maximal parts without it are placeholders."""
    match node:
        case Unit():
            return UNIT
        case Number(value):
            return sympy.Rational(value.numerator, value.denominator)
        case _ if not mentions_unit(node):
            return placeholders.symbol(node)
        case Sum():
            affine = reduce_to_affine(node, values)
            base = 0 if affine.base == ZERO else placeholders.symbol(affine.base)
            return base + UNIT * placeholders.symbol(affine.slope)
        case Add(terms):
            return reduce(add, (to_sympy(t, placeholders, values) for t in terms))
        case Mul(factors):
            return reduce(mul, (to_sympy(f, placeholders, values) for f in factors))
        case Pow(base, exponent):
            inner = to_sympy(base, placeholders, values)
            return inner ** sympy.Rational(exponent.numerator, exponent.denominator)
        case Call(name, argument):
            inner = to_sympy(argument, placeholders, values)
            return _ELEMENTARY.get(name, sympy.Function(name))(inner)
        case LogSumExp():
            low, high = (placeholders.symbol(at_value(node, value)) for value in values)
            return low + (UNIT - values[0]) * (high - low) / (values[1] - values[0])
        case _:
            raise InternalError(f"no sympy form of {type(node).__name__}. Please report it.")


def from_sympy(expression: Any, placeholders: Placeholders) -> Scalar:
    """The inverse of ``to_sympy``."""
    return tidy(_convert(expression, placeholders))


def _convert(expression: Any, placeholders: Placeholders) -> Scalar:
    if expression.is_Rational:
        return Number(Fraction(int(expression.p), int(expression.q)))
    if expression.is_Symbol:
        return placeholders.parts[int(expression.name[1:])]
    if expression.is_Add:
        return Add(tuple(_convert(a, placeholders) for a in expression.as_ordered_terms()))
    if expression.is_Mul:
        return Mul(tuple(_convert(a, placeholders) for a in expression.as_ordered_factors()))
    if expression.is_Pow and expression.exp.is_Rational:
        exponent = Fraction(int(expression.exp.p), int(expression.exp.q))
        return Pow(_convert(expression.base, placeholders), exponent)
    if expression == sympy.E:
        return Call("exp", Number(Fraction(1)))
    if expression.is_Function and len(expression.args) == 1:
        return Call(type(expression).__name__, _convert(expression.args[0], placeholders))
    if expression.is_Pow:  # exp(x) may come back as E**x, and a**x as a general power
        return Call("exp", Mul((_convert(sympy.log(expression.base), placeholders),
                                _convert(expression.exp, placeholders))))  # fmt: skip
    raise InternalError(f"no expression of pgmc for {expression}. Please report it.")
