"""Well-formedness of models, written down as code and run between compiler stages.

Mistakes of the user are caught where they are made, by the declarations and expressions. What fails here is a
defect of the compiler (or a file that was tampered with), so every check raises ``InternalError``.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator

import numpy as np

from pgmc.errors import InternalError
from pgmc.ir.canonical import with_letters
from pgmc.ir.check_inside import find_outside
from pgmc.ir.factors import FAMILIES_OF, PARAMETERS_OF, parameter_of
from pgmc.ir.index_ranges import places
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import (
    FUNCTIONS,
    Access,
    Add,
    BatchMean,
    Bracket,
    Call,
    Index,
    Length,
    LogSumExp,
    Lookup,
    Mul,
    Position,
    Pow,
    Scalar,
    Sum,
    Unit,
)
from pgmc.ir.printer import print_scalar
from pgmc.ir.rewrite import accesses, children, depends_on_example, free_indices, position_indices, walk
from pgmc.ir.symbols import (
    Axis,
    Binary,
    Categorical,
    Constant,
    Count,
    Input,
    Parameter,
    Symbol,
    Variable,
    access_axes,
    shape_of,
)

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
RELATIONS = ("==", "!=", "<", "<=")


def check_model(model: Model) -> None:
    """Every property below.

    Raises
    ------
    InternalError
        Naming the first property that does not hold, and where.
    """
    check_names(model)
    check_symbols(model)
    check_declared(model)
    for term in (*model.tied_terms, *(term for factor in model.factors for _, term in factor.parameters)):
        check_nodes(term)
        check_positions(term)
        check_bound_once(term)
        check_sizes(term)
        check_inside(model, term)
    check_factors(model)
    check_definitions(model)


def check_names(model: Model) -> None:
    """Names of symbols are valid and unique; so are the names of the model and of indices valid."""
    names = [symbol.name for symbol in model.symbols]
    for name in (model.name, *names, *(term.name for term in model.terms if term.name is not None)):
        _check_name(name)
    for term in model.terms:
        for index in (*term.over, *_bound(term.body)):
            _check_name(index.name)
    repeated = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    if repeated:
        raise _broken(f"the names {sorted(repeated)} stand for more than one symbol")


def _check_name(name: str) -> None:
    if NAME.fullmatch(name) is None or keyword.iskeyword(name):
        raise _broken(f"{name!a} is not a name")


def check_symbols(model: Model) -> None:
    """Sizes are positive, categorical symbols have two states or more, data fits the declared shape."""
    for symbol in model.symbols:
        shape = shape_of(symbol)
        least = 0 if isinstance(symbol, Constant) else 1  # a list of edges may be empty
        if any(size < least for size in shape):
            raise _broken(f"{symbol.name} has the shape {shape}")
        if isinstance(symbol, Variable | Input) and isinstance(symbol.domain, Categorical):
            if symbol.domain.states < 2:
                raise _broken(f"{symbol.name} has {symbol.domain.states} states")
        elif isinstance(symbol, Variable):
            _check_groups(symbol, model)
        elif isinstance(symbol, Constant) and np.shape(symbol.value) != shape:
            raise _broken(f"{symbol.name} has the shape {shape} and a value of shape {np.shape(symbol.value)}")
        elif isinstance(symbol, Parameter):
            _check_constraint(symbol, shape)


def _check_groups(variable: Variable, model: Model) -> None:
    """Exclusive blocks tile a binary array; a total is a number or an input, over the last of some axes."""
    lengths, shape = variable.exclusive, shape_of(variable)
    if lengths and not isinstance(variable.domain, Binary):
        raise _broken(f"{variable.name} has exclusive blocks and is not binary")
    if lengths and (len(lengths) != len(shape) or any(n % k for n, k in zip(shape, lengths, strict=True))):
        raise _broken(f"{variable.name} has the shape {shape} and exclusive blocks of the shape {lengths}")
    total = variable.domain.total if isinstance(variable.domain, Count) else None
    inputs = {symbol.name: shape_of(symbol) for symbol in model.inputs}
    if total is not None and (not shape or (isinstance(total, str) and inputs.get(total) != shape[:-1])):
        raise _broken(f"{variable.name} has the shape {shape} and no input {total} of the shape {shape[:-1]}")


def _check_constraint(parameter: Parameter, shape: tuple[int, ...]) -> None:
    constraint = parameter.constraint
    square = len(shape) == 2 and shape[0] == shape[1]
    if (constraint.symmetric or constraint.zero_diagonal) and not square:
        raise _broken(f"{parameter.name} has the shape {shape} and a constraint on square matrices")
    if constraint.masked and np.shape(constraint.mask) != shape:
        raise _broken(f"{parameter.name} has the shape {shape} and a mask of shape {np.shape(constraint.mask)}")


def check_declared(model: Model) -> None:
    """Every symbol of a term is one of the model's."""
    declared = {symbol.name: symbol for symbol in model.symbols}
    for term in model.tied_terms:
        for access in accesses(term.body):
            known = declared.get(access.symbol.name)
            if known is not access.symbol and known != access.symbol:
                raise _broken(f"{access.symbol.name} is not declared", term)


def check_factors(model: Model) -> None:
    """Every child has one factor, whose parameters stand on all axes of the child."""
    for name in {*model.children, *(term.child for term in model.terms if term.child is not None)}:
        if model.children.count(name) != 1:
            raise _broken(f"{name} has {model.children.count(name)} directed factors")
    for factor in model.factors:
        target = factor.target
        if target not in model.variables:
            raise _broken(f"the target {target.name} of a directed factor is not declared")
        if factor.family not in FAMILIES_OF.get(type(target.domain), ()):
            raise _broken(f"{target.name} is {target.domain} and has a factor of the family {factor.family!a}")
        if {name for name, _ in factor.parameters} != set(PARAMETERS_OF[factor.family]):
            raise _broken(f"the factor of {target.name} has the parameters {[name for name, _ in factor.parameters]}")
        for _, term in factor.parameters:
            if len(parameter_of(target, term)[0]) != len(access_axes(target)):
                raise _broken(f"a parameter of the factor of {target.name} does not stand on all its axes", term)


