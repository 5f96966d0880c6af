"""The energy-based model that a set of variables makes by itself: of directed factors without what normalises them.

A directed factor of the exponential family is -log p(x | a) = -Σ_k T_k(x)·η_k(a) + A(a), where A makes it sum to one.
What holds the child x is an energy; without A it couples x and its parents in both directions, as two layers of a deep
belief net were coupled when they were trained as one restricted Boltzmann machine.
"""

from __future__ import annotations

from pgmc.derivation.expand_products import MOST_PIECES, TooManyPieces, expand_products
from pgmc.errors import ArgumentError, ModelError
from pgmc.ir.definitions import expand_model
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.rewrite import accesses
from pgmc.ir.symbols import Variable


def derive_undirected(model: Model, names: tuple[str, ...]) -> Model:
    """The model of the named variables with the energy that the model's own terms give them.

    Of a term of the energy, and of -log p of a directed factor, every product is kept that mentions variables of the
    set only and, where it comes from a factor, the factor's child.

    Raises
    ------
    ArgumentError
        If a name is not a variable's, or stands twice.
    ModelError
        If no product holds two of the variables.
    """
    model, known = expand_model(model), tuple(v.name for v in model.variables)
    wrong = [name for name in names if name not in known or names.count(name) > 1]
    if wrong or len(names) < 2:
        reason = f"{wrong[0]!r} is given twice or is no variable" if wrong else "give at least two variables"
        raise ArgumentError(f"undirected: {reason} of {model.name}; its variables are {', '.join(known)}.")
    variables = tuple(v for v in model.variables if v.name in names)
    terms = tuple(piece for term in model.terms for piece in _kept(term, frozenset(variables)))
    if not any(len(_variables(term)) > 1 for term in terms):
        raise ModelError(
            f"undirected: in {model.name} no term couples {' and '.join(names)} without another variable. "
            "Name variables that are parent and child, or that share a term of the energy."
        )
    used = {access.symbol.name for term in terms for access in accesses(term.body)}
    return Model(
        "_".join((model.name, *names))[:64],
        variables,
        tuple(i for i in model.inputs if i.name in used),
        tuple(p for p in model.parameters if p.name in used),
        tuple(c for c in model.constants if c.name in used),
        terms,
    )


def _kept(term: EnergyTerm, variables: frozenset[Variable]) -> list[EnergyTerm]:
    """The products of a term that belong to the variables."""
    names = {v.name for v in variables}
    if term.child is not None and term.child not in names:
        return []
    try:
        products = expand_products(term.body, term.over, _variables(term))
    except TooManyPieces:
        where = f" at {term.origin}" if term.origin else ""
        raise ModelError(
            f"undirected: the term{where} multiplies out to more than {MOST_PIECES} products. Split it into terms."
        ) from None
    pieces = [EnergyTerm(body, over, term.name, term.origin) for body, over in products]
    return [piece for piece in pieces if _belongs(_variables(piece), term.child, variables)]


def _belongs(own: frozenset[Variable], child: str | None, variables: frozenset[Variable]) -> bool:
    return bool(own) and own <= variables and (child is None or child in {v.name for v in own})


def _variables(term: EnergyTerm) -> frozenset[Variable]:
    return frozenset(a.symbol for a in accesses(term.body) if isinstance(a.symbol, Variable))
