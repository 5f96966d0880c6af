"""An expression as a sympy object, for further work by hand.

Sums have symbolic ranges: index i runs from 0 to n_i - 1. sympy knows indices by name, so indices of one
name that run over axes of different sizes are given different sizes ``n_i``, ``n_i_1``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import sympy

from pgmc.errors import InternalError
from pgmc.ir.extents import index_sizes
from pgmc.ir.nodes import (
    Access,
    Add,
    Atom,
    BatchMean,
    Bracket,
    Call,
    Compare,
    Index,
    Length,
    LogSumExp,
    Lookup,
    Mul,
    Number,
    Pi,
    Position,
    Pow,
    Quotient,
    Scalar,
    Sum,
    Unit,
)
from pgmc.ir.printer import Names, Printer
from pgmc.ir.rewrite import accesses, free_indices
from pgmc.ir.symbols import access_axes

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": sympy.exp,
    "log": sympy.log,
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
    "tanh": sympy.tanh,
    "relu": lambda x: sympy.Max(0, x),
    "sqrt": sympy.sqrt,
    "cos": sympy.cos,
    "sin": sympy.sin,
    "step": lambda x: sympy.Heaviside(x, 0),
    "lgamma": sympy.loggamma,
    "digamma": sympy.digamma,
    "xlogx": lambda x: x * sympy.log(x),
}
RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": sympy.Eq,
    "!=": sympy.Ne,
    "<": sympy.Lt,
    "<=": sympy.Le,
}


class _IndexNames(Printer):
    """Names of indices that are Python identifiers."""

    def prime(self, name: str, count: int) -> str:
        return f"{name}_{count}" if count else name


def to_sympy(node: Scalar) -> Any:
    """The expression as sums, indexed bases and symbols of sympy; a mean over examples is ``mean(...)``."""
    return _Conversion().convert(node, _IndexNames().bind(free_indices(node), {}))


class _Conversion:
    """One conversion: it remembers the sizes met under each name."""

    def __init__(self) -> None:
        self._sizes: dict[str, list[object]] = {}

    def convert(self, node: Scalar, names: Names) -> Any:
        match node:
            case Number(value):
                return sympy.Rational(value.numerator, value.denominator)
            case Pi():
                return sympy.pi
            case Access(symbol, positions):
                at = [_position(p, names) for p in positions]
                return sympy.IndexedBase(symbol.name)[at] if at else sympy.Symbol(symbol.name)
            case Unit(name):
                return sympy.Symbol(name)
            case Bracket(relations):
                holds = sympy.And(*(_relation(r, names) for r in relations))
                return sympy.Piecewise((1, holds), (0, True))
            case Sum() | LogSumExp():
                return self._series(node, names)
            case _:
                return self._operation(node, names)

    def _operation(self, node: Add | Mul | Pow | Call | BatchMean, names: Names) -> Any:
        match node:
            case Add(terms):
                return sympy.Add(*(self.convert(term, names) for term in terms))
            case Mul(factors):
                return sympy.Mul(*(self.convert(factor, names) for factor in factors))
            case Pow(base, exponent):
                power = sympy.Rational(exponent.numerator, exponent.denominator)
                return self.convert(base, names) ** power
            case Call(function, argument):
                return FUNCTIONS[function](self.convert(argument, names))
            case BatchMean(body):
                return sympy.Function("mean")(self.convert(body, names))

    def _series(self, node: Sum | LogSumExp, names: Names) -> Any:
        inner = _IndexNames().bind(node.over, names)
        limits = [(_symbol(i, inner), 0, self._size(i, node.body, inner) - 1) for i in node.over]
        body = self.convert(node.body, inner)
        if isinstance(node, LogSumExp):
            return sympy.log(sympy.Sum(sympy.exp(body), *limits))
        return sympy.Sum(body, *limits) if limits else body

    def _size(self, index: Index, body: Scalar, names: Names) -> Any:
        name = names[index]
        known = self._sizes.setdefault(name, [])
        size = _declared_size(index, body)
        if size not in known:
            known.append(size)
        count = known.index(size)
        return sympy.Symbol(f"n_{name}_{count}" if count else f"n_{name}", integer=True, positive=True)


def _declared_size(index: Index, body: Scalar) -> object:
    """What tells the range of the index from that of others: its declared size, or the index itself."""
    places = [
        place for access in accesses(body) for place in zip(access.positions, access_axes(access.symbol), strict=True)
    ]
    try:
        return index_sizes(places, (index,), {}, {})[index]
    except InternalError:
        return index.extent or index


def _symbol(index: Index, names: Names) -> Any:
    return sympy.Symbol(names[index], integer=True)


def _position(position: Position, names: Names) -> Any:
    terms = (c * _atom(atom, names) for atom, c in position.terms)
    return reduce(lambda a, b: a + b, terms, sympy.Integer(position.offset))


def _atom(atom: Atom, names: Names) -> Any:
    match atom:
        case Index():
            return _symbol(atom, names)
        case Length(symbol, axis):
            return sympy.Symbol(f"n_{symbol}_{axis}" if axis else f"n_{symbol}", integer=True, positive=True)
        case Lookup(table, positions):
            return sympy.IndexedBase(table.name)[tuple(_position(p, names) for p in positions)]
        case Quotient(position, divisor):
            return sympy.floor(_position(position, names) / divisor)


def _relation(relation: Compare, names: Names) -> Any:
    return RELATIONS[relation.operator](_position(relation.left, names), _position(relation.right, names))
