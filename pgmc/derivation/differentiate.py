"""Derivatives of indexed expressions: sums over the places at which a symbol stands."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from pgmc.derivation.contract_deltas import contract_deltas
from pgmc.derivation.like_terms import combine_like_terms
from pgmc.derivation.solve import equations
from pgmc.derivation.tidy import add, multiply, negate, power, tidy
from pgmc.errors import DerivationError
from pgmc.ir.answers import Refusal
from pgmc.ir.nodes import (
    ONE,
    Access,
    Add,
    BatchMean,
    Bracket,
    Call,
    Index,
    LogSumExp,
    Mul,
    Number,
    Position,
    Pow,
    Scalar,
    Sum,
    at,
)
from pgmc.ir.rewrite import freshen, split_conditions
from pgmc.ir.symbols import Symbol


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """A part of a derivative: Σ_over coefficient, for the element of the parameter at ``positions``."""

    coefficient: Scalar
    positions: tuple[Position, ...]
    over: tuple[Index, ...] = ()


def partial_derivative(body: Scalar, symbol: Symbol, indices: tuple[Index, ...]) -> Scalar:
    """∂body/∂symbol[indices], which may be indices that stand in the body already."""
    parts = [collect(part, symbol, indices) for part in differentiate(body, symbol)]
    return combine_like_terms(tidy(add(*parts)))


def collect(part: Sensitivity, symbol: Symbol, indices: tuple[Index, ...]) -> Scalar:
    """Σ_over coefficient · [positions = indices], with the deltas contracted."""
    relations = equations(Access(symbol, part.positions), map(at, indices))
    delta: tuple[Scalar, ...] = (Bracket(relations),) if relations else ()
    return contract_deltas(Sum(multiply(part.coefficient, *delta), part.over))


def differentiate(node: Scalar, parameter: Symbol) -> list[Sensitivity]:
    """The derivative of an expression with respect to every element of a parameter or variable, part by part."""
    match node:
        case Access(symbol, positions):
            return [Sensitivity(ONE, positions)] if symbol == parameter else []
        case Add(terms):
            return [part for term in terms for part in differentiate(term, parameter)]
        case Mul(factors):
            return _product_rule(factors, parameter)
        case Pow(base, exponent):
            # Not multiplied out over the terms of the base: its number may cancel with one in front of the power.
            outer = Mul((Number(exponent), power(base, exponent - 1)))
            return _chain(outer, base, parameter)
        case Call(name, argument):
            inner = differentiate(argument, parameter)
            return _scaled(_derivative(name, argument), inner) if inner else []
        case Sum(body, over):
            return [
                Sensitivity(part.coefficient, part.positions, (*part.over, *over))
                for part in differentiate(body, parameter)
            ]
        case LogSumExp(body, over):
            return _softmax_rule(node, body, over, parameter)
        case BatchMean():
            raise DerivationError("a batch mean is not differentiated again.")
        case _:
            return []


def _scaled(outer: Scalar, parts: list[Sensitivity]) -> list[Sensitivity]:
    """The parts times a factor, which may hold the very sums whose indices the parts now run over."""
    return [Sensitivity(multiply(freshen(outer), p.coefficient), p.positions, p.over) for p in parts]


def _chain(outer: Scalar, inner: Scalar, parameter: Symbol) -> list[Sensitivity]:
    return _scaled(outer, differentiate(inner, parameter))


def _product_rule(factors: tuple[Scalar, ...], parameter: Symbol) -> list[Sensitivity]:
    return [
        part
        for k, factor in enumerate(factors)
        for part in _chain(multiply(*factors[:k], *factors[k + 1 :]), factor, parameter)
    ]


def _softmax_rule(node: LogSumExp, body: Scalar, over: tuple[Index, ...], parameter: Symbol) -> list[Sensitivity]:
    """d log Σ exp(f) = Σ exp(f - log Σ exp(f)) df."""
    relations, exponent = split_conditions(freshen(body))
    conditions = (Bracket(relations),) if relations else ()
    weight = multiply(*conditions, Call("exp", add(exponent, negate(freshen(node)))))
    return [
        Sensitivity(multiply(weight, part.coefficient), part.positions, (*part.over, *over))
        for part in differentiate(body, parameter)
    ]


def _derivative(name: str, x: Scalar) -> Scalar:
    """The derivative of a function of ``nodes.FUNCTIONS`` at x."""
    half = Number(Fraction(1, 2))
    rules: dict[str, Scalar] = {
        "exp": Call("exp", x),
        "log": Pow(x, Fraction(-1)),
        "sigmoid": multiply(Call("sigmoid", x), add(ONE, negate(Call("sigmoid", x)))),
        "softplus": Call("sigmoid", x),
        "tanh": add(ONE, negate(Pow(Call("tanh", x), Fraction(2)))),
        "relu": Call("step", x),
        "sqrt": multiply(half, Pow(Call("sqrt", x), Fraction(-1))),
        "cos": negate(Call("sin", x)),
        "sin": Call("cos", x),
        "step": Number(Fraction(0)),
        "lgamma": Call("digamma", x),
    }
    if name not in rules:
        reason = f"{name} has no derivative among the functions of pgmc."
        raise DerivationError(f"{name}: {reason} Keep parameters out of its argument.", (Refusal("gradient", reason),))
    return rules[name]
