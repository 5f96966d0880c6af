"""The energy as one quantity per example."""

from __future__ import annotations

from pgmc.derivation.tidy import add, tidy
from pgmc.ir.answers import Computation, Quantity
from pgmc.ir.definitions import definitions_behind
from pgmc.ir.model import Model
from pgmc.ir.nodes import Sum


def derive_energy(model: Model) -> Computation:
    """E(state), the sum of the terms."""
    body = add(*(tidy(Sum(term.body, term.over)) for term in model.terms))
    return Computation((Quantity("energy", (), body),), definitions_behind(model, (body,)))
