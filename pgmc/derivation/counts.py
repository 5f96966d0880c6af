"""Counts: Poisson units, and multinomial ones whose total is fixed.

With the base measure 1/k! in the energy, log Γ(k + 1) - s·k is the local energy of a unit, s minus its slope. A unit is
then Poisson with log-rate s; counts along an axis with total n are multinomial with the logits s, and

    Σ_{k, Σ k = n} Π exp(s_i k_i) / k_i! = (Σ exp(s_i))^n / n!.
"""

from __future__ import annotations

from pgmc.derivation.local_energy import LocalEnergy, wrong_domain
from pgmc.derivation.polynomials import polynomial_of, sum_of_polynomials
from pgmc.derivation.tidy import add, multiply, negate, summed
from pgmc.ir.answers import ConditionalLaw, Refusal
from pgmc.ir.base_measure import is_log_factorial, log_factorial
from pgmc.ir.nodes import ZERO, Access, Call, LogSumExp, Scalar, Unit, at
from pgmc.ir.printer import print_scalar
from pgmc.ir.rewrite import accesses
from pgmc.ir.symbols import Axis, Constant, Count, Input, Real, Variable, total_name


def match_counts(local: LocalEnergy) -> ConditionalLaw | Refusal:
    """Poisson(exp(s)), or of counts with a total, jointly Multinomial(total, softmax(s))."""
    domain = local.target.domain
    if not isinstance(domain, Count):
        return wrong_domain("Count", local, "a count")
    family = "Poisson" if domain.total is None else "Multinomial"
    wanted = f"{family} conditional of {local.target.name}"
    rest = list(local.terms)
    own = next((term for term in rest if is_log_factorial(term, Unit())), None)
    if own is None:
        return Refusal(wanted, "the base measure 1/k! is no term of the energy.")
    rest.remove(own)
    slope = _slope(rest, wanted)
    if isinstance(slope, Refusal):
        return slope
    score = negate(slope)
    refusal = _unbounded(local.target, score, wanted)
    if refusal is not None:
        return refusal
    if domain.total is None:
        reason = "a count with base measure 1/k!: the local energy is affine in it, the log-rate is minus the slope"
        return ConditionalLaw(local.target, local.indices, None, "Poisson", (("log_rate", score),), (reason,))
    total = total_of(local.target, Access(local.target, tuple(map(at, local.indices))))
    reason = "counts with a total and base measure 1/Πk!: the energy is affine in each, the logits are minus the slopes"
    parameters = (("logits", score), ("total", total))
    return ConditionalLaw(local.target, local.indices, None, "Multinomial", parameters, (reason,))


def _slope(terms: list[Scalar], wanted: str) -> Scalar | Refusal:
    found = []
    for term in terms:
        coefficients = polynomial_of(term)
        if coefficients is None or len(coefficients) > 2:
            return Refusal(
                wanted,
                f"{print_scalar(term)} is not affine in the unit x.",
                "Let counts stand in products of degree one.",
            )
        found.append(coefficients)
    total = sum_of_polynomials(found)
    return total[1] if len(total) > 1 else ZERO


def _unbounded(target: Variable, score: Scalar, wanted: str) -> Refusal | None:
    """Why the law may have no normaliser: units without bounds that raise one another, or a shared total."""
    for access in accesses(score):
        other = access.symbol
        if other == target:
            reason = f"units of {target.name} interact with one another."
            return Refusal(wanted, reason, "Couple counts through units with two values instead.")
        endless = isinstance(other, Variable) and other.domain in (Count(), Real())
        if endless and isinstance(target.domain, Count) and target.domain.total is None:
            reason = (
                f"{target.name} interacts with {other.name}, and neither has bounds: exp(-E) may have no finite sum."
            )
            return Refusal(wanted, reason, "Give one of them bounds: counts with total=, or units with two values.")
    return None


def total_of(variable: Variable, unit: Access) -> Access:
    """What the counts along the last axis add up to, for the row of a unit."""
    assert isinstance(variable.domain, Count)
    if isinstance(variable.domain.total, str):
        leading = variable.axes[:-1]
        return Access(
            Input(variable.domain.total, tuple(Axis(a.size, a.boundary) for a in leading)), unit.positions[:-1]
        )
    return Access(Constant(total_name(variable), (), variable.domain.total), ())


def log_count_normaliser(law: ConditionalLaw) -> Scalar:
    """log Σ over the counts of Π exp(s k) / k!: Σ exp(s), or with a total n, n log Σ exp(s) - log Γ(n + 1)."""
    if law.family == "Poisson":
        return summed(Call("exp", law.parameter("log_rate")), law.indices)
    *leading, last = law.indices
    total = law.parameter("total")
    one = add(multiply(total, LogSumExp(law.logits, (last,))), negate(log_factorial(total)))
    return summed(one, tuple(leading))
