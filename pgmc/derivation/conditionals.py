"""The conditional law of a unit given all the others."""

from __future__ import annotations

from pgmc.derivation.families import FAMILIES
from pgmc.derivation.generic_units import generic_law
from pgmc.derivation.joint_gaussian import match_joint_normal
from pgmc.derivation.local_energy import build_local_energy
from pgmc.errors import DerivationError
from pgmc.ir.answers import Computation, ConditionalLaw, Refusal
from pgmc.ir.model import Model
from pgmc.ir.rewrite import accesses
from pgmc.ir.symbols import Variable


def derive_conditional(model: Model, target: Variable, *, joint: bool = False) -> ConditionalLaw:
    """The law of one unit of the target given every other unit.

    With ``joint`` it is the law of all units of the target given those of other variables, where its units interact
    and that law has a closed form.

    Raises
    ------
    DerivationError
        If no family matches; it carries the refusal of each.
    """
    local = build_local_energy(model, target)
    refusals: list[Refusal] = []
    coupled = any(access.symbol == target for term in local.terms for access in accesses(term))
    for match in (match_joint_normal, *FAMILIES) if joint and coupled else FAMILIES:
        result = match(local)
        if isinstance(result, ConditionalLaw):
            return result
        refusals.append(result)
    generic = generic_law(local, refusals)
    if generic is not None:
        return generic
    reasons = "; ".join(map(str, refusals))
    raise DerivationError(f"{target.name}: no family fits its conditional. {reasons}", tuple(refusals))


def conditional_computation(law: ConditionalLaw) -> Computation:
    """Every parameter of the law as a quantity."""
    return Computation(law.quantities())
