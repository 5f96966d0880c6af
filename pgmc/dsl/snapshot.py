"""The immutable snapshot of a model, and what is doubtful about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pgmc.dsl.location import warn
from pgmc.ir.base_measure import base_measure
from pgmc.ir.canonical import canonical_model
from pgmc.ir.definitions import names_behind
from pgmc.ir.model import Model as IrModel
from pgmc.ir.symbols import (
    Constant,
    Count,
    Input,
    Intermediate,
    Parameter,
    Symbol,
    Variable,
    describe_domain,
    total_name,
)

if TYPE_CHECKING:
    from pgmc.dsl.model import Model

S = TypeVar("S", bound=Symbol)


def take_snapshot(model: Model) -> IrModel:
    """Everything declared so far, in canonical form."""
    symbols = [handle.symbol for handle in model._handles.values()]
    variables = _of_type(symbols, Variable)
    return canonical_model(
        IrModel(
            model.name,
            variables,
            _of_type(symbols, Input),
            _of_type(symbols, Parameter),
            (*_of_type(symbols, Constant), *model._anonymous.values()),
            (*model._terms, *(base_measure(v) for v in variables if isinstance(v.domain, Count))),
            tuple(model._factors),
            None if model._guide is None else model._guide.snapshot(),
            tuple(model._definitions),
        )
    )


def _of_type(symbols: list[Symbol], kind: type[S]) -> tuple[S, ...]:
    return tuple(symbol for symbol in symbols if isinstance(symbol, kind))


def kind_of(symbol: Symbol) -> str:
    """What a symbol is, in words."""
    kind = "definition" if isinstance(symbol, Intermediate) else type(symbol).__name__.lower()
    return describe_domain(symbol) if isinstance(symbol, Variable) else kind


def warn_of_unused(model: IrModel) -> None:
    """A warning for every symbol that no term uses."""
    used = names_behind((term.body for term in model.terms), model.definitions)
    used |= {total_name(v) for v in model.variables if isinstance(v.domain, Count)}
    for variable in model.variables:
        if variable.name not in used:
            reason = "no term of the energy uses it, so its units are independent and uniform"
            warn(f"group '{variable.name}'", variable.origin, reason, "Add a term, or drop the group.")
    named = tuple(definition.symbol for definition in model.definitions)
    others: tuple[Input | Parameter | Intermediate, ...] = (*model.inputs, *model.parameters, *named)
    for symbol in others:
        if symbol.name not in used:
            kind = kind_of(symbol)
            warn(
                f"{kind} '{symbol.name}'",
                symbol.origin,
                "no term of the energy uses it",
                f"Drop the {kind}.",
            )
