"""Where the user wrote something, and messages that say so."""

from __future__ import annotations

import os
import sys
import warnings
from types import FrameType
from typing import TypeVar

import numpy as np

from pgmc.errors import ModelWarning, PgmcError
from pgmc.ir.symbols import SourceLine

# NumPy calls back into expressions: its frames are no more the user's than ours.
_INTERNAL = tuple(os.path.dirname(path) + os.sep for path in (os.path.dirname(__file__), np.__file__))
_LONGEST_OBJECT = 100

E = TypeVar("E", bound=PgmcError)


def _user_frame() -> tuple[FrameType | None, int]:
    """The innermost frame of the user's, and how many frames of the package lie above it."""
    frame: FrameType | None = sys._getframe(1)
    depth = 0
    while frame is not None and frame.f_code.co_filename.startswith(_INTERNAL):
        frame = frame.f_back
        depth += 1
    return frame, depth


def _short(path: str) -> str:
    """The path relative to the working directory if it lies inside."""
    try:
        here = os.path.join(os.getcwd(), "")
    except OSError:  # the working directory was deleted
        return path
    return path.removeprefix(here)


def call_site() -> SourceLine:
    """The line of the user's code that is being executed."""
    frame, _ = _user_frame()
    if frame is None:
        return SourceLine("<unknown>", 0)
    return SourceLine(_short(frame.f_code.co_filename), frame.f_lineno)


def shorten(text: str, limit: int = _LONGEST_OBJECT) -> str:
    """The text, cut in the middle if it is longer than ``limit``."""
    if len(text) <= limit:
        return text
    half = (limit - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


def complaint(error: type[E], subject: str, reason: str, remedy: str) -> E:
    """An error in four parts: where, what object, why, and what to do."""
    return error(f"{call_site()}  {shorten(subject)}: {reason}. {remedy}")


def warn(subject: str, origin: SourceLine | None, reason: str, remedy: str) -> None:
    """Warn about a legal but doubtful specification; the place is the declaration, if known."""
    _, depth = _user_frame()
    place = origin if origin is not None else call_site()
    warnings.warn(f"{place}  {subject}: {reason}. {remedy}", ModelWarning, stacklevel=max(depth, 1) + 1)
