"""The meaning of the IR, in plain NumPy: slow, obvious, and the reference for everything that is generated.

Axis 0 of every value is the example; axis 1 + k belongs to the k-th index in scope. A value is an array with
one axis for each of them, of length 1 where it does not vary, so every operation is one of NumPy's with
broadcasting. A sum puts its own indices at the end of the scope, evaluates its body, and reduces those axes; a large
sum of products does so for two factors at a time.

Positions wrap round their axes. Where one would leave an open axis, a bracket in the product around it is 0, and
then so is the product, whatever its other factors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce

import numpy as np

from pgmc.errors import InternalError
from pgmc.ir.answers import Computation, ConditionalLaw, Quantity
from pgmc.ir.definitions import definition_quantities
from pgmc.ir.extents import index_sizes
from pgmc.ir.frames import Array, Frame, array_of, axes_of, extents_of, places_in
from pgmc.ir.model import Model
from pgmc.ir.nodes import (
    Access,
    Add,
    BatchMean,
    Bracket,
    Call,
    Compare,
    Index,
    LogSumExp,
    Mul,
    Number,
    Pi,
    Position,
    Pow,
    Scalar,
    Sum,
    Unit,
)
from pgmc.ir.rewrite import accesses, free_indices
from pgmc.ir.sums_of_products import MAX_ELEMENTS, sum_of_products
from pgmc.ir.symbols import Symbol, access_axes, is_one_hot, is_per_example

MANY_PRODUCTS = 1 << 16
"""From this many products on a sum of products is not made of an array of all of them."""


def _digamma(x: Array) -> Array:
    from scipy.special import digamma  # few models need it, and scipy takes long to load

    return np.asarray(digamma(x))


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "exp": np.exp,
    "log": np.log,
    "sigmoid": lambda x: np.exp(-np.logaddexp(0.0, -x)),
    "softplus": lambda x: np.logaddexp(0.0, x),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0.0),
    "sqrt": np.sqrt,
    "cos": np.cos,
    "sin": np.sin,
    "step": lambda x: np.where(x > 0.0, 1.0, 0.0),
    "xlogx": lambda x: np.where(x > 0.0, x, 0.0) * np.log(np.where(x > 0.0, x, 1.0)),
    "lgamma": np.vectorize(math.lgamma, otypes=[np.float64]),
    "digamma": _digamma,
}

RELATIONS: dict[str, Callable[[Array, Array], Array]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
}


# ---- evaluation ------------------------------------------------------------------------------------------


def _evaluate(node: Scalar, frame: Frame) -> Array:
    match node:
        case Sum(body, over):
            return _sum(body, over, frame)
        case LogSumExp(body, over):
            return _log_sum_exp(body, over, frame)
        case BatchMean(body):
            return _batch_mean(body, frame)
        case Add(terms):
            return reduce(np.add, (_evaluate(term, frame) for term in terms), frame.filled(0.0))
        case Mul(factors):
            return _product(factors, frame)
        case Pow(base, exponent):
            return _power(_evaluate(base, frame), exponent)
        case Call(function, argument):
            return FUNCTIONS[function](_evaluate(argument, frame))
        case _:
            return _leaf(node, frame)


def _leaf(node: Number | Pi | Access | Unit | Bracket, frame: Frame) -> Array:
    match node:
        case Number(value):
            return frame.filled(float(value))
        case Pi():
            return frame.filled(math.pi)
        case Access(symbol, positions):
            return _element(symbol, positions, frame)
        case Unit(name):
            if frame.unit is None:
                raise InternalError(f"the unit {name} has no value here")
            return frame.along(0, frame.unit)
        case Bracket(relations):
            return reduce(np.multiply, (_compare(r, frame) for r in relations), frame.filled(1.0))


def _product(factors: tuple[Scalar, ...], frame: Frame) -> Array:
    """A product; where a bracket is 0, other factors may be anything."""
    brackets = [_evaluate(f, frame) for f in factors if isinstance(f, Bracket)]
    with np.errstate(all="ignore" if brackets else None):
        rest = [_evaluate(f, frame) for f in factors if not isinstance(f, Bracket)]
        value = reduce(np.multiply, rest, frame.filled(1.0))
    return np.where(reduce(np.multiply, brackets) != 0.0, value, 0.0) if brackets else value


def _element(symbol: Symbol, positions: tuple[Position, ...], frame: Frame) -> Array:
    """The element at the positions, wrapped into their axes."""
    array = array_of(symbol, frame.arrays)
    at = [frame.position(p) % axis.size for p, axis in zip(positions, axes_of(symbol, frame.arrays), strict=True)]
    example = [frame.along(0, frame.rows)] if is_per_example(symbol) else []
    if is_one_hot(symbol):
        *at, state = at
        return np.asarray(array[(*example, *at)] == state, dtype=np.float64)
    if not example and not at:
        return frame.filled(float(array))
    return np.asarray(array[(*example, *at)], dtype=np.float64)


def _power(base: Array, exponent: Fraction) -> Array:
    return np.power(base, exponent.numerator if exponent.denominator == 1 else float(exponent))


def _compare(relation: Compare, frame: Frame) -> Array:
    holds = RELATIONS[relation.operator]
    left, right = frame.position(relation.left), frame.position(relation.right)
    if relation.around is not None:
        length = frame.extents[relation.around]
        left, right = left % length, right % length
    both: Array = holds(left, right)
    return both.astype(np.float64)


def _sum(body: Scalar, over: tuple[Index, ...], frame: Frame) -> Array:
    large = _sum_of_large_products(body.factors, over, frame) if isinstance(body, Mul) else None
    if large is not None:
        return large
    axes = tuple(range(frame.rank, frame.rank + len(over)))
    return reduce(np.add, (value.sum(axis=axes) for value in _instances(body, over, frame)))


def _sum_of_large_products(factors: tuple[Scalar, ...], over: tuple[Index, ...], frame: Frame) -> Array | None:
    """The sum of a product whose factors are much smaller arrays than it; None if it is not worth while."""
    total = None
    for inner in _frames(factors, over, frame):
        if total is None and math.prod(inner.shape) < MANY_PRODUCTS:
            return None
        brackets = [_evaluate(f, inner) for f in factors if isinstance(f, Bracket)]
        with np.errstate(all="ignore" if brackets else None):
            rest = [_evaluate(f, inner) for f in factors if not isinstance(f, Bracket)]
        if brackets and not all(np.isfinite(value).all() for value in rest):
            return None  # where a bracket is 0, other factors may be anything
        piece = sum_of_products([*brackets, *rest], frame.rank, inner.shape)
        total = piece if total is None else total + piece
    return total


def _log_sum_exp(body: Scalar, over: tuple[Index, ...], frame: Frame) -> Array:
    pieces = _instances(body, over, frame)
    with np.errstate(divide="ignore"):  # log [a = b] leaves a term out of the sum
        flat = (value.reshape(*value.shape[: frame.rank], -1) for value in pieces)
        return reduce(np.logaddexp, (np.logaddexp.reduce(value, axis=-1) for value in flat))


def _batch_mean(body: Scalar, frame: Frame) -> Array:
    total = frame.filled(0.0)
    for rows in _split(frame.rows, math.prod(frame.shape[1:])):
        weighted = frame.along(0, frame.weights[rows]) * _evaluate(body, replace(frame, rows=rows))
        total = total + weighted.sum(axis=0, keepdims=True)
    return total


def _instances(body: Scalar, over: tuple[Index, ...], frame: Frame) -> Iterator[Array]:
    """The body for every value of the new indices, as trailing axes, in pieces along the first of them."""
    for inner in _frames((body,), over, frame):
        value = _evaluate(body, inner)
        yield np.broadcast_to(value, (*value.shape[: frame.rank], *inner.shape[frame.rank :]))


def _frames(parts: tuple[Scalar, ...], over: tuple[Index, ...], frame: Frame) -> Iterator[Frame]:
    """The frame with the new indices, in pieces along the first of them that keep the arrays of all parts small."""
    places = [place for part in parts for place in places_in(part, frame.arrays)]
    sizes = index_sizes(places, over, frame.sizes, frame.extents)
    ranges = {index: np.arange(sizes[index]) for index in over}
    whole = replace(frame, values={**frame.values, **ranges}, sizes=sizes)
    if not over:
        yield whole
        return
    first = over[0]
    for piece in _split(ranges[first], max(_elements(part, whole, first) for part in parts)):
        yield replace(whole, values={**whole.values, first: piece})


def _elements(part: Scalar, frame: Frame, first: Index) -> int:
    """The number of elements of an expression in a frame for one value of an index."""
    free = [index for index in free_indices(part) if index in frame.values and index != first]
    return len(frame.rows) * math.prod(len(frame.values[index]) for index in free)


def _split(values: Array, elements_each: int) -> list[Array]:
    """The values in as few pieces as keep each within ``MAX_ELEMENTS`` (never fewer than one value)."""
    length = max(1, MAX_ELEMENTS // max(1, elements_each))
    return [values[k : k + length] for k in range(0, max(1, len(values)), length)]


# ---- the public functions --------------------------------------------------------------------------------


def _examples(nodes: Sequence[Scalar], arrays: Mapping[str, Array], weights: Array | None) -> int:
    """The number of examples of the arrays the expressions speak of."""
    if weights is not None:
        return len(weights)
    symbols = (access.symbol for node in nodes for access in accesses(node))
    return next((len(array_of(s, arrays)) for s in symbols if is_per_example(s)), 1)


def interpret(
    node: Scalar,
    arrays: Mapping[str, Array],
    scope: Sequence[Index] = (),
    *,
    sizes: Mapping[Index, int] | None = None,
    symbols: Iterable[Symbol] = (),
    weights: Array | None = None,
    examples: int | None = None,
    unit: float | Array | None = None,
) -> Array:
    """The value of an expression for every example and every value of its free indices.

    Parameters
    ----------
    node
        The expression. Its free indices are those of ``scope``.
    arrays
        Name of each symbol -> array: ``(n, *shape)`` for variables and inputs (codes for categorical ones),
        ``shape`` for parameters and constants. Constants left out have their own value.
    scope
        The indices of the result's axes.
    sizes
        The number of values of indices of ``scope``, where no array in the expression says it.
    symbols
        The model's symbols: they say how far an index runs that no access of the expression carries.
    weights
        ``(n,)`` weights of a batch mean; 1/n each by default.
    examples
        n, where no array in the expression says it.
    unit
        The value of the node ``Unit``: a number, or one per example.

    Returns
    -------
    ndarray
        Float64, ``(n, *sizes of scope)``; the first axis has length 1 if nothing varies with the example.

    Raises
    ------
    DataError
        If a symbol has no array.
    InternalError
        If nothing says how far an index runs.
    """
    known_symbols = (*symbols, *(access.symbol for access in accesses(node)))
    extents = extents_of(known_symbols, arrays)
    known = index_sizes(places_in(node, arrays), scope, sizes or {}, extents)
    n = examples if examples is not None else _examples((node,), arrays, weights)
    frame = Frame(
        arrays=arrays,
        weights=np.full(n, 1.0 / max(n, 1)) if weights is None else np.asarray(weights, dtype=np.float64),
        unit=None if unit is None else np.atleast_1d(np.asarray(unit, dtype=np.float64)),
        rows=np.arange(n),
        values={index: np.arange(known[index]) for index in scope},
        sizes={index: known[index] for index in scope},
        extents=extents,
    )
    value = _evaluate(node, frame)
    return np.broadcast_to(value, (len(value), *frame.shape[1:])).copy()


def interpret_quantity(
    quantity: Quantity,
    arrays: Mapping[str, Array],
    sizes: Mapping[Index, int] | None = None,
    *,
    symbols: Iterable[Symbol] = (),
    weights: Array | None = None,
    examples: int | None = None,
) -> Array:
    """The array a quantity stands for: ``(n, *indices)``, or ``indices`` if it is not per example.

    A quantity under a parameter's own name (a gradient) has the parameter's shape.
    """
    known = dict(sizes or {})
    if not quantity.per_example and quantity.name in arrays:
        known = dict(zip(quantity.indices, np.shape(arrays[quantity.name]), strict=False)) | known
    n = examples if examples is not None else _examples((quantity.body,), arrays, weights)
    value = interpret(
        quantity.body, arrays, quantity.indices, sizes=known, symbols=symbols, weights=weights, examples=n
    )
    if not quantity.per_example:
        return np.asarray(value[0])
    return np.broadcast_to(value, (n, *value.shape[1:])).copy()


def interpret_computation(
    computation: Computation,
    arrays: Mapping[str, Array],
    sizes: Mapping[Index, int] | None = None,
    *,
    symbols: Iterable[Symbol] = (),
    weights: Array | None = None,
    examples: int | None = None,
) -> dict[str, Array]:
    """Every quantity of the computation, by name."""
    if examples is None:
        bodies = [q.body for q in (*computation.definitions, *computation.quantities)]
        examples = _examples(bodies, arrays, weights)
    symbols = tuple(symbols)
    arrays = with_definitions(computation.definitions, arrays, symbols=symbols, weights=weights, examples=examples)
    return {
        q.name: interpret_quantity(q, arrays, sizes, symbols=symbols, weights=weights, examples=examples)
        for q in computation.quantities
    }


def with_definitions(
    definitions: Iterable[Quantity],
    arrays: Mapping[str, Array],
    *,
    symbols: Iterable[Symbol] = (),
    weights: Array | None = None,
    examples: int | None = None,
) -> Mapping[str, Array]:
    """The arrays with the values of named intermediate values beside them, each made of those before it."""
    if not (definitions := tuple(definitions)):
        return arrays
    found = dict(arrays)
    for q in definitions:
        found[q.name] = interpret_quantity(q, found, symbols=symbols, weights=weights, examples=examples)
    return found


def interpret_law(
    law: ConditionalLaw,
    arrays: Mapping[str, Array],
    *,
    symbols: Iterable[Symbol] = (),
    examples: int | None = None,
) -> dict[str, Array]:
    """The parameters of a conditional law: ``(n, *shape)`` each, and the states last for a categorical target."""
    target = arrays.get(law.target.name)
    axes = access_axes(law.target) if target is None else axes_of(law.target, arrays)
    n = len(target) if examples is None and target is not None else examples
    sizes = {index: axis.size for index, axis in zip(law.axes, axes, strict=True)}
    sizes |= {index: axis.size for index, axis in zip(law.others, axes, strict=False)}
    return {q.name: interpret_quantity(q, arrays, sizes, symbols=symbols, examples=n) for q in law.quantities()}


def interpret_energy(model: Model, params: Mapping[str, Array], state: Mapping[str, Array]) -> Array:
    """E(state), one number per example ``(n,)``."""
    arrays: Mapping[str, Array] = {**params, **state}
    n = next((len(state[name]) for name in state), 1)
    energy = np.zeros(n)
    arrays = with_definitions(definition_quantities(model), arrays, symbols=model.symbols, examples=n)
    for term in model.terms:
        energy = energy + interpret(Sum(term.body, term.over), arrays, symbols=model.symbols, examples=n)
    return energy
