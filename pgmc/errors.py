"""Every exception and warning that pgmc raises.

A message has four parts: the object, the place where the user wrote it, the reason, and the remedy.
"""

from __future__ import annotations


class PgmcError(Exception):
    """Base class of every error raised by pgmc."""


class NotationError(PgmcError):
    """An expression that has no meaning: axes that do not match, an ambiguous sum, an unknown operand."""


class ModelError(PgmcError):
    """A specification that is not well formed: names, shapes, blocks, an empty model."""


class DerivationError(PgmcError):
    """A derivation that no method could carry out; ``refusals`` holds the reason of each method."""

    def __init__(self, message: str, refusals: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.refusals = refusals


class IntractableError(PgmcError):
    """A quantity that has no tractable exact form for this model; the message says what to use instead."""


class DataError(PgmcError):
    """Data, states or parameters of a wrong shape, type or range."""


class ArgumentError(PgmcError, ValueError):
    """An argument out of its range: a negative count, a batch larger than the data, an invalid seed."""


class NumericsError(PgmcError):
    """Values that stopped being finite at run time."""


class VerificationError(PgmcError):
    """A program that disagrees with brute force on a small instance."""


class CheckpointError(PgmcError):
    """A file that cannot be read as a saved model."""


class InternalError(PgmcError):
    """A broken invariant of the compiler: a defect of pgmc itself. Please report it."""


class ModelWarning(UserWarning):
    """A specification that is legal but probably not meant."""


class CacheWarning(UserWarning):
    """The compile cache could not be used; the program still works, uncached."""
