"""What the user combines: expressions, with the operators and functions of both notations."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from pgmc.dsl import array_notation, index_notation
from pgmc.dsl.literals import literal
from pgmc.dsl.location import complaint
from pgmc.dsl.operand import Operand
from pgmc.dsl.places import Place
from pgmc.dsl.pooling import pooled_blocks
from pgmc.errors import NotationError
from pgmc.ir.nodes import Index, Scalar, fresh_index
from pgmc.ir.symbols import Symbol, access_axes


class Expression:
    """A value built from variables, parameters and numbers, in array or index notation.

    ``shape`` holds the sizes of the positional axes of array notation. An element such as ``W[i, j]`` has
    shape () and runs over its indices instead.
    """

    __slots__ = ("operand",)
    # Python asks the right operand first only if NumPy ranks it higher.
    __array_priority__ = 1000

    def __init__(self, operand: Operand) -> None:
        self.operand = operand

    @property
    def node(self) -> Scalar:
        """The indexed expression."""
        return self.operand.node

    @property
    def axes(self) -> tuple[Index, ...]:
        """The indices that stand for the positional axes."""
        return self.operand.axes

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the positional axes."""
        return self.operand.shape

    @property
    def ndim(self) -> int:
        """The number of positional axes."""
        return len(self.operand.axes)

    @property
    def T(self) -> Expression:
        """The axes in reverse order."""
        return Expression(array_notation.transpose(self.operand))

    def sum(self, axis: int | tuple[int, ...] | None = None, dtype: None = None, out: None = None) -> Expression:
        """The sum over some or all positional axes; ``numpy.sum`` passes ``dtype`` and ``out`` as None."""
        if dtype is not None or out is not None:
            raise complaint(NotationError, self.operand.text, "a sum has no dtype and no out", "Drop them.")
        return Expression(array_notation.reduce_sum(self.operand, axis))

    def __getitem__(self, key: object) -> Expression:
        return Expression(index_notation.take(self.operand, key, None))

    def __add__(self, other: object) -> Expression:
        return Expression(array_notation.add(self.operand, as_operand(other)))

    def __radd__(self, other: object) -> Expression:
        return Expression(array_notation.add(as_operand(other), self.operand))

    def __sub__(self, other: object) -> Expression:
        return Expression(array_notation.subtract(self.operand, as_operand(other)))

    def __rsub__(self, other: object) -> Expression:
        return Expression(array_notation.subtract(as_operand(other), self.operand))

    def __mul__(self, other: object) -> Expression:
        return Expression(array_notation.multiply(self.operand, as_operand(other)))

    def __rmul__(self, other: object) -> Expression:
        return Expression(array_notation.multiply(as_operand(other), self.operand))

    def __truediv__(self, other: object) -> Expression:
        return Expression(array_notation.divide(self.operand, as_operand(other)))

    def __rtruediv__(self, other: object) -> Expression:
        return Expression(array_notation.divide(as_operand(other), self.operand))

    def __matmul__(self, other: object) -> Expression:
        return Expression(array_notation.matmul(self.operand, as_operand(other)))

    def __rmatmul__(self, other: object) -> Expression:
        return Expression(array_notation.matmul(as_operand(other), self.operand))

    def __pow__(self, exponent: object) -> Expression:
        if isinstance(exponent, Expression):
            return exponent.__rpow__(self.operand.text)
        return Expression(array_notation.power(self.operand, exponent))

    def __neg__(self) -> Expression:
        return Expression(array_notation.negate(self.operand))

    def __pos__(self) -> Expression:
        return self

    def __rpow__(self, base: object) -> NoReturn:
        reason = "an expression cannot be an exponent"
        remedy = "Write pgmc.exp(y * pgmc.log(x)), with numpy.log for a number x."
        raise complaint(NotationError, f"{base}**{self.operand.text}", reason, remedy)

    def __bool__(self) -> NoReturn:
        reason = "an expression has no truth value"
        raise complaint(NotationError, self.operand.text, reason, "Conditions on indices go into where= of pgmc.Sum.")

    def __iter__(self) -> NoReturn:
        reason = "an expression cannot be iterated over"
        raise complaint(
            NotationError, self.operand.text, reason, "Take elements with integers, as in v[0], or indices."
        )

    def _compare(self, other: object) -> NoReturn:
        reason = "values of expressions cannot be compared"
        raise complaint(NotationError, self.operand.text, reason, "Compare indices instead, as in where=j < i.")

    __lt__ = __le__ = __gt__ = __ge__ = _compare

    def __eq__(self, other: object) -> bool:
        return self is other or self._compare(other)

    __hash__ = object.__hash__

    def __array__(self, *_: object, **__: object) -> NoReturn:
        reason = "NumPy cannot take an expression as an array"
        remedy = "Use the operators, pgmc.einsum and the functions of pgmc, such as pgmc.exp."
        raise complaint(NotationError, self.operand.text, reason, remedy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: object, **kwargs: object) -> Any:
        """Lets a NumPy array stand on the left of an operator; refuses every other NumPy function."""
        python = _OPERATORS.get(ufunc)
        if python is None or method != "__call__" or kwargs or len(inputs) != 2:
            return self.__array__()
        left, right = inputs
        return python(Expression(as_operand(left)), right)

    def __repr__(self) -> str:
        return f"<{self.operand.text}, shape {self.shape}>"


_OPERATORS: dict[np.ufunc, Callable[[Any, Any], Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.true_divide: operator.truediv,
    np.matmul: operator.matmul,
    np.power: operator.pow,
}


class Handle(Expression):
    """A declared variable, input, parameter or constant."""

    __slots__ = ("symbol",)

    def __init__(self, symbol: Symbol) -> None:
        axes = tuple(fresh_index("") for _ in access_axes(symbol))
        shape = tuple(axis.size for axis in access_axes(symbol))
        super().__init__(Operand(index_notation.access(symbol, axes), axes, shape, text=symbol.name))
        self.symbol = symbol

    @property
    def name(self) -> str:
        """The declared name."""
        return self.symbol.name

    def pooled(self) -> Expression:
        """1 where any unit of an exclusive block is on, else 0: the sum over the block.

        Returns
        -------
        Expression
            Its shape has the number of blocks along each axis.

        Raises
        ------
        NotationError
            If the symbol has no exclusive blocks.

        References
        ----------
        Lee, Grosse, Ranganath, Ng (2009), section 3.3: probabilistic max pooling.
        """
        return Expression(pooled_blocks(self.symbol))

    def __getitem__(self, key: object) -> Expression:
        return Expression(index_notation.take(self.operand, key, self.symbol))


def as_operand(value: object) -> Operand:
    """The operand of an expression, or of a plain number or array."""
    if isinstance(value, Expression):
        return value.operand
    if isinstance(value, Place):
        reason = "an index is not a value"
        raise complaint(NotationError, repr(value), reason, "Use it in brackets, as in v[i].")
    return literal(value)
