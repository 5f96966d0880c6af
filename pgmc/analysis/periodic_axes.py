"""Axes under the name of their length, and periodic where one of that length that shares an index is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from pgmc.analysis.axes import unify_axes
from pgmc.ir.definitions import map_definitions
from pgmc.ir.factors import map_factors
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.rewrite import replace_symbols
from pgmc.ir.symbols import Axis, Constant, Input, Parameter, Symbol, Variable

S = TypeVar("S")


def spread_periodicity(model: Model) -> Model:
    """The model in which couplings along a periodic axis wrap round as its units do, every axis under its name.

    A derivation that fixes ``s[x + 1]`` at a unit reads the coupling ``J[x]`` one place before it, which wraps.
    """
    representative = unify_axes(model)
    periodic = {
        representative[symbol.name, k]
        for symbol in model.symbols
        for k, axis in enumerate(symbol.axes)
        if axis.boundary == "periodic"
    }
    wrapped: dict[str, Symbol] = {}
    for symbol in model.symbols:
        names = [representative[symbol.name, k] for k in range(len(symbol.axes))]
        axes = tuple(
            Axis(axis.size, "periodic" if name in periodic else axis.boundary, name)
            for name, axis in zip(names, symbol.axes, strict=True)
        )
        wrapped[symbol.name] = replace(symbol, axes=axes)

    def rewritten(term: EnergyTerm) -> EnergyTerm:
        return replace(term, body=replace_symbols(term.body, wrapped))

    targets = {name: symbol for name, symbol in wrapped.items() if isinstance(symbol, Variable)}
    return Model(
        model.name,
        _those(Variable, wrapped, model.variables),
        _those(Input, wrapped, model.inputs),
        _those(Parameter, wrapped, model.parameters),
        _those(Constant, wrapped, model.constants),
        tuple(map(rewritten, model.terms)),
        tuple(replace(factor, target=targets[factor.target.name]) for factor in map_factors(model, rewritten)),
        definitions=map_definitions(model, rewritten, wrapped),
    )


def _those(kind: type[S], wrapped: dict[str, Symbol], symbols: Sequence[Symbol]) -> tuple[S, ...]:
    found = (wrapped[symbol.name] for symbol in symbols)
    return tuple(symbol for symbol in found if isinstance(symbol, kind))
