"""Methods of ``Model`` that say what it is made of: terms of the energy, directed factors, named values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pgmc.dsl import directed as directed_factors
from pgmc.dsl.definitions import make_definition
from pgmc.dsl.dependencies import check_order
from pgmc.dsl.distributions import Distribution
from pgmc.dsl.expression import Expression, Handle, as_operand
from pgmc.dsl.location import call_site, complaint
from pgmc.dsl.names import check_name
from pgmc.dsl.offsets import check_offsets
from pgmc.dsl.operand import Operand, addition
from pgmc.dsl.sums import energy_summands
from pgmc.dsl.validity import settle_places
from pgmc.errors import ModelError
from pgmc.ir.definitions import expand_factors, names_behind
from pgmc.ir.factor_energy import negative_log_law
from pgmc.ir.factors import parameter_term
from pgmc.ir.model import EnergyTerm, Factor
from pgmc.ir.symbols import SourceLine, Variable

if TYPE_CHECKING:
    from pgmc.dsl.model import Model


def energy(self: Model, expr: Expression | float, name: str | None = None) -> None:
    """Add a term to the energy E.

    Each summand of the expression is summed over the indices that no written sum binds.

    Parameters
    ----------
    expr
        A scalar expression; in index notation its indices may be left open.
    name
        A name for the term, unique among the terms.

    Raises
    ------
    NotationError
        If the expression is not a scalar, or it is ambiguous what is summed.
    ModelError
        If it uses a symbol of another model, or the name is not valid.
    """
    operand = as_operand(expr)
    label = None if name is None else _term_name(self, name)
    self._check_declared(operand.node, operand.text)
    for child, used in ((f.target.name, f) for f in self._factors):
        if child in names_behind((operand.node,), self._definitions):
            raise _energy_of_child(operand.text, child, used.origin)
    _add_terms(self, operand, label)


def directed(self: Model, target: Expression, distribution: Distribution) -> None:
    """Add p(target | the variables in the distribution's parameters): one law for every unit of the target.

    The model is p(state) = exp(-E) / Z · Π p(child | parents), and Z is a sum over the variables that have no
    factor. In index notation the target's indices are free, and any other index is summed within its product.

    Parameters
    ----------
    target
        A variable, or a unit of it such as ``x[i]``.
    distribution
        :class:`pgmc.Bernoulli`, :class:`pgmc.Categorical` or :class:`pgmc.Normal`.

    Raises
    ------
    ModelError
        If the target has a factor already or stands in the energy, the distribution is not one for such units, or
        the variables depend on one another in a circle.
    NotationError
        If shapes or indices do not fit.

    Examples
    --------
    >>> m.directed(v, pgmc.Bernoulli(logits=h @ W + b))
    >>> m.directed(x[i], pgmc.Bernoulli(logits=b[i] + pgmc.Sum(W[i, j] * x[j], j, where=j < i)))
    """
    variable, element = directed_factors.read_target(target)
    family, checked = directed_factors.read_distribution(variable, distribution)
    text = f"directed factor of {variable.name}"
    self._check_declared(element.node, text)
    for operand in checked.operands.values():
        self._check_declared(operand.node, operand.text)
    _check_child(self, variable)
    indices, found = directed_factors.unit_parameters(variable, element, checked)
    named = {name: self._named(body) for name, body in found.items()}
    parameters = tuple((name, parameter_term(variable, indices, body)) for name, body in named.items())
    factor = Factor(variable, family, parameters, call_site())
    check_order(expand_factors((*self._factors, factor), self._definitions))
    self._factors.append(factor)
    law = negative_log_law(variable, family, indices, named)
    _add_terms(self, Operand(addition(*law), text=text), None, variable.name)


def define(self: Model, name: str, expr: Expression | float, axes: object = None) -> Handle:
    """A named intermediate value: printed by its name, and computed once wherever it is used.

    Terms, parameters of distributions and other definitions may speak of it as of any array, so that a network of
    several layers is written layer by layer.

    Parameters
    ----------
    name
        A name by the rule for names, unique in the model.
    expr
        What it is. In index notation it may have open indices.
    axes
        In index notation the indices of its axes, in order, as in ``axes=(d, j)``; any other index is summed
        within its product. May be left out where there is at most one open index.

    Returns
    -------
    Handle
        An array with one axis for each index, or with the shape of the expression.

    Raises
    ------
    NotationError
        If the order of the axes, or how long one is, is not clear.
    ModelError
        If the name is not valid, or the expression uses a symbol of another model.

    Examples
    --------
    >>> a = m.define("a", pgmc.tanh(V @ z + c))
    >>> m.directed(x, pgmc.Bernoulli(logits=U @ a + b))
    """
    name = self._new_name(name, "definition")
    operand = as_operand(expr)
    self._check_declared(operand.node, operand.text)
    definition = make_definition(name, replace(operand, node=self._named(operand.node)), axes)
    self._definitions.append(definition)
    return self._declare(definition.symbol)


def _add_terms(self: Model, operand: Operand, label: str | None, child: str | None = None) -> None:
    origin = call_site()
    for body, over in energy_summands(operand):
        check_offsets(body, operand.text)
        settled, running = settle_places(body, over, operand.text)
        self._terms.append(EnergyTerm(self._named(settled), running, label, origin, child))


def _term_name(self: Model, name: object) -> str:
    label = check_name(name, "energy term")
    if any(term.name == label for term in self._terms):
        reason = "another term has this name"
        raise complaint(ModelError, f"energy term '{label}'", reason, "Choose another name.")
    return label


def _check_child(self: Model, variable: Variable) -> None:
    text = f"directed factor of {variable.name}"
    for factor in self._factors:
        if factor.target == variable:
            reason = f"{variable.name} has one already, at {factor.origin}"
            raise complaint(ModelError, text, reason, "Put all parents into one distribution.")
    for term in self._terms:
        if term.child is None and variable.name in names_behind((term.body,), self._definitions):
            raise _energy_of_child(text, variable.name, term.origin)


def _energy_of_child(text: str, child: str, origin: SourceLine | None) -> ModelError:
    where = f" at {origin}" if origin else ""
    reason = f"{child} would have a directed factor and a term of the energy{where}"
    remedy = "Then its factor would not be normalised: describe it by one of the two."
    return complaint(ModelError, text, reason, remedy)
