"""Contraction of Kronecker deltas: Σ_i [i = t] f(i) becomes f(t), where t is in the range of i."""

from __future__ import annotations

from pgmc.derivation.solve import Solution, setting_of, solve
from pgmc.derivation.tidy import multiply, tidy
from pgmc.ir.nodes import Bracket, Compare, Index, Mul, Pow, Scalar, Sum
from pgmc.ir.rewrite import map_children, relations_of, substitute


def contract_deltas(node: Scalar) -> Scalar:
    """The expression, tidy, with every summed index that a bracket determines replaced by its value."""
    return tidy(_contract(tidy(node)))


def _contract(node: Scalar) -> Scalar:
    node = map_children(node, _contract)
    if isinstance(node, Pow) and isinstance(node.base, Bracket) and node.exponent > 0:
        return node.base
    if not isinstance(node, Sum):
        return node
    body, over = node.body, node.over
    while (solved := _solvable(body, over)) is not None:
        relation, found = solved
        inside = [Bracket(found.inside)] if found.inside else []
        body = multiply(tidy(substitute(_without(body, relation), {found.index: found.value})), *inside)
        over = tuple(i for i in over if i != found.index)
    return Sum(body, over) if over else body


def _solvable(body: Scalar, over: tuple[Index, ...]) -> tuple[Compare, Solution] | None:
    """An equality among the factors that determines a summed index."""
    factors = body.factors if isinstance(body, Mul) else (body,)
    for relation in relations_of(factors):
        if relation.operator == "==":
            found = solve(relation, over, setting_of(_without(body, relation)))
            if found is not None:
                return relation, found
    return None


def _without(body: Scalar, relation: Compare) -> Scalar:
    factors = body.factors if isinstance(body, Mul) else (body,)
    kept: list[Scalar] = []
    for factor in factors:
        if isinstance(factor, Bracket) and relation in factor.relations:
            left = tuple(r for r in factor.relations if r != relation)
            kept.extend([Bracket(left)] if left else [])
        else:
            kept.append(factor)
    return multiply(*kept)
