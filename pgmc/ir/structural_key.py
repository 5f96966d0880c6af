"""A key that two expressions share if they differ only in the names of their indices."""

from __future__ import annotations

from typing import TypeAlias

from pgmc.ir.nodes import Index, LogSumExp, Position, Scalar, Sum, at
from pgmc.ir.rewrite import free_indices, map_children, substitute, walk

Key: TypeAlias = tuple[Scalar, tuple[object, ...]]


def structural_key(node: Scalar) -> tuple[Key, tuple[Index, ...]]:
    """The key, and the free indices in the order that the key numbers them.

    It holds how far those indices run that no array of their sum carries: Σ_i 1 over three and over four units differ.
    """
    free = free_indices(node)
    numbered: dict[Index, Position] = {index: at(Index(-1 - k, "")) for k, index in enumerate(free)}
    return (_number_bound(substitute(node, numbered), len(free)), _uncarried(node)), free


def _uncarried(node: Scalar) -> tuple[object, ...]:
    """The extents of indices that a sum binds and no access in it carries, in reading order."""
    sums = (part for part in walk(node) if isinstance(part, Sum | LogSumExp))
    return tuple(index.extent for part in sums for index in part.over if index not in free_indices(part.body))


def _number_bound(node: Scalar, depth: int) -> Scalar:
    """Bound indices numbered by depth, so that siblings may share numbers without harm."""
    if isinstance(node, Sum | LogSumExp):
        new = tuple(Index(-1 - depth - k, "") for k in range(len(node.over)))
        body = substitute(node.body, {old: at(i) for old, i in zip(node.over, new, strict=True)})
        return type(node)(_number_bound(body, depth + len(new)), new)
    return map_children(node, lambda child: _number_bound(child, depth))
