"""Array notation, lowered at once to indexed form: ``v @ W`` becomes Σ_i v[i]·W[i,j] with the axis j."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from pgmc.dsl.location import complaint
from pgmc.dsl.operand import (
    ADDITION,
    ATOM,
    MULTIPLICATION,
    POWER,
    SIGN,
    Operand,
    Range,
    Ranges,
    addition,
    check_ranges,
    is_literal,
    merge_ranges,
    negative,
    product,
    size_conflict,
    written,
)
from pgmc.errors import NotationError
from pgmc.ir.nodes import Index, LogSumExp, Number, Pow, Scalar, Sum, at, fresh_index
from pgmc.ir.rewrite import rename, substitute

_LARGEST_EXPONENT = 1000


def elementwise(a: Operand, b: Operand, text: str) -> tuple[Operand, Scalar]:
    """The first operand's axes and shape, with the second's node over the same axes.

    Raises
    ------
    NotationError
        If neither shape is () and they differ: nothing else is broadcast.
    """
    if not b.axes:
        return a, b.node
    if not a.axes:
        return b, b.node
    if a.shape != b.shape:
        reason = f"the shapes {a.shape} and {b.shape} differ"
        remedy = "Elementwise operands need equal shapes, or one of them (); write other products with indices."
        raise complaint(NotationError, text, reason, remedy)
    return a, rename(b.node, dict(zip(b.axes, a.axes, strict=True)))


def add(a: Operand, b: Operand) -> Operand:
    """a + b. The terms may give an index different sizes: each is summed for itself."""
    text = written(f"{a.text} + {b.text}")
    frame, right = elementwise(a, b, text)
    ranges = merge_ranges(a.ranges, b.ranges)
    return Operand(addition(a.node, right), frame.axes, frame.shape, ranges, text, ADDITION)


def subtract(a: Operand, b: Operand) -> Operand:
    """a - b."""
    text = written(f"{a.text} - {b.wrapped(MULTIPLICATION)}")
    frame, right = elementwise(a, b, text)
    ranges = merge_ranges(a.ranges, b.ranges)
    return Operand(addition(a.node, negative(right)), frame.axes, frame.shape, ranges, text, ADDITION)


def negate(a: Operand) -> Operand:
    """-a."""
    return Operand(negative(a.node), a.axes, a.shape, a.ranges, written(f"-{a.wrapped(SIGN)}"), SIGN)


def multiply(a: Operand, b: Operand) -> Operand:
    """a * b, elementwise."""
    text = written(f"{a.wrapped(MULTIPLICATION)}*{b.wrapped(SIGN)}")
    frame, right = elementwise(a, b, text)
    ranges = _joined(a, b, text)
    return Operand(product(a.node, right), frame.axes, frame.shape, ranges, text, MULTIPLICATION)


def divide(a: Operand, b: Operand) -> Operand:
    """a / b, elementwise."""
    text = written(f"{a.wrapped(MULTIPLICATION)}/{b.wrapped(POWER)}")
    frame, right = elementwise(a, b, text)
    if isinstance(right, Number):
        if right.value == 0:
            raise complaint(NotationError, text, "this divides by zero", "Divide by something else.")
        inverse: Scalar = Number(1 / right.value)
    else:
        inverse = Pow(right, Fraction(-1))
    ranges = _joined(a, b, text)
    return Operand(product(a.node, inverse), frame.axes, frame.shape, ranges, text, MULTIPLICATION)


def _joined(a: Operand, b: Operand, text: str) -> Ranges:
    """The ranges of a product. A literal factor leaves the terms of a sum apart, any other ties them."""
    ranges = merge_ranges(a.ranges, b.ranges)
    if not (is_literal(a.node) or is_literal(b.node)):
        check_ranges(ranges, text, more_to_come=True)
    return ranges


def power(a: Operand, exponent: object) -> Operand:
    """a ** exponent, for an exact exponent other than zero.

    Raises
    ------
    NotationError
        If the exponent is not a plain number, is zero, or is no simple fraction.
    """
    text = written(f"{a.wrapped(ATOM)}**{exponent}")
    exact = _exact_exponent(exponent, text)
    check_ranges(a.ranges, text)
    return Operand(Pow(a.node, exact), a.axes, a.shape, a.ranges, text, POWER)


def _exact_exponent(exponent: object, text: str) -> Fraction:
    if isinstance(exponent, bool) or not isinstance(exponent, int | float | Fraction):
        reason = f"the exponent is {type(exponent).__name__}, not a plain number"
        raise complaint(NotationError, text, reason, "Write pgmc.exp(y * pgmc.log(x)) for a variable exponent.")
    if exponent != exponent or exponent in (float("inf"), float("-inf")):
        raise complaint(NotationError, text, "the exponent is not finite", "Use a finite exponent.")
    exact = Fraction(exponent)
    if exact == 0:
        raise complaint(NotationError, text, "the power 0 is the number 1", "Write 1.")
    if abs(exact) > _LARGEST_EXPONENT or exact.denominator > _LARGEST_EXPONENT:
        reason = "the exponent is no simple fraction"
        remedy = "Use an integer or a fractions.Fraction, or pgmc.exp(y * pgmc.log(x))."
        raise complaint(NotationError, text, reason, remedy)
    return exact


def apply(a: Operand, name: str, function: Callable[[Scalar], Scalar]) -> Operand:
    """A unary function of every element."""
    text = written(f"{name}({a.text})")
    check_ranges(a.ranges, text)
    return Operand(function(a.node), a.axes, a.shape, a.ranges, text)


def matmul(a: Operand, b: Operand) -> Operand:
    """a @ b as in NumPy, for vectors and matrices: the last axis of a meets the first of b.

    Raises
    ------
    NotationError
        If an operand has no axis or more than two, or the sizes differ.
    """
    text = written(f"{a.wrapped(MULTIPLICATION)} @ {b.wrapped(SIGN)}")
    for operand in (a, b):
        if len(operand.axes) not in (1, 2):
            reason = f"{operand.text} has the shape {operand.shape}"
            remedy = "@ takes vectors and matrices; use * for a scalar and pgmc.einsum for more axes."
            raise complaint(NotationError, text, reason, remedy)
    if a.shape[-1] != b.shape[0]:
        reason = f"the shapes {a.shape} and {b.shape} do not match: {a.shape[-1]} against {b.shape[0]}"
        remedy = "The last axis of the left side and the first axis of the right side need the same size."
        raise complaint(NotationError, text, reason, remedy)
    shared = fresh_index("")
    # Fresh axes on the right: both sides may be the same handle, which always has the same axes.
    columns = tuple(fresh_index("") for _ in b.axes[1:])
    right = rename(b.node, dict(zip(b.axes, (shared, *columns), strict=True)))
    body = product(rename(a.node, {a.axes[-1]: shared}), right)
    ranges = merge_ranges(a.ranges, b.ranges)
    check_ranges(ranges, text)
    shape = (*a.shape[:-1], *b.shape[1:])
    return Operand(Sum(body, (shared,)), (*a.axes[:-1], *columns), shape, ranges, text, MULTIPLICATION)


def transpose(a: Operand) -> Operand:
    """The axes in reverse order."""
    return Operand(a.node, a.axes[::-1], a.shape[::-1], a.ranges, written(f"{a.wrapped(ATOM)}.T"))


def reduce_sum(a: Operand, axis: object) -> Operand:
    """The sum over some or all positional axes."""
    return _reduce(a, axis, Sum, f"{a.wrapped(ATOM)}.sum({'' if axis is None else f'axis={axis}'})")


def reduce_log_sum_exp(a: Operand, axis: object) -> Operand:
    """log Σ exp over some or all positional axes."""
    return _reduce(a, axis, LogSumExp, f"logsumexp({a.text}{'' if axis is None else f', axis={axis}'})")


def _reduce(a: Operand, axis: object, node: type[Sum] | type[LogSumExp], text: str) -> Operand:
    text = written(text)
    reduced = _axis_numbers(a, axis, text)
    check_ranges(a.ranges, text)
    over = {a.axes[k]: fresh_index("") for k in sorted(reduced)}
    kept = [k for k in range(len(a.axes)) if k not in reduced]
    body = node(rename(a.node, over), tuple(over.values()))
    axes, shape = tuple(a.axes[k] for k in kept), tuple(a.shape[k] for k in kept)
    return Operand(body, axes, shape, a.ranges, text)


def _axis_numbers(a: Operand, axis: object, text: str) -> set[int]:
    """The axes to reduce, all of them for None.

    Raises
    ------
    NotationError
        If there is none, one is out of range or named twice.
    """
    if not a.axes:
        reason = f"{a.text} has no positional axes"
        raise complaint(NotationError, text, reason, "In index notation write pgmc.Sum(expression, index).")
    if axis is None:
        return set(range(len(a.axes)))
    wanted = axis if isinstance(axis, tuple) else (axis,)
    found: set[int] = set()
    for k in wanted:
        if isinstance(k, bool) or not isinstance(k, int) or not -len(a.axes) <= k < len(a.axes):
            reason = f"axis {k!r} is not one of the {len(a.axes)} axes of {a.text}"
            raise complaint(NotationError, text, reason, "Count axes from 0.")
        found.add(k % len(a.axes))
    if len(found) != len(wanted) or not found:
        raise complaint(NotationError, text, "an axis is missing or named twice", "Name every axis once.")
    return found


def einsum(subscripts: object, operands: Sequence[Operand]) -> Operand:
    """The product of the operands over lettered axes, summed over every letter that the output does not keep.

    Raises
    ------
    NotationError
        If the subscripts are malformed or a letter stands for axes of different sizes.
    """
    text = written(f"einsum({subscripts!r}, {', '.join(o.text for o in operands)})")
    inputs, output = _parse_subscripts(subscripts, operands, text)
    letters: dict[str, Index] = {}
    ranges: dict[Index, tuple[Range, ...]] = {}
    factors: list[Scalar] = []
    for operand, names in zip(operands, inputs, strict=True):
        indices = [letters.setdefault(name, fresh_index(name)) for name in names]
        for axis, index in enumerate(indices):
            here = Range(operand.shape[axis], axis, operand.text)
            ranges = dict(merge_ranges(ranges, {index: (here,)}))
        factors.append(substitute(operand.node, dict(zip(operand.axes, map(at, indices), strict=True))))
    for index, found in ranges.items():
        if len(found) > 1:
            raise size_conflict(text, index, found[0], found[1])
    return _contract(product(*factors), output, letters, ranges, operands, text)


def _contract(
    body: Scalar,
    output: str,
    letters: Mapping[str, Index],
    ranges: Mapping[Index, tuple[Range, ...]],
    operands: Sequence[Operand],
    text: str,
) -> Operand:
    """The body summed over the letters that are not in the output."""
    for name in output:
        if name not in letters:
            reason = f"the output letter {name!r} stands on no operand"
            raise complaint(NotationError, text, reason, "Use letters of the operands behind ->.")
    # The summed letters get nameless indices: a letter of einsum is an axis label, not an index of the user.
    renamed = {index: fresh_index("") for index in letters.values()}
    over = tuple(renamed[index] for name, index in letters.items() if name not in output)
    axes = tuple(renamed[letters[name]] for name in output)
    shape = tuple(ranges[letters[name]][0].size for name in output)
    node = rename(body, renamed)
    outer = merge_ranges(*(operand.ranges for operand in operands))
    check_ranges(outer, text)
    return Operand(Sum(node, over) if over else node, axes, shape, outer, text)


def _parse_subscripts(subscripts: object, operands: Sequence[Operand], text: str) -> tuple[list[str], str]:
    """The letters of each operand and of the output."""

    def wrong(reason: str) -> NotationError:
        remedy = "Write one group of letters for each operand and the output's behind ->, as in 'i,ij,j->'."
        return complaint(NotationError, text, reason, remedy)

    if not isinstance(subscripts, str) or subscripts.count("->") != 1:
        raise wrong("the subscripts need one ->")
    left, output = subscripts.replace(" ", "").split("->")
    inputs = left.split(",")
    if any(not (name.isascii() and name.isalpha()) for name in left.replace(",", "") + output):
        raise wrong("subscripts are ASCII letters")
    if len(inputs) != len(operands):
        raise wrong(f"{len(inputs)} groups of letters for {len(operands)} operands")
    if len(set(output)) != len(output):
        raise wrong("a letter of the output is repeated")
    for names, operand in zip(inputs, operands, strict=True):
        if len(names) != len(operand.axes):
            raise wrong(f"{operand.text} has the shape {operand.shape}, not {len(names)} axes")
    return inputs, output
