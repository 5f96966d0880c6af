"""Reverse mode: derivatives of a quantity with respect to the named values that it is made of, last to first.

The adjoint of a value a is δ_a = ∂E/∂a. It is what the quantity itself says of a, and for every named value b that is
made of a, δ_b · ∂b/∂a. Each is a named value again, so that it is computed once, as a network is propagated back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pgmc.derivation.differentiate import Sensitivity, collect, differentiate
from pgmc.derivation.tidy import add, multiply, tidy
from pgmc.ir.answers import Quantity
from pgmc.ir.nodes import Access, BatchMean, Call, Index, Scalar, at, fresh_index
from pgmc.ir.rewrite import accesses, map_children, rename
from pgmc.ir.structural_key import structural_key
from pgmc.ir.symbols import Intermediate, Parameter, axis_name

Wanted: TypeAlias = Parameter | Intermediate

FOLDED = ("tanh", "sigmoid", "exp", "sqrt")
"""Functions whose derivative speaks of their own value."""


@dataclass(slots=True)
class Reverse:
    """The adjoints of the named values behind a quantity; ``adjoints`` are those found, in the order of computation."""

    quantity: Quantity
    definitions: tuple[Quantity, ...]
    adjoints: list[Quantity] = field(default_factory=list)
    _symbols: dict[str, Intermediate] = field(default_factory=dict)
    _found: dict[str, Intermediate] = field(default_factory=dict)

    @classmethod
    def of(cls, quantity: Quantity, definitions: tuple[Quantity, ...], wanted: Sequence[Parameter]) -> Reverse:
        """The adjoints that the derivatives with respect to the wanted parameters need."""
        nodes = [quantity.body, *(d.body for d in definitions)]
        found = (access.symbol for node in nodes for access in accesses(node))
        names = {access.symbol.name for node in nodes for access in accesses(node)}
        made = cls(quantity, definitions)
        made._symbols |= {symbol.name: symbol for symbol in found if isinstance(symbol, Intermediate)}
        moving = _depending(definitions, {parameter.name for parameter in wanted})
        for definition in reversed(definitions):
            if definition.name in moving and definition.name in made._symbols:
                made._add(definition, names)
        return made

    def derivative(
        self, symbol: Wanted, indices: tuple[Index, ...], finish: Callable[[Scalar], Scalar] = tidy
    ) -> Scalar:
        """∂quantity/∂symbol[indices]; where the symbol is the same for all examples, the mean over them.

        ``finish`` is a function of the derivative of each example, for symbols behind which all values are theirs.
        """
        parts = differentiate(self.quantity.body, symbol)
        each, shared = [collect(part, symbol, indices) for part in parts], list[Scalar]()
        for definition in self.definitions:
            adjoint = self._found.get(definition.name)
            if adjoint is not None:
                found = [self._folded(node) for node in _through(definition, adjoint, symbol, indices)]
                (each if adjoint.per_example else shared).extend(found)
        if isinstance(symbol, Intermediate) and symbol.per_example:
            return tidy(add(*each))
        return tidy(add(BatchMean(finish(tidy(add(*each)))), *shared))

    def _add(self, definition: Quantity, taken: set[str]) -> None:
        symbol = self._symbols[definition.name]
        indices = tuple(fresh_index(i.name, axis_name(symbol, k)) for k, i in enumerate(definition.indices))
        name = _free_name(f"delta_{symbol.name}", taken)
        taken.add(name)
        adjoint = Intermediate(name, symbol.axes, symbol.per_example, f"δ_{symbol.name}")
        body = self.derivative(symbol, indices)
        self._found[definition.name] = adjoint
        self.adjoints.append(Quantity(name, indices, body, symbol.per_example, adjoint.shown))

    def _folded(self, node: Scalar) -> Scalar:
        """The expression with values of functions under the names that they have."""
        if isinstance(node, Call) and node.function in FOLDED:
            for definition in self.definitions:
                access = self._named(node, definition)
                if access is not None:
                    return access
        return map_children(node, self._folded)

    def _named(self, node: Call, definition: Quantity) -> Access | None:
        """The element of a named value that the expression is, if it is one."""
        if not isinstance(definition.body, Call) or definition.body.function != node.function:
            return None
        (key, own), (wanted, free) = structural_key(definition.body), structural_key(node)
        if key != wanted or definition.name not in self._symbols:
            return None
        places = dict(zip(own, free, strict=True))
        return Access(self._symbols[definition.name], tuple(at(places[index]) for index in definition.indices))


def _through(
    definition: Quantity, adjoint: Intermediate, symbol: Wanted, indices: tuple[Index, ...]
) -> Iterable[Scalar]:
    """δ · ∂definition/∂symbol[indices], summed over the elements of the definition."""
    own = tuple(fresh_index(i.name, i.extent) for i in definition.indices)
    body = rename(definition.body, dict(zip(definition.indices, own, strict=True)))
    weight = Access(adjoint, tuple(map(at, own)))
    for part in differentiate(body, symbol):
        scaled = Sensitivity(multiply(weight, part.coefficient), part.positions, (*own, *part.over))
        yield collect(scaled, symbol, indices)


def _depending(definitions: Iterable[Quantity], names: set[str]) -> set[str]:
    """Names of the values that are made of some of the named arrays, themselves or through others."""
    found = set(names)
    for definition in definitions:
        if any(access.symbol.name in found for access in accesses(definition.body)):
            found.add(definition.name)
    return found - names


def _free_name(wish: str, taken: set[str]) -> str:
    return next(name for k in range(1, len(taken) + 2) if (name := wish if k == 1 else f"{wish}_{k}") not in taken)
