"""Mean field: independent units in place of the posterior, and the lower bound on log Σ exp(-E) that they give.

With q a product over units, log Σ_latent exp(-E) ≥ -E_q[E] + H(q). The energy is brought to a form that is affine in
every unit, where E_q[E] is the energy of the means; the best q for one unit, the others fixed, is then its conditional
with the means of the others in place of their values.

References
----------
.. [goodfellow2016] Goodfellow, Bengio, Courville, Deep Learning, MIT Press 2016, sections 19.4 and 20.4.2.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from pgmc.analysis.blocks import Block
from pgmc.analysis.interactions import find_interactions
from pgmc.derivation.contract_deltas import contract_deltas
from pgmc.derivation.exclusive import block_indices, block_sum, blocks_of, log_normaliser
from pgmc.derivation.local_energy import LocalEnergy, build_local_energy
from pgmc.derivation.scalars import reduce_to_affine
from pgmc.derivation.separate_units import separate_units
from pgmc.derivation.tidy import add, multiply, negate, summed, tidy
from pgmc.ir.answers import Assignment, Computation, ConditionalLaw, PassSchedule, Quantity, Refusal
from pgmc.ir.fresh_indices import freshen_model
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import ONE, Access, Call, LogSumExp, Number, Scalar, Sum, at, fresh_index
from pgmc.ir.rewrite import freshen, rename
from pgmc.ir.rewrite import replace as replace_nodes
from pgmc.ir.symbols import (
    Binary,
    Categorical,
    Count,
    Parameter,
    Positive,
    Real,
    Spin,
    Variable,
    access_axes,
    axis_name,
)

DAMPING = Parameter("damping", ())


def build_mean_model(model: Model, observed: tuple[str, ...]) -> Model | Refusal:
    """The model of the means: latents become real arrays (one per state of a categorical unit), E becomes E_q[E].

    Its energy is affine in every mean.
    """
    latents = frozenset(v for v in model.variables if v.name not in observed)
    for variable in latents:
        if isinstance(variable.domain, Count):
            reason = "counts have no mean-field law in this version."
            return Refusal(f"mean field of {variable.name}", reason, f"Observe {variable.name}, or sample.")
    coupled = {pair for term in model.terms for pair in find_interactions(term.body).pairs}
    for variable in model.variables:
        if variable in latents and variable.exclusive and (variable.name, variable.name) in coupled:
            return Refusal(
                f"mean field of {variable.name}",
                "its exclusive blocks interact with one another.",
                f"Observe {variable.name}, or sample.",
            )
    means = {v: Variable(v.name, access_axes(v), Real(), v.origin, v.exclusive) for v in latents}
    terms: list[EnergyTerm] = []
    for latent in (v for v in model.variables if v in latents and isinstance(v.domain, Real | Positive)):
        return Refusal(
            f"mean field of {latent.name}",
            f"{latent.name} is {latent.domain}, and mean field takes discrete units.",
            f"Observe {latent.name}, or integrate it out with the free energy.",
        )
    for term in model.terms:
        separated = separate_units(term, latents)
        if isinstance(separated, Refusal):
            return separated
        body = replace_nodes(separated, lambda n: _mean_access(n, means))
        terms.append(EnergyTerm(body, (), term.name, term.origin))
    variables = tuple(means.get(v, v) for v in model.variables)
    return freshen_model(
        replace(model, variables=variables, parameters=(*model.parameters, DAMPING), terms=tuple(terms))
    )


def _mean_access(node: Scalar, means: dict[Variable, Variable]) -> Scalar | None:
    if isinstance(node, Access) and isinstance(node.symbol, Variable) and node.symbol in means:
        return Access(means[node.symbol], node.positions)
    return None


def derive_mean_field(model: Model, mean_model: Model, blocks: tuple[Block, ...]) -> PassSchedule:
    """One pass of damped coordinate updates: every block of latents set to the best means given the others.

    mean ← (1 - damping) · best + damping · mean
    """
    domains = {v.name: v for v in model.variables}
    return PassSchedule(
        tuple(_assignment(domains[name], mean_model, block) for block in blocks for name in block.variables)
    )


def derive_fixed_point(model: Model, mean_model: Model, observed: tuple[str, ...]) -> Computation:
    """The means of each latent variable as functions of the others': what holds where the bound is stationary."""
    latents = [v for v in model.variables if v.name not in observed]
    return Computation(tuple(_fixed_point(v, mean_model) for v in latents))


def _fixed_point(variable: Variable, mean_model: Model) -> Quantity:
    local = build_local_energy(mean_model, mean_model.variable(variable.name))
    return Quantity(variable.name, local.indices, _best_mean(variable, local))


def _assignment(variable: Variable, mean_model: Model, block: Block) -> Assignment:
    best = _fixed_point(variable, mean_model)
    target = mean_model.variable(variable.name)
    damping = Access(DAMPING, ())
    old = Access(target, tuple(map(at, best.indices)))
    body = add(multiply(add(ONE, negate(damping)), best.body), multiply(damping, old))
    return Assignment(target, best.indices, body, block.mode)


def _best_mean(variable: Variable, local: LocalEnergy) -> Scalar:
    """The mean of the unit under its conditional with the others at their means."""
    slopes = (contract_deltas(reduce_to_affine(term, (0, 1)).slope) for term in local.terms)
    field = tidy(negate(add(*slopes)))
    match variable.domain:
        case Binary() if variable.exclusive:
            law = ConditionalLaw(variable, local.indices, None, "Exclusive", (("logits", field),))
            normaliser = log_normaliser(law, blocks_of(variable, tuple(map(at, local.indices))))
            return Call("exp", add(field, negate(normaliser)))
        case Spin():
            return Call("tanh", field)
        case Categorical():
            *_, state = local.indices
            other = fresh_index(state.name, state.extent)
            total = LogSumExp(freshen(rename(field, {state: other})), (other,))
            return Call("exp", add(field, negate(total)))
        case _:
            return Call("sigmoid", field)


def derive_mean_field_bound(model: Model, mean_model: Model, observed: tuple[str, ...]) -> Computation:
    """-E_q[E] + H(q), a lower bound on log Σ_latent exp(-E) for any means."""
    energy = add(*(tidy(Sum(term.body, term.over)) for term in mean_model.terms))
    entropies = [_entropy(v, mean_model.variable(v.name)) for v in model.variables if v.name not in observed]
    return Computation((Quantity("bound", (), add(negate(energy), *entropies)),))


def _entropy(variable: Variable, mean: Variable) -> Scalar:
    """Σ over units of the entropy of a unit with that mean."""
    indices = tuple(
        fresh_index(letter, axis_name(mean, k)) for k, letter in zip(range(len(mean.axes)), "ijklmnopq", strict=False)
    )
    value: Scalar = Access(mean, tuple(map(at, indices)))
    if isinstance(variable.domain, Categorical):
        return negate(summed(Call("xlogx", value), indices))
    if variable.exclusive:
        blocks = block_indices(variable, indices)
        off = add(ONE, negate(block_sum(variable, value, indices, tuple(map(at, blocks)))))
        return negate(add(summed(Call("xlogx", value), indices), summed(Call("xlogx", off), blocks)))
    if isinstance(variable.domain, Spin):
        value = multiply(Number(Fraction(1, 2)), add(ONE, value))
    return negate(summed(add(Call("xlogx", value), Call("xlogx", add(ONE, negate(value)))), indices))
