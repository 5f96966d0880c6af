"""What a specification means: its energy in NumPy, written without pgmc."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln
from scipy.stats import norm

from language import (
    Add,
    Array,
    Expression,
    Factor,
    Function,
    LogSumExp,
    Number,
    Place,
    Power,
    Product,
    Read,
    Specification,
    Sum,
    extents,
    free_letters,
    reads,
    walk,
)

Values: TypeAlias = npt.NDArray[Any]
Arrays: TypeAlias = Mapping[str, Values]

FUNCTIONS: dict[str, Callable[[Values], Values]] = {
    "exp": np.exp,
    "log": np.log,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(0, x),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sqrt": np.sqrt,
    "square": np.square,
    "cos": np.cos,
    "lgamma": gammaln,
}
RELATIONS = {"<": np.less, "<=": np.less_equal, "!=": np.not_equal, "==": np.equal}


def energies(spec: Specification, params: Arrays, states: Arrays) -> Values:
    """E of every state for every set of parameters, ``(sets, states)``.

    ``params`` are ``(sets, *shape)``; ``states`` and inputs ``(states, *shape)``, categorical ones as integers.
    """
    data = _data(spec, params, states)
    sets, rows = (len(next(iter(group.values()), [0])) for group in (params, states))
    total = np.zeros((sets, rows))
    for term in spec.terms:
        value = Term(spec, data, extents(spec, term)).value(Sum(term, free_letters(term)))
        total = total + value.reshape(value.shape[:2])
    for array in spec.of_kind("count"):
        total = total + gammaln(data[array.name] + 1.0).reshape(1, rows, -1).sum(axis=2)
    return total - _logarithms(spec, spec.factors, data)


def guide_logarithms(spec: Specification, params: Arrays, states: Arrays) -> Values:
    """log q of the variables that the inference net is for, given the others, ``(states,)``."""
    one_set = {name: value[None] for name, value in params.items()}
    return np.asarray(_logarithms(spec, spec.guide, _data(spec, one_set, states)))[0]


def _data(spec: Specification, params: Arrays, states: Arrays) -> dict[str, Values]:
    """Every array as terms read it: constants with an axis of sets, and categorical units one-hot."""
    data = dict(params)
    for array in spec.arrays:
        if array.kind in ("constant", "edges"):
            data[array.name] = np.array(array.value).reshape(1, *array.shape)
        elif array.kind != "param":
            value = np.asarray(states[array.name])
            data[array.name] = value[..., None] == np.arange(array.states) if array.states else value
    return data


def _logarithms(spec: Specification, factors: Iterable[Factor], data: Arrays) -> Values:
    """Σ log p(target | parents) over factors, ``(sets, states)``, or 0 if there are none."""
    total: Values = np.zeros((1, 1))
    for factor in factors:
        names, bodies = zip(*factor.parameters, strict=True)
        term = Term(spec, data, extents(spec, factor.target, *bodies))
        unit, *values = np.broadcast_arrays(term.value(factor.target), *map(term.value, bodies))
        if spec.array(factor.target.name).states:
            (logits,), state = values, term.axis(factor.target.places[-1].letters)
            log = unit * (logits - np.logaddexp.reduce(logits, axis=state, keepdims=True))
        else:
            log = _LAWS[spec.array(factor.target.name).kind](unit, **dict(zip(names, values, strict=True)))
        total = total + log.reshape(*log.shape[:2], -1).sum(axis=2)
    return total


_LAWS: dict[str, Callable[..., Values]] = {
    "binary": lambda x, logits: x * logits - np.logaddexp(0, logits),
    "spin": lambda s, logits: (1 + s) / 2 * logits - np.logaddexp(0, logits),
    "real": lambda x, mean, precision=1.0: norm.logpdf(x, mean, np.asarray(precision) ** -0.5),
}


class Term:
    """One term: letter number k runs along axis 2 + k, behind the sets of parameters and the states."""

    def __init__(self, spec: Specification, data: Arrays, sizes: Mapping[str, int]) -> None:
        self._spec, self._data = spec, data
        self._axes = {letter: 2 + k for k, letter in enumerate(sizes)}
        self._grid = {
            letter: np.arange(size).reshape([-1 if 2 + k == axis else 1 for k in range(-2, len(sizes))])
            for (letter, size), axis in zip(sizes.items(), self._axes.values(), strict=True)
        }

    def axis(self, letter: str) -> int:
        """The axis that a letter runs along."""
        return self._axes[letter]

    def value(self, node: Expression) -> Values:
        """The value, with axes of size 1 for letters that it does not run over."""
        match node:
            case Read():
                return self._read(self._spec.array(node.name), node)
            case Number(value):
                return np.full((1, 1, *(1 for _ in self._axes)), float(value))
            case Product(factors):
                return np.multiply.reduce(np.broadcast_arrays(*map(self.value, factors)))
            case Add(parts):
                return np.add.reduce(np.broadcast_arrays(*map(self.value, parts)))
            case Power(base, exponent):
                return self.value(base) ** exponent
            case Function(name, argument):
                return FUNCTIONS[name](self.value(argument))
            case Sum(body, over, where):
                kept = self._inside(body, over)
                for left, relation, right in where:
                    kept = kept & RELATIONS[relation](self._grid[left], self._grid[right])
                return self._reduce(np.where(kept, self.value(body), 0.0), over, np.sum)
            case LogSumExp(body, over):
                return self._reduce(self.value(body), over, np.logaddexp.reduce)

    def _inside(self, body: Expression, over: tuple[str, ...]) -> Values:
        """Where no place with an offset falls off an open axis: other instances of the sum are left out.

        A place with a letter of a sum within is that sum's to judge.
        """
        kept = np.array(True)
        within = {letter for part in walk(body) if isinstance(part, Sum | LogSumExp) for letter in part.over}
        for read in reads(body):
            for place, size in zip(read.places, self._spec.shape_of(read), strict=True):
                own = set(place.letters)
                if own & set(over) and not own & within and not self._spec.array(read.name).periodic:
                    where = self._place(place)
                    kept = kept & (where >= 0) & (where < size)
        return kept

    def _place(self, place: Place) -> Values:
        """The place for every value of its letters, wherever it is."""
        if place.end:
            table = self._data[place.letters][0].astype(int)
            return np.asarray(table[:, place.offset][self._grid[place.letters]])
        return np.asarray(sum((self._grid[letter] for letter in place.letters), np.asarray(place.offset)))

    def _reduce(self, value: Values, over: tuple[str, ...], reduction: Callable[..., Values]) -> Values:
        for letter in over:
            value = reduction(value, axis=self._axes[letter], keepdims=True)
        return value

    def _read(self, array: Array, read: Read) -> Values:
        """The elements at the places, wrapped round where they are outside, ``(sets, states, *letters)``."""
        found = self._data[array.name].astype(np.float64)
        if read.pooled:
            found = sum_of_blocks(found, array.exclusive)
        shape = tuple(self._grid)
        where = [
            self._place(place)[0, 0] % size if place.letters else np.full([1] * len(shape), place.offset)
            for place, size in zip(read.places, self._spec.shape_of(read), strict=True)
        ]
        picked = found[(slice(None), *where)] if where else found.reshape(-1, *(1 for _ in shape))
        return picked[:, None] if array.kind in ("param", "constant") else picked[None]


def sum_of_blocks(values: Values, lengths: tuple[int, ...]) -> Values:
    """The sum over each block, ``(n, *blocks)``."""
    for axis, length in enumerate(lengths, start=1):
        values = values.reshape(*values.shape[:axis], -1, length, *values.shape[axis + 1 :]).sum(axis=axis + 1)
    return values
