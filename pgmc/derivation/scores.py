"""Scores, the derivatives of log-densities in their units, and the losses that match them to data.

With the energy F of the observed units, of which all others are summed or integrated out, the score is -∂F/∂x. Its
normaliser is gone, and so no loss made of scores needs log Z.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from pgmc.derivation.collect_factors import collect_factors
from pgmc.derivation.differentiate import partial_derivative
from pgmc.derivation.gradients import derive_gradient
from pgmc.derivation.share_factors import share_factors
from pgmc.derivation.tidy import add, multiply, negate, power, summed, tidy
from pgmc.ir.answers import Computation, Quantity, Refusal
from pgmc.ir.model import Model
from pgmc.ir.nodes import Access, Call, Index, Number, Scalar, at, fresh_index, number
from pgmc.ir.queries import ScoreLoss, noise_name
from pgmc.ir.rewrite import accesses, freshen, walk
from pgmc.ir.symbols import Input, Parameter, Positive, Real, Variable, axis_name

HALF = Number(Fraction(1, 2))
BENT = ("relu", "step")
"""Functions whose second derivative is not a function: all of it sits in one point."""


def noise_input(variable: Variable) -> Input:
    """The score of the noise that was put on a variable, given with the noisy data."""
    return Input(noise_name(variable.name), variable.axes)


def with_noise_inputs(model: Model, query: ScoreLoss) -> Model:
    """The model with what a denoising loss is given beside the data."""
    if not query.denoising:
        return model
    return replace(model, inputs=(*model.inputs, *(noise_input(model.variable(name)) for name in query.wrt)))


def derive_score(energy: Quantity, variables: tuple[Variable, ...]) -> Computation | Refusal:
    """∂F/∂x for each unit x of the variables: minus the score."""
    refusal = _check_continuous(variables, "score")
    if refusal is not None:
        return refusal
    return Computation(tuple(Quantity(v.name, *_slope(energy, v)) for v in variables))


def derive_curvature(energy: Quantity, variables: tuple[Variable, ...]) -> Computation | Refusal:
    """∂²F/∂x² for each unit x of the variables: the diagonal of the Hessian."""
    refusal = _check_continuous(variables, "curvature") or _check_smooth(energy.body, variables)
    if refusal is not None:
        return refusal
    return Computation(tuple(Quantity(v.name, *_bend(v, *_slope(energy, v))) for v in variables))


def derive_score_loss(
    energy: Quantity, variables: tuple[Variable, ...], denoising: bool = False
) -> Computation | Refusal:
    """The loss of each example whose mean score matching minimises.

    Of real units Σ ½ (∂F/∂x)² - ∂²F/∂x²; of positive ones Σ ½ x² (∂F/∂x)² - 2 x ∂F/∂x - x² ∂²F/∂x², whose weights x²
    make up for the end of the line at 0. Denoising, Σ ½ (∂F/∂x + t)² with the score t of the noise.
    """
    refusal = _check_continuous(variables, "score loss")
    if refusal is None:
        refusal = _check_unbounded(variables) if denoising else _check_smooth(energy.body, variables)
    if refusal is not None:
        return refusal
    parts = [(_denoising_part if denoising else _matching_part)(energy, variable) for variable in variables]
    return Computation((Quantity("score_loss", (), add(*parts)),))


def derive_score_loss_gradient(loss: Quantity, parameters: tuple[Parameter, ...]) -> Computation:
    """Its mean gradient. Third derivatives have many terms of few factors, which are shared."""
    gradients = derive_gradient(loss, parameters)
    return Computation(tuple(replace(q, body=share_factors(q.body)) for q in gradients.quantities))


def _matching_part(energy: Quantity, variable: Variable) -> Scalar:
    indices, slope = _slope(energy, variable)
    _, bend = _bend(variable, indices, slope)
    square = power(freshen(slope), Fraction(2))
    if isinstance(variable.domain, Real):
        return summed(add(multiply(HALF, square), negate(bend)), indices)
    unit = Access(variable, tuple(map(at, indices)))
    weight = power(unit, Fraction(2))
    terms = multiply(HALF, weight, square), multiply(number(-2), unit, slope), negate(multiply(weight, bend))
    return summed(add(*terms), indices)


def _denoising_part(energy: Quantity, variable: Variable) -> Scalar:
    indices, slope = _slope(energy, variable)
    noise = Access(noise_input(variable), tuple(map(at, indices)))
    return summed(multiply(HALF, power(add(slope, noise), Fraction(2))), indices)


def _slope(energy: Quantity, variable: Variable) -> tuple[tuple[Index, ...], Scalar]:
    """∂F/∂x, and the indices of the unit."""
    letters = "ijklmnopq"[: len(variable.axes)]
    indices = tuple(fresh_index(letter, axis_name(variable, k)) for k, letter in enumerate(letters))
    return indices, collect_factors(partial_derivative(energy.body, variable, indices))


def _bend(variable: Variable, indices: tuple[Index, ...], slope: Scalar) -> tuple[tuple[Index, ...], Scalar]:
    """∂²F/∂x² of the same unit."""
    return indices, collect_factors(partial_derivative(tidy(freshen(slope)), variable, indices))


def _check_continuous(variables: tuple[Variable, ...], wanted: str) -> Refusal | None:
    for variable in variables:
        if not isinstance(variable.domain, Real | Positive):
            return Refusal(
                f"{wanted} of {variable.name}",
                f"{variable.name} is {variable.domain}: a log-density has derivatives in real and positive units only.",
                f"Leave {variable.name} out of the data, so that it is summed out, or declare it as an input.",
            )
    return None


def _check_smooth(body: Scalar, variables: tuple[Variable, ...]) -> Refusal | None:
    for node in (part for part in walk(body) if isinstance(part, Call) and part.function in BENT):
        if any(access.symbol in variables for access in accesses(node)):
            return Refusal(
                "score loss",
                f"{node.function} has a corner, where the second derivative of the energy does not exist.",
                "Use softplus, or denoising score matching, which needs first derivatives only.",
            )
    return None


def _check_unbounded(variables: tuple[Variable, ...]) -> Refusal | None:
    for variable in variables:
        if isinstance(variable.domain, Positive):
            return Refusal(
                f"denoising score loss of {variable.name}",
                f"{variable.name} is positive, and normal noise would leave its domain.",
                "Use score matching, or model the logarithm.",
            )
    return None
