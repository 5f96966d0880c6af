"""Contraction of Kronecker deltas: Σ_i [i = t] f(i) becomes f(t)."""

from __future__ import annotations

from pgmc.derivation.tidy import multiply, tidy
from pgmc.ir.nodes import Bracket, Compare, Index, Mul, Position, Pow, Scalar, Sum, shifted_index
from pgmc.ir.rewrite import map_children, position_indices, substitute


def contract_deltas(node: Scalar) -> Scalar:
    """The expression, tidy, with every summed index that a bracket equates to something else replaced by it."""
    return tidy(_contract(tidy(node)))


def _contract(node: Scalar) -> Scalar:
    node = map_children(node, _contract)
    if isinstance(node, Pow) and isinstance(node.base, Bracket) and node.exponent > 0:
        return node.base
    if not isinstance(node, Sum):
        return node
    body, over = node.body, node.over
    while (solved := _solvable(body, over)) is not None:
        relation, index, value = solved
        body = substitute(_without(body, relation), {index: value})
        over = tuple(i for i in over if i != index)
    return Sum(body, over) if over else body


def _solvable(body: Scalar, over: tuple[Index, ...]) -> tuple[Compare, Index, Position] | None:
    """An equality among the factors that determines a summed index."""
    factors = body.factors if isinstance(body, Mul) else (body,)
    for relation in (r for f in factors if isinstance(f, Bracket) for r in f.relations):
        if relation.operator != "==" or relation.left == relation.right:
            continue
        for side, other in ((relation.left, relation.right), (relation.right, relation.left)):
            index = shifted_index(side)
            if index is not None and index in over and index not in position_indices(other):
                return relation, index, Position(other.terms, other.offset - side.offset)
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
