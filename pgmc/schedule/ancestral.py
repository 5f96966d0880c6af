"""The schedule of an ancestral pass: one update per variable with a directed factor, parents before children."""

from __future__ import annotations

from pgmc.errors import InternalError
from pgmc.ir.answers import BlockUpdate, Mode, SweepSchedule
from pgmc.ir.dependencies import self_order, sort_factors
from pgmc.ir.factors import factor_law
from pgmc.ir.model import Factor, Model
from pgmc.ir.queries import Ancestral


def build_ancestral_schedule(model: Model, query: Ancestral) -> SweepSchedule:
    """The updates that draw the variables of the query.

    Units of one variable are drawn at once, or one after the other where each depends on others of its variable.
    """
    factors = [factor for factor in sort_factors(model.factors) if factor.target.name in query.free]
    if len(factors) != len(query.free):
        raise InternalError(f"not all of {query.free} have a directed factor. Please report it.")
    return SweepSchedule(tuple(map(_update, factors)))


def _update(factor: Factor) -> BlockUpdate:
    order = self_order(factor)
    mode: Mode = "parallel" if order == "none" else "sequential"
    return BlockUpdate((factor_law(factor),), mode, backward=order == "descending")
