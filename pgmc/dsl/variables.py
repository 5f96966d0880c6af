"""Methods of ``Model`` that declare variables, one for each domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgmc.dsl import declarations
from pgmc.dsl.declarations import Boundaries, Shape
from pgmc.dsl.expression import Handle
from pgmc.dsl.location import call_site
from pgmc.ir.symbols import Binary, Categorical, Count, Domain, Positive, Real, Spin, Variable

if TYPE_CHECKING:
    from pgmc.dsl.model import Model


def binary(
    self: Model,
    name: str,
    shape: Shape = (),
    *,
    exclusive: Shape | None = None,
    boundary: Boundaries = "open",
) -> Handle:
    """Units with the values 0 and 1.

    Parameters
    ----------
    name
        A name by the rule for names, unique in the model.
    shape
        The number of units, or a tuple of sizes; () is a single unit.
    exclusive
        The shape of blocks in which at most one unit is on: a length for each axis, or one for the last axis.
        Lengths divide the axes. ``handle.pooled()`` is then 1 where any unit of a block is on.
    boundary
        ``"periodic"`` axes wrap round, so that ``s[x + 1]`` has a meaning for the last x; one word for all
        axes, or a tuple with one for each.

    Raises
    ------
    ModelError
        If the name, the shape, the blocks or the boundary is not valid.

    References
    ----------
    Lee, Grosse, Ranganath, Ng (2009), section 3.3, on exclusive blocks: probabilistic max pooling.
    """
    return _variable(self, name, shape, Binary(), boundary, exclusive)


def spin(self: Model, name: str, shape: Shape = (), *, boundary: Boundaries = "open") -> Handle:
    """Units with the values -1 and +1; otherwise as :meth:`binary`."""
    return _variable(self, name, shape, Spin(), boundary)


def categorical(self: Model, name: str, shape: Shape = (), *, states: int, boundary: Boundaries = "open") -> Handle:
    """Units with one of ``states`` states.

    In expressions a unit is one-hot: the handle has the shape ``(*shape, states)``, and its last index
    runs over the states. In data and samples it is an integer from 0 to ``states - 1``.

    Raises
    ------
    ModelError
        If the name or the shape is not valid, or there are fewer than two states.
    """
    name = self._new_name(name, "group")
    return _variable(self, name, shape, Categorical(declarations.check_states(states, name)), boundary)


def real(self: Model, name: str, shape: Shape = (), *, boundary: Boundaries = "open") -> Handle:
    """Units with any real value; otherwise as :meth:`binary`.

    The energy has to hold every unit back, so that exp(-E) has a finite integral: with a term such as
    ``(x**2).sum() / 2``. A unit whose energy is quadratic has a normal conditional.
    """
    return _variable(self, name, shape, Real(), boundary)


def count(
    self: Model, name: str, shape: Shape = (), *, total: int | Handle | None = None, boundary: Boundaries = "open"
) -> Handle:
    """Counts 0, 1, 2, … with the base measure 1/k!, which is a term Σ log Γ(k + 1) of the energy.

    Without other terms a unit is Poisson with rate 1. At another temperature the base measure stays as it is.

    Parameters
    ----------
    name, shape, boundary
        As for :meth:`binary`.
    total
        What the counts along the last axis add up to: an integer, or an input with the shape of the other axes.
        They are then multinomial.

    Raises
    ------
    ModelError
        If the name, the shape or the total is not valid.

    References
    ----------
    Salakhutdinov, Hinton (2009), Replicated softmax: an undirected topic model.
    """
    name = self._new_name(name, "group")
    axes = declarations.check_boundary(boundary, declarations.check_shape(shape, "group", name), name)
    whole = declarations.check_total(total, axes, name)
    if isinstance(whole, int):
        self.constant(f"total_{name}", whole)
    return self._declare(Variable(name, axes, Count(whole), call_site()))


def positive(self: Model, name: str, shape: Shape = (), *, boundary: Boundaries = "open") -> Handle:
    """Units with any value above 0; otherwise as :meth:`binary`.

    A unit whose energy is linear in it and in its logarithm has a gamma conditional, exponential without the
    logarithm; one whose energy is quadratic a normal one, cut at 0.
    """
    return _variable(self, name, shape, Positive(), boundary)


def _variable(
    self: Model, name: str, shape: object, domain: Domain, boundary: object, exclusive: object = None
) -> Handle:
    name = self._new_name(name, "group")
    axes = declarations.check_boundary(boundary, declarations.check_shape(shape, "group", name), name)
    blocks = declarations.check_exclusive(exclusive, axes, name)
    return self._declare(Variable(name, axes, domain, call_site(), blocks))
