"""The specification: declarations and the terms of the energy."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy.typing as npt

from pgmc.dsl import arrays, terms, variables
from pgmc.dsl.appearance import describe_model, model_html
from pgmc.dsl.expression import Handle
from pgmc.dsl.guide import Guide
from pgmc.dsl.initial import initial_values
from pgmc.dsl.literals import is_anonymous
from pgmc.dsl.location import call_site, complaint
from pgmc.dsl.names import check_name, is_anonymous_name
from pgmc.dsl.snapshot import kind_of, take_snapshot, warn_of_unused
from pgmc.errors import ModelError
from pgmc.ir import model as ir_model
from pgmc.ir.base_measure import without_base_measures
from pgmc.ir.check import check_model
from pgmc.ir.nodes import Scalar
from pgmc.ir.rewrite import accesses, replace_symbols
from pgmc.ir.symbols import Constant, Symbol, shape_of


class Model:
    """A probabilistic model p(x) = exp(-E(x)) / Z, declared piece by piece.

    Parameters
    ----------
    name
        A name by the rule for names (see :mod:`pgmc.dsl.names`).

    Examples
    --------
    >>> m = pgmc.Model("example")
    >>> v, h = m.binary("v", 6), m.binary("h", 4)
    >>> W = m.param("W", (6, 4))
    >>> m.energy(-(v @ W @ h))
    """

    def __init__(self, name: str = "model") -> None:
        self.name = check_name(name, "pgmc.Model")
        self._handles: dict[str, Handle] = {}
        self._terms: list[ir_model.EnergyTerm] = []
        self._factors: list[ir_model.Factor] = []
        self._definitions: list[ir_model.Definition] = []
        self._guide: Guide | None = None
        # Anonymous constants by placeholder: the same expression used in two terms keeps one constant.
        self._anonymous: dict[str, Constant] = {}
        self._last_anonymous = 0

    @classmethod
    def from_ir(cls, model: ir_model.Model) -> Model:
        """A model that can be extended and compiled, from a well-formed snapshot."""
        check_model(model)
        made = cls(model.name)
        for symbol in model.symbols:
            if isinstance(symbol, Constant) and is_anonymous_name(symbol.name):
                made._anonymous[symbol.name] = symbol
                number = int(symbol.name.rpartition("_")[2])
                made._last_anonymous = max(made._last_anonymous, number)
            else:
                made._handles[symbol.name] = Handle(symbol)
        made._terms = without_base_measures(model.terms)
        made._factors = list(model.factors)
        made._definitions = list(model.definitions)
        made._guide = None if model.guide is None else Guide(made, Model, model.guide)
        return made

    # ---- declarations: functions in pgmc/dsl/variables, arrays and terms -----------------------------------

    binary = variables.binary
    spin = variables.spin
    categorical = variables.categorical
    real = variables.real
    count = variables.count
    positive = variables.positive
    input = arrays.input
    param = arrays.param
    constant = arrays.constant
    edges = arrays.edges
    define = terms.define
    energy = terms.energy
    directed = terms.directed

    def guide(self) -> Guide:
        """The inference net q of the model: directed factors for its latent variables given the others.

        It has ``.param``, ``.constant``, ``.define`` and ``.directed`` of its own; its parameters are trained with the
        model's and stand beside them in ``params``. Every call returns the same guide.

        Examples
        --------
        >>> q = m.guide()
        >>> R = q.param("R", (784, 200))
        >>> q.directed(h, pgmc.Bernoulli(logits=v @ R))
        """
        if self._guide is None:
            self._guide = Guide(self, Model)
        return self._guide

    # ---- what declarations share ---------------------------------------------------------------------------

    def _new_name(self, name: object, kind: str) -> str:
        checked = check_name(name, kind)
        taken = self._guide.names if self._guide is not None else ()
        if checked in taken:
            reason = f"the guide has declared '{checked}'"
            raise complaint(ModelError, f"{kind} '{checked}'", reason, "Choose another name.")
        if checked in self._handles:
            first = self._handles[checked].symbol.origin
            reason = f"the name '{checked}' is already declared" + (f" at {first}" if first else "")
            raise complaint(ModelError, f"{kind} '{checked}'", reason, "Choose another name.")
        return checked

    def _declare(self, symbol: Symbol) -> Handle:
        handle = self._handles[symbol.name] = Handle(symbol)
        return handle

    def _check_declared(self, node: Scalar, text: str) -> None:
        """Every symbol is the very object that this model declared: another model's may look the same."""
        for access in accesses(node):
            symbol = access.symbol
            known = self._handles.get(symbol.name)
            if not is_anonymous(symbol) and (known is None or known.symbol is not symbol):
                reason = f"'{symbol.name}' is not declared in the model '{self.name}'"
                if known is not None:
                    reason = f"this '{symbol.name}' belongs to another model than '{self.name}'"
                raise complaint(ModelError, text, reason, "Declare it with this model's methods.")

    def _named(self, node: Scalar) -> Scalar:
        """The node with a name for each constant that the user wrote in place."""
        written = dict.fromkeys(a.symbol for a in accesses(node) if is_anonymous(a.symbol))
        named = {symbol.name: self._constant(symbol) for symbol in written if isinstance(symbol, Constant)}
        return replace_symbols(node, named) if named else node

    def _constant(self, placeholder: Constant) -> Constant:
        if placeholder.name not in self._anonymous:
            self._last_anonymous += 1
            name = f"constant_{self._last_anonymous}"
            self._anonymous[placeholder.name] = dataclasses.replace(placeholder, name=name, origin=call_site())
        return self._anonymous[placeholder.name]

    # ---- the finished model --------------------------------------------------------------------------------

    def build(self) -> ir_model.Model:
        """The immutable snapshot that is compiled, in canonical form.

        Raises
        ------
        ModelError
            If the model has no variables.

        Warns
        -----
        ModelWarning
            For a variable in no term (its law is uniform) and a parameter or input that no term uses.
        """
        model = take_snapshot(self)
        if not model.variables:
            reason = "the model has no variables"
            raise complaint(ModelError, f"model '{self.name}'", reason, "Declare one, for example with .binary.")
        warn_of_unused(model)
        return model

    def init(self, seed: int | None = 0, *, dtype: npt.DTypeLike = "float32") -> dict[str, npt.NDArray[Any]]:
        """Initial values of every parameter.

        Parameters
        ----------
        seed
            The same seed gives the same values; each parameter's depend on its name and not on the others.
            None draws a seed from the operating system.
        dtype
            float32 or float64.

        Returns
        -------
        dict
            Name to array of the declared shape.

        Raises
        ------
        ArgumentError
            If the seed is no integer from 0 to 2^64 - 1, or the dtype is another one.
        ModelError
            If the arrays would not fit into the memory of this machine.
        """
        return initial_values(take_snapshot(self).trained, seed, dtype)

    def __getitem__(self, name: str) -> Handle:
        """The handle of a declared symbol (KeyError if there is none)."""
        return self._handles[name]

    # Without this Python would take __getitem__ with 0, 1, ... for iteration.
    __iter__ = None

    def __str__(self) -> str:
        model = take_snapshot(self)
        lines = [f"  {symbol.name}: {kind_of(symbol)} {shape_of(symbol)}" for symbol in model.symbols]
        return "\n".join([f"model {model.name}", *lines, *(f"  {line}" for line in str(model).splitlines())])

    def __repr__(self) -> str:
        return f"<pgmc.Model {describe_model(take_snapshot(self))}>"

    def _repr_html_(self) -> str:
        return model_html(take_snapshot(self))
