"""Which names a specification may use. Only these ever reach generated source."""

from __future__ import annotations

import keyword
import re

from pgmc.dsl.location import complaint
from pgmc.errors import ModelError, NotationError

RULE = "A name is a letter followed by at most 63 ASCII letters, digits or underscores, and no Python keyword"

# What the compiler itself calls things: the inverse temperature and the base fields of annealed ensembles, the
# damping of mean field,
# constants that the user did not name, and the helpers that generated modules define.
RESERVED_NAMES = frozenset({"inverse_temperature", "damping"})
RESERVED_PREFIXES = ("base_", "pgmc_")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
_ANONYMOUS = re.compile(r"constant_[0-9]+", re.ASCII)


def is_name(name: object) -> bool:
    """Whether this is a string that fits the rule."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None and not keyword.iskeyword(name)


def is_reserved(name: str) -> bool:
    """Whether the compiler keeps this name for itself."""
    return name in RESERVED_NAMES or name.startswith(RESERVED_PREFIXES) or is_anonymous_name(name)


def is_anonymous_name(name: str) -> bool:
    """Whether this is how constants are called that the user wrote in place."""
    return _ANONYMOUS.fullmatch(name) is not None


def check_name(name: object, subject: str) -> str:
    """The name, if a symbol, a model or a term may be called so.

    Raises
    ------
    ModelError
        If it is not a string, breaks the rule, or is reserved.
    """
    if not isinstance(name, str):
        reason = f"the name is {type(name).__name__}, not a string"
        raise complaint(ModelError, subject, reason, f"{RULE}.")
    if not is_name(name):
        raise complaint(ModelError, subject, f"{_quoted(name)} is not a name", f"{RULE}.")
    if is_reserved(name):
        reason = f"the name '{name}' is reserved"
        remedy = (
            "Choose another one: 'inverse_temperature', 'damping', 'constant_<number>' and names that begin with "
            "'base_' or 'pgmc_' belong to the compiler."
        )
        raise complaint(ModelError, subject, reason, remedy)
    return name


def check_index_name(name: str) -> str:
    """The name of an index, if it fits the rule (it becomes a loop variable)."""
    if not is_name(name):
        raise complaint(NotationError, "pgmc.indices", f"{_quoted(name)} is not a name", f"{RULE}.")
    return name


def _quoted(name: str) -> str:
    """The name in quotes, in ASCII and cut short, so that it cannot disturb the message."""
    return ascii(name if len(name) <= 64 else name[:61] + "...")
