"""Scalar expressions as NumPy text: every index becomes an axis, and a sum reduces the axes of its indices.

The *scope* lists the axes of the moment: the examples, the indices of the step, and those of the sums around. A value
has the axes on which it varies, in the order of the scope; where two values meet, NumPy's broadcasting lines them up,
with ``None`` for the axes that one of them lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeAlias

from pgmc.analysis.axes import AxisName
from pgmc.codegen.expression_text import LIBRARY, Level, split_brackets, split_sign
from pgmc.codegen.numpy_names import EXAMPLES, NumpyNames
from pgmc.errors import InternalError
from pgmc.ir.nodes import (
    Access,
    Add,
    Atom,
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
)
from pgmc.ir.rewrite import accesses, position_indices
from pgmc.ir.symbols import Symbol, is_one_hot, is_per_example

Axes: TypeAlias = tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """The text of an array and the axes on which it varies.

    ``subscripts`` are those of an access, ``base[subscripts]``, so that more can be added; ``terms`` are the texts of a
    sum's terms, signs in front, for a line that would be too long; an array of booleans is made of ``compared`` values.
    """

    text: str
    axes: Axes = ()
    level: Level = Level.ATOM
    base: str = ""
    subscripts: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    operator: str = ""
    compared: tuple[Value, ...] = ()

    @property
    def truth(self) -> bool:
        """Whether the elements are booleans."""
        return bool(self.compared)

    def wrapped(self, level: Level) -> str:
        """The text, in brackets where something tighter is needed."""
        return self.text if self.level >= level else f"({self.text})"


@dataclass(slots=True)
class NumpyExpressions:
    """Prints expressions within a scope. ``loops`` are the indices that Python loops run over."""

    names: NumpyNames
    scope: list[Index] = field(default_factory=list)
    loops: dict[Index, str] = field(default_factory=dict)

    # -- axes ----------------------------------------------------------------------------------------------------

    def union(self, values: Sequence[Value]) -> Axes:
        """Every axis on which one of the values varies, in the order of the scope."""
        found = {axis for value in values for axis in value.axes}
        return tuple(axis for axis in self.scope if axis in found)

    def aligned(self, value: Value, axes: Axes) -> Value:
        """The value with an axis of length 1 for every one it lacks, as far as broadcasting needs them."""
        if not value.axes or value.axes == axes[len(axes) - len(value.axes) :]:
            return value
        if value.truth:
            return self._joined([self.aligned(part, axes) for part in value.compared], value.operator)
        first = axes.index(value.axes[0])
        wanted = axes[first:]
        if value.base:
            subscripts = list(value.subscripts)
            merged: list[str] = []
            for axis in wanted:
                while axis in value.axes and subscripts[0] != ":":
                    merged.append(subscripts.pop(0))
                merged.append(subscripts.pop(0) if axis in value.axes else "None")
            return replace(value, text=_subscripted(value.base, [*merged, *subscripts]), base="", axes=wanted)
        lined_up = [":" if axis in value.axes else "None" for axis in wanted]
        return Value(_subscripted(value.wrapped(Level.ATOM), lined_up), wanted)

    def full(self, value: Value, axes: Axes) -> str:
        """The text of the value repeated along the axes on which it does not vary."""
        value = self.numeric(value)
        if value.axes == axes:
            return value.text
        lengths = [self.names.length(axis) for axis in axes]
        return f"np.broadcast_to({self.aligned(value, axes).text}, ({', '.join(lengths)},))"

    def numeric(self, value: Value) -> Value:
        """Truth values as the numbers 1 and 0."""
        return Value(f"np.where({value.text}, 1.0, 0.0)", value.axes) if value.truth else value

    # -- expressions ---------------------------------------------------------------------------------------------

    def value(self, node: Scalar) -> Value:
        """The text of an expression; brackets and one-hot elements alone are truth values."""
        match node:
            case Number(value):
                return _number(value)
            case Pi():
                return Value("np.pi")
            case Access():
                return self._access(node)
            case Add(terms):
                return self._sum_of(terms)
            case Mul(factors):
                return self._product(node, factors)
            case Pow(base, exponent):
                return self._power(self.numeric(self.value(base)), exponent)
            case Call(name, argument):
                inner = self.numeric(self.value(argument))
                function = LIBRARY.get(name) or self.names.helper(name)
                return Value(f"{function}({inner.text})", inner.axes)
            case Bracket(relations):
                return self._condition(relations)
            case Sum(body, over):
                return self._sum(body, over)
            case LogSumExp(body, over):
                return self._log_sum_exp(body, over)
            case _:
                raise InternalError(f"no NumPy text for {type(node).__name__}. Please report it.")

    def _sum_of(self, nodes: tuple[Scalar, ...]) -> Value:
        signs, parts = zip(*map(split_sign, nodes), strict=True)
        values = [self.numeric(self.value(part)) for part in parts]
        axes = self.union(values)
        texts = [self.aligned(value, axes).wrapped(Level.PRODUCT) for value in values]
        terms = tuple(f"{'-' if minus else '+'} {text}" for minus, text in zip(signs, texts, strict=True))
        first = f"-{texts[0]}" if signs[0] else texts[0]
        terms = (first, *terms[1:])
        return Value(" ".join(terms), axes, Level.SUM, terms=terms)

    def _product(self, node: Mul, factors: tuple[Scalar, ...]) -> Value:
        minus, positive = split_sign(node)
        if minus:
            value = self.numeric(self.value(positive))
            return Value(f"-{value.wrapped(Level.PRODUCT)}", value.axes, Level.SUM)
        values = [self.value(factor) for factor in factors]
        if all(value.truth for value in values):
            return self._joined(values, "&")
        if any(isinstance(f, Bracket) for f in factors) and not all(
            p.is_plain for a in accesses(node) for p in a.positions
        ):
            return self._guarded(factors)
        values.sort(key=lambda value: value.truth)  # numbers first: a minus in front of booleans is an error
        axes = self.union(values)
        lined_up = [self.aligned(value, axes) for value in values]
        texts = [v.wrapped(Level.PRODUCT if k == 0 else Level.ATOM) for k, v in enumerate(lined_up)]
        return Value(" * ".join(texts), axes, Level.PRODUCT)

    def _guarded(self, factors: tuple[Scalar, ...]) -> Value:
        """A product with conditions, where places outside stand for nothing."""
        relations, rest = split_brackets(factors)
        condition, value = self._condition(relations), self.numeric(self.value(rest))
        axes = self.union([condition, value])
        texts = [self.aligned(part, axes).text for part in (condition, value)]
        return Value(f"np.where({', '.join(texts)}, 0.0)", axes)

    def _power(self, base: Value, exponent: Fraction) -> Value:
        if exponent == Fraction(1, 2):
            return Value(f"np.sqrt({base.text})", base.axes)
        if exponent == -1:
            return Value(f"1 / {base.wrapped(Level.ATOM)}", base.axes, Level.PRODUCT)
        return Value(f"{base.wrapped(Level.ATOM)} ** {_number(exponent).wrapped(Level.ATOM)}", base.axes, Level.PRODUCT)

    def _sum(self, body: Scalar, over: tuple[Index, ...]) -> Value:
        value, summed = self._under(body, over)
        value = value if summed else self.numeric(value)
        kept = tuple(axis for axis in value.axes if axis not in over)
        if summed:
            value = Value(f"{value.wrapped(Level.ATOM)}.sum(axis={_axis_argument(value.axes, summed)})", kept)
        repeated = [self.names.length(index) for index in over if index not in summed]
        if repeated:
            value = Value(" * ".join([*repeated, value.wrapped(Level.ATOM)]), kept, Level.PRODUCT)
        return value

    def _log_sum_exp(self, body: Scalar, over: tuple[Index, ...]) -> Value:
        value, summed = self._under(body, over)
        value = self.numeric(value)
        kept = tuple(axis for axis in value.axes if axis not in over)
        if summed:
            function = self.names.helper("logsumexp")
            value = Value(f"{function}({value.text}, axis={_axis_argument(value.axes, summed)})", kept)
        repeated = [self.names.length(index) for index in over if index not in summed]
        if repeated:
            value = Value(f"{value.text} + np.log({' * '.join(repeated)})", kept, Level.SUM)
        return value

    def _under(self, body: Scalar, over: tuple[Index, ...]) -> tuple[Value, Axes]:
        """The body with the indices as the last axes, and those on which it varies."""
        self.scope += over
        value = self.value(body)
        del self.scope[len(self.scope) - len(over) :]
        self.names.release(over)
        return value, tuple(index for index in over if index in value.axes)

    # -- elements ------------------------------------------------------------------------------------------------

    def _access(self, access: Access) -> Value:
        if not is_one_hot(access.symbol):
            return self.element(access.symbol, access.positions)
        *unit, state = access.positions
        codes, wanted = self.element(access.symbol, tuple(unit)), self._position(state)
        return self._joined([codes, wanted], "==")

    def element(self, symbol: Symbol, positions: tuple[Position, ...]) -> Value:
        """Elements of a symbol's array: slices where the positions are different indices, else index arrays."""
        name = self.names.array(symbol)
        lead = [EXAMPLES] if is_per_example(symbol) else []
        plain = [p.index for p in positions if p.index is not None and p.index not in self.loops]
        affine = [p for p in positions if p.index is None and any(i not in self.loops for i in position_indices(p))]
        if affine or len(set(plain)) < len(plain):
            return self._gathered(symbol, lead, positions)
        own = tuple([*lead, *plain])
        order = tuple(axis for axis in self.scope if axis in own)
        subscripts = [":"] * len(lead) + [
            ":" if p.index in plain else self._place(symbol, k, p).text for k, p in enumerate(positions)
        ]
        if order != own:
            transposed = f"{_subscripted(name, subscripts)}.transpose({', '.join(str(own.index(a)) for a in order)})"
            if order == own[::-1]:
                transposed = f"{_subscripted(name, subscripts)}.T"
            return Value(transposed, order, base=transposed, subscripts=(":",) * len(order))
        return Value(_subscripted(name, subscripts), order, base=name, subscripts=tuple(subscripts))

    def _gathered(self, symbol: Symbol, lead: list[Index], positions: tuple[Position, ...]) -> Value:
        name = self.names.array(symbol)
        values = [self._place(symbol, k, position) for k, position in enumerate(positions)]
        axes = self.union(values)
        inside = [":"] * len(lead) + [self.aligned(value, axes).text for value in values]
        return Value(f"{name}[{', '.join(inside)}]", (*lead, *axes))

    def _place(self, symbol: Symbol, k: int, position: Position) -> Value:
        """The position on an axis; one that may lie outside wraps round it, or stops at the ends."""
        value = self._position(position)
        if position.is_plain:
            return value
        length = f"{self.names.array(symbol)}.shape[{k + is_per_example(symbol)}]"
        if symbol.axes[k].boundary == "open":
            return Value(f"np.clip({value.text}, 0, {length} - 1)", value.axes)
        return Value(f"{value.wrapped(Level.ATOM)} % {length}", value.axes, Level.PRODUCT)

    def _scalar_position(self, position: Position) -> str:
        return self._position(position).text

    def _position(self, position: Position) -> Value:
        """The number of an element along an axis: an array of numbers, or a number within loops."""
        parts = [self._atom(atom) for atom, _ in position.terms]
        axes = self.union(parts)
        texts = [self.aligned(part, axes).text for part in parts]
        factors = [coefficient for _, coefficient in position.terms]
        texts = [text if c == 1 else f"{c} * {text}" for c, text in zip(factors, texts, strict=True)]
        if position.offset or not texts:
            texts.append(str(position.offset))
        return Value(" + ".join(texts).replace("+ -", "- "), axes, Level.SUM if len(texts) > 1 else Level.ATOM)

    def _atom(self, atom: Atom) -> Value:
        match atom:
            case Index():
                return Value(self.loops[atom]) if atom in self.loops else Value(self.names.numbers(atom), (atom,))
            case Length(symbol, axis):
                return Value(self.names.axis_length(self.names.extents.axes[symbol, axis]))
            case Lookup(table, positions):
                found = self.element(table, positions)
                return Value(f"{found.wrapped(Level.ATOM)}.astype(np.int64)", found.axes)
            case Quotient(position, divisor):
                inner = self._position(position)
                return Value(f"({inner.wrapped(Level.ATOM)} // {divisor})", inner.axes)

    def _condition(self, relations: tuple[Compare, ...]) -> Value:
        sides = [[self._side(side, r.around) for side in (r.left, r.right)] for r in relations]
        values = [self._joined(both, r.operator) for both, r in zip(sides, relations, strict=True)]
        return values[0] if len(values) == 1 else self._joined(values, "&")

    def _side(self, position: Position, around: AxisName | None) -> Value:
        """A side of a relation, wrapped round the axis if there is one."""
        value = self._position(position)
        if around is None or position.is_plain:
            return value
        length = self.names.axis_length(self.names.extents.axes[around])
        return Value(f"{value.wrapped(Level.ATOM)} % {length}", value.axes, Level.PRODUCT)

    def _joined(self, values: Sequence[Value], operator: str) -> Value:
        """Values compared with one another, or truth values that hold together."""
        axes = self.union(values)
        texts = [self.aligned(value, axes).wrapped(Level.PRODUCT) for value in values]
        return Value(f" {operator} ".join(texts), axes, Level.SUM, operator=operator, compared=tuple(values))


def _subscripted(base: str, subscripts: Sequence[str]) -> str:
    """base[subscripts] without slices at the end that say nothing."""
    kept = list(subscripts)
    while kept and kept[-1] == ":":
        kept.pop()
    return f"{base}[{', '.join(kept)}]" if kept else base


def _axis_argument(axes: Axes, summed: Axes) -> str:
    numbers = [str(axes.index(index)) for index in summed]
    return numbers[0] if len(numbers) == 1 else f"({', '.join(numbers)})"


def _number(value: Fraction) -> Value:
    text = str(value.numerator) if value.denominator == 1 else repr(float(value))
    return Value(text, level=Level.SUM if value < 0 else Level.ATOM)
