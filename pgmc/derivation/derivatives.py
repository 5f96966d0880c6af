"""Derivatives of quantities: in parameters, in the observed units, and of what is made of the latter."""

from __future__ import annotations

from pgmc.derivation.gradients import derive_gradient
from pgmc.derivation.scores import derive_curvature, derive_score, derive_score_loss, derive_score_loss_gradient
from pgmc.errors import InternalError
from pgmc.ir.answers import Computation, Refusal
from pgmc.ir.model import Model
from pgmc.ir.queries import Derivative, Gradient, ScoreLoss


def derive_derivative(answer: Computation, query: Derivative, model: Model) -> Computation | Refusal:
    """The answer to a query, given that to the query that it is a derivative of."""
    of = answer.quantities[0]
    if not isinstance(query, Gradient):
        variables = tuple(map(model.variable, query.wrt))
        if isinstance(query, ScoreLoss):
            return derive_score_loss(of, variables, query.denoising)
        return (derive_score if query.order == 1 else derive_curvature)(of, variables)
    parameters = {p.name: p for p in model.parameters}
    chosen = tuple(parameters[name] for name in query.wrt)
    if isinstance(query.of, ScoreLoss):
        if query.squared:
            raise InternalError("squares of gradients of scores are not derived. Please report it.")
        return derive_score_loss_gradient(of, chosen)
    return derive_gradient(of, chosen, query.squared, answer.definitions)
