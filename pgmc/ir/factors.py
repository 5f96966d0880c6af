"""Directed factors as terms, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pgmc.errors import InternalError
from pgmc.ir.answers import ConditionalLaw, Family
from pgmc.ir.model import EnergyTerm, Factor, Model
from pgmc.ir.nodes import Access, Call, Index, Mul, Scalar, at, shifted_index
from pgmc.ir.rewrite import accesses, rename
from pgmc.ir.symbols import Binary, Categorical, Count, Intermediate, Real, Spin, Variable, is_one_hot, total_name

FAMILIES_OF: dict[type, tuple[Family, ...]] = {
    Binary: ("Bernoulli",),
    Spin: ("Spin",),
    Categorical: ("Categorical",),
    Real: ("Normal",),
}
"""The families that a directed factor may have, by the domain of its target."""

PARAMETERS_OF: dict[Family, tuple[str, ...]] = {
    "Bernoulli": ("logits",),
    "Spin": ("logits",),
    "Categorical": ("logits",),
    "Normal": ("mean", "precision"),
}
"""The parameters of each family."""


def parameter_term(target: Variable | Intermediate, indices: tuple[Index, ...], body: Scalar) -> EnergyTerm:
    """Σ_i target[i]·exp(body[i]): the parameter of a factor as a term."""
    return EnergyTerm(Mul((Access(target, tuple(map(at, indices))), Call("exp", body))), indices)


def parameter_of(target: Variable | Intermediate, term: EnergyTerm) -> tuple[tuple[Index, ...], Scalar]:
    """The indices (the state's last, for a categorical target) and the body that ``parameter_term`` was given."""
    factors = term.body.factors if isinstance(term.body, Mul) else ()
    for access, wrapped in (factors, factors[::-1]) if len(factors) == 2 else ():
        if isinstance(access, Access) and access.symbol.name == target.name and isinstance(wrapped, Call):
            found = tuple(shifted_index(position) for position in access.positions)
            return tuple(index for index in found if index is not None), wrapped.argument
    raise InternalError(f"an equation for {target.name} is not of the form {target.name}·exp(value)")


def factor_law(factor: Factor) -> ConditionalLaw:
    """The factor as the law of a unit of its target."""
    target, parameters = factor.target, dict[str, Scalar]()
    indices: tuple[Index, ...] = ()
    for name, term in factor.parameters:
        own, body = parameter_of(target, term)
        indices = indices or own
        parameters[name] = rename(body, dict(zip(own, indices, strict=True)))
    *unit, state = indices if is_one_hot(target) else (*indices, None)
    reason = "a directed factor: it is drawn as it was declared"
    return ConditionalLaw(
        target, tuple(i for i in unit if i is not None), state, factor.family, tuple(parameters.items()), (reason,)
    )


def map_factors(model: Model, function: Callable[[EnergyTerm], EnergyTerm]) -> tuple[Factor, ...]:
    """The factors of the model with the function applied to the term of every parameter."""
    return tuple(
        replace(factor, parameters=tuple((name, function(term)) for name, term in factor.parameters))
        for factor in model.factors
    )


def undirected_part(model: Model) -> Model | None:
    """The energy without the factors, over the variables that have none; None if all have one.

    Its law is that of these variables in the whole model, as factors of the others sum to one.
    """
    children = model.children
    if not children:
        return model
    variables = tuple(v for v in model.variables if v.name not in children)
    if not variables:
        return None
    terms = tuple(term for term in model.terms if term.child is None)
    equations = {definition.symbol.name: definition.term.body for definition in model.definitions}
    used = {access.symbol.name for term in terms for access in accesses(term.body)}
    used |= {total_name(v) for v in variables if isinstance(v.domain, Count) and v.domain.total is not None}
    for name in reversed(equations):  # each is made of those before it
        used |= {access.symbol.name for access in accesses(equations[name])} if name in used else set()
    return Model(
        model.name,
        variables,
        tuple(i for i in model.inputs if i.name in used),
        tuple(p for p in model.parameters if p.name in used),
        tuple(c for c in model.constants if c.name in used),
        terms,
        definitions=tuple(d for d in model.definitions if d.symbol.name in used),
    )
