"""Named intermediate values: their equations, and expressions in which they are written out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from pgmc.ir.answers import Quantity
from pgmc.ir.factors import map_factors, parameter_of
from pgmc.ir.model import Definition, EnergyTerm, Factor, Model
from pgmc.ir.nodes import Access, Atom, Bracket, Index, Length, Position, Scalar
from pgmc.ir.rewrite import accesses, freshen, map_sides, substitute
from pgmc.ir.rewrite import replace as replace_nodes
from pgmc.ir.symbols import Intermediate, Symbol, axis_name

Equation: TypeAlias = tuple[tuple[Index, ...], Scalar]
"""The indices of a named value, and what it is at them."""


def equation_of(definition: Definition) -> Equation:
    """The indices and the body of a definition."""
    return parameter_of(definition.symbol, definition.term)


def definition_quantities(model: Model) -> tuple[Quantity, ...]:
    """The definitions as named arrays, each after those it is made of."""
    return tuple(map(_quantity, model.definitions))


def _quantity(definition: Definition) -> Quantity:
    """The definition as an array; its indices run over its axes, whatever the body says."""
    symbol, (indices, body) = definition.symbol, equation_of(definition)
    own = tuple(replace(i, extent=i.extent or (symbol.name, k)) for k, i in enumerate(indices))
    return Quantity(symbol.name, own, body, symbol.per_example)


def definitions_behind(model: Model, nodes: Iterable[Scalar]) -> tuple[Quantity, ...]:
    """Those that expressions speak of, themselves or through others."""
    names = names_behind(nodes, model.definitions) if model.definitions else frozenset()
    return tuple(quantity for quantity in definition_quantities(model) if quantity.name in names)


def map_definitions(
    model: Model, function: Callable[[EnergyTerm], EnergyTerm], symbols: Mapping[str, Symbol] | None = None
) -> tuple[Definition, ...]:
    """The definitions with the function applied to each equation, and with the symbols of these names."""
    found: list[Definition] = []
    for definition in model.definitions:
        symbol = (symbols or {}).get(definition.symbol.name, definition.symbol)
        assert isinstance(symbol, Intermediate)
        found.append(Definition(symbol, function(definition.term)))
    return tuple(found)


def names_behind(nodes: Iterable[Scalar], definitions: Sequence[Definition]) -> frozenset[str]:
    """Names of all symbols that expressions mention, themselves or through definitions."""
    equations = {d.symbol.name: d.term.body for d in definitions}
    found: set[str] = set()
    pending = list(nodes)
    while pending:
        names = {access.symbol.name for access in accesses(pending.pop())} - found
        found |= names
        pending.extend(equations[name] for name in names if name in equations)
    return frozenset(found)


def expand(node: Scalar, equations: Mapping[str, Equation]) -> Scalar:
    """The expression with definitions written out, as far as they are among the equations."""

    def written_out(part: Scalar) -> Scalar | None:
        match part:
            case Access(Intermediate(name=name), positions) if name in equations:
                indices, body = equations[name]
                return substitute(freshen(expand(body, equations)), dict(zip(indices, positions, strict=True)))
            case Bracket(relations):
                return Bracket(tuple(map_sides(relation, _real_lengths(node)) for relation in relations))
            case _:
                return None

    return replace_nodes(node, written_out) if equations else node


def _real_lengths(node: Scalar) -> Callable[[Position], Position]:
    """Lengths of axes of named values in relations under the names of the axes that they are as long as."""
    named = {a.symbol.name: a.symbol for a in accesses(node) if isinstance(a.symbol, Intermediate)}

    def present(atom: Atom) -> Atom:
        known = isinstance(atom, Length) and atom.symbol in named
        return Length(*axis_name(named[atom.symbol], atom.axis)) if known and isinstance(atom, Length) else atom

    return lambda side: Position(tuple((present(atom), c) for atom, c in side.terms), side.offset)


def expand_factors(factors: Sequence[Factor], definitions: Sequence[Definition]) -> tuple[Factor, ...]:
    """The factors with all definitions written out."""
    equations = {d.symbol.name: equation_of(d) for d in definitions}

    def expanded(term: EnergyTerm) -> EnergyTerm:
        return replace(term, body=expand(term.body, equations))

    return tuple(replace(f, parameters=tuple((name, expanded(term)) for name, term in f.parameters)) for f in factors)


def expand_model(model: Model) -> Model:
    """The same model without definitions: they are written out wherever they stand."""
    if not model.definitions:
        return model
    equations = {d.symbol.name: equation_of(d) for d in model.definitions}

    def expanded(term: EnergyTerm) -> EnergyTerm:
        return replace(term, body=expand(term.body, equations))

    return replace(model, terms=tuple(map(expanded, model.terms)), factors=map_factors(model, expanded), definitions=())
