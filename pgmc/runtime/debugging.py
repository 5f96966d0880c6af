"""The environment variable ``PGMC_DEBUG``: what is told on the standard error while kernels are made.

Its value is one or more of these words, separated by commas:

- ``kernels``  a line for each kernel: what it answers, whether it was compiled, found in the cache or is interpreted,
  how long that took, and the file it lies in
- ``stages``   every stage of each kernel that is generated: the answer, the array program, the loop program, the source
"""

from __future__ import annotations

import os
import sys

from pgmc.errors import ArgumentError

VARIABLE = "PGMC_DEBUG"
SWITCHES = ("kernels", "stages")


def is_on(switch: str) -> bool:
    """Whether ``PGMC_DEBUG`` holds this word.

    Raises
    ------
    ArgumentError
        If it holds another word than those above.
    """
    words = [word.strip() for word in os.environ.get(VARIABLE, "").split(",") if word.strip()]
    for word in words:
        if word not in SWITCHES:
            raise ArgumentError(f"{VARIABLE}={word} says nothing. Set it to {' or '.join(SWITCHES)}, or to both.")
    return switch in words


def tell(text: str) -> None:
    """Write lines to the standard error, each with the name of the library in front."""
    sys.stderr.writelines(f"pgmc: {line}\n" for line in text.splitlines())
