"""The free energy: variables that are independent given the rest, summed out analytically."""

from __future__ import annotations

from dataclasses import replace as replace_fields
from fractions import Fraction

from pgmc.analysis.interactions import find_interactions
from pgmc.derivation.collect_factors import collect_factors
from pgmc.derivation.conditionals import derive_conditional
from pgmc.derivation.counts import log_count_normaliser
from pgmc.derivation.exclusive import block_indices, log_normaliser
from pgmc.derivation.gaussian import log_normal_integral
from pgmc.derivation.like_terms import combine_like_terms
from pgmc.derivation.marginals import reduced_model
from pgmc.derivation.positive_units import log_gamma_integral, without_unit
from pgmc.derivation.scalars import at_value, reduce_to_affine
from pgmc.derivation.tidy import add, multiply, negate, summed, tidy
from pgmc.ir.answers import Computation, ConditionalLaw, Quantity, Refusal
from pgmc.ir.base_measure import measured_variable
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import ZERO, Access, Call, LogSumExp, Number, Scalar, Sum, Unit, at
from pgmc.ir.printer import print_term
from pgmc.ir.rewrite import accesses, freshen, replace_part
from pgmc.ir.symbols import Count, Domain, Positive, Real, Spin, Variable


def derive_free_energy(model: Model, observed: tuple[str, ...]) -> Computation | Refusal:
    """F(observed) = -log Σ exp(-E) over every other variable.

    Exact if no two units of the other variables interact. With E = E₀ + Σ_t L_t(x_t), where E₀ has every summed unit at
    its reference value, F = E₀ - Σ_t log Σ_x exp(-L_t(x)). Where they interact, real ones are integrated out first: the
    others may no longer interact in what is left.
    """
    hidden = tuple(v for v in model.variables if v.name not in observed)
    refusal = _check_independent(model, observed, {v.name for v in hidden})
    if refusal is not None:
        reduced = with_reals_integrated(model, hidden)
        return refusal if reduced is None else _collected(derive_free_energy(reduced, observed))
    reference = add(*(_at_reference(term, hidden) for term in model.terms))
    laws = [derive_conditional(model, v) for v in hidden]
    for law in (law for law in laws if law.family in ("TruncatedNormal", "Generic")):
        what = "normal and positive" if law.family == "TruncatedNormal" else "of no family"
        reason = f"{law.target.name} is {what}: its integral is no function of pgmc."
        return Refusal(
            f"free energy of {', '.join(observed) or 'nothing observed'}", reason, f"Observe {law.target.name}."
        )
    parts = [log_normaliser_of(law) for law in laws]
    body = combine_like_terms(add(reference, *map(negate, parts)))
    return Computation((Quantity("free_energy", (), body),))


def _collected(answer: Computation | Refusal) -> Computation | Refusal:
    """The answer with like factors and terms collected, which a second integral leaves many of."""
    if isinstance(answer, Refusal):
        return answer
    return Computation(tuple(replace_fields(q, body=collect_factors(q.body)) for q in answer.quantities))


def integrate_out(model: Model, names: tuple[str, ...]) -> Model | Refusal:
    """The model of the other variables, the named real ones integrated out of its energy."""
    answer = derive_free_energy(model, tuple(v.name for v in model.variables if v.name not in names))
    return answer if isinstance(answer, Refusal) else reduced_model(model, names, answer.quantities[0])


def with_reals_integrated(model: Model, hidden: tuple[Variable, ...]) -> Model | None:
    """The model without the hidden variables that are real, if there are others and these can be integrated out."""
    real = tuple(v.name for v in hidden if isinstance(v.domain, Real))
    if not real or len(real) == len(hidden):
        return None
    reduced = integrate_out(model, real)
    return None if isinstance(reduced, Refusal) else reduced


def _check_independent(model: Model, observed: tuple[str, ...], hidden: set[str]) -> Refusal | None:
    for term in model.terms:
        for a, b in sorted(find_interactions(term.body).pairs):
            if a in hidden and b in hidden:
                who = f"units of {a} interact" if a == b else f"{a} and {b} interact"
                return Refusal(
                    f"free energy of {', '.join(observed) or 'nothing observed'}",
                    f"{who} through {print_term(term)}, so they cannot be summed out one by one.",
                    f"Observe {a if a == b else f'{a} or {b}'} as well, or estimate it by sampling.",
                )
    return None


def _at_reference(term: EnergyTerm, hidden: tuple[Variable, ...]) -> Scalar:
    """The term with every hidden unit at its reference: 0, or for a spin the mean of the energy at both values."""
    body = term.body
    if measured_variable(term) in hidden:
        return ZERO  # 0! is 1
    units = dict.fromkeys((a, v) for a in accesses(body) for v in hidden if a.symbol == v)
    for access, variable in units:
        body = _without_unit(body, access, variable.domain)
    return tidy(Sum(body, term.over))


def _without_unit(body: Scalar, access: Access, domain: Domain) -> Scalar:
    opened = replace_part(body, access, Unit())
    if isinstance(domain, Real | Count):
        return at_value(opened, 0)
    if isinstance(domain, Positive):
        return tidy(freshen(without_unit(opened)))
    values = (-1, 1) if isinstance(domain, Spin) else (0, 1)
    return reduce_to_affine(opened, values).base


def log_normaliser_of(law: ConditionalLaw) -> Scalar:
    """Σ_t log Σ_x exp(-L_t(x)), or of the integral, the unit at its reference having energy zero."""
    if law.family == "Exclusive":
        blocks = block_indices(law.target, law.indices)
        return summed(log_normaliser(law, tuple(map(at, blocks))), blocks)
    if law.family in ("Poisson", "Multinomial"):
        return log_count_normaliser(law)
    half = Number(Fraction(1, 2))
    if law.family == "Normal":
        return log_normal_integral(law)
    if law.family == "Gamma":
        return log_gamma_integral(law)
    if law.family == "Categorical":
        assert law.state is not None
        one: Scalar = LogSumExp(law.logits, (law.state,))
    elif law.logits == ZERO:
        one = Call("log", Number(Fraction(2)))
    elif law.family == "Spin":
        one = add(Call("softplus", law.logits), negate(multiply(half, law.logits)))
    else:
        one = Call("softplus", law.logits)
    return summed(one, law.indices)
