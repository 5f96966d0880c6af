"""The schedule of an ancestral pass: one update per variable with a directed factor, parents before children."""

from __future__ import annotations

from pgmc.errors import InternalError
from pgmc.ir.answers import BlockUpdate, SweepSchedule
from pgmc.ir.definitions import definitions_behind, expand_factors
from pgmc.ir.dependencies import self_order, sort_factors
from pgmc.ir.factors import factor_law
from pgmc.ir.model import Factor, Model
from pgmc.ir.queries import Ancestral


def build_ancestral_schedule(model: Model, query: Ancestral) -> SweepSchedule:
    """The updates that draw the variables of the query.

    Units of one variable are drawn at once, or one after the other where each depends on others of its variable.
    """
    factors = [factor for factor in sort_factors(model.factors, model.definitions) if factor.target.name in query.free]
    if len(factors) != len(query.free):
        raise InternalError(f"not all of {query.free} have a directed factor. Please report it.")
    updates = tuple(_update(factor, model) for factor in factors)
    laws = (expression for update in updates for law in update.laws for expression in law.expressions)
    return SweepSchedule(updates, definitions_behind(model, laws))


def _update(factor: Factor, model: Model) -> BlockUpdate:
    (written_out,) = expand_factors((factor,), model.definitions)
    order = self_order(written_out)
    if order == "none":
        return BlockUpdate((factor_law(factor),), "parallel")
    # What is named may speak of units that are drawn meanwhile: then it has no one value.
    return BlockUpdate((factor_law(written_out),), "sequential", backward=order == "descending")
