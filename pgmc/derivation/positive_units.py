"""Positive units: their gamma or truncated normal conditional, and the integral over them."""

from __future__ import annotations

from pgmc.derivation.collect_factors import collect_factors
from pgmc.derivation.local_energy import LocalEnergy, wrong_domain
from pgmc.derivation.polynomials import Coefficients, polynomial_of, quotient, sum_of_polynomials
from pgmc.derivation.tidy import add, multiply, negate, summed
from pgmc.ir.answers import ConditionalLaw, Refusal
from pgmc.ir.nodes import ONE, ZERO, Call, Scalar, Unit, number
from pgmc.ir.printer import print_scalar
from pgmc.ir.rewrite import replace, replace_part
from pgmc.ir.symbols import Positive

LOG_UNIT = Call("log", Unit())


def match_gamma(local: LocalEnergy) -> ConditionalLaw | Refusal:
    """p(x | rest) = Gamma(shape, rate) where the local energy is rate · x - (shape - 1) log x."""
    if not isinstance(local.target.domain, Positive):
        return wrong_domain("Gamma", local, "positive")
    wanted = f"Gamma conditional of {local.target.name}"
    found = split_logarithm(local, wanted)
    if isinstance(found, Refusal):
        return found
    polynomial, logarithm = found
    if len(polynomial) != 2:
        reason = f"the energy without logarithms has the degree {max(len(polynomial) - 1, 0)} in the unit, not 1."
        return Refusal(wanted, reason, f"Add a term such as {local.target.name}." if len(polynomial) < 2 else "")
    shape = collect_factors(add(ONE, negate(logarithm)))
    reason = "a positive unit: the local energy is linear in it and in its logarithm"
    return ConditionalLaw(
        local.target, local.indices, None, "Gamma", (("shape", shape), ("rate", polynomial[1])), (reason,)
    )


def match_truncated_normal(local: LocalEnergy) -> ConditionalLaw | Refusal:
    """p(x | rest) ∝ N(x; mean, 1 / precision) for x > 0 where the local energy is quadratic."""
    if not isinstance(local.target.domain, Positive):
        return wrong_domain("Truncated normal", local, "positive")
    wanted = f"Truncated normal conditional of {local.target.name}"
    found = split_logarithm(local, wanted)
    if isinstance(found, Refusal):
        return found
    polynomial, logarithm = found
    if len(polynomial) != 3 or logarithm != ZERO:
        return Refusal(wanted, "the energy is no quadratic polynomial in the unit.")
    precision = multiply(number(2), polynomial[2])
    mean = collect_factors(quotient(negate(polynomial[1]), precision))
    reason = "a positive unit: the local energy is quadratic in it"
    parameters = (("mean", mean), ("precision", precision))
    return ConditionalLaw(local.target, local.indices, None, "TruncatedNormal", parameters, (reason,))


def without_unit(node: Scalar) -> Scalar:
    """The expression without the unit: where it and its logarithm are 0."""
    without_log = replace_part(node, LOG_UNIT, ZERO)
    return replace(without_log, lambda n: ZERO if isinstance(n, Unit) else None)


def log_gamma_integral(law: ConditionalLaw) -> Scalar:
    """Σ over units of log ∫ x^(shape - 1) exp(-rate x) dx = log Γ(shape) - shape · log rate."""
    shape, rate = law.parameter("shape"), law.parameter("rate")
    parts = (
        ZERO if shape == ONE else Call("lgamma", shape),
        ZERO if rate == ONE else negate(multiply(shape, Call("log", rate))),
    )
    return add(*(summed(part, law.indices) for part in parts))


def split_logarithm(local: LocalEnergy, wanted: str) -> tuple[Coefficients, Scalar] | Refusal:
    """The local energy as a polynomial in the unit plus a multiple of its logarithm."""
    polynomials, logarithms = [], []
    for term in local.terms:
        plain = polynomial_of(replace_part(term, LOG_UNIT, ZERO))
        slopes = [polynomial_of(_in_logarithm(term, unit)) for unit in (ZERO, ONE)]
        if plain is None or any(slope is None or len(slope) > 2 for slope in slopes):
            return Refusal(wanted, f"{print_scalar(term)} is no polynomial in x and log x.")
        first, second = (slope[1] if slope is not None and len(slope) == 2 else ZERO for slope in slopes)
        if first != second:
            return Refusal(wanted, f"{print_scalar(term)} has products of x and log x.")
        polynomials.append(plain)
        logarithms.append(first)
    return sum_of_polynomials(polynomials), collect_factors(add(*logarithms))


def _in_logarithm(term: Scalar, unit: Scalar) -> Scalar:
    """The term as a function of the logarithm of the unit, for one value of the unit itself."""
    marked = replace_part(term, LOG_UNIT, Call("log", ZERO))
    fixed = replace(marked, lambda n: unit if isinstance(n, Unit) else None)
    return replace_part(fixed, Call("log", ZERO), Unit())
