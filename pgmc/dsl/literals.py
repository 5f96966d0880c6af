"""Plain numbers and arrays in expressions."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.dsl.location import complaint
from pgmc.dsl.operand import ADDITION, ATOM, Operand
from pgmc.errors import NotationError, NumericsError, PgmcError
from pgmc.ir.nodes import Access, Number, at, fresh_index
from pgmc.ir.symbols import Axis, Constant

_placeholders = itertools.count(1)
_PLACEHOLDER = "?"


def literal(value: object) -> Operand:
    """The operand a plain value stands for.

    Integers, rationals and integral floats are exact; any other float and any array is an anonymous constant,
    whose value is passed at run time and never enters generated code.
    """
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    if isinstance(value, int | Fraction):
        return _number(Fraction(value), str(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise complaint(NumericsError, repr(value), "a number in an expression must be finite", "Replace it.")
        if value.is_integer():
            return _number(Fraction(value), str(int(value)))
        return _anonymous(np.float64(value), repr(value))
    if isinstance(value, np.ndarray):
        array = checked_array(value, NotationError, "array constant")
        if 0 in array.shape:
            reason = f"an array of shape {array.shape} has no entries"
            raise complaint(NotationError, "array constant", reason, "Leave it out.")
        return _anonymous(array, None)
    reason = f"{type(value).__name__} is neither an expression, a number nor a NumPy array"
    remedy = "Convert it, for example with numpy.asarray."
    raise complaint(NotationError, ascii(value)[:60], reason, remedy)


def _number(value: Fraction, text: str) -> Operand:
    return Operand(Number(value), text=text, binding=ADDITION if value < 0 or "/" in text else ATOM)


def _anonymous(value: Any, shown: str | None) -> Operand:
    """A constant whose name the model gives when a term uses it (the placeholder is no legal name)."""
    axes = tuple(Axis(size) for size in np.shape(value))
    symbol = Constant(f"{_PLACEHOLDER}{next(_placeholders)}", axes, value, shown)
    indices = tuple(fresh_index("") for _ in axes)
    text = shown if shown is not None else f"array{np.shape(value)}"
    binding = ADDITION if text.startswith("-") else ATOM
    return Operand(Access(symbol, tuple(map(at, indices))), indices, np.shape(value), text=text, binding=binding)


def is_anonymous(symbol: object) -> bool:
    """Whether the symbol is a constant that no model has named yet."""
    return isinstance(symbol, Constant) and symbol.name.startswith(_PLACEHOLDER)


def checked_array(
    value: object, error: type[PgmcError], subject: str, *, places: str = "a value"
) -> npt.NDArray[np.float64]:
    """A read-only float64 copy of real, finite numbers.

    Raises
    ------
    ModelError, NotationError
        (``error``) if the dtype is not boolean, integer or real.
    NumericsError
        If an entry is NaN or infinite.
    """
    try:
        raw = np.asarray(value)
    except ValueError:  # a ragged list
        raise complaint(error, subject, "the rows of the array differ in length", "Make it rectangular.") from None
    if raw.dtype.kind not in "biuf":
        reason = f"{places} of dtype {raw.dtype} is not made of real numbers"
        raise complaint(error, subject, reason, "Use an array of floats, integers or booleans.")
    array = np.array(raw, dtype=np.float64)
    finite = np.isfinite(array)
    if not finite.all():
        first = tuple(int(k) for k in np.argwhere(~finite)[0])
        reason = f"{places} is {array[first]} at position {first}"
        raise complaint(NumericsError, subject, reason, "Every entry must be finite.")
    array.flags.writeable = False
    return array
