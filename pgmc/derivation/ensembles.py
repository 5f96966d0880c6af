"""Ensembles: rewritings of the model behind tempering and annealing. Everything derived from them follows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from pgmc.derivation.tidy import add, multiply, negate, power
from pgmc.errors import InternalError
from pgmc.ir.answers import Computation
from pgmc.ir.base_measure import measured_variable
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import ONE, Access, Number, Scalar, at, fresh_index
from pgmc.ir.queries import Ensemble
from pgmc.ir.rewrite import freshen
from pgmc.ir.rewrite import replace as replace_nodes
from pgmc.ir.symbols import Input, Parameter, Real, Variable, access_axes

INVERSE_TEMPERATURE = Input("inverse_temperature", ())
NEXT_INVERSE_TEMPERATURE = Input("next_inverse_temperature", ())


def base_parameter(variable: Variable) -> Parameter:
    """The field of the base of the annealing path on each unit (and state) of a variable."""
    return Parameter(f"base_{variable.name}", access_axes(variable))


def base_precision(variable: Variable) -> Parameter:
    """The precision in the base of each unit of a real variable."""
    return Parameter(f"precision_base_{variable.name}", access_axes(variable))


def apply_ensemble(model: Model, ensemble: Ensemble) -> Model:
    """The model whose law exp(-E) is that of the ensemble."""
    if ensemble is Ensemble.PLAIN:
        return model
    if ensemble is Ensemble.UNDIRECTED:
        return replace(model, terms=tuple(term for term in model.terms if term.child is None), factors=())
    beta = Access(INVERSE_TEMPERATURE, ())
    # The base measure of counts belongs to no temperature: exp(-β E) is taken with respect to it.
    terms = tuple(
        term if measured_variable(term) else replace(term, body=multiply(beta, term.body)) for term in model.terms
    )
    inputs = (*model.inputs, INVERSE_TEMPERATURE)
    if ensemble is Ensemble.TEMPERED:
        return replace(model, inputs=inputs, terms=terms)
    if ensemble is Ensemble.ANNEALED:
        bases = tuple(base_parameter(variable) for variable in model.variables)
        real = tuple(variable for variable in model.variables if isinstance(variable.domain, Real))
        scales = tuple(map(base_precision, real))
        return replace(
            model,
            inputs=inputs,
            parameters=(*model.parameters, *bases, *scales),
            terms=(
                *terms,
                *(_base_term(v, b, Fraction(-1), 1) for v, b in zip(model.variables, bases, strict=True)),
                *(_base_term(v, s, Fraction(1, 2), 2) for v, s in zip(real, scales, strict=True)),
            ),
        )
    raise InternalError(f"unknown ensemble {ensemble}. Please report it.")


def add_next_temperature(model: Model) -> Model:
    """The model of an ensemble with the input that a temperature step goes to."""
    return replace(model, inputs=(*model.inputs, NEXT_INVERSE_TEMPERATURE))


def derive_temperature_step(answer: Computation) -> Computation:
    """Every quantity at β minus the same at the next β."""

    def at_next(node: Scalar) -> Scalar | None:
        return Access(NEXT_INVERSE_TEMPERATURE, ()) if node == Access(INVERSE_TEMPERATURE, ()) else None

    steps = (replace(q, body=add(q.body, negate(freshen(replace_nodes(q.body, at_next))))) for q in answer.quantities)
    return Computation(tuple(steps), answer.definitions)


def _base_term(variable: Variable, base: Parameter, number: Fraction, exponent: int) -> EnergyTerm:
    """number · (1-β) Σ base · x^exponent."""
    indices = tuple(fresh_index(name) for name in "ijklmnopq"[: len(base.axes)])
    positions = tuple(at(index) for index in indices)
    weight = add(ONE, negate(Access(INVERSE_TEMPERATURE, ())))
    unit = power(Access(variable, positions), Fraction(exponent))
    return EnergyTerm(multiply(Number(number), weight, Access(base, positions), unit), indices)
