"""Fresh indices for every term of a model, so that derivations never meet one index in two meanings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pgmc.ir.factors import map_factors
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import Access, Bracket, Index, LogSumExp, Scalar, Sum, fresh_index, shifted_index
from pgmc.ir.rewrite import accesses, map_children, rename, walk
from pgmc.ir.symbols import is_one_hot


def freshen_model(model: Model) -> Model:
    """The model with fresh indices in every term, each with an axis that it runs over.

    Canonical terms share index keys, and derivations must not mix them; a derivation may also drop the very access that
    said how far an index runs.
    """
    # The states of a label are the last axis of an array of means that takes its name.
    arrays = [symbol for symbol in model.symbols if symbol.axes and not is_one_hot(symbol)]
    moved = {(symbol.name, -1): (symbol.name, len(symbol.axes) - 1) for symbol in arrays}
    return replace(
        model,
        terms=tuple(_freshen_term(term, moved) for term in model.terms),
        factors=map_factors(model, lambda term: _freshen_term(term, moved)),
    )


def _freshen_term(term: EnergyTerm, moved: Mapping[tuple[str, int], tuple[str, int]]) -> EnergyTerm:
    bound = (*term.over, *(i for part in walk(term.body) if isinstance(part, Sum | LogSumExp) for i in part.over))
    extents = _extents(term.body)
    known = {index: moved.get(index.extent, index.extent) if index.extent else None for index in bound}
    new = {index: fresh_index(index.name, extents.get(index, known[index])) for index in bound}
    return replace(term, body=_renumber(term.body, new), over=tuple(new[index] for index in term.over))


def _extents(node: Scalar) -> dict[Index, tuple[str, int]]:
    """The first axis that each index stands on."""
    found: dict[Index, tuple[str, int]] = {}
    for access in accesses(node):
        for axis, position in enumerate(access.positions):
            index = shifted_index(position)
            if index is not None:
                state = is_one_hot(access.symbol) and axis == len(access.symbol.axes)
                found.setdefault(index, (access.symbol.name, -1 if state else axis))
    return found


def _renumber(node: Scalar, new: Mapping[Index, Index]) -> Scalar:
    """The expression with its indices, free and bound, replaced."""
    if isinstance(node, Sum | LogSumExp):
        return type(node)(_renumber(node.body, new), tuple(new[index] for index in node.over))
    if isinstance(node, Access | Bracket):
        return rename(node, new)
    return map_children(node, lambda child: _renumber(child, new))
