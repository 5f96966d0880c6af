"""Families of conditionals: match the local energy of a unit, or refuse with the reason."""

from __future__ import annotations

from fractions import Fraction

from pgmc.derivation.contract_deltas import contract_deltas
from pgmc.derivation.counts import match_counts
from pgmc.derivation.exclusive import without_block
from pgmc.derivation.gaussian import match_normal
from pgmc.derivation.local_energy import LocalEnergy, wrong_domain
from pgmc.derivation.positive_units import match_gamma, match_truncated_normal
from pgmc.derivation.scalars import reduce_to_affine
from pgmc.derivation.tidy import add, multiply
from pgmc.ir.answers import ConditionalLaw, Refusal
from pgmc.ir.nodes import Number, Scalar
from pgmc.ir.symbols import Binary, Categorical, Spin


def match_bernoulli(local: LocalEnergy) -> ConditionalLaw | Refusal:
    """p(x = 1 | rest) = σ(logit) with logit = E(x = 0) - E(x = 1)."""
    if not isinstance(local.target.domain, Binary) or local.target.exclusive:
        return wrong_domain("Bernoulli", local, "binary without exclusive blocks")
    logits = _scaled_slope(local, (0, 1), Fraction(-1))
    reason = "a unit with two values: the local energy is affine in it, the logit is minus the slope"
    return ConditionalLaw(local.target, local.indices, None, "Bernoulli", (("logits", logits),), (reason,))


def match_spin(local: LocalEnergy) -> ConditionalLaw | Refusal:
    """p(s = +1 | rest) = σ(logit) with logit = E(s = -1) - E(s = +1)."""
    if not isinstance(local.target.domain, Spin):
        return wrong_domain("Spin", local, "spin")
    logits = _scaled_slope(local, (-1, 1), Fraction(-2))
    reason = "a unit with the values -1 and +1: the logit is minus twice the slope of the local energy"
    return ConditionalLaw(local.target, local.indices, None, "Spin", (("logits", logits),), (reason,))


def match_categorical(local: LocalEnergy) -> ConditionalLaw | Refusal:
    """p(y = k | rest) ∝ exp(logit_k) with logit_k = E(no state) - E(y = k)."""
    if not isinstance(local.target.domain, Categorical):
        return wrong_domain("Categorical", local, "categorical")
    logits = _scaled_slope(local, (0, 1), Fraction(-1))
    reason = "a one-hot unit: one logit per state, minus the energy of that state"
    return ConditionalLaw(local.target, local.indices, local.state, "Categorical", (("logits", logits),), (reason,))


def match_exclusive(local: LocalEnergy) -> ConditionalLaw | Refusal:
    """p(unit a on, the rest of its block off | other blocks) ∝ exp(logit_a), p(all off) ∝ 1.

    logit_a = E(all of the block off) - E(a on, the others off): products of two units of a block vanish.
    """
    if not local.target.exclusive:
        return wrong_domain("Exclusive", local, "a group with exclusive blocks")
    logits = _scaled_slope(without_block(local), (0, 1), Fraction(-1))
    shape = " × ".join(map(str, local.target.exclusive))
    reason = f"at most one unit is on in a {shape} block: a softmax over its units and the state in which all are off"
    return ConditionalLaw(local.target, local.indices, None, "Exclusive", (("logits", logits),), (reason,))


FAMILIES = (
    match_bernoulli,
    match_spin,
    match_categorical,
    match_exclusive,
    match_counts,
    match_gamma,
    match_truncated_normal,
    match_normal,
)


def _scaled_slope(local: LocalEnergy, values: tuple[int, int], factor: Fraction) -> Scalar:
    slopes = (contract_deltas(reduce_to_affine(term, values).slope) for term in local.terms)
    return add(*(multiply(Number(factor), slope) for slope in slopes))