def check_definitions(model: Model) -> None:
    """Every definition is an equation for all elements of its symbol, made of those before it."""
    known = {symbol.name for symbol in model.symbols} - {d.symbol.name for d in model.definitions}
    for definition in model.definitions:
        symbol, (indices, body) = definition.symbol, parameter_of(definition.symbol, definition.term)
        unknown = {access.symbol.name for access in accesses(body)} - known
        if unknown:
            raise _broken(f"the definition of {symbol.name} speaks of {sorted(unknown)} before they are defined")
        if len(indices) != len(symbol.axes) or symbol.per_example != depends_on_example(body):
            raise _broken(f"the definition of {symbol.name} is no equation for all its elements", definition.term)
        known.add(symbol.name)


def check_nodes(term: EnergyTerm) -> None:
    """A term has known functions and relations, no empty sum or product, and nothing of a later stage."""
    for node in walk(term.body):
        match node:
            case Unit() | BatchMean():
                raise _broken(f"{type(node).__name__} does not belong into a model", term)
            case Call(function, _) if function not in FUNCTIONS:
                raise _broken(f"the function {function!a} is not known", term)
            case Add(parts) | Mul(parts) if not parts:
                raise _broken("a sum or a product is empty", term)
            case Pow(_, exponent) if exponent == 0:
                raise _broken("an exponent is zero", term)
            case Bracket(relations) if any(r.operator not in RELATIONS for r in relations):
                raise _broken("a relation is not known", term)
            case _:
                pass


def check_positions(term: EnergyTerm) -> None:
    """Every access has one position for each axis; numbers and places looked up lie inside."""
    for access in accesses(term.body):
        axes = access_axes(access.symbol)
        if len(access.positions) != len(axes):
            raise _broken(f"{access.symbol.name} has {len(axes)} axes and {len(access.positions)} positions", term)
        for position, axis in zip(access.positions, axes, strict=True):
            if not position.terms and not 0 <= position.offset < axis.size:
                raise _broken(f"{access.symbol.name} has no position {position.offset} on an axis of {axis.size}", term)
            _check_places(position, access.symbol, axis, term)


def _check_places(position: Position, symbol: Symbol, axis: Axis, term: EnergyTerm) -> None:
    """Tables hold integers, and those that are places themselves lie inside the axis."""
    for table in (atom.table for atom, _ in position.terms if isinstance(atom, Lookup)):
        values = np.asarray(table.value)
        if not np.all(np.isfinite(values)) or np.any(values != np.rint(values)):
            raise _broken(f"{table.name} looks up places and has entries that are no integers", term)
        if position.is_plain and values.size and not (values.min() >= 0 and values.max() < axis.size):
            raise _broken(f"{table.name} has places outside the axis of {axis.size} of {symbol.name}", term)
    if any(isinstance(atom, Length) for atom, _ in position.terms):
        raise _broken(f"a position of {symbol.name} has the length of an axis in it", term)


def check_bound_once(term: EnergyTerm) -> None:
    """Every index is bound exactly once, by the term or by one sum, and none is free."""
    bound = [*term.over, *_bound(term.body)]
    if len(set(bound)) != len(bound):
        raise _broken("an index is bound twice", term)
    free = [index for index in free_indices(term.body) if index not in term.over]
    if free:
        raise _broken(f"the index {free[0].name} is not bound", term)


def check_sizes(term: EnergyTerm) -> None:
    """An array of its sum or its extent says how far each index runs; on longer open axes it has neighbours."""
    _check_known(term.body, term.over, term)
    for node in walk(term.body):
        if isinstance(node, Sum | LogSumExp):
            _check_known(node.body, node.over, term)
    alone: dict[Index, set[int]] = {}
    beside: dict[Index, set[int]] = {}
    for _, _, axis, position in places(term.body):
        if position.index is not None:
            alone.setdefault(position.index, set()).add(axis.size)
        elif axis.boundary == "open":
            for index in position_indices(position):
                beside.setdefault(index, set()).add(axis.size)
    for index, sizes in alone.items():
        if not sizes <= {min(sizes), *beside.get(index, ())}:
            shown = " and ".join(map(str, sorted(sizes, reverse=True)))
            raise _broken(f"the index {index.name} runs over axes of the sizes {shown}", term)


def check_inside(model: Model, term: EnergyTerm) -> None:
    """Every place lies inside its axis, wherever the brackets around it hold."""
    outside = find_outside(model, term)
    if outside is not None:
        symbol, k, axis, position = outside
        where = print_scalar(with_letters(Access(symbol, (position,))))
        raise _broken(f"{where} may lie outside axis {k} of {symbol.name}, which has {axis.size} places", term)


def _check_known(node: Scalar, over: tuple[Index, ...], term: EnergyTerm) -> None:
    alone = {position.index for _, _, _, position in places(node)}
    for index in over:
        if index not in alone and index.extent is None:
            raise _broken(f"nothing says how far the index {index.name} runs", term)


def _bound(node: Scalar) -> Iterator[Index]:
    if isinstance(node, Sum | LogSumExp):
        yield from node.over
    for child in children(node):
        yield from _bound(child)


def _broken(what: str, term: EnergyTerm | None = None) -> InternalError:
    where = f"{term.origin}  " if term is not None and term.origin is not None else ""
    return InternalError(f"{where}model: {what}. Please report this.")
