"""Which indices a term of the energy is summed over, and which expressions would leave that to a guess.

Every top-level summand is summed over the indices that no written sum binds, over the whole product it stands
in. Two kinds of expression are refused because two readings are possible:

- a summand inside a product that lacks an index of its siblings, ``v[i]*(W[i,j]*h[j] + b[i])``: is b counted
  once, or once for each j?
- a nonlinear function of parts with different indices, ``(x[i]*R[i,j])**2``: is the sum over i squared, or
  each product?
"""

from __future__ import annotations

from collections.abc import Iterator

from pgmc.dsl.location import complaint, shorten
from pgmc.dsl.operand import Operand, is_literal, product
from pgmc.errors import NotationError
from pgmc.ir.canonical import with_letters
from pgmc.ir.nodes import (
    Access,
    Add,
    Bracket,
    Call,
    Index,
    LogSumExp,
    Mul,
    Pow,
    Scalar,
    Sum,
    fresh_index,
)
from pgmc.ir.printer import print_scalar
from pgmc.ir.rewrite import children, free_indices, rename

Summand = tuple[Scalar, tuple[Index, ...]]
Indices = frozenset[Index]


def energy_summands(operand: Operand) -> tuple[Summand, ...]:
    """The top-level summands of an energy, each with fresh indices to sum it over.

    Raises
    ------
    NotationError
        If the expression is not a scalar, or a sum over an index is missing.
    """
    if operand.axes:
        reason = f"an energy is a scalar, and this has the shape {operand.shape}"
        remedy = "Sum it with .sum(), or contract it with @ or pgmc.einsum."
        raise complaint(NotationError, operand.text, reason, remedy)
    return tuple(map(_summand, _top_level(operand.node)))


def parameter_summands(node: Scalar, kept: tuple[Index, ...]) -> Scalar:
    """The parameter of a directed factor: each summand summed over the indices that are not the target's, ``kept``.

    Raises
    ------
    NotationError
        If a sum over an index is missing.
    """
    parts: list[Scalar] = []
    for part in _top_level(node):
        _check_products(part, frozenset(kept), frozenset())
        check_functions(part)
        over = tuple(index for index in free_indices(part) if index not in kept)
        fresh = {index: fresh_index(index.name) for index in over}
        parts.append(Sum(rename(part, fresh), tuple(fresh.values())) if over else part)
    return parts[0] if len(parts) == 1 else Add(tuple(parts))


def _summand(node: Scalar) -> Summand:
    check_products(node)
    check_functions(node)
    over = free_indices(node)
    # Fresh keys: the same letter may run over another axis in the next term.
    fresh = {index: fresh_index(index.name) for index in over}
    return rename(node, fresh), tuple(fresh.values())


def _top_level(node: Scalar) -> Iterator[Scalar]:
    """The summands of a sum, or of a sum times numbers written in place."""
    match node:
        case Add(terms):
            for term in terms:
                yield from _top_level(term)
        case Mul(factors):
            sums = [factor for factor in factors if not is_literal(factor)]
            if len(sums) == 1 and isinstance(sums[0], Add):
                numbers = [factor for factor in factors if is_literal(factor)]
                for term in sums[0].terms:
                    yield from _top_level(product(*numbers, term))
            else:
                yield node
        case _:
            yield node


def check_products(node: Scalar) -> None:
    """Every summand inside a product has the indices of its siblings, or another factor has them.

    Raises
    ------
    NotationError
        Naming the summand, the index and the sibling that has it.
    """
    _check_products(node, frozenset(), frozenset())


def _check_products(node: Scalar, around: Indices, bound: Indices) -> None:
    match node:
        case Add(terms):
            _check_siblings(terms, around | bound)
            for term in terms:
                _check_products(term, around, bound)
        case Mul(factors):
            free = [frozenset(free_indices(factor)) for factor in factors]
            for k, factor in enumerate(factors):
                others = frozenset().union(*free[:k], *free[k + 1 :])
                _check_products(factor, around | others, bound)
        case Sum(body, over):
            _check_products(body, around, bound | frozenset(over))
        case _:
            return  # nothing is summed inside a function


def _check_siblings(terms: tuple[Scalar, ...], supplied: Indices) -> None:
    free = [frozenset(free_indices(term)) for term in terms]
    for term, own in zip(terms, free, strict=True):
        for sibling, others in zip(terms, free, strict=True):
            missing = sorted(others - own - supplied, key=lambda index: index.name)
            if missing:
                index = missing[0].name
                reason = (
                    f"it lacks the index {index} that {_shown(sibling)} has, and no other factor of the "
                    f"product has it, so it is not clear how often it counts"
                )
                remedy = f"Write pgmc.Sum(..., {index}) around {_shown(sibling)}, or multiply out the product."
                raise complaint(NotationError, _shown(term), reason, remedy)


def check_functions(node: Scalar, bound: Indices = frozenset()) -> None:
    """Inside a function, powers included, all parts carry the same indices but those of written sums.

    Raises
    ------
    NotationError
        Naming two parts and the index to sum over.
    """
    match node:
        case Sum(body, over):
            check_functions(body, bound | frozenset(over))
            return
        case LogSumExp(body, over):
            bound = bound | frozenset(over)
            _check_parts(node, body, bound)
        case Call(_, argument) | Pow(argument, _):
            _check_parts(node, argument, bound)
        case _:
            pass
    for child in children(node):
        check_functions(child, bound)


def _check_parts(function: Scalar, argument: Scalar, bound: Indices) -> None:
    carried = [(part, frozenset(free_indices(part)) - bound) for part in _parts(argument)]
    carried = [(part, own) for part, own in carried if own]
    for part, own in carried[1:]:
        first, expected = carried[0]
        if own != expected:
            reason = (
                f"inside a function {_shown(first)} runs over {_list(expected)} and {_shown(part)} "
                f"over {_list(own)}, so it is not clear what is summed first"
            )
            remedy = "Write the inner sum, pgmc.Sum(expression, index), so that all parts keep the same indices."
            raise complaint(NotationError, _shown(function), reason, remedy)


def _parts(node: Scalar) -> Iterator[Scalar]:
    """What a function is made of: elements of arrays, relations, and written sums as wholes."""
    if isinstance(node, Access | Bracket | Sum | LogSumExp):
        yield node
    else:
        for child in children(node):
            yield from _parts(child)


def _shown(node: Scalar) -> str:
    return shorten(print_scalar(with_letters(node)))


def _list(indices: Indices) -> str:
    return ", ".join(sorted(index.name for index in indices))
