"""Names for values that are needed more than once where functions are nested: inner functions, and parameters of laws.

``Σ_i softplus(b[i] + Σ_j U[i,j]·tanh(...))`` is worked out layer by layer if the layers have names. Energies without
functions of sums of functions stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pgmc.ir.factor_energy import negative_log_law
from pgmc.ir.factors import map_factors, parameter_of, parameter_term
from pgmc.ir.index_ranges import lengths_of
from pgmc.ir.model import Definition, EnergyTerm, Factor, Model
from pgmc.ir.nodes import Access, Bracket, Call, Index, LogSumExp, Number, Pow, Scalar, Sum, at, fresh_index
from pgmc.ir.rewrite import depends_on_example, free_indices, freshen, map_children, own_positions, rename, walk
from pgmc.ir.structural_key import Key, structural_key
from pgmc.ir.symbols import Axis, Intermediate, access_axes, axis_name


def name_values(model: Model) -> Model:
    """The same model with a name for each inner function and, where there are names, for each parameter of a law."""
    naming = _Naming(model, {symbol.name for symbol in model.symbols}, lengths_of(model.symbols))
    named = naming.with_inner_names()
    return naming.with_parameter_names(named) if named.definitions else model


@dataclass(slots=True)
class _Naming:
    """Names given so far; ``taken`` are those that symbols have."""

    model: Model
    taken: set[str]
    lengths: Mapping[tuple[str, int], int]
    found: list[Definition] = field(default_factory=list)
    _known: dict[Key, Intermediate] = field(default_factory=dict)

    def with_inner_names(self) -> Model:
        """The model with every function of a sum that stands in a sum within another function under a name."""

        def named(term: EnergyTerm) -> EnergyTerm:
            return replace(term, body=self._visit(term.body, in_function=False, in_sum=False))

        definitions: list[Definition] = []
        for definition in self.model.definitions:
            own = named(definition.term)
            definitions += [*self.found, replace(definition, term=own)]
            self.found.clear()
        terms, factors = tuple(map(named, self.model.terms)), map_factors(self.model, named)
        return replace(self.model, terms=terms, factors=factors, definitions=(*definitions, *self.found))

    def _visit(self, node: Scalar, *, in_function: bool, in_sum: bool) -> Scalar:
        function = isinstance(node, Call | LogSumExp) or (isinstance(node, Pow) and node.exponent != 1)
        summed = in_function and isinstance(node, Sum)
        inner_sum = (in_sum or summed) if not function else False
        inner = map_children(
            node, lambda child: self._visit(child, in_function=in_function or function, in_sum=inner_sum)
        )
        return self._name(inner) if in_sum and isinstance(inner, Call) and _is_layer(inner) else inner

    def _name(self, node: Call) -> Scalar:
        key, indices = structural_key(node)
        if any(index.extent is None for index in indices):
            return node
        if key not in self._known:
            axes = tuple(Axis(self.lengths[i.extent], name=i.extent) for i in indices if i.extent is not None)
            symbol = Intermediate(self._free_name(f"{node.function}_1"), axes, depends_on_example(node))
            self._define(symbol, indices, node)
            self._known[key] = symbol
        return Access(self._known[key], tuple(map(at, indices)))

    def with_parameter_names(self, model: Model) -> Model:
        """The model with every parameter of a law that is not one number or element under a name."""
        self.found.clear()
        terms = [term for term in model.terms if term.child is None]
        factors: list[Factor] = []
        for factor in model.factors:
            indices, values = self._parameters(factor)
            laws = negative_log_law(factor.target, factor.family, indices, values)
            terms += [as_term(part, factor.target.name) for part in laws]
            parameters = {name: parameter_term(factor.target, indices, value) for name, value in values.items()}
            factors.append(replace(factor, parameters=tuple(parameters.items())))
        definitions = (*model.definitions, *self.found)
        return replace(model, terms=tuple(terms), factors=tuple(factors), definitions=definitions)

    def _parameters(self, factor: Factor) -> tuple[tuple[Index, ...], dict[str, Scalar]]:
        target = factor.target
        axes = tuple(replace(axis, name=axis_name(target, k)) for k, axis in enumerate(access_axes(target)))
        indices: tuple[Index, ...] = ()
        values: dict[str, Scalar] = {}
        for name, term in factor.parameters:
            own, body = parameter_of(target, term)
            indices = indices or own
            body = rename(body, dict(zip(own, indices, strict=True)))
            if not isinstance(body, Access | Number):
                used = [k for k, index in enumerate(indices) if index in free_indices(body)]
                kept = tuple(indices[k] for k in used)
                wish = self._free_name(f"{name}_{target.name}")
                symbol = Intermediate(wish, tuple(axes[k] for k in used), depends_on_example(body))
                self._define(symbol, kept, body)
                body = Access(symbol, tuple(map(at, kept)))
            values[name] = body
        return indices, values

    def _define(self, symbol: Intermediate, indices: tuple[Index, ...], body: Scalar) -> None:
        own = {index: fresh_index(index.name, index.extent) for index in indices}
        equation = parameter_term(symbol, tuple(own.values()), rename(freshen(body), own))
        self.found.append(Definition(symbol, equation))

    def _free_name(self, wish: str) -> str:
        stem = wish.removesuffix("_1")
        names = (wish if k == 1 else f"{stem}_{k}" for k in range(1, len(self.taken) + 2))
        name = next(name for name in names if name not in self.taken)
        self.taken.add(name)
        return name


def _is_layer(node: Call) -> bool:
    """Whether it is a function of a sum, at places that lie inside wherever it may be worked out."""
    parts = list(walk(node))
    plain = all(position.is_plain for part in parts for position in own_positions(part))
    return plain and any(isinstance(p, Sum) for p in parts) and not any(isinstance(p, Bracket) for p in parts)


def as_term(part: Scalar, child: str | None) -> EnergyTerm:
    """A scalar as a term with indices of its own; ``child`` is the variable whose factor it comes from."""
    fresh = freshen(part)
    return (
        EnergyTerm(fresh.body, fresh.over, child=child)
        if isinstance(fresh, Sum)
        else EnergyTerm(fresh, (), child=child)
    )
