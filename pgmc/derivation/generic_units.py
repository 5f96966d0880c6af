"""Real and positive units of no family: their density, known but for a factor, and whether it has a finite integral."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.derivation.local_energy import LocalEnergy
from pgmc.derivation.positive_units import split_logarithm
from pgmc.derivation.tidy import add, multiply, negate, summed, tidy
from pgmc.ir.answers import ConditionalLaw, Refusal
from pgmc.ir.interpret import interpret
from pgmc.ir.nodes import Access, Add, Mul, Scalar, Sum, Unit, at
from pgmc.ir.rewrite import accesses, replace, walk
from pgmc.ir.symbols import Constant, Positive, Real, shape_of

Array: TypeAlias = npt.NDArray[Any]

FAR = (1e3, 1e6)
"""How far out a density that is known as numbers is looked at; and close to 0 the inverse of that."""


def generic_law(local: LocalEnergy, refusals: list[Refusal]) -> ConditionalLaw | None:
    """p(x | rest) ∝ exp(-L(x)), with L the local energy; None for a unit that is neither real nor positive.

    It is drawn by one step of slice sampling, which leaves any density as it is. The reasons say why no family fits.
    """
    target = local.target
    if not isinstance(target.domain, Real | Positive):
        return None
    unit = Access(target, tuple(map(at, local.indices)))
    held = (_with_unit(tidy(term)) for term in local.terms if _holds_unit(term))
    parts = (tidy(replace(term, lambda n: unit if isinstance(n, Unit) else None)) for term in held)
    density = add(*map(negate, parts))
    why = [str(refusal) for refusal in refusals if refusal.fits_domain]
    scale = "its logarithm" if isinstance(target.domain, Positive) else "it"
    reasons = (f"of no family, so {scale} is drawn by slice sampling", *why)
    return ConditionalLaw(target, local.indices, None, "Generic", (("log_density", density),), reasons)


def _holds_unit(node: Scalar) -> bool:
    return any(isinstance(part, Unit) for part in walk(node))


def _with_unit(node: Scalar) -> Scalar:
    """The expression without summands that the unit has no part in, which are constant."""
    match node:
        case Add(terms):
            return add(*(_with_unit(term) for term in terms if _holds_unit(term)))
        case Mul(factors):
            holding = [factor for factor in factors if _holds_unit(factor)]
            if len(holding) > 1:
                return node
            return multiply(*(_with_unit(factor) if factor in holding else factor for factor in factors))
        case Sum(body, over):
            return summed(_with_unit(body), over)
        case _:
            return node


def refuse_density(local: LocalEnergy) -> str | None:
    """Why exp(-L(x)) has no finite integral over one unit, others given; None if it has, or if that is not known.

    Far out it has to fall faster than 1 / |x|, and near 0 that of a positive unit must not rise as fast as 1 / x.
    """
    return _refuse_leading(local) or _refuse_tails(local)


def _refuse_leading(local: LocalEnergy) -> str | None:
    """By the highest power, where its coefficient is a number."""
    name, positive = local.target.name, isinstance(local.target.domain, Positive)
    found = split_logarithm(local, "")
    if isinstance(found, Refusal):
        return None
    polynomial, logarithm = found
    power = _numbers(logarithm, local)
    if power is not None and positive and power.max() >= 1:
        return f"near 0 the density of {name} rises as {name}^(-{power.max():g}), whose integral is infinite."
    if len(polynomial) > 3:
        leading, degree = _numbers(polynomial[-1], local), len(polynomial) - 1
        if degree % 2 and not positive:
            return f"the energy has the odd degree {degree} in {name}, so that it has no lower bound."
        if leading is not None and leading.min() < 0:
            return f"the highest power of {name} in the energy, {degree}, has the coefficient {leading.min():g}."
    return None


def _refuse_tails(local: LocalEnergy) -> str | None:
    """By values far out, of a local energy that holds nothing but numbers and the unit."""
    energy, positive = add(*local.terms), isinstance(local.target.domain, Positive)
    near, far = FAR
    for points in ((near, far), (1.0 / near, 1.0 / far) if positive else (-near, -far)):
        first, last = (_numbers(energy, local, unit=x) for x in points)
        if first is None or last is None:
            return None
        with np.errstate(invalid="ignore"):
            fall = (last - first) / np.log(far / near)
        least = -1.0 if points[1] < 1.0 and positive else 1.0
        if np.any(fall <= least + 1e-9):
            name = local.target.name
            return f"the density of {name} has no finite integral towards {name} = {points[1]:g}."
    return None


def _numbers(node: Scalar, local: LocalEnergy, unit: float = 0.0) -> Array | None:
    """The value of an expression of constants alone for every unit; None of one that holds anything else."""
    if not all(isinstance(access.symbol, Constant) for access in accesses(node)):
        return None
    sizes = dict(zip(local.indices, shape_of(local.target), strict=True))
    with np.errstate(all="ignore"):
        return interpret(node, {}, local.indices, sizes=sizes, examples=1, unit=unit)
