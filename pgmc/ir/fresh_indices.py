"""Fresh indices for every term of a model, so that derivations never meet one index in two meanings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pgmc.ir.definitions import map_definitions
from pgmc.ir.factors import map_factors
from pgmc.ir.index_ranges import extent_name, places, plain_name
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import Access, Atom, Bracket, Index, Length, LogSumExp, Position, Scalar, Sum, fresh_index
from pgmc.ir.rewrite import map_children, map_sides, rename, walk
from pgmc.ir.symbols import axis_name, is_one_hot


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
        definitions=map_definitions(model, lambda term: _freshen_term(term, moved)),
    )


def _freshen_term(term: EnergyTerm, moved: Mapping[tuple[str, int], tuple[str, int]]) -> EnergyTerm:
    bound = (*term.over, *(i for part in walk(term.body) if isinstance(part, Sum | LogSumExp) for i in part.over))
    new = {index: fresh_index(index.name, _extent(index, term.body, moved)) for index in bound}
    body = _with_moved_lengths(_renumber(term.body, new), moved)
    return replace(term, body=body, over=tuple(new[index] for index in term.over))


def _with_moved_lengths(node: Scalar, moved: Mapping[tuple[str, int], tuple[str, int]]) -> Scalar:
    """The expression with the lengths of axes in its relations under their present numbers."""
    if not isinstance(node, Bracket):
        return map_children(node, lambda child: _with_moved_lengths(child, moved))

    def present(atom: Atom) -> Atom:
        return (
            Length(*moved.get((atom.symbol, atom.axis), (atom.symbol, atom.axis))) if isinstance(atom, Length) else atom
        )

    def side(position: Position) -> Position:
        return Position(tuple((present(atom), c) for atom, c in position.terms), position.offset)

    return Bracket(tuple(map_sides(relation, side) for relation in node.relations))


def _extent(index: Index, body: Scalar, moved: Mapping[tuple[str, int], tuple[str, int]]) -> tuple[str, int] | None:
    """The axis that the index says it runs over, else the first one that it stands on, under the name of its length."""
    name = moved.get(index.extent, index.extent) if index.extent is not None else extent_name(index, body, {})
    own = {plain_name(symbol, k): axis_name(symbol, k) for symbol, k, _, _ in places(body)}
    return None if name is None else own.get(name, name)


def _renumber(node: Scalar, new: Mapping[Index, Index]) -> Scalar:
    """The expression with its indices, free and bound, replaced."""
    if isinstance(node, Sum | LogSumExp):
        return type(node)(_renumber(node.body, new), tuple(new[index] for index in node.over))
    if isinstance(node, Access | Bracket):
        return rename(node, new)
    return map_children(node, lambda child: _renumber(child, new))
