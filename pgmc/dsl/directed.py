"""Directed factors: p(target | parents) as a factor and as the terms of -log p."""

from __future__ import annotations

from pgmc.dsl.array_notation import elementwise
from pgmc.dsl.distributions import Distribution
from pgmc.dsl.expression import Expression
from pgmc.dsl.index_notation import access
from pgmc.dsl.location import complaint
from pgmc.dsl.operand import Operand, check_ranges, merge_ranges
from pgmc.dsl.sums import parameter_summands
from pgmc.dsl.validity import settle_parameter
from pgmc.errors import ModelError, NotationError
from pgmc.ir.answers import Family
from pgmc.ir.factors import FAMILIES_OF
from pgmc.ir.nodes import Access, Index, Scalar, fresh_index, shifted_index
from pgmc.ir.rewrite import rename
from pgmc.ir.symbols import Spin, Variable, is_one_hot


def read_target(target: object) -> tuple[Variable, Operand]:
    """The variable that a factor is for, and the element of it that the parameters are written for.

    Raises
    ------
    ModelError, NotationError
        If it is not a variable, whole or with a different index on each axis.
    """
    if not isinstance(target, Expression) or not isinstance(target.node, Access):
        shown = target.operand.text if isinstance(target, Expression) else ascii(target)[:60]
        raise complaint(ModelError, shown, "the target of a directed factor is no variable", "Give x, or x[i].")
    variable = target.node.symbol
    if not isinstance(variable, Variable):
        reason = "the target of a directed factor is no variable"
        raise complaint(ModelError, target.operand.text, reason, "Only variables are drawn.")
    indices = [position.index for position in target.node.positions]
    if None in indices or len(set(indices)) < len(indices):
        reason = "the target of a directed factor is not a unit in general"
        raise complaint(NotationError, target.operand.text, reason, "Give each axis an index of its own, as in x[i].")
    return variable, target.operand


def read_distribution(variable: Variable, distribution: object) -> tuple[Family, Distribution]:
    """The family for the domain of the variable, and the distribution.

    Raises
    ------
    ModelError
        If it is no distribution, or not one for such units.
    """
    if not isinstance(distribution, Distribution):
        reason = f"{type(distribution).__name__} is no distribution"
        raise complaint(ModelError, f"directed factor of {variable.name}", reason, "Write pgmc.Bernoulli(logits=...).")
    spin = isinstance(variable.domain, Spin) and distribution.family == "Bernoulli"
    family: Family = "Spin" if spin else distribution.family
    if family not in FAMILIES_OF.get(type(variable.domain), ()):
        names: dict[Family, Family] = {"Spin": "Bernoulli"}
        allowed = " or ".join(names.get(f, f) for f in FAMILIES_OF.get(type(variable.domain), ())) or "none"
        reason = f"{variable.name} is {variable.domain}, and a {distribution.family} is not"
        raise complaint(ModelError, repr(distribution), reason, f"Its distribution is {allowed}.")
    return family, distribution


def unit_parameters(
    variable: Variable, target: Operand, distribution: Distribution
) -> tuple[tuple[Index, ...], dict[str, Scalar]]:
    """Fresh indices of the unit (and the state), and each parameter over them.

    The target's indices stay free; any other index is summed within its product.

    Raises
    ------
    NotationError
        If shapes or indices do not fit.
    """
    node = target.node
    assert isinstance(node, Access)
    own = tuple(index for index in map(shifted_index, node.positions) if index is not None)
    fresh = tuple(fresh_index(index.name, _axis_of(variable, k)) for k, index in enumerate(own))
    found: dict[str, Scalar] = {}
    for name, operand in distribution.operands.items():
        text = f"{target.text} ~ {distribution!r}"
        if operand.axes and operand.shape != target.shape:
            reason = f"{name} have the shape {operand.shape}, and {target.text} has {target.shape}"
            raise complaint(NotationError, text, reason, "Give one number for each unit, and each state of a unit.")
        _, body = elementwise(target, operand, text)
        check_ranges(merge_ranges(target.ranges, operand.ranges), text)
        summands = rename(parameter_summands(body, own), dict(zip(own, fresh, strict=True)))
        found[name] = settle_parameter(summands, access(variable, fresh), text)
    return fresh, found


def _axis_of(variable: Variable, position: int) -> tuple[str, int]:
    state = is_one_hot(variable) and position == len(variable.axes)
    return variable.name, -1 if state else position
