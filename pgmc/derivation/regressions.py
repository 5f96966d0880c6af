"""Directed normal factors as linear regressions: a mean that is linear in parameters of which each unit has its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from pgmc.derivation.differentiate import differentiate
from pgmc.derivation.tidy import tidy
from pgmc.ir.answers import Refusal
from pgmc.ir.factors import factor_law
from pgmc.ir.model import Factor, Model
from pgmc.ir.nodes import Access, Index, Pow, Scalar, Sum
from pgmc.ir.rewrite import accesses
from pgmc.ir.symbols import Parameter, Variable


@dataclass(frozen=True, slots=True)
class Regressor:
    """The feature that an element of a parameter is multiplied by: an expression over the unit and ``rest``.

    ``slots`` are the axes of the parameter on which the indices of the unit stand, ``rest`` the indices on the others.
    """

    parameter: Parameter
    feature: Scalar
    slots: tuple[int, ...]
    rest: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """A parameter that is the precision of units (``power`` 1) or their standard deviation (-2).

    ``indices`` stand on its axes: units that differ in others share an element.
    """

    parameter: Parameter
    indices: tuple[Index, ...]
    power: int


@dataclass(frozen=True, slots=True)
class Regression:
    """mean[i] = Σ feature[i, j] · parameter[i, j] + offset, where the parameters are set to 0 in the offset.

    Without ``spread`` the precision is known, and an expression over the unit.
    """

    target: Variable
    indices: tuple[Index, ...]
    mean: Scalar
    regressors: tuple[Regressor, ...]
    precision: Scalar
    spread: Spread | None


def derive_regressions(model: Model) -> tuple[Regression, ...] | Refusal:
    """Every factor as a regression, or the reason why the maximum of the likelihood has no closed form."""
    rest = [v.name for v in model.variables if v.name not in model.children]
    if rest:
        return Refusal("closed form", f"{', '.join(rest)} has no directed factor, so log Z depends on parameters.")
    found: list[Regression] = []
    users: dict[str, str] = {}
    for factor in model.factors:
        regression = _regression(factor)
        if isinstance(regression, Refusal):
            return regression
        for parameter in _trained(regression.mean, regression.precision):
            if parameter.name in users:
                return _refusal(parameter, f"the factors of {users[parameter.name]} and {factor.target.name} share it")
            users[parameter.name] = factor.target.name
        found.append(regression)
    return tuple(found)


def _regression(factor: Factor) -> Regression | Refusal:
    name, law = factor.target.name, factor_law(factor)
    if law.family != "Normal":
        reason = f"{name} has a {law.family} factor, whose likelihood is not quadratic in its parameters."
        return Refusal("closed form", reason)
    mean, precision = tidy(law.parameter("mean")), tidy(law.parameter("precision"))
    regressors: list[Regressor] = []
    for parameter in _trained(mean):
        if any(used == parameter for used in _trained(precision)):
            return _refusal(parameter, f"it stands in the mean and in the precision of {name}")
        if parameter.constraint.symmetric or parameter.constraint.positive:
            return _refusal(parameter, "its values are constrained")
        for part in _regressors(mean, parameter, law.indices, name):
            if isinstance(part, Refusal):
                return part
            regressors.append(part)
    spread = _spread(precision, law.indices, name)
    if isinstance(spread, Refusal):
        return spread
    return Regression(factor.target, law.indices, mean, tuple(regressors), precision, spread)


def _regressors(
    mean: Scalar, parameter: Parameter, unit: tuple[Index, ...], name: str
) -> Iterator[Regressor | Refusal]:
    """The features of a parameter; all of them have the indices of the unit on the same axes of it."""
    slots_seen: set[tuple[int, ...]] = set()
    for part in differentiate(mean, parameter):
        own = [position.index for position in part.positions]
        if _trained(part.coefficient):
            yield _refusal(parameter, f"the mean of {name} is not linear in it together with other parameters")
            return
        if None in own or len(set(own)) < len(own) or not set(unit) <= set(own):
            yield _refusal(parameter, f"several units of {name} share an element of it")
            return
        slots = tuple(own.index(index) for index in unit)
        slots_seen.add(slots)
        if len(slots_seen) > 1:
            yield _refusal(parameter, f"several units of {name} share an element of it")
            return
        rest = tuple(index for index in own if index is not None and index not in unit)
        summed = tuple(index for index in part.over if index not in rest)
        yield Regressor(parameter, Sum(part.coefficient, summed) if summed else part.coefficient, slots, rest)


def _spread(precision: Scalar, unit: tuple[Index, ...], name: str) -> Spread | Refusal | None:
    if not (trained := _trained(precision)):
        return None
    base, power = (precision.base, precision.exponent) if isinstance(precision, Pow) else (precision, Fraction(1))
    if isinstance(base, Access) and power in (1, -2):
        own = tuple(position.index for position in base.positions)
        indices = tuple(index for index in own if index is not None)
        if len(set(indices)) == len(own) and set(indices) <= set(unit):
            return Spread(trained[0], indices, int(power))
    return _refusal(trained[0], f"the precision of {name} is a function of it; it may be the precision or the scale")


def _trained(*nodes: Scalar) -> tuple[Parameter, ...]:
    """The parameters in expressions that training moves."""
    symbols = (access.symbol for node in nodes for access in accesses(node))
    moved = (s for s in symbols if isinstance(s, Parameter) and not s.constraint.fixed)
    return tuple({symbol.name: symbol for symbol in moved}.values())


def _refusal(parameter: Parameter, reason: str) -> Refusal:
    return Refusal("closed form", f"{parameter.name}: {reason}.")
