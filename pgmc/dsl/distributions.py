"""Distributions of directed factors: the law of each unit of a variable given others."""

from __future__ import annotations

from dataclasses import dataclass

from pgmc.dsl.expression import Expression, as_operand
from pgmc.dsl.functions import log
from pgmc.dsl.location import complaint
from pgmc.dsl.operand import Operand
from pgmc.errors import ModelError
from pgmc.ir.answers import Family


class Distribution:
    """What :meth:`pgmc.Model.directed` takes: a family and its parameters."""

    family: Family
    operands: dict[str, Operand]

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={operand.text}" for name, operand in self.operands.items())
        return f"{type(self).__name__}({inner})"


@dataclass(init=False, repr=False)
class Bernoulli(Distribution):
    """A unit with two values: P(on) = σ(logits); on is 1 of a binary unit and +1 of a spin.

    Parameters
    ----------
    logits
        log P(on) - log P(off), in nats.
    probs
        P(on), strictly between 0 and 1, in place of the logits.

    Raises
    ------
    ModelError
        If both or neither are given.

    Examples
    --------
    >>> m.directed(v, pgmc.Bernoulli(logits=h @ W + b))
    """

    def __init__(self, *, logits: Expression | float | None = None, probs: Expression | float | None = None) -> None:
        self.family = "Bernoulli"
        if (logits is None) == (probs is None):
            reason = "it takes either logits= or probs="
            raise complaint(ModelError, "pgmc.Bernoulli", reason, "Give one of them.")
        if probs is not None:
            value = Expression(as_operand(probs))
            logits = log(value) - log(1 - value)
        self.operands = {"logits": as_operand(logits)}


@dataclass(init=False, repr=False)
class Categorical(Distribution):
    """A unit with K states: P(k) = exp(logits_k) / Σ_l exp(logits_l).

    Parameters
    ----------
    logits
        One number for each state, up to a constant, in nats: shape ``(*shape, K)``, or in index notation with the
        index of the state last, as the target's.

    Examples
    --------
    >>> m.directed(y, pgmc.Categorical(logits=h @ U + d))
    """

    def __init__(self, *, logits: Expression) -> None:
        self.family = "Categorical"
        self.operands = {"logits": as_operand(logits)}


@dataclass(init=False, repr=False)
class Normal(Distribution):
    """A real unit: N(mean, 1 / precision).

    Parameters
    ----------
    mean
        The mean, in the unit's own units.
    precision
        One over the variance, positive; 1 if neither it nor the scale is given.
    scale
        The standard deviation, in place of the precision.

    Raises
    ------
    ModelError
        If both precision and scale are given.

    Examples
    --------
    >>> m.directed(x, pgmc.Normal(mean=h @ W + b, precision=lam))
    """

    def __init__(
        self,
        *,
        mean: Expression | float,
        precision: Expression | float | None = None,
        scale: Expression | float | None = None,
    ) -> None:
        self.family = "Normal"
        if precision is not None and scale is not None:
            raise complaint(ModelError, "pgmc.Normal", "it takes either precision= or scale=", "Give one of them.")
        if scale is not None:
            precision = Expression(as_operand(scale)) ** -2
        self.operands = {"mean": as_operand(mean), "precision": as_operand(1 if precision is None else precision)}
