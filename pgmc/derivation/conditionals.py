"""The conditional law of a unit given all the others."""

from __future__ import annotations

from pgmc.derivation.families import FAMILIES
from pgmc.derivation.local_energy import build_local_energy
from pgmc.errors import DerivationError
from pgmc.ir.answers import Computation, ConditionalLaw, Quantity, Refusal
from pgmc.ir.model import Model
from pgmc.ir.symbols import Variable


def derive_conditional(model: Model, target: Variable) -> ConditionalLaw:
    """The law of one unit of the target given every other unit.

    Raises
    ------
    DerivationError
        If no family matches; it carries the refusal of each.
    """
    local = build_local_energy(model, target)
    refusals: list[Refusal] = []
    for match in FAMILIES:
        result = match(local)
        if isinstance(result, ConditionalLaw):
            return result
        refusals.append(result)
    reasons = "; ".join(map(str, refusals))
    raise DerivationError(f"{target.name}: no family fits its conditional. {reasons}", tuple(refusals))


def conditional_computation(law: ConditionalLaw) -> Computation:
    """Every parameter of the law as a quantity."""
    return Computation(tuple(Quantity(name, law.axes, value) for name, value in law.parameters))
