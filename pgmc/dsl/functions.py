"""The functions that expressions may use, and written sums."""

from __future__ import annotations

from fractions import Fraction

from pgmc.dsl import array_notation, index_notation
from pgmc.dsl.expression import Expression, as_operand
from pgmc.dsl.places import Relation, RunningIndex
from pgmc.ir.nodes import Call, Pow


def Sum(expression: object, *over: RunningIndex, where: Relation | None = None) -> Expression:
    """Σ of an expression over indices.

    Parameters
    ----------
    expression
        An expression in index notation.
    over
        The indices to sum over; each must stand in the expression.
    where
        A relation between indices, such as ``j < i``; instances for which it is false are left out.

    Raises
    ------
    NotationError
        If an index does not stand in the expression or runs over axes of different sizes.

    Examples
    --------
    >>> pgmc.Sum(W[i, j] * x[j], j, where=j < i)
    """
    return Expression(index_notation.written_sum(as_operand(expression), over, where))


def einsum(subscripts: str, *operands: object) -> Expression:
    """The product of arrays over lettered axes, summed over the letters that the output does not keep.

    Parameters
    ----------
    subscripts
        Letters for the axes of each operand, and of the output behind ``->``, as in ``"i,j,k,ijk->"``.
    operands
        Expressions or arrays.

    Raises
    ------
    NotationError
        If the subscripts are malformed or a letter stands for axes of different sizes.
    """
    return Expression(array_notation.einsum(subscripts, [as_operand(operand) for operand in operands]))


def logsumexp(
    expression: object, axis: int | tuple[int, ...] | RunningIndex | tuple[RunningIndex, ...] | None = None
) -> Expression:
    """log Σ exp(expression), over positional axes (all of them by default) or over indices.

    Raises
    ------
    NotationError
        If an axis does not exist, or an index does not stand in the expression.
    """
    operand = as_operand(expression)
    over = axis if isinstance(axis, tuple) else (axis,)
    if any(isinstance(item, RunningIndex) for item in over):
        return Expression(index_notation.log_sum_exp_over(operand, over))
    return Expression(array_notation.reduce_log_sum_exp(operand, axis))


def _call(name: str, value: object) -> Expression:
    return Expression(array_notation.apply(as_operand(value), name, lambda node: Call(name, node)))


def exp(x: object) -> Expression:
    """The exponential of every element."""
    return _call("exp", x)


def log(x: object) -> Expression:
    """The natural logarithm of every element."""
    return _call("log", x)


def sigmoid(x: object) -> Expression:
    """σ(x) = 1/(1 + exp(-x)) of every element."""
    return _call("sigmoid", x)


def softplus(x: object) -> Expression:
    """ζ(x) = log(1 + exp(x)) of every element."""
    return _call("softplus", x)


def tanh(x: object) -> Expression:
    """The hyperbolic tangent of every element."""
    return _call("tanh", x)


def relu(x: object) -> Expression:
    """max(x, 0) of every element."""
    return _call("relu", x)


def sqrt(x: object) -> Expression:
    """The square root of every element."""
    return _call("sqrt", x)


def square(x: object) -> Expression:
    """The square of every element, as ``x ** 2``."""
    return Expression(array_notation.apply(as_operand(x), "square", lambda node: Pow(node, Fraction(2))))


def cos(x: object) -> Expression:
    """The cosine of every element."""
    return _call("cos", x)


def lgamma(x: object) -> Expression:
    """log Γ(x) of every element."""
    return _call("lgamma", x)
