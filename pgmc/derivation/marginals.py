"""Models of fewer variables: real ones integrated out, their integral in the place of the terms that hold them."""

from __future__ import annotations

from dataclasses import replace

from pgmc.derivation.tidy import multiply
from pgmc.ir.answers import Quantity
from pgmc.ir.fresh_indices import freshen_model
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import Add, Mul, Number, Scalar, Sum


def reduced_model(model: Model, names: tuple[str, ...], free_energy: Quantity) -> Model:
    """The model of the other variables, whose energy is the free energy with the named ones integrated out."""
    body = free_energy.body
    terms = tuple(map(_term, body.terms if isinstance(body, Add) else (body,)))
    variables = tuple(v for v in model.variables if v.name not in names)
    return freshen_model(replace(model, variables=variables, terms=terms))


def _term(node: Scalar) -> EnergyTerm:
    """A summand, the sum around it as that of the term."""
    if isinstance(node, Sum):
        return EnergyTerm(node.body, node.over)
    if isinstance(node, Mul) and len(node.factors) == 2 and isinstance(node.factors[0], Number):
        inner = _term(node.factors[1])
        return EnergyTerm(multiply(node.factors[0], inner.body), inner.over)
    return EnergyTerm(node, ())
