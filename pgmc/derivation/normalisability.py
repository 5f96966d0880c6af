"""Whether exp(-E) has a finite integral over the real units, as far as the form of the energy decides it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from pgmc.derivation.collect_factors import collect_factors
from pgmc.derivation.expand_products import TooManyPieces, expand_products
from pgmc.derivation.gaussian import match_normal
from pgmc.derivation.generic_units import refuse_density
from pgmc.derivation.like_terms import split_number
from pgmc.derivation.local_energy import LocalEnergy, build_local_energy
from pgmc.derivation.positive_units import match_gamma
from pgmc.errors import ModelError
from pgmc.ir.answers import ConditionalLaw, Refusal
from pgmc.ir.interpret import interpret_law
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import Access, Call, LogSumExp, Mul, Pow, Scalar, Sum
from pgmc.ir.printer import print_scalar, print_term
from pgmc.ir.rewrite import accesses, walk
from pgmc.ir.structural_key import structural_key
from pgmc.ir.symbols import Constant, Parameter, Positive, Real, Variable, is_per_example


def check_normalisable(model: Model) -> None:
    """Refuse an energy of real units that is unbounded below, whatever the parameters.

    Raises
    ------
    ModelError
        If the highest powers of real units have an odd degree, nothing holds a unit back, or a precision is a number
        that is not positive.
    """
    for variable in model.variables:
        if isinstance(variable.domain, Positive):
            _check_positive_unit(model, variable)
    real = frozenset(v for v in model.variables if isinstance(v.domain, Real))
    if not real:
        return
    _check_degree(model, real)
    for variable in model.variables:
        if variable in real:
            _check_unit(model, variable)


def describe_precision(law: ConditionalLaw) -> str:
    """What the precision of a unit, or the rate of a gamma one, is made of, in words."""
    name, precision = law.parameters[-1]
    symbols = dict.fromkeys(a.symbol for a in accesses(precision) if isinstance(a.symbol, Parameter | Constant))
    named = [f"{type(symbol).__name__.lower()} {symbol.name}" for symbol in symbols]
    return f"The {name} of {law.target.name} is {print_scalar(precision)}" + (
        f", of the {' and the '.join(named)}." if named else "."
    )


def _check_degree(model: Model, real: frozenset[Variable]) -> None:
    """Along some line through 0 a form of odd degree falls without end."""
    found: dict[object, tuple[Fraction, int, EnergyTerm]] = {}
    for term in model.terms:
        try:
            pieces = expand_products(term.body, term.over, real)
        except TooManyPieces:
            return
        for body, over in pieces:
            number, rest = split_number(collect_factors(Sum(body, over)))
            degree = _degree(rest, real)
            if degree is None:
                return  # another function of real units may hold them back
            key = structural_key(rest)
            found[key] = (number + found.get(key, (Fraction(0),))[0], degree, term)
    degrees = [(degree, term) for number, degree, term in found.values() if number]
    highest = max((degree for degree, _ in degrees), default=0)
    if highest > 1 and highest % 2:
        last = next(term for degree, term in degrees if degree == highest)
        raise _not_normalisable(
            model,
            f"{_where(last)}{print_term(last)} has the odd degree {highest} in the real units and no term has a "
            "higher one, so that the energy has no lower bound.",
            f"Add a term of the degree {highest + 1} that grows in every direction, or lower the power.",
        )


def _degree(body: Scalar, real: frozenset[Variable]) -> int | None:
    """The degree of a product in the real units; None if one stands inside a function."""
    total = 0
    for factor in body.factors if isinstance(body, Mul) else (body,):
        match factor:
            case Sum(inner, _):
                below = _degree(inner, real)
                if below is None:
                    return None
                total += below
            case Access(symbol, _):
                total += symbol in real
            case Pow(Access(symbol, _), exponent) if symbol in real:
                if exponent.denominator != 1 or exponent < 0:
                    return None
                total += int(exponent)
            case _ if any(a.symbol in real for a in accesses(factor)):
                return None
    return total


def _check_unit(model: Model, variable: Variable) -> None:
    local = build_local_energy(model, variable)
    law = match_normal(local)
    if isinstance(law, Refusal):
        bent = any(isinstance(part, Call | LogSumExp) for term in local.terms for part in walk(term))
        if "quadratic" in law.reason and not bent:  # a function may hold the unit back
            raise _not_normalisable(model, law.reason, law.remedy)
        _check_density(model, local)
        return
    precision = law.parameter("precision")
    if any(is_per_example(a.symbol) or isinstance(a.symbol, Parameter) for a in accesses(precision)):
        return  # its sign is known at run time
    arrays: dict[str, Any] = {}
    values = interpret_law(law.only("precision"), arrays, symbols=model.symbols, examples=1)["precision"][0]
    if not np.all(values > 0):
        raise _not_normalisable(
            model,
            f"the precision of {variable.name}, {print_scalar(precision)}, is {values.min():g}; it must be positive.",
            "Look for the wrong sign of a quadratic term.",
        )


def _check_density(model: Model, local: LocalEnergy) -> None:
    reason = refuse_density(local)
    if reason is not None:
        raise _not_normalisable(model, reason, "Look for a wrong sign, or add a term that grows faster.")


def _check_positive_unit(model: Model, variable: Variable) -> None:
    """At least something has to grow with a positive unit."""
    local = build_local_energy(model, variable)
    refusal = match_gamma(local)
    if isinstance(refusal, Refusal) and "degree 0" in refusal.reason:
        reason = f"no term of the energy grows with {variable.name}, so nothing holds it back."
        raise _not_normalisable(model, reason, refusal.remedy)
    if isinstance(refusal, Refusal):
        _check_density(model, local)


def _not_normalisable(model: Model, reason: str, remedy: str) -> ModelError:
    return ModelError(f"model {model.name!r}: not normalisable: {reason} {remedy}".strip())


def _where(term: EnergyTerm) -> str:
    return f"{term.origin}: " if term.origin else ""
