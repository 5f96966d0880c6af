"""Methods of ``Model`` that declare what is not drawn: inputs, parameters, constants and lists of edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from pgmc.dsl import declarations
from pgmc.dsl.declarations import Boundaries, Shape
from pgmc.dsl.edges import check_edges, edge_places, make_tables
from pgmc.dsl.expression import Handle
from pgmc.dsl.literals import checked_array
from pgmc.dsl.location import call_site
from pgmc.errors import ModelError
from pgmc.ir.symbols import Categorical, Constant, Domain, Input, Parameter, Real

if TYPE_CHECKING:
    from pgmc.dsl.model import Model


def input(
    self: Model, name: str, shape: Shape = (), *, states: int | None = None, boundary: Boundaries = "open"
) -> Handle:
    """An array that is always given and never sampled: the model is conditional on it.

    With ``states=`` it is categorical: one-hot in expressions, integers in data.

    Raises
    ------
    ModelError
        If the name, the shape or the number of states is not valid.
    """
    name = self._new_name(name, "input")
    axes = declarations.check_boundary(boundary, declarations.check_shape(shape, "input", name), name)
    domain: Domain = Real() if states is None else Categorical(declarations.check_states(states, name))
    return self._declare(Input(name, axes, domain, call_site()))


def param(
    self: Model,
    name: str,
    shape: Shape = (),
    *,
    symmetric: bool = False,
    zero_diagonal: bool = False,
    positive: bool = False,
    fixed: bool = False,
    mask: npt.ArrayLike | None = None,
    init: float | npt.ArrayLike | declarations.Initialiser | None = None,
    boundary: Boundaries = "open",
) -> Handle:
    """A trained array.

    Parameters
    ----------
    name, shape, boundary
        As for :meth:`binary`. An axis that shares an index with a periodic one need not be declared so, unless
        it stands with an offset itself.
    symmetric, zero_diagonal
        Keep a square matrix equal to its transpose; keep its diagonal at zero.
    positive
        Keep every entry above zero.
    fixed
        Gradients leave it as it is: training moves it only where a callback gives it new values.
    mask
        Zeros and ones of the parameter's shape; entries are kept at zero where it is zero.
    init
        A number, an array, or an initialiser ``init(shape, generator)``. By default 1 if positive, 0 up
        to one axis, and N(0, 0.01²) for more.

    Raises
    ------
    ModelError, NumericsError
        If the name, the shape, the mask or the initial value does not fit, or is not finite.
    """
    name = self._new_name(name, "parameter")
    axes = declarations.check_boundary(boundary, declarations.check_shape(shape, "parameter", name), name)
    sizes = tuple(axis.size for axis in axes)
    constraint = declarations.check_constraint(
        name, sizes, symmetric=symmetric, zero_diagonal=zero_diagonal, positive=positive, fixed=fixed, mask=mask
    )
    start = declarations.check_init(init, name, sizes, constraint)
    return self._declare(Parameter(name, axes, constraint, start, call_site()))


def constant(self: Model, name: str, value: npt.ArrayLike) -> Handle:
    """An array that is never trained; its value is passed to the program at run time.

    Raises
    ------
    ModelError
        If the name is not valid or the value is not made of real numbers.
    NumericsError
        If an entry is NaN or infinite.
    """
    name = self._new_name(name, "constant")
    array = checked_array(value, ModelError, f"constant '{name}'")
    axes = declarations.check_shape(array.shape, "constant", name)
    return self._declare(Constant(name, axes, array, None, call_site()))


def edges(self: Model, pairs: npt.ArrayLike) -> tuple[Any, ...]:
    """A list of edges, to be used in places: ``e, a, b = m.edges(pairs)``.

    Edge e joins the units a[e] and b[e], so that ``m.energy(-J[e] * s[a] * s[b])`` is -Σ_e J_e s_a(e) s_b(e).
    The list is data: a program is compiled once for any number of edges.

    Parameters
    ----------
    pairs
        Integers of shape ``(m, r)``: row e holds the r units of edge e, two or any other number. An edge may
        repeat, and may join a unit to itself.

    Returns
    -------
    tuple
        The running number of the edge, and a place for each column, for use in brackets.

    Raises
    ------
    ModelError
        If it is no array of that shape, or an entry is negative.

    Examples
    --------
    >>> e, a, b = m.edges([(0, 1), (1, 2), (2, 0)])
    >>> s, J = m.spin("s", 3), m.param("J", 3)
    >>> m.energy(-J[e] * s[a] * s[b])
    """
    tables = make_tables(check_edges(pairs), self._handles, call_site())
    for table in tables:
        self._declare(table)
    return edge_places(tables)
