"""Real units that interact with one another through a quadratic form: their joint normal law given all other units.

The matrix of the form is read off the law of one unit: its precision is on the diagonal, and off it stands the
coefficient of another unit in what pulls it. As both are expressions in two indices, no size enters.
"""

from __future__ import annotations

from pgmc.derivation.collect_factors import collect_factors
from pgmc.derivation.contract_deltas import contract_deltas
from pgmc.derivation.local_energy import LocalEnergy, split_at_unit
from pgmc.derivation.polynomials import polynomial_of, sum_of_polynomials
from pgmc.derivation.tidy import add, multiply, negate, tidy
from pgmc.ir.answers import ConditionalLaw, Refusal
from pgmc.ir.nodes import ONE, ZERO, Access, Bracket, Compare, Index, Mul, Scalar, Sum, at, fresh_index, number
from pgmc.ir.rewrite import accesses, freshen, map_children, rename, replace, walk
from pgmc.ir.symbols import Real


def match_joint_normal(local: LocalEnergy) -> ConditionalLaw | Refusal:
    """p(x | rest) ∝ exp(fieldᵀ x - ½ xᵀ precision x): mean precision⁻¹ · field, covariance precision⁻¹."""
    target = local.target
    wanted = f"joint normal law of {target.name}"
    found = [polynomial_of(term) for term in local.terms] if isinstance(target.domain, Real) else [None]
    known = [polynomial for polynomial in found if polynomial is not None]
    total = sum_of_polynomials(known)
    if len(known) < len(found) or len(total) != 3:
        return Refusal(wanted, "the energy is not quadratic in every unit.")
    pull, diagonal = total[1], multiply(number(2), total[2])
    others = tuple(fresh_index(index.name, index.extent) for index in local.indices)
    coupled = _coupling(pull, local, others)
    if coupled is None or any(access.symbol == target for part in (coupled, diagonal) for access in accesses(part)):
        return Refusal(wanted, f"the precision of a unit depends on other units of {target.name}.")
    matrix = _matrix(coupled, diagonal, local.indices, others)
    if matrix is None:
        return Refusal(wanted, f"units of {target.name} interact with few others each, one by one is less work.")
    field = collect_factors(negate(_without_units(pull, local)))
    reason = "real units that interact: the energy is a quadratic form in them, its matrix is the precision"
    parameters = (("field", field), ("precision", matrix))
    return ConditionalLaw(target, local.indices, None, "JointNormal", parameters, (reason,), others)


def _coupling(pull: Scalar, local: LocalEnergy, others: tuple[Index, ...]) -> Scalar | None:
    """The coefficient of another unit in the pull on a unit; None if it is not affine in it."""
    pieces = split_at_unit(pull, local.target, tuple(at(index) for index in others))
    polynomials = [polynomial_of(piece) for piece in pieces]
    if any(polynomial is None or len(polynomial) > 2 for polynomial in polynomials):
        return None
    slopes = [polynomial[1] for polynomial in polynomials if polynomial is not None and len(polynomial) == 2]
    return collect_factors(contract_deltas(add(*slopes)))


def _without_units(pull: Scalar, local: LocalEnergy) -> Scalar:
    """The pull where all units of the variable are 0."""
    return tidy(replace(pull, lambda n: ZERO if isinstance(n, Access) and n.symbol == local.target else None))


def _matrix(coupled: Scalar, diagonal: Scalar, indices: tuple[Index, ...], others: tuple[Index, ...]) -> Scalar | None:
    """One expression for both parts of the matrix; None if the part off the diagonal is not dense.

    Off the diagonal the coupling stands as it is; on it, what the diagonal has more than that.
    """
    apart = {Compare(at(a), "!=", at(b)) for a, b in zip(indices, others, strict=True)}
    apart |= {Compare(relation.right, "!=", relation.left) for relation in apart}
    relations = {r for node in walk(coupled) if isinstance(node, Bracket) for r in node.relations}
    if len(indices) > 1 or relations - apart:
        return None
    dense = collect_factors(_lift(coupled, apart))
    same = Bracket(tuple(Compare(at(a), "==", at(b)) for a, b in zip(indices, others, strict=True)))
    on_diagonal = freshen(rename(dense, dict(zip(others, indices, strict=True))))
    rest = collect_factors(add(diagonal, negate(collect_factors(on_diagonal))))
    return add(dense, same if rest == ONE else multiply(rest, same))


def _lift(node: Scalar, apart: set[Compare]) -> Scalar:
    """The expression without the condition that the units differ."""
    node = map_children(node, lambda child: _lift(child, apart))
    if isinstance(node, Bracket) and set(node.relations) <= apart:
        return ONE
    return tidy(node) if isinstance(node, Mul | Sum) else node
