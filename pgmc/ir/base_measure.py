"""The base measure of counts, 1/k!, as a term of the energy: Σ log Γ(k + 1)."""

from __future__ import annotations

from collections.abc import Iterable

from pgmc.ir.model import EnergyTerm
from pgmc.ir.nodes import ONE, Access, Add, Call, Scalar, at, fresh_index
from pgmc.ir.symbols import Count, Variable


def base_measure(variable: Variable) -> EnergyTerm:
    """Σ log Γ(k + 1) over the units of a variable of counts, so that exp(-E) has the factor 1 / Π k!."""
    indices = tuple(fresh_index("", (variable.name, k)) for k in range(len(variable.axes)))
    return EnergyTerm(log_factorial(Access(variable, tuple(map(at, indices)))), indices, origin=variable.origin)


def log_factorial(count: Scalar) -> Scalar:
    """log Γ(k + 1)."""
    return Call("lgamma", Add((count, ONE)))


def is_log_factorial(node: Scalar, count: Scalar) -> bool:
    """Whether an expression is log Γ(k + 1)."""
    return node in (Call("lgamma", Add((count, ONE))), Call("lgamma", Add((ONE, count))))


def measured_variable(term: EnergyTerm) -> Variable | None:
    """The variable of counts whose base measure the term is."""
    for access in _accesses(term.body):
        if isinstance(access.symbol, Variable) and isinstance(access.symbol.domain, Count):
            indices = tuple(position.index for position in access.positions)
            every = len(set(indices)) == len(indices) and set(indices) == set(term.over)
            if every and is_log_factorial(term.body, access):
                return access.symbol
    return None


def _accesses(body: Scalar) -> Iterable[Access]:
    parts = body.argument.terms if isinstance(body, Call) and isinstance(body.argument, Add) else ()
    return (part for part in parts if isinstance(part, Access))


def without_base_measures(terms: Iterable[EnergyTerm]) -> list[EnergyTerm]:
    """The terms but one base measure of each variable of counts."""
    seen: set[str] = set()
    kept: list[EnergyTerm] = []
    for term in terms:
        variable = measured_variable(term)
        if variable is None or variable.name in seen:
            kept.append(term)
        else:
            seen.add(variable.name)
    return kept
