"""The specification: declarations and the terms of the energy."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

import numpy.typing as npt

from pgmc.dsl import declarations, directed
from pgmc.dsl.dependencies import check_order
from pgmc.dsl.distributions import Distribution
from pgmc.dsl.edges import check_edges, edge_places, make_tables
from pgmc.dsl.expression import Expression, Handle, as_operand
from pgmc.dsl.guide import Guide
from pgmc.dsl.initial import initial_values
from pgmc.dsl.literals import checked_array, is_anonymous
from pgmc.dsl.location import call_site, complaint, warn
from pgmc.dsl.names import check_name, is_anonymous_name
from pgmc.dsl.offsets import check_offsets
from pgmc.dsl.operand import Operand
from pgmc.dsl.sums import energy_summands
from pgmc.dsl.validity import settle_places
from pgmc.errors import ModelError
from pgmc.ir import model as ir_model
from pgmc.ir.base_measure import base_measure, without_base_measures
from pgmc.ir.canonical import canonical_model
from pgmc.ir.check import check_model
from pgmc.ir.factors import parameter_term
from pgmc.ir.nodes import Scalar
from pgmc.ir.rewrite import accesses, replace_symbols
from pgmc.ir.symbols import (
    Binary,
    Boundary,
    Categorical,
    Constant,
    Count,
    Domain,
    Input,
    Parameter,
    Positive,
    Real,
    SourceLine,
    Spin,
    Symbol,
    Variable,
    describe_domain,
    shape_of,
    total_name,
)

Shape = int | tuple[int, ...]
Boundaries = Boundary | tuple[Boundary, ...]
S = TypeVar("S", bound=Symbol)


class Model:
    """A probabilistic model p(x) = exp(-E(x)) / Z, declared piece by piece.

    Parameters
    ----------
    name
        A name by the rule for names (see :mod:`pgmc.dsl.names`).

    Examples
    --------
    >>> m = pgmc.Model("example")
    >>> v, h = m.binary("v", 6), m.binary("h", 4)
    >>> W = m.param("W", (6, 4))
    >>> m.energy(-(v @ W @ h))
    """

    def __init__(self, name: str = "model") -> None:
        self.name = check_name(name, "pgmc.Model")
        self._handles: dict[str, Handle] = {}
        self._terms: list[ir_model.EnergyTerm] = []
        self._factors: list[ir_model.Factor] = []
        self._guide: Guide | None = None
        # Anonymous constants by placeholder: the same expression used in two terms keeps one constant.
        self._anonymous: dict[str, Constant] = {}
        self._last_anonymous = 0

    @classmethod
    def from_ir(cls, model: ir_model.Model) -> Model:
        """A model that can be extended and compiled, from a well-formed snapshot."""
        check_model(model)
        made = cls(model.name)
        for symbol in model.symbols:
            if isinstance(symbol, Constant) and is_anonymous_name(symbol.name):
                made._anonymous[symbol.name] = symbol
                number = int(symbol.name.rpartition("_")[2])
                made._last_anonymous = max(made._last_anonymous, number)
            else:
                made._handles[symbol.name] = Handle(symbol)
        made._terms = without_base_measures(model.terms)
        made._factors = list(model.factors)
        made._guide = None if model.guide is None else Guide(made, Model, model.guide)
        return made

    # ---- declarations --------------------------------------------------------------------------------------

    def binary(
        self,
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
        return self._variable(name, shape, Binary(), boundary, exclusive)

    def spin(self, name: str, shape: Shape = (), *, boundary: Boundaries = "open") -> Handle:
        """Units with the values -1 and +1; otherwise as :meth:`binary`."""
        return self._variable(name, shape, Spin(), boundary)

    def categorical(self, name: str, shape: Shape = (), *, states: int, boundary: Boundaries = "open") -> Handle:
        """Units with one of ``states`` states.

        In expressions a unit is one-hot: the handle has the shape ``(*shape, states)``, and its last index
        runs over the states. In data and samples it is an integer from 0 to ``states - 1``.

        Raises
        ------
        ModelError
            If the name or the shape is not valid, or there are fewer than two states.
        """
        name = self._new_name(name, "group")
        return self._variable(name, shape, Categorical(declarations.check_states(states, name)), boundary)

    def real(self, name: str, shape: Shape = (), *, boundary: Boundaries = "open") -> Handle:
        """Units with any real value; otherwise as :meth:`binary`.

        The energy has to hold every unit back, so that exp(-E) has a finite integral: with a term such as
        ``(x**2).sum() / 2``. A unit whose energy is quadratic has a normal conditional.
        """
        return self._variable(name, shape, Real(), boundary)

    def count(
        self, name: str, shape: Shape = (), *, total: int | Handle | None = None, boundary: Boundaries = "open"
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

    def positive(self, name: str, shape: Shape = (), *, boundary: Boundaries = "open") -> Handle:
        """Units with any value above 0; otherwise as :meth:`binary`.

        A unit whose energy is linear in it and in its logarithm has a gamma conditional, exponential without the
        logarithm; one whose energy is quadratic a normal one, cut at 0.
        """
        return self._variable(name, shape, Positive(), boundary)

    def input(
        self, name: str, shape: Shape = (), *, states: int | None = None, boundary: Boundaries = "open"
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
        self,
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

    def constant(self, name: str, value: npt.ArrayLike) -> Handle:
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

    def edges(self, pairs: npt.ArrayLike) -> tuple[Any, ...]:
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

    def _variable(self, name: str, shape: object, domain: Domain, boundary: object, exclusive: object = None) -> Handle:
        name = self._new_name(name, "group")
        axes = declarations.check_boundary(boundary, declarations.check_shape(shape, "group", name), name)
        blocks = declarations.check_exclusive(exclusive, axes, name)
        return self._declare(Variable(name, axes, domain, call_site(), blocks))

    def _new_name(self, name: object, kind: str) -> str:
        checked = check_name(name, kind)
        taken = self._guide.names if self._guide is not None else ()
        if checked in taken:
            reason = f"the guide has declared '{checked}'"
            raise complaint(ModelError, f"{kind} '{checked}'", reason, "Choose another name.")
        if checked in self._handles:
            first = self._handles[checked].symbol.origin
            reason = f"the name '{checked}' is already declared" + (f" at {first}" if first else "")
            raise complaint(ModelError, f"{kind} '{checked}'", reason, "Choose another name.")
        return checked

    def _declare(self, symbol: Symbol) -> Handle:
        handle = self._handles[symbol.name] = Handle(symbol)
        return handle

    # ---- the energy ----------------------------------------------------------------------------------------

    def energy(self, expr: Expression | float, name: str | None = None) -> None:
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
        label = None if name is None else self._term_name(name)
        self._check_declared(operand.node, operand.text)
        for child, used in ((f.target.name, f) for f in self._factors):
            if any(access.symbol.name == child for access in accesses(operand.node)):
                raise _energy_of_child(operand.text, child, used.origin)
        self._add_terms(operand, label)

    def _add_terms(self, operand: Operand, label: str | None, child: str | None = None) -> None:
        origin = call_site()
        for body, over in energy_summands(operand):
            check_offsets(body, operand.text)
            settled, running = settle_places(body, over, operand.text)
            self._terms.append(ir_model.EnergyTerm(self._named(settled), running, label, origin, child))

    # ---- directed factors ----------------------------------------------------------------------------------

    def directed(self, target: Expression, distribution: Distribution) -> None:
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
        variable, element = directed.read_target(target)
        family, checked = directed.read_distribution(variable, distribution)
        text = f"directed factor of {variable.name}"
        self._check_declared(element.node, text)
        for operand in checked.operands.values():
            self._check_declared(operand.node, operand.text)
        self._check_child(variable)
        indices, found = directed.unit_parameters(variable, element, checked)
        named = {name: self._named(body) for name, body in found.items()}
        parameters = tuple((name, parameter_term(variable, indices, body)) for name, body in named.items())
        factor = ir_model.Factor(variable, family, parameters, call_site())
        check_order((*self._factors, factor))
        self._factors.append(factor)
        law = directed.negative_log_law(variable, family, indices, named)
        self._add_terms(Operand(law, text=text), None, variable.name)

    def guide(self) -> Guide:
        """The inference net q of the model: directed factors for its latent variables given the others.

        It has ``.param``, ``.constant`` and ``.directed`` of its own; its parameters are trained with the model's and
        stand beside them in ``params``. Every call returns the same guide.

        Examples
        --------
        >>> q = m.guide()
        >>> R = q.param("R", (784, 200))
        >>> q.directed(h, pgmc.Bernoulli(logits=v @ R))
        """
        if self._guide is None:
            self._guide = Guide(self, Model)
        return self._guide

    def _check_child(self, variable: Variable) -> None:
        text = f"directed factor of {variable.name}"
        for factor in self._factors:
            if factor.target == variable:
                reason = f"{variable.name} has one already, at {factor.origin}"
                raise complaint(ModelError, text, reason, "Put all parents into one distribution.")
        for term in self._terms:
            if term.child is None and any(access.symbol == variable for access in accesses(term.body)):
                raise _energy_of_child(text, variable.name, term.origin)

    def _term_name(self, name: object) -> str:
        label = check_name(name, "energy term")
        if any(term.name == label for term in self._terms):
            reason = "another term has this name"
            raise complaint(ModelError, f"energy term '{label}'", reason, "Choose another name.")
        return label

    def _check_declared(self, node: Scalar, text: str) -> None:
        """Every symbol is the very object that this model declared: another model's may look the same."""
        for access in accesses(node):
            symbol = access.symbol
            known = self._handles.get(symbol.name)
            if not is_anonymous(symbol) and (known is None or known.symbol is not symbol):
                reason = f"'{symbol.name}' is not declared in the model '{self.name}'"
                if known is not None:
                    reason = f"this '{symbol.name}' belongs to another model than '{self.name}'"
                raise complaint(ModelError, text, reason, "Declare it with this model's methods.")

    def _named(self, node: Scalar) -> Scalar:
        """The node with a name for each constant that the user wrote in place."""
        written = dict.fromkeys(a.symbol for a in accesses(node) if is_anonymous(a.symbol))
        named = {symbol.name: self._constant(symbol) for symbol in written if isinstance(symbol, Constant)}
        return replace_symbols(node, named) if named else node

    def _constant(self, placeholder: Constant) -> Constant:
        if placeholder.name not in self._anonymous:
            self._last_anonymous += 1
            name = f"constant_{self._last_anonymous}"
            self._anonymous[placeholder.name] = dataclasses.replace(placeholder, name=name, origin=call_site())
        return self._anonymous[placeholder.name]

    # ---- the finished model --------------------------------------------------------------------------------

    def build(self) -> ir_model.Model:
        """The immutable snapshot that is compiled, in canonical form.

        Raises
        ------
        ModelError
            If the model has no variables.

        Warns
        -----
        ModelWarning
            For a variable in no term (its law is uniform) and a parameter or input that no term uses.
        """
        model = self._snapshot()
        if not model.variables:
            reason = "the model has no variables"
            raise complaint(ModelError, f"model '{self.name}'", reason, "Declare one, for example with .binary.")
        _warn_of_unused(model)
        return model

    def _snapshot(self) -> ir_model.Model:
        symbols = [handle.symbol for handle in self._handles.values()]
        variables = _of_type(symbols, Variable)
        return canonical_model(
            ir_model.Model(
                self.name,
                variables,
                _of_type(symbols, Input),
                _of_type(symbols, Parameter),
                (*_of_type(symbols, Constant), *self._anonymous.values()),
                (*self._terms, *(base_measure(v) for v in variables if isinstance(v.domain, Count))),
                tuple(self._factors),
                None if self._guide is None else self._guide.snapshot(),
            )
        )

    def init(self, seed: int | None = 0, *, dtype: npt.DTypeLike = "float32") -> dict[str, npt.NDArray[Any]]:
        """Initial values of every parameter.

        Parameters
        ----------
        seed
            The same seed gives the same values; each parameter's depend on its name and not on the others.
            None draws a seed from the operating system.
        dtype
            float32 or float64.

        Returns
        -------
        dict
            Name to array of the declared shape.

        Raises
        ------
        ArgumentError
            If the seed is no integer from 0 to 2^64 - 1, or the dtype is another one.
        ModelError
            If the arrays would not fit into the memory of this machine.
        """
        return initial_values(self._snapshot().trained, seed, dtype)

    def __getitem__(self, name: str) -> Handle:
        """The handle of a declared symbol (KeyError if there is none)."""
        return self._handles[name]

    # Without this Python would take __getitem__ with 0, 1, ... for iteration.
    __iter__ = None

    def __str__(self) -> str:
        model = self._snapshot()
        lines = [f"  {symbol.name}: {_kind(symbol)} {shape_of(symbol)}" for symbol in model.symbols]
        return "\n".join([f"model {model.name}", *lines, *(f"  {line}" for line in str(model).splitlines())])

    def __repr__(self) -> str:
        return f"<pgmc.Model {self.name}: {len(self._handles)} symbols, {len(self._terms)} terms>"


