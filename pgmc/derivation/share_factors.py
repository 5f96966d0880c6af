"""Sums of products written so that little is worked out twice: what terms have in common, and sums inside sums.

Derivatives of derivatives have many terms that are products of the same few factors: ``x[i]·f[k] + x[i]·g[k]`` is one
outer product of ``x[i]`` and ``f[k] + g[k]``, and in ``Σ_jk a[j]·b[j,k]`` the sum over k needs no a. The value is the
same; the order of work is not.
"""

from __future__ import annotations

from collections import Counter

from pgmc.derivation.collect_factors import collect_factors
from pgmc.derivation.tidy import add, multiply, summed
from pgmc.ir.nodes import Add, BatchMean, Index, Mul, Number, Scalar, Sum
from pgmc.ir.rewrite import free_indices, map_children
from pgmc.ir.structural_key import Key, structural_key

Mark = tuple[Key, tuple[Index, ...]]
"""Equal for expressions that are equal, their free indices included."""


def share_factors(node: Scalar) -> Scalar:
    """The expression with common factors of the terms of its mean in front, and sums as far inside as they go."""
    if isinstance(node, BatchMean):
        return BatchMean(share_factors(node.body))
    node = collect_factors(node)
    return _nested(_grouped(node.terms) if isinstance(node, Add) else node)


def _grouped(terms: tuple[Scalar, ...]) -> Scalar:
    """The sum, terms with a group of factors in common as one product, the commonest group first."""
    found = [(term, _components(term)) for term in terms]
    counts = Counter(mark for _, groups in found for mark in groups)
    mark, count = counts.most_common(1)[0] if counts else (None, 0)
    if mark is None or count < 2:
        return add(*terms)
    sharing = [(term, groups[mark]) for term, groups in found if mark in groups]
    rests = [multiply(*(f for f in _factors(term) if f not in members)) for term, members in sharing]
    others = tuple(term for term, groups in found if mark not in groups)
    product = multiply(*sharing[0][1], _grouped(tuple(rests)))
    return add(product, _grouped(others)) if others else product


def _components(term: Scalar) -> dict[Mark, list[Scalar]]:
    """The groups of factors of a product that have no index in common, if there are several."""
    groups: list[tuple[set[Index], list[Scalar]]] = []
    for factor in _factors(term):
        indices = set(free_indices(factor))
        touching = [group for group in groups if group[0] & indices]
        merged = (indices.union(*(g[0] for g in touching)), [f for g in touching for f in g[1]] + [factor])
        groups = ([group for group in groups if group not in touching] + [merged]) if indices else groups
    return {structural_key(multiply(*members)): members for _, members in groups} if len(groups) > 1 else {}


def _factors(term: Scalar) -> tuple[Scalar, ...]:
    return term.factors if isinstance(term, Mul) else (term,)


def _nested(node: Scalar) -> Scalar:
    """Sums over several indices of a product as sums inside sums, each over the factors that need it."""
    node = map_children(node, _nested)
    while isinstance(node, Sum) and len(node.over) > 1 and isinstance(node.body, Mul):
        needed, rest, index = min((_inner_sum(node, index) for index in node.over), key=_width)
        if all(isinstance(factor, Number) for factor in rest):
            return node
        left = tuple(i for i in node.over if i != index)
        node = summed(multiply(*rest, _nested(summed(multiply(*needed), (index,)))), left)
    return node


def _inner_sum(node: Sum, index: Index) -> tuple[list[Scalar], list[Scalar], Index]:
    """The factors that a sum over one of the indices needs, and the others."""
    assert isinstance(node.body, Mul)
    needed = [factor for factor in node.body.factors if index in free_indices(factor)]
    return needed, [factor for factor in node.body.factors if index not in free_indices(factor)], index


def _width(parts: tuple[list[Scalar], list[Scalar], Index]) -> int:
    """How many axes the inner sum leaves."""
    return len({i for factor in parts[0] for i in free_indices(factor)})
