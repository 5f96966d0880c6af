"""The inference net: directed factors for latent variables given the others, with parameters of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pgmc.dsl.distributions import Distribution
from pgmc.dsl.expression import Expression, Handle
from pgmc.dsl.location import complaint
from pgmc.dsl.snapshot import take_snapshot
from pgmc.errors import ModelError
from pgmc.ir.canonical import canonical_model
from pgmc.ir.definitions import map_definitions, names_behind
from pgmc.ir.factors import map_factors
from pgmc.ir.model import EnergyTerm
from pgmc.ir.model import Model as IrModel
from pgmc.ir.rewrite import replace_symbols
from pgmc.ir.symbols import Input, Symbol

if TYPE_CHECKING:
    from pgmc.dsl.model import Model


class Guide:
    """q(latents | others), an approximation of the posterior of a model; see :meth:`pgmc.Model.guide`."""

    def __init__(self, model: Model, make: Callable[[str], Model], loaded: IrModel | None = None) -> None:
        self._model = model
        self._own = make(f"{model.name[:58]}_guide")
        self._loaded = loaded

    def param(self, name: str, shape: Any = (), **how: Any) -> Handle:
        """A trained array of the guide; as :meth:`pgmc.Model.param`. Its name must be new in the model, too."""
        self._share()
        return self._own.param(name, shape, **how)

    def constant(self, name: str, value: Any) -> Handle:
        """An array that is never trained; as :meth:`pgmc.Model.constant`."""
        self._share()
        return self._own.constant(name, value)

    def define(self, name: str, expr: Expression | float, axes: object = None) -> Handle:
        """A named intermediate value of the guide; as :meth:`pgmc.Model.define`."""
        self._share()
        return self._own.define(name, expr, axes)

    def directed(self, target: Expression, distribution: Distribution) -> None:
        """Add q(target | what the distribution's parameters mention); as :meth:`pgmc.Model.directed`.

        Raises
        ------
        ModelError, NotationError
            As for factors of a model.
        """
        self._share()
        self._own.directed(target, distribution)

    @property
    def names(self) -> frozenset[str]:
        """The names that the guide has taken."""
        if self._loaded is not None:
            named = (definition.symbol for definition in self._loaded.definitions)
            symbols: tuple[Symbol, ...] = (*self._loaded.parameters, *self._loaded.constants, *named)
            return frozenset(symbol.name for symbol in symbols)
        return frozenset(self._own._handles) - frozenset(self._model._handles)

    def _share(self) -> None:
        """Lets the guide speak of whatever the model has declared by now."""
        if self._loaded is not None:
            reason = "the guide was loaded from a file, and cannot be extended"
            raise complaint(ModelError, repr(self), reason, "Declare the model anew.")
        for name, handle in self._model._handles.items():
            self._own._handles.setdefault(name, handle)
        known = {definition.symbol.name for definition in self._own._definitions}
        self._own._definitions += [d for d in self._model._definitions if d.symbol.name not in known]

    def snapshot(self) -> IrModel | None:
        """The guide as a model of its own, in which variables without a factor are inputs; None if it has no factor."""
        if self._loaded is not None:
            return self._loaded
        model = take_snapshot(self._own)
        return canonical_model(given_as_inputs(model)) if model.factors else None

    def __repr__(self) -> str:
        model = self._loaded or take_snapshot(self._own)
        return f"<guide of {self._model.name}: {', '.join(model.children) or 'no factors yet'}>"


def given_as_inputs(model: IrModel) -> IrModel:
    """The model with only its factors and the symbols they use, and with every variable without a factor given."""
    laws = tuple(term for term in model.terms if term.child is not None)  # and no base measures of what is given
    used = names_behind((term.body for term in laws), model.definitions) | set(model.children)
    inputs = tuple(
        Input(v.name, v.axes, v.domain, v.origin)
        for v in model.variables
        if v.name in used and v.name not in model.children
    )
    swapped: dict[str, Symbol] = {symbol.name: symbol for symbol in inputs}

    def given(term: EnergyTerm) -> EnergyTerm:
        return replace(term, body=replace_symbols(term.body, swapped))

    kept = replace(model, definitions=tuple(d for d in model.definitions if d.symbol.name in used))
    return IrModel(
        model.name,
        tuple(v for v in model.variables if v.name in model.children),
        (*inputs, *(i for i in model.inputs if i.name in used)),
        tuple(p for p in model.parameters if p.name in used),
        tuple(c for c in model.constants if c.name in used),
        tuple(map(given, laws)),
        map_factors(model, given),
        definitions=map_definitions(kept, given),
    )
