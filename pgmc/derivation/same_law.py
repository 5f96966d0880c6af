"""Whether two laws of a unit are the same but for the names of their parameters."""

from __future__ import annotations

from itertools import permutations

from pgmc.ir.answers import ConditionalLaw
from pgmc.ir.canonical import canonical_term
from pgmc.ir.factors import parameter_term
from pgmc.ir.model import EnergyTerm
from pgmc.ir.nodes import Scalar
from pgmc.ir.rewrite import accesses, replace_symbols
from pgmc.ir.symbols import Parameter, Symbol, is_per_example, shape_of


def match_parameters(law: ConditionalLaw, other: ConditionalLaw) -> dict[str, str] | None:
    """Name of each parameter of a law -> that of the other law's parameter in its place; None if the laws differ.

    Variables of one law may be inputs of the other; they are told by their names.
    """
    if law.family != other.family or len(law.expressions) != len(other.expressions):
        return None
    own, others = _parameters(law), _parameters(other)
    data = {s.name: s for s in _symbols(law) if is_per_example(s)}
    if len(own) != len(others):
        return None
    wanted = _forms(law, {})
    for chosen in permutations(others):
        if all(shape_of(a) == shape_of(b) for a, b in zip(own, chosen, strict=True)):
            renamed: dict[str, Symbol] = {b.name: a for a, b in zip(own, chosen, strict=True)}
            if _forms(other, data | renamed) == wanted:
                return {a.name: b.name for a, b in zip(own, chosen, strict=True)}
    return None


def _forms(law: ConditionalLaw, symbols: dict[str, Symbol]) -> list[tuple[EnergyTerm, ...]]:
    """Each parameter of the law in canonical form, with other symbols in the place of its own."""
    indices = (*law.indices, law.state) if law.state is not None else law.indices

    def form(body: Scalar) -> tuple[EnergyTerm, ...]:
        return canonical_term(parameter_term(law.target, indices, replace_symbols(body, symbols)))

    return [form(body) for body in law.expressions]


def _symbols(law: ConditionalLaw) -> tuple[Symbol, ...]:
    found = (access.symbol for body in law.expressions for access in accesses(body))
    return tuple({symbol.name: symbol for symbol in found}.values())


def _parameters(law: ConditionalLaw) -> tuple[Parameter, ...]:
    return tuple(symbol for symbol in _symbols(law) if isinstance(symbol, Parameter))