def _energy_of_child(text: str, child: str, origin: SourceLine | None) -> ModelError:
    where = f" at {origin}" if origin else ""
    reason = f"{child} would have a directed factor and a term of the energy{where}"
    remedy = "Then its factor would not be normalised: describe it by one of the two."
    return complaint(ModelError, text, reason, remedy)


def _of_type(symbols: list[Symbol], kind: type[S]) -> tuple[S, ...]:
    return tuple(symbol for symbol in symbols if isinstance(symbol, kind))


def _kind(symbol: Symbol) -> str:
    kind = type(symbol).__name__.lower()
    return describe_domain(symbol) if isinstance(symbol, Variable) else kind


def _warn_of_unused(model: ir_model.Model) -> None:
    used = {access.symbol.name for term in model.terms for access in accesses(term.body)}
    used |= {total_name(v) for v in model.variables if isinstance(v.domain, Count)}
    for variable in model.variables:
        if variable.name not in used:
            reason = "no term of the energy uses it, so its units are independent and uniform"
            warn(f"group '{variable.name}'", variable.origin, reason, "Add a term, or drop the group.")
    others: tuple[Input | Parameter, ...] = (*model.inputs, *model.parameters)
    for symbol in others:
        if symbol.name not in used:
            kind = _kind(symbol)
            warn(
                f"{kind} '{symbol.name}'",
                symbol.origin,
                "no term of the energy uses it",
                f"Drop the {kind}.",
            )
