"""Real units with a quadratic energy: their normal conditional, and the integral over them."""

from __future__ import annotations

from fractions import Fraction

from pgmc.derivation.collect_factors import collect_factors
from pgmc.derivation.local_energy import LocalEnergy, wrong_domain
from pgmc.derivation.polynomials import polynomial_of, quotient, sum_of_polynomials
from pgmc.derivation.tidy import add, multiply, negate, power, summed
from pgmc.ir.answers import ConditionalLaw, Refusal
from pgmc.ir.nodes import ONE, ZERO, Call, Mul, Number, Pi, Scalar, number
from pgmc.ir.printer import print_scalar
from pgmc.ir.symbols import Real


def match_normal(local: LocalEnergy) -> ConditionalLaw | Refusal:
    """p(x | rest) = N(mean, 1 / precision) where the local energy is ½ precision · x² - precision · mean · x."""
    wanted = f"Normal conditional of {local.target.name}"
    if not isinstance(local.target.domain, Real):
        return wrong_domain("Normal", local, "real")
    found = []
    for term in local.terms:
        coefficients = polynomial_of(term)
        if coefficients is None:
            return Refusal(wanted, f"{print_scalar(term)} is no polynomial in the unit x.")
        found.append(coefficients)
    total = sum_of_polynomials(found)
    if len(total) > 3:
        return Refusal(wanted, f"the energy has the degree {len(total) - 1} in the unit, not 2.")
    if len(total) < 3:
        return Refusal(
            wanted,
            f"no term of the energy is quadratic in {local.target.name}, so nothing holds it back.",
            f"Add a term such as {local.target.name}²/2.",
        )
    precision = multiply(number(2), total[2])
    mean = collect_factors(quotient(negate(total[1]), precision))
    reason = "a real unit: the local energy is quadratic in it, its curvature is the precision"
    parameters = (("mean", mean), ("precision", precision))
    return ConditionalLaw(local.target, local.indices, None, "Normal", parameters, (reason,))


def log_normal_integral(law: ConditionalLaw) -> Scalar:
    """Σ over units of log ∫ exp(-½ λ x² + λ m x) dx = ½ λ m² + ½ log 2π - ½ log λ, precision λ and mean m."""
    half, mean, precision = Number(Fraction(1, 2)), law.parameter("mean"), law.parameter("precision")
    spread = ZERO if precision == ONE else multiply(half, Call("log", precision))
    constant = multiply(half, Call("log", Mul((number(2), Pi()))))
    parts = multiply(half, precision, power(mean, Fraction(2))), constant, negate(spread)
    return add(*(summed(part, law.indices) for part in parts))
